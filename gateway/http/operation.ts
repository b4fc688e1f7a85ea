/**
 * An operation of the API as one value: where it is, what it takes and gives, and what it does. Routing, validation,
 * types and the OpenAPI document are all made from it.
 */
import Type, { type Static, type TObject, type TSchema } from "typebox";
import type { AccountId, JsonValue, Millis } from "../../machines/vocabulary.ts";
import type { Services } from "../services.ts";
import { tidied } from "./fields.ts";
import { Problem } from "./problems.ts";
import { bodyCheck, pathCheck, queryCheck } from "./validate.ts";

/** Who calls, and the hash of the API key that said so. */
export interface Caller {
  readonly account: AccountId;
  readonly keyHash: string;
}

/** A request as it came in, before its fields are checked. */
export interface Incoming {
  readonly params: unknown;
  /** As it was sent, without the question mark. */
  readonly query: string;
  /** undefined when there was none. */
  readonly body: JsonValue | undefined;
  /** Told of the fields that nobody knows. */
  readonly ignore: (names: readonly string[]) => void;
  /** Who calls, where the operation asks for an API key. */
  readonly caller: Caller | undefined;
  /** The Idempotency-Key header, where the operation takes one. */
  readonly idempotencyKey: string | null;
  /** The client's address, one for each network of IPv6. */
  readonly address: string;
  /** When the request came (ms), before its body was read and before it waited for anything. */
  readonly arrived: Millis;
  /** The body as it was sent, where the operation asks for that. */
  readonly text: string;
  /** A header of the request; empty when it was not sent. */
  readonly header: (name: string) => string;
  readonly services: Services;
}

export interface Given<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /** The whole body as it was parsed, with fields that nobody knows; its value is what an Idempotency-Key stands for. */
  readonly sent: JsonValue;
  readonly idempotencyKey: string | null;
  readonly address: string;
  readonly arrived: Millis;
  readonly text: string;
  readonly header: (name: string) => string;
  readonly services: Services;
}

export interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: { readonly [name: string]: string };
}

export interface Outline<P extends TObject = TObject, Q extends TObject = TObject, B extends TSchema = TSchema> {
  /** A verb and a noun in camelCase: the operationId, of which generators make the name of a method. */
  readonly id: string;
  readonly tag: string;
  readonly method: "get" | "post" | "patch" | "delete";
  /** With `{name}` where a parameter stands. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** Which fields the body has, where the route itself checks them and tells what is wrong in its answer. */
  readonly fields?: TSchema;
  /** Whether it does more than look, although it is a GET: then a HEAD is checked and does nothing. */
  readonly acts?: boolean;
  /** Whether it takes an Idempotency-Key. */
  readonly idempotent?: boolean;
  /** Whether the body is taken as it was sent, because a signature is over its bytes. */
  readonly raw?: boolean;
  /**
   * What becomes of it while debt suspends the account (guide: Credit Rating System). Left out: looking is allowed, all else
   * is refused. `allowed`: it pays, or delivers what pays. `checked`: the actor or the route refuses it itself.
   */
  readonly suspended?: "allowed" | "checked";
  /** Whether it answers with a stream of server-sent events. */
  readonly stream?: boolean;
  /**
   * How an operation without a key lets strangers in; left out, it counts as a visit of their address. `always`: uncounted.
   * `signed`: its requests prove themselves by a signature. `code`: each takes a failure, given back when the code is right.
   * `registration`, `recovery`: has a limit of its own besides.
   */
  readonly door?: "always" | "signed" | "code" | "registration" | "recovery";
  /** Whether it counts against the limit of tasks. */
  readonly makesTask?: boolean;
  /** The answers by status; errors are the same for all and are left out. */
  readonly answers: { readonly [status: number]: { readonly about: string; readonly schema: TSchema } };
}

export interface Operation extends Outline {
  /** Who may call it: who has an API key, who has the operator's token, or anybody. */
  readonly auth: "key" | "operator" | "none";
  /** Checks what was given, and does nothing. Throws Problem. */
  readonly check: (incoming: Incoming) => unknown;
  /** The function of the route itself: stack traces and profiles show its name, which is the id or, where it serves several, like one. */
  readonly handler: (given: never) => Promise<Reply>;
  /** Checks and runs. Throws Problem. */
  readonly run: (incoming: Incoming) => Promise<Reply>;
}

const NOTHING = Type.Object({});

function checked<P extends TObject, Q extends TObject, B extends TSchema>(outline: Outline<P, Q, B>) {
  const params = pathCheck<P | typeof NOTHING>(outline.params ?? NOTHING);
  const query = queryCheck<Q | typeof NOTHING>(outline.query ?? NOTHING);
  const body = bodyCheck<B | typeof NOTHING>(outline.body ?? NOTHING);
  return (incoming: Incoming): Given<Static<P>, Static<Q>, Static<B>> => {
    const unknown: string[] = [];
    const sent = incoming.body ?? {};
    if (outline.fields !== undefined) tidied(outline.fields, sent, { unknown, mistaken: [] });
    try {
      return {
        params: params(incoming.params) as Static<P>,
        query: query(incoming.query, unknown) as Static<Q>,
        body: body(sent, outline.fields === undefined ? unknown : []) as Static<B>,
        sent,
        idempotencyKey: incoming.idempotencyKey,
        address: incoming.address,
        arrived: incoming.arrived,
        text: incoming.text,
        header: incoming.header,
        services: incoming.services,
      };
    } finally {
      if (unknown.length > 0) incoming.ignore(unknown);
    }
  };
}

/** An operation that needs an API key. */
export function keyed<P extends TObject, Q extends TObject, B extends TSchema>(
  outline: Outline<P, Q, B>,
  run: (given: Given<Static<P>, Static<Q>, Static<B>> & Caller) => Promise<Reply>,
): Operation {
  const check = checked(outline);
  return {
    ...outline,
    auth: "key",
    handler: run,
    check,
    run: (incoming) => {
      const { caller } = incoming;
      if (caller === undefined) throw new Problem(401, "API_KEY_MISSING", "Send your API key in the header X-API-Key.");
      return run({ ...check(incoming), ...caller });
    },
  };
}

/** An operation for who has the operator's token. */
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
