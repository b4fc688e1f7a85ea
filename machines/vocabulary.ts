/**
 * The terms of the market and their types. Ids and credits are branded, so that a task's id cannot be passed where an account's
 * is wanted, and an amount cannot be made without a check.
 */
declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** A task's id, a UUID in lower case. */
export type TaskId = Branded<string, "TaskId">;
/** An account's id, a UUID in lower case. */
export type AccountId = Branded<string, "AccountId">;
/** A whole number of NC (1 NC = 1 US cent). May be negative where a balance is meant. */
export type Credits = Branded<number, "Credits">;
/** A time, in milliseconds since 1970-01-01 UTC. */
export type Millis = number;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether `text` is a UUID as we write it (lower case, with hyphens). */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** Takes a UUID and gives a task id; throws RangeError on anything else, which is a bug of the caller. */
export function taskId(text: string): TaskId {
  if (!isUuid(text)) throw new RangeError(`not a task id: ${text}`);
  return text as TaskId;
}

/** Takes a UUID and gives an account id; throws RangeError on anything else, which is a bug of the caller. */
export function accountId(text: string): AccountId {
  if (!isUuid(text)) throw new RangeError(`not an account id: ${text}`);
  return text as AccountId;
}

/** Takes a whole number of NC; throws RangeError on a fraction or what a double cannot hold exactly. */
export function credits(amount: number): Credits {
  if (!Number.isSafeInteger(amount)) throw new RangeError(`not an amount of credits: ${amount}`);
  return amount as Credits;
}

export const NO_CREDITS: Credits = credits(0);

export const TASK_STATUSES = [
  "CREATED",
  "ROUTING",
  "PENDING_POOL",
  "AWARDED",
  "EXECUTING",
  "COMPLETED",
  "REJECTED",
  "FAILED",
  "TIMED_OUT",
  "SETTLED",
  "EXPIRED",
  "CANCELLED",
] as const;
/** The statuses of a task (guide: Task Lifecycle). */
export type TaskStatus = (typeof TASK_STATUSES)[number];

/** The three ends of a task; none is ever left. task/tags.ts asks for them, and for other kinds of status. */
export type TerminalStatus = Extract<TaskStatus, "SETTLED" | "EXPIRED" | "CANCELLED">;

export const RESULT_ERRORS = ["SCHEMA_MISMATCH", "RULE_VIOLATION"] as const;
/** Why a result is rejected. */
export type ResultError = (typeof RESULT_ERRORS)[number];

export const QUALITY_PREFERENCES = ["best", "balanced", "cheapest"] as const;
export type QualityPreference = (typeof QUALITY_PREFERENCES)[number];

export const ACCOUNT_STATUSES = ["ACTIVE", "COOLING", "SUSPENDED", "FROZEN"] as const;
/** What an account may do: everything; no work for an hour; only read and pay; only read. */
export type AccountStatus = (typeof ACCOUNT_STATUSES)[number];

/** The bounds of a task's fields (contract: Bounds). Credits in NC, lengths in characters, bytes of JSON in UTF-8. */
export const BOUNDS = {
  inputCharacters: 10_000,
  budgetMin: 5,
  budgetMax: 1_000,
  executionSecondsMax: 300,
  executionSecondsDefault: 120,
  extensionSecondsMax: 3_600,
  poolHoursMax: 72,
  poolHoursDefault: 24,
  autoRetryMax: 10,
  autoRetryDefault: 3,
  skillRatingMax: 5,
  submissionsPerAward: 3,
  rules: 50,
  rulesBytes: 16_384,
  exampleBytes: 16_384,
  resultBytes: 65_536,
  callbackUrlCharacters: 2_000,
  previewCharacters: 200,
  reasonCharacters: 500,
} as const;

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };
export type JsonObject = { [key: string]: JsonValue };
