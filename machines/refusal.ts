/**
 * A refusal is a typed no: a value, never an exception. Its sentence says what to do next and is meant for the client.
 */
import type { Ineligibility } from "./eligibility.ts";

export const REFUSAL_CODES = [
  "ACCOUNT_EXISTS",
  "ACCOUNT_UNKNOWN",
  "KEY_REPLACED",
  "RECOVERY_FAILED",
  "ACCOUNT_FROZEN",
  "ACCOUNT_SUSPENDED",
  "NO_DEBT",
  "REPAYMENT_TOO_LARGE",
  "ACCOUNT_COOLING_DOWN",
  "INSUFFICIENT_CREDITS",
  "BALANCE_TOO_LARGE",
  "TOO_MANY_OPEN_TASKS",
  "TOO_MANY_CAPABILITIES",
  "CAPABILITY_UNKNOWN",
  "ALREADY_RATED",
  "NOTHING_TO_DO",
  "TOO_MANY_BATCHES",
  "BATCH_EXISTS",
  "BATCH_UNKNOWN",
  "OAUTH_STATE_INVALID",
  "HOLD_EXISTS",
  "HOLD_UNKNOWN",
  "TASK_UNKNOWN",
  "TASK_EXISTS",
  "TASK_NOT_OPEN",
  "TASK_NOT_CANCELLABLE",
  "TASK_ENDED",
  "NOT_YOUR_TASK",
  "NOT_AWARDED_TO_YOU",
  "OWN_TASK",
  "ALREADY_BID",
  "TOO_MANY_BIDS",
  "BID_OVER_BUDGET",
  "FAILED_THIS_TASK",
  "SKILL_TOO_LOW",
  "ALREADY_STARTED",
  "TIMEOUT",
  "NO_CALLBACK",
  "TOO_MANY_RESENDS",
  "NOT_ENDED",
  "TIMER_STALE",
  "MESSAGE_STALE",
  "NOT_SUPPORTED",
  "INVALID_SCHEMA",
  "INVALID_RULES",
  "INVALID_EXAMPLE",
  "VALIDATION_TOO_EXPENSIVE",
  "IDEMPOTENCY_MISMATCH",
  "OVERLOADED",
  "UNAVAILABLE",
  "CONTENDED",
  "NOT_OWNER",
  "COMMAND_TOO_LARGE",
  "INTERNAL",
] as const;
export type RefusalCode = (typeof REFUSAL_CODES)[number];

export interface Refusal {
  readonly refused: RefusalCode;
  /** A sentence that a person can act on. */
  readonly detail: string;
  /** Why a worker may not take a task, where that is what is refused; the gateway makes the sentence of it. */
  readonly reason?: Ineligibility;
}

/** Makes a refusal from its code and the sentence for the client. */
export function refuse(refused: RefusalCode, detail: string): Refusal {
  return { refused, detail };
}

/** Tells a refusal from whatever else a decision may give. */
export function isRefusal(value: object): value is Refusal {
  return "refused" in value;
}
