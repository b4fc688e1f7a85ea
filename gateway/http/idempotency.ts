/** Idempotency-Key: the same key and body are answered as the first time; the same key with another body is refused. */
import type { AskOptions } from "../../actors/router.ts";
import type { KeyedRequest } from "../../machines/task/events.ts";
import { canonicalText } from "../../machines/validation/equality.ts";
import type { JsonValue } from "../../machines/vocabulary.ts";
import type { Services } from "../services.ts";
import { invalid, Problem } from "./problems.ts";

/** Visible ASCII, as other APIs accept it. */
const KEY = /^[\x21-\x7e]{1,255}$/;
/** The form of draft-ietf-httpapi-idempotency-key-header-07, 2.1: a String of RFC 9651. */
const QUOTED = /^"((?:[^"\\]|\\["\\])*)"$/;

/** Reads the header Idempotency-Key, with or without quotes; null when there is none. Throws a Problem (422). */
export function readKey(header: string): string | null {
  if (header === "") return null;
  const key = QUOTED.exec(header)?.[1]?.replaceAll(/\\(.)/g, "$1") ?? header;
  if (KEY.test(key)) return key;
  throw invalid([{ field: "Idempotency-Key", message: "must be 1 to 255 visible ASCII characters without spaces" }]);
}

/** How a request is sent to its actor, and the id of what it creates. */
export interface IdempotentRequest {
  /** Id of what the request creates (a bid, a submission, a top-up); the same for the same key and the same JSON value. */
  readonly outcome: string;
  /**
   * The id that earlier versions gave it, from the text of the body instead of its value. It must be accepted forever: a retry
   * that comes after an update must find what was created before it.
   */
  readonly before: string;
  readonly options: AskOptions;
}

/** Takes the account, the kind of request, and the body as it was sent; without a key every request is a new one. */
export function idempotent(
  { secrets, ids }: Services,
  account: string,
  route: string,
  key: string | null,
  sent: JsonValue,
): IdempotentRequest {
  if (key === null) {
    const outcome = ids.next();
    return { outcome, before: outcome, options: {} };
  }
  const commandId = secrets.commandId(account, route, key);
  const outcome = secrets.outcomeId(account, route, key, canonicalText(sent));
  const before = secrets.outcomeId(account, route, key, JSON.stringify(sent));
  return { outcome, before, options: { commandId, again: true } };
}

/** What a command says of its request where the reply does not name what was created; nothing if it has no key. */
export function requestOf({ outcome, options: { commandId: id } }: IdempotentRequest): { readonly request?: KeyedRequest } {
  return id === undefined ? {} : { request: { id, outcome } };
}

export function mismatch(): Problem {
  const detail = "This Idempotency-Key was used for a different request; use a new key for each new request.";
  return new Problem(422, "IDEMPOTENCY_MISMATCH", detail, { errors: [{ field: "Idempotency-Key", message: detail }] });
}

/**
 * Throws a Problem when what was made under this key, of which `made` is the id, was made for another body. Undefined: it was not
 * made under this key, or by a version that did not record it.
 */
export function checkOutcome(made: string | undefined, { outcome, before }: IdempotentRequest): void {
  if (made !== undefined && made !== outcome && made !== before) throw mismatch();
}
