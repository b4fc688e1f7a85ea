/** The door of worker fleets: a request that came over the bus is served like one over HTTP, and answered with the same documents. */
import type { Clock } from "../../actors/ports/clock.ts";
import type { Ids } from "../../actors/ports/ids.ts";
import type { Log } from "../../actors/ports/log.ts";
import { accountId, isUuid, type JsonValue } from "../../machines/vocabulary.ts";
import { readBytes } from "../http/middleware/body.ts";
import type { FleetOperation, Operation, Reply } from "../http/operation.ts";
import { Problem, shortened } from "../http/problems.ts";
import type { FleetAnswer, FleetRequest, FleetService, FleetVerb } from "../ports/fleet.ts";
import { answerOf } from "./answer.ts";
import { Capacity } from "./capacity.ts";
import { failureOf } from "./failure.ts";
import { DoorRecipient } from "./recipient.ts";
import type { Visit } from "./serve.ts";
import { describeVerb, splitFields, type VerbOperation, verbsOf } from "./verbs.ts";

/** Much more than a key, an idempotency key and a trace need; libraries read headers in quadratic time (bytes). */
export const HEADER_BYTES_MAX = 4_096;
/** What a gateway holds at once for all fleets, and for one account: requests, and the bytes that they were sent in. */
export const DOOR_BOUNDS = { requests: 4_096, bytes: 67_108_864 };
export const ACCOUNT_BOUNDS = { requests: 256, bytes: 8_388_608 };
/** The longest wait (ms): over NATS nobody can tell that who asked has gone, and what it wins then is lost to others meanwhile. */
const WAIT_MS_MAX = 5_000;
/** What an answer has beside tasks (bytes, at most). */
const FRAME_BYTES = 4_096;
/** Retry-After of a door or an account that is full (s). */
const FULL_RETRY_S = 1;

type Headers = (name: string) => string;

interface Surroundings {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly version: string;
  /** Admits the caller, checks what is asked, and does it. Throws Problem. */
  readonly serve: (operation: Operation | FleetOperation, visit: Visit) => Promise<Reply>;
}

export class FleetDoor implements FleetService {
  readonly version: string;
  readonly verbs: readonly FleetVerb[];
  readonly #surroundings: Surroundings;
  readonly #operations: ReadonlyMap<string, VerbOperation>;
  readonly #capacity = new Capacity(DOOR_BOUNDS, ACCOUNT_BOUNDS);

  constructor(operations: readonly (Operation | FleetOperation)[], surroundings: Surroundings) {
    this.#operations = verbsOf(operations);
    this.#surroundings = surroundings;
    this.version = surroundings.version;
    this.verbs = [...this.#operations.values()].map(describeVerb);
  }

  /** Answers a request, with a problem document if it is refused. Never rejects. */
  async answer(verb: string, request: FleetRequest): Promise<FleetAnswer> {
    const { clock, ids, log } = this.#surroundings;
    const [started, id] = [clock.now(), ids.next()];
    const headers = new Map([["X-Request-Id", id]]);
    const answer = await this.#answered(verb, request, headers).catch((error: unknown): FleetAnswer => {
      const failure = failureOf(error, id, log);
      for (const [name, value] of Object.entries(failure.headers)) headers.set(name, value);
      const body = JSON.stringify(failure.body);
      return { status: failure.status, headers, body, sentence: failure.body.detail, whenSent: null };
    });
    log.debug(
      { request: id, verb, account: shortened(request.account), status: answer.status, ms: clock.now() - started },
      "request",
    );
    return answer;
  }

  async #answered(verb: string, request: FleetRequest, headers: Map<string, string>): Promise<FleetAnswer> {
    const known = this.#operations.get(verb);
    if (known === undefined)
      throw new Problem(404, "NOT_FOUND", `There is no verb ${shortened(verb)}; the service's info lists them.`);
    refuseLongHeaders(request);
    const leave = this.#capacity.enter(request.account, request.payload.length + request.headerBytes);
    if (typeof leave === "string") throw full(leave);
    const client = new DoorRecipient();
    try {
      const reply = await this.#served(known, request, headers, client);
      return answerOf(reply, known.operation, headers, request.answerBytesMax, client);
    } catch (error) {
      // What it was to get it does not: the answer is too long, for one.
      client.left();
      throw error;
    } finally {
      leave();
    }
  }

  async #served(
    known: VerbOperation,
    request: FleetRequest,
    headers: Map<string, string>,
    client: DoorRecipient,
  ): Promise<Reply> {
    const { account } = request;
    if (!isUuid(account) || account !== account.toLowerCase()) {
      throw new Problem(404, "ACCOUNT_UNKNOWN", "The subject must name an account by its id, in lower case, before the verb.");
    }
    const header = headersOf(request);
    const { operation, verb } = known;
    let fields: ReturnType<typeof splitFields> | undefined;
    // Nothing of the payload is read before the caller is admitted.
    const read = () => {
      fields ??= splitFields(known, readBytes(request.payload));
      return fields;
    };
    return this.#surroundings.serve(operation, {
      address: `fleet ${account}`,
      only: accountId(account),
      header,
      set: (name, value) => headers.set(name, value),
      readParams: () => read().params,
      names: verb.params ?? {},
      query: "",
      takesBody: true,
      readBody: async (): Promise<JsonValue | undefined> => read().body,
      readText: async () => "",
      waiting: { client, msMost: WAIT_MS_MAX, bytesMost: request.answerBytesMax - FRAME_BYTES },
      line: request.line,
      lookOnly: false,
    });
  }
}

function headersOf({ readHeaders }: FleetRequest): Headers {
  const headers = readHeaders();
  if (headers !== undefined) return headers;
  throw new Problem(
    400,
    "MALFORMED_HEADERS",
    "The headers cannot be read; send names of visible ASCII characters, without colons.",
  );
}

function refuseLongHeaders({ headerBytes }: FleetRequest): void {
  if (headerBytes <= HEADER_BYTES_MAX) return;
  const detail = `The headers have more than ${HEADER_BYTES_MAX} bytes; send fewer or shorter ones.`;
  throw new Problem(431, "HEADERS_TOO_LARGE", detail);
}

function full(who: "account" | "door"): Problem {
  return who === "account"
    ? new Problem(
        429,
        "TOO_MANY_AT_ONCE",
        "This account has too many requests under way; wait for answers before you send more.",
        {
          retryAfter: FULL_RETRY_S,
        },
      )
    : new Problem(503, "OVERLOADED", "This gateway has too many requests under way; nothing was done, try again.", {
        retryAfter: FULL_RETRY_S,
      });
}
