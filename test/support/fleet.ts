/** A worker of a fleet, or a whole one: it asks over NATS as a client of any language would. */
import { type ConnectionOptions, connect, headers, type NatsConnection } from "nats";
import type { Reply } from "./client.mjs";
import type { Party } from "./market.ts";

const ANSWER_MS = 15_000;

export interface AskOptions {
  /** Whose key is sent; by default the fleet's own. Null: none. */
  readonly key?: string | null;
  readonly idempotencyKey?: string;
  readonly headers?: Record<string, string>;
  /** Whose subject is asked on; by default the fleet's own. */
  readonly account?: string;
  /** How long to wait for the answer (ms). */
  readonly timeoutMs?: number;
}

/** An answer: the status that HTTP would have for an error, 0 for a success. */
export interface FleetReply {
  readonly status: number;
  readonly header: (name: string) => string;
  readonly body: Reply["body"];
}

export class Fleet {
  readonly connection: NatsConnection;
  readonly #party: Party;
  readonly prefix: string;

  private constructor(connection: NatsConnection, party: Party, prefix: string) {
    this.connection = connection;
    this.#party = party;
    this.prefix = prefix;
  }

  static async connect(url: string, party: Party, more: Partial<ConnectionOptions> = {}, prefix = "nexus"): Promise<Fleet> {
    const inboxPrefix = `_INBOX.${party.id}`;
    return new Fleet(await connect({ servers: url.replace("nats://", ""), inboxPrefix, ...more }), party, prefix);
  }

  /** Asks a verb; text and bytes are sent as they are. Rejects if nobody answers. */
  async ask(verb: string, body?: unknown, options: AskOptions = {}): Promise<FleetReply> {
    const {
      key = this.#party.key,
      idempotencyKey,
      headers: more = {},
      account = this.#party.id,
      timeoutMs = ANSWER_MS,
    } = options;
    const sent = headers();
    if (key !== null) sent.set("X-API-Key", key);
    if (idempotencyKey !== undefined) sent.set("Idempotency-Key", idempotencyKey);
    for (const [name, value] of Object.entries(more)) sent.set(name, value);
    const raw = body === undefined || typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
    const subject = `${this.prefix}.api.v1.${account}.${verb}`;
    const answer = await this.connection.request(subject, raw, { timeout: timeoutMs, headers: sent });
    return {
      status: Number(answer.headers?.get("Nats-Service-Error-Code") ?? 0),
      header: (name) => answer.headers?.get(name) ?? "",
      body: answer.json(),
    };
  }

  /** Asks and wants success; gives the body. */
  async ok(verb: string, body?: unknown, options: AskOptions = {}): Promise<Reply["body"]> {
    const reply = await this.ask(verb, body, options);
    if (reply.status !== 0) throw new Error(`${verb}: ${reply.status} ${JSON.stringify(reply.body)}`);
    return reply.body;
  }

  close(): Promise<void> {
    return this.connection.close();
  }
}
