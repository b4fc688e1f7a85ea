/** Idempotency-Key: the same key and body get the first answer again, another body under the same key is refused. */
import type { AskOptions } from "../actors/router.ts";
import { isUuid, type JsonValue } from "../machines/vocabulary.ts";
import { Problem } from "./problems.ts";
import type { Services } from "./services.ts";

/** How a request is told to its actor, and the id of what it makes. */
export interface Repeatable {
  /** Names what the request makes (a bid, a submission, a top-up); the same one for the same key and body. */
  readonly outcome: string;
  readonly options: AskOptions;
}

/** Takes who asks, for what, and the body; without a key every request is one of its own. */
export function repeatable(
  { secrets, ids }: Services,
  account: string,
  route: string,
  key: string | null,
  body: unknown,
): Repeatable {
  if (key === null) return { outcome: ids.next(), options: {} };
  const commandId = secrets.commandId(account, route, key);
  return { outcome: secrets.outcomeId(account, route, key, body), options: { commandId, again: true } };
}

export function mismatch(): Problem {
  const detail = "This Idempotency-Key was used for another request; use a new key for each new request.";
  return new Problem(422, "IDEMPOTENCY_MISMATCH", detail, { errors: [{ field: "Idempotency-Key", message: detail }] });
}

/** Gives the fields of an actor's reply; throws a Problem when the reply was for another body under the same key. */
export function sameOutcome(reply: JsonValue, field: string, { outcome }: Repeatable): { readonly [name: string]: JsonValue } {
  if (typeof reply !== "object" || reply === null || Array.isArray(reply)) throw new Error("a reply must have fields");
  const made = reply[field];
  if (typeof made !== "string" || !isUuid(made)) throw new Error(`a reply must have its ${field}`);
  if (made !== outcome) throw mismatch();
  return reply;
}
