/**
 * The line on which fleets ask, over NATS: requests on `<prefix>.api.v1.<account>.<verb>`, of which one gateway gets each.
 *
 * F1  An answer goes to an inbox of the account that the subject names, or to one that nobody can guess; never to a subject that
 *     somebody else chose for others to hear.
 * F2  Headers are measured before they are read.
 * F3  When the line is closed, what was delivered is answered first; what was not goes to another gateway.
 * F4  Where it matters whether an answer was sent, it was when the server has confirmed it; while the server is away it is not sent.
 * F5  What is pushed goes to the push subject of the account that asked, which no other account may hear, and never late: it is
 *     refused while the server is away, or has not taken what was pushed before.
 */
import { Match, type Msg, type MsgHdrs, headers as makeHeaders, type NatsConnection, nuid, type Subscription } from "nats";
import type { Log } from "../../../actors/ports/log.ts";
import type { FleetAnswer, FleetRequest, FleetService, Pushed, PushLine } from "../../../gateway/ports/fleet.ts";
import { type NatsLink, type NatsSettings, openLink, shownUrl } from "./connect.ts";
import { Micro, type MicroEndpoint } from "./micro.ts";

/** The queue group of all gateways. */
const QUEUE = "gateways";
/** Where the door itself is answered. */
const DOOR_INBOX = "_INBOX.door";
/** Kept free for the headers of an answer (bytes): 20 names of ignored fields are the longest of them. */
const ANSWER_HEADER_BYTES = 16_384;
const SENTENCE_CHARACTERS_MAX = 500;
/** What may be pushed that the server has not confirmed (bytes): the library keeps whatever a slow connection does not take. */
const UNCONFIRMED_MAX = 8_388_608;
/** How soon a subscription is tried again that the server has refused, or ended (ms). */
const SUBSCRIBE_AGAIN_MS = 1_000;
/** How clients make inboxes unless they are told otherwise: 22 random characters, and one part more for each request. */
const RANDOM_INBOX = /^_INBOX\.[0-9A-Za-z]{22}(\.[0-9A-Za-z]{1,64})?$/;

const TOLD = {
  down: "the NATS of the fleets is down; their requests fail until it is back",
  back: "the NATS of the fleets is back",
};

export interface FleetLineOptions {
  /** Seen by operators of the server. */
  readonly name: string;
  readonly production: boolean;
  /** Whether fleets could reach what connects the processes of this platform. */
  readonly exposed: (fleet: NatsConnection) => Promise<boolean>;
  readonly log: Log;
}

/** Whether an answer to a request for `account` may be published there (F1). */
export function mayAnswer(reply: string, account: string): boolean {
  return reply.startsWith(`_INBOX.${account}.`) || RANDOM_INBOX.test(reply);
}

export class FleetLine {
  readonly #link: NatsLink;
  readonly #connection: NatsConnection;
  readonly #prefix: string;
  readonly #service: FleetService;
  readonly #log: Log;
  readonly #micro: Micro;
  readonly #subscriptions = new Map<string, Subscription>();
  #unconfirmed = 0;
  #confirming = false;
  /** The confirmation that is under way, and the one after it. */
  #confirmation: Promise<boolean> = Promise.resolve(true);
  #nextConfirmation: Promise<boolean> | null = null;
  #underWay = 0;
  #idle = () => {};
  #closing = false;

  private constructor(link: NatsLink, prefix: string, service: FleetService, log: Log) {
    const { connection } = link;
    this.#link = link;
    this.#connection = connection;
    this.#prefix = prefix;
    this.#service = service;
    this.#log = log;
    const endpoints = service.verbs.map(({ verb, about }) => this.#endpointOf(verb, about));
    this.#micro = new Micro(
      {
        name: prefix.replaceAll(".", "-"),
        id: nuid.next(),
        version: service.version,
        description: "NexusToken: the API of worker fleets. Send your API key in the header X-API-Key.",
        metadata: { subject: `${prefix}.api.v1.<account>.<verb>` },
        queue: QUEUE,
        endpoints,
      },
      new Date().toISOString(),
    );
    for (const { verb } of service.verbs) this.#subscribe(verb);
    this.#micro.tell(connection);
  }

  /**
   * Connects, and answers requests from then on. Throws an Error with a sentence for the operator if that is not possible, or
   * would let fleets reach the platform's inside.
   */
  static async open(settings: NatsSettings, service: FleetService, options: FleetLineOptions): Promise<FleetLine> {
    const { name, log } = options;
    const check = (connection: NatsConnection) => checkServer(connection, settings, options);
    const link = await openLink(settings, { name, inboxPrefix: DOOR_INBOX }, TOLD, log, check);
    const line = new FleetLine(link, settings.prefix, service, log);
    await link.connection.flush();
    return line;
  }

