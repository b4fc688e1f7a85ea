/**
 * An operation of the API as one value: its path, input, output and handler. Routing, validation, types and the OpenAPI
 * document are all derived from it.
 */
import Type, { type Static, type TObject, type TSchema } from "typebox";
import type { AccountId, JsonValue, Millis } from "../../machines/vocabulary.ts";
import type { Recipient } from "../doors/recipient.ts";
import type { PushLine } from "../ports/fleet.ts";
import type { StoredAccount } from "../ports/read-model.ts";
import type { Services } from "../services.ts";
import { normalizeFields } from "./fields.ts";
import { Problem, renamed } from "./problems.ts";
import { bodyCheck, pathCheck, queryCheck } from "./validate.ts";

/** The calling account, and the hash of its API key. */
export interface Caller {
  readonly account: AccountId;
  readonly keyHash: string;
  /** The ticket that was sent in place of the key. */
  readonly ticket?: string;
  /** The account as it was read when the caller was admitted, before the body was; absent where the key was known. */
  readonly read?: StoredAccount;
}

/** What a door grants an operation that waits before it answers. */
export interface Waiting {
  readonly client: Recipient;
  /** The longest wait (ms). */
  readonly msMost: Millis;
  /** The longest answer (bytes). */
  readonly bytesMost: number;
}

/** What of a request reaches the handler as it came. */
interface Request {
  /** The Idempotency-Key header, if the operation takes one. */
  readonly idempotencyKey: string | null;
  /** The client's address (IPv6: its /64). */
  readonly address: string;
  /** When the request arrived (ms), before its body was read and before it waited for anything. */
  readonly arrived: Millis;
  readonly waiting: Waiting;
  /** Reaches the fleet that asks; null where HTTP does. */
  readonly line: PushLine | null;
  /** The raw body, if the operation asks for it. */
  readonly text: string;
  /** A header of the request; empty if it was not sent. */
  readonly header: (name: string) => string;
  readonly services: Services;
}

/** A request before its fields are validated. */
export interface Incoming extends Request {
  readonly params: unknown;
  /** What the client calls the parameters of the path, where that is not as the operation does. */
  readonly names: { readonly [param: string]: string };
  /** The raw query, without the question mark. */
  readonly query: string;
  /** undefined if there was none. */
  readonly body: JsonValue | undefined;
  /** Called with the names of unknown fields. */
  readonly ignore: (names: readonly string[]) => void;
  /** The caller, if the operation needs an API key. */
  readonly caller: Caller | undefined;
}

/** A request whose fields are valid. */
export interface Given<P, Q, B> extends Request {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /** The whole parsed body with its unknown fields; an Idempotency-Key stands for this value. */
  readonly sent: JsonValue;
}

export interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: { readonly [name: string]: string };
}

/** How fleets ask for an operation over the bus. */
export interface Verb {
  /** The last two parts of the subject: `work.submit`. */
  readonly name: string;
  /** The fields in which they send the parameters of the path, where these have other names: `{ id: "task" }`. */
  readonly params?: { readonly [param: string]: string };
}

/** What is asked and answered, whichever door it comes through. */
interface Exchange<P extends TObject = TObject, Q extends TObject = TObject, B extends TSchema = TSchema> {
  /** The operationId: a verb and a noun in camelCase, because generators make method names of it. */
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** The fields of the body, if the handler validates them itself and reports errors in its answer. */
  readonly fields?: TSchema;
  /** Whether it has side effects although it is a GET: a HEAD is then validated and does nothing. */
  readonly acts?: boolean;
  /** Whether it takes an Idempotency-Key. */
  readonly idempotent?: boolean;
  /** Whether the handler gets the raw body, because it is signed. */
  readonly raw?: boolean;
  /**
   * Whether a suspended account may call it (guide: Credit Rating System). By default only GETs are allowed. `allowed`: it repays
   * debt, or delivers what does. `checked`: the actor or the handler refuses it itself.
   */
  readonly suspended?: "allowed" | "checked";
  /** Whether it answers with a stream of server-sent events; a ticket then does for a key. */
  readonly stream?: boolean;
  /**
   * How an operation without a key is limited; by default each request counts as a visit of its address. `always`: not at all.
   * `signed`: requests are signed. `code`: each takes a failure, which is given back if the code is right. `registration`,
   * `recovery`: has a limit of its own in addition.
   */
  readonly door?: "always" | "signed" | "code" | "registration" | "recovery";
  /** How fleets ask for it; undefined where they cannot. */
  readonly verb?: Verb;
  /** Whether it counts against the task limit. */
  readonly makesTask?: boolean;
  /** Successful answers by status; errors are the same for all operations. */
  readonly answers: { readonly [status: number]: { readonly about: string; readonly schema: TSchema } };
}

