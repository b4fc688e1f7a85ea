/**
 * A refusal is a typed no: a value, never an exception. Its sentence is plain and knows no API: logs, operators and gateways of
 * other versions read it. Where a client must be told how to go on through the API, the refusal carries the reason as values.
 */
import type { Ineligibility } from "./ineligibility.ts";
import type { LineLimit } from "./market/credit-line.ts";

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
  "BATCH_ENDED",
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
  "TOO_MANY_PASSES",
  "BID_UNKNOWN",
  "ALREADY_ANSWERED",
  "TOO_MANY_AWARDS",
  "BID_OVER_BUDGET",
  "FAILED_THIS_TASK",
  "SKILL_TOO_LOW",
  "ALREADY_STARTED",
  "ALREADY_SUBMITTED",
  "EXTENSION_TOO_LONG",
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

/** Why something is refused, with all that a sentence for the client tells; gateway/show/refusal.ts makes that sentence. */
export type RefusalReason =
  | Ineligibility
  | { readonly why: "TASK_UNKNOWN" }
  | { readonly why: "NOT_AWARDED_TO_YOU" }
  /** `reassigned`: the task was offered to others since. */
  | { readonly why: "TIME_RAN_OUT"; readonly reassigned: boolean }
  /** How much longer an award may still become, and how much in all (s). */
  | { readonly why: "EXTENSION_TOO_LONG"; readonly left: number; readonly most: number }
  /** Who has a bid cannot pass. */
  | { readonly why: "BID_STANDS" }
  | { readonly why: "BID_UNKNOWN" }
  /** It has passed, or withdrawn a bid, in this round. */
  | { readonly why: "ALREADY_ANSWERED" }
  | { readonly why: "NO_CALLBACK" }
  | { readonly why: "TOO_MANY_RESENDS"; readonly most: number }
  | { readonly why: "ACCOUNT_UNKNOWN" }
  | { readonly why: "ACCOUNT_EXISTS" }
  /** Whatever the code: none was asked for, or it was used, is too old, or was guessed at too often. */
  | { readonly why: "NO_RECOVERY_CODE" }
  | { readonly why: "NO_DEBT" }
  /** It may not spend; a worker that may not bid for the same reason has SUSPENDED. */
  | { readonly why: "DEBT_UNPAID" }
  /** Of the line that its rating gives (`whole`) the account can use `line`. All in NC. */
  | {
      readonly why: "LINE_LIMITED";
      readonly budget: number;
      readonly power: number;
      readonly line: number;
      readonly whole: number;
      readonly limit: LineLimit;
    }
  | { readonly why: "CAPABILITY_UNKNOWN" }
  | { readonly why: "TOO_MANY_BATCHES"; readonly most: number }
  | { readonly why: "BATCH_UNKNOWN" }
  | { readonly why: "MAILBOX_FULL" }
  | { readonly why: "NODE_FULL"; readonly most: number }
  /** Nobody answered in time. */
  | { readonly why: "OUTCOME_UNKNOWN" }
  /** It was done, but the reply is of a version that is not known. */
  | { readonly why: "REPLY_UNKNOWN" };

export interface Refusal {
  readonly refused: RefusalCode;
  /** A sentence that a person can act on. */
  readonly detail: string;
  readonly reason?: RefusalReason;
}

/** Makes a refusal from its code and a plain sentence; with a reason where clients are told more than that. */
export function refuse(refused: RefusalCode, detail: string, reason?: RefusalReason): Refusal {
  return reason === undefined ? { refused, detail } : { refused, detail, reason };
}

/** Tells a refusal from whatever else a decision may give. */
export function isRefusal(value: object): value is Refusal {
  return "refused" in value;
}