  /**
   * Takes no more requests, answers those that it has for at most `ms`, calls `last`, after which nothing is pushed any more, and
   * disconnects. Never rejects.
   */
  async close(ms: number, last: () => void = () => {}): Promise<void> {
    this.#closing = true;
    // Nothing can be answered while the server is away.
    if (!this.#link.up()) {
      last();
      return this.#connection.close();
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    const drained = Promise.allSettled([...this.#subscriptions.values()].map((subscription) => subscription.drain()));
    await Promise.race([drained, late]);
    const idle = new Promise<void>((resolve) => {
      this.#idle = resolve;
      if (this.#underWay === 0) resolve();
    });
    await Promise.race([idle, late]);
    last();
    await Promise.race([this.#connection.drain().catch(() => {}), late]);
    clearTimeout(timer);
    await this.#connection.close();
  }

  #isUp(): boolean {
    return this.#link.up() && !this.#connection.isDraining() && !this.#connection.isClosed();
  }

  #pushTo(account: string, text: string): Pushed {
    const connection = this.#connection;
    const bytes = Buffer.from(text);
    // While the server is away the library would keep it, and send it when it is old.
    if (!this.#isUp()) return "later";
    if (bytes.length > (connection.info?.max_payload ?? 0)) return "too long";
    if (this.#unconfirmed > 0 && this.#unconfirmed + bytes.length > UNCONFIRMED_MAX) return "later";
    connection.publish(`${this.#prefix}.push.v1.${account}`, bytes);
    this.#unconfirmed += bytes.length;
    if (!this.#confirming) void this.#confirm();
    return "sent";
  }

  /** Has the server confirm all that was pushed. */
  async #confirm(): Promise<void> {
    this.#confirming = true;
    while (this.#unconfirmed > 0) {
      const pushed = this.#unconfirmed;
      // If the connection breaks, what it had not taken is gone.
      await this.#confirmed();
      this.#unconfirmed -= pushed;
    }
    this.#confirming = false;
  }

  /** Whether the server has taken all that was published until now. One question is under way at a time, for all who want to know. */
  #confirmed(): Promise<boolean> {
    this.#nextConfirmation ??= this.#confirmation.then(() => {
      this.#nextConfirmation = null;
      this.#confirmation = this.#connection.flush().then(
        () => true,
        () => false,
      );
      return this.#confirmation;
    });
    return this.#nextConfirmation;
  }

  #endpointOf(verb: string, metadata: { readonly [name: string]: string }): MicroEndpoint {
    return { name: verb.replaceAll(".", "-"), subject: `${this.#prefix}.api.v1.*.${verb}`, metadata };
  }

  #subscribe(verb: string): void {
    if (this.#closing || this.#connection.isClosed()) return;
    const { name, subject } = this.#endpointOf(verb, {});
    const callback = (error: Error | null, message: Msg) => {
      if (error === null) {
        this.#take(verb, name, message);
        return;
      }
      this.#log.error({ err: error, subject }, "fleets cannot be answered: the server refuses this subscription");
      setTimeout(() => this.#subscribe(verb), SUBSCRIBE_AGAIN_MS).unref();
    };
    this.#subscriptions.set(verb, this.#connection.subscribe(subject, { queue: QUEUE, callback }));
  }

  #take(verb: string, endpoint: string, message: Msg): void {
    const account = message.subject.slice(`${this.#prefix}.api.v1.`.length, -`.${verb}`.length);
    if (!mayAnswer(message.reply ?? "", account)) {
      this.#log.debug({ subject: message.subject, reply: message.reply }, "a request without an inbox of its own was ignored");
      return;
    }
    this.#underWay += 1;
    void this.#answer(verb, endpoint, account, message).finally(() => {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#idle();
    });
  }

  async #answer(verb: string, endpoint: string, account: string, message: Msg): Promise<void> {
    const started = performance.now();
    const line = { isUp: () => this.#isUp(), push: (text: string) => this.#pushTo(account, text) };
    const request = requestOf(account, message, this.#connection.info?.max_payload ?? 0, line);
    const answer = await this.#service.answer(verb, request);
    const wrong = answer.sentence === null ? null : `${answer.status} ${answer.sentence}`;
    this.#micro.count(endpoint, performance.now() - started, wrong);
    const { whenSent } = answer;
    // While the server is away the library would keep it, and send it when nobody waits for it any more.
    if (whenSent !== null && !this.#link.up()) return whenSent(false);
    const isSent = this.#respond(message, answer);
    whenSent?.(isSent && (await this.#confirmed()));
  }

  /** Whether the library has taken the answer. */
  #respond(message: Msg, answer: FleetAnswer): boolean {
    try {
      return message.respond(answer.body, { headers: headersOf(answer) });
    } catch (error) {
      // The connection was closed meanwhile: the caller asks again, under the same Idempotency-Key.
      this.#log.warn({ err: error, subject: message.subject }, "could not send an answer to a fleet");
      return false;
    }
  }
}

function requestOf(account: string, message: Msg, payloadMax: number, line: PushLine): FleetRequest {
  const { data: payload, subject, reply = "" } = message;
  return {
    account,
    payload,
    headerBytes: sizeOf(message) - Buffer.byteLength(subject) - Buffer.byteLength(reply) - payload.length,
    readHeaders: () => readHeaders(message),
    answerBytesMax: payloadMax - ANSWER_HEADER_BYTES,
    line,
  };
}

/** Bytes of subject, reply, headers and payload. The library's type does not have it; without it no headers are read. */
function sizeOf(message: Msg): number {
  const size: unknown = "size" in message && typeof message.size === "function" ? message.size() : undefined;
  return typeof size === "number" ? size : Number.POSITIVE_INFINITY;
}

function readHeaders(message: Msg): ((name: string) => string) | undefined {
  try {
    const { headers } = message;
    // Several values become a list, as in HTTP (RFC 9110 5.3).
    return (name) => headers?.values(name, Match.IgnoreCase).join(", ") ?? "";
  } catch {
    return undefined;
  }
}

function headersOf({ status, headers, sentence }: FleetAnswer): MsgHdrs {
  const made = makeHeaders();
  for (const [name, value] of headers) made.set(name, value);
  if (sentence === null) return made;
  made.set("Nats-Service-Error-Code", String(status));
  // One line of ASCII; the document has it in full.
  made.set("Nats-Service-Error", sentence.slice(0, SENTENCE_CHARACTERS_MAX).replaceAll(/[^\x20-\x7e]/g, "?"));
  return made;
}

/** Throws an Error with a sentence for the operator unless the door may open at this server. */
async function checkServer(connection: NatsConnection, settings: NatsSettings, options: FleetLineOptions): Promise<void> {
  const { production, exposed, log } = options;
  const shown = shownUrl(settings);
  if (await exposed(connection)) {
    throw new Error(
      `${shown}: fleets there could reach what connects the processes of this platform (NATS_URL). Give fleets a NATS account of their own, or another server; \`nexus fleet config\` writes what it needs.`,
    );
  }
  if (connection.info?.auth_required !== true) {
    const open = `${shown}: this server lets anybody in, so that every fleet can read the API keys of the others; give each fleet a user of its own; \`nexus fleet config\` writes what the server needs.`;
    if (production) throw new Error(open);
    log.warn({}, open);
  }
  if ((await mayServe(connection, settings.prefix)) && (await mayPush(connection, settings.prefix))) return;
  throw new Error(
    `${shown}: this user may not subscribe to ${settings.prefix}.api.v1.>, $SRV.> and ${DOOR_INBOX}.>, and publish to _INBOX.> and ${settings.prefix}.push.v1.>; give it these permissions, as \`nexus fleet config\` writes them.`,
  );
}

/** Whether the server lets this user do what the line needs. */
async function mayServe(connection: NatsConnection, prefix: string): Promise<boolean> {
  const probe = nuid.next();
  const inbox = `${DOOR_INBOX}.${probe}`;
  let refused = false;
  let answered = false;
  const callback = (error: Error | null, message: Msg) => {
    if (error !== null) refused = true;
    else if (message.subject === inbox) answered = true;
  };
  const tried = [
    connection.subscribe(inbox, { callback }),
    connection.subscribe(`$SRV.PING.${probe}`, { callback }),
    connection.subscribe(`${prefix}.api.v1.*.hello.${probe}`, { queue: QUEUE, callback }),
  ];
  connection.publish(inbox);
  await connection.flush();
  for (const subscription of tried) subscription.unsubscribe();
  return answered && !refused;
}

/** Whether the server lets this user push; it says so nowhere but in its errors. */
async function mayPush(connection: NatsConnection, prefix: string): Promise<boolean> {
  const subject = `${prefix}.push.v1.hello.${nuid.next()}`;
  let [refused, over] = [false, false];
  const watch = async () => {
    for await (const { permissionContext } of connection.status()) {
      if (permissionContext?.subject === subject) refused = true;
      if (over) return;
    }
  };
  void watch();
  connection.publish(subject);
  // The error comes before the answer to the first ping, and has been told before that to the second.
  await connection.flush();
  await connection.flush();
  over = true;
  return !refused;
}