export interface Outline<P extends TObject = TObject, Q extends TObject = TObject, B extends TSchema = TSchema>
  extends Exchange<P, Q, B> {
  readonly method: "get" | "post" | "patch" | "delete";
  /** With `{name}` for each parameter. */
  readonly path: string;
}

interface FleetOutline<B extends TSchema = TSchema> extends Exchange<TObject, TObject, B> {
  readonly verb: Verb;
}

/** How an operation is checked and done. */
interface Served {
  /** Validates the input and does nothing else. Throws Problem. */
  readonly check: (incoming: Incoming) => unknown;
  /** The route's function; its name, which is the id unless it serves several, shows in stack traces and profiles. */
  readonly handler: (given: never) => Promise<Reply>;
  /** Validates the input and runs the handler. Throws Problem. */
  readonly run: (incoming: Incoming) => Promise<Reply>;
}

export interface Operation extends Outline, Served {
  /** Who may call it: accounts with an API key, operators with their token, or anybody. */
  readonly auth: "key" | "operator" | "none";
}

/** An operation that has a meaning only for fleets: it is asked by its verb, and has no place in HTTP. */
export interface FleetOperation extends FleetOutline, Served {
  readonly auth: "key";
  readonly method?: never;
  readonly path?: never;
}

const NOTHING = Type.Object({});

function checked<P extends TObject, Q extends TObject, B extends TSchema>(outline: Exchange<P, Q, B>) {
  const params = pathCheck<P | typeof NOTHING>(outline.params ?? NOTHING);
  const query = queryCheck<Q | typeof NOTHING>(outline.query ?? NOTHING);
  const body = bodyCheck<B | typeof NOTHING>(outline.body ?? NOTHING);
  return ({ caller: _, ignore, names, ...request }: Incoming): Given<Static<P>, Static<Q>, Static<B>> => {
    const unknown: string[] = [];
    const sent = request.body ?? {};
    if (outline.fields !== undefined) normalizeFields(outline.fields, sent, { unknown, mistaken: [] });
    try {
      return {
        ...request,
        params: renamed(names, () => params(request.params)) as Static<P>,
        query: query(request.query, unknown) as Static<Q>,
        body: body(sent, outline.fields === undefined ? unknown : []) as Static<B>,
        sent,
      };
    } finally {
      if (unknown.length > 0) ignore(unknown);
    }
  };
}

/** An operation that needs an API key. */
export function keyed<P extends TObject, Q extends TObject, B extends TSchema>(
  outline: Outline<P, Q, B>,
  run: (given: Given<Static<P>, Static<Q>, Static<B>> & Caller) => Promise<Reply>,
): Operation {
  const check = checked(outline);
  const served = async (incoming: Incoming) => run({ ...check(incoming), ...callerOf(incoming) });
  return { ...outline, auth: "key", handler: run, check, run: served };
}

/** An operation that only fleets can call, with their API key. */
export function fleetOnly<B extends TSchema>(
  outline: FleetOutline<B>,
  run: (given: Given<object, object, Static<B>> & Caller & { readonly line: PushLine }) => Promise<Reply>,
): FleetOperation {
  const check = checked<typeof NOTHING, typeof NOTHING, B>(outline);
  const served = async (incoming: Incoming) => {
    const { line } = incoming;
    if (line === null) throw new Error(`${outline.id} was asked through a door that is none of fleets`);
    return run({ ...check(incoming), ...callerOf(incoming), line });
  };
  return { ...outline, auth: "key", handler: run, check, run: served };
}

function callerOf({ caller }: Incoming): Caller {
  if (caller !== undefined) return caller;
  throw new Problem(401, "API_KEY_MISSING", "Send your API key in the header X-API-Key.");
}

/** An operation that needs the operators' token. */
export function operated<P extends TObject, Q extends TObject, B extends TSchema>(
  outline: Outline<P, Q, B>,
  run: (given: Given<Static<P>, Static<Q>, Static<B>>) => Promise<Reply>,
): Operation {
  const check = checked(outline);
  return { ...outline, auth: "operator", handler: run, check, run: (incoming) => run(check(incoming)) };
}

/** An operation that anyone may call. */
export function open<P extends TObject, Q extends TObject, B extends TSchema>(
  outline: Outline<P, Q, B>,
  run: (given: Given<Static<P>, Static<Q>, Static<B>>) => Promise<Reply>,
): Operation {
  const check = checked(outline);
  return { ...outline, auth: "none", handler: run, check, run: (incoming) => run(check(incoming)) };
}
