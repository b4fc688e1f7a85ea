/** Errors as problem documents (RFC 9457), and the one table that maps refusals to HTTP statuses. */
import { StoreUnavailable } from "../../actors/ports/journal.ts";
import { type Refusal, type RefusalCode, refuse } from "../../machines/refusal.ts";
import { refusalSentence } from "../show/refusal.ts";

export interface FieldProblem {
  readonly field: string;
  readonly message: string;
}

/** Thrown by handlers and middleware; becomes the answer. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly errors: readonly FieldProblem[] | undefined;
  /** Retry-After (s). */
  readonly retryAfter: number | undefined;

  constructor(
    status: number,
    code: string,
    detail: string,
    more: { errors?: readonly FieldProblem[]; retryAfter?: number } = {},
  ) {
    super(detail);
    this.status = status;
    this.code = code;
    this.errors = more.errors;
    this.retryAfter = more.retryAfter;
  }
}

const STATUS: { readonly [C in RefusalCode]: number } = {
  ACCOUNT_EXISTS: 409,
  ACCOUNT_UNKNOWN: 404,
  KEY_REPLACED: 401,
  RECOVERY_FAILED: 401,
  ACCOUNT_FROZEN: 403,
  ACCOUNT_SUSPENDED: 403,
  NO_DEBT: 409,
  REPAYMENT_TOO_LARGE: 422,
  ACCOUNT_COOLING_DOWN: 403,
  INSUFFICIENT_CREDITS: 402,
  BALANCE_TOO_LARGE: 422,
  TOO_MANY_OPEN_TASKS: 409,
  TOO_MANY_CAPABILITIES: 409,
  CAPABILITY_UNKNOWN: 404,
  ALREADY_RATED: 409,
  NOTHING_TO_DO: 409,
  TOO_MANY_BATCHES: 409,
  BATCH_EXISTS: 409,
  BATCH_UNKNOWN: 404,
  BATCH_ENDED: 409,
  OAUTH_STATE_INVALID: 400,
  HOLD_EXISTS: 409,
  HOLD_UNKNOWN: 409,
  TASK_UNKNOWN: 404,
  TASK_EXISTS: 409,
  TASK_NOT_OPEN: 409,
  TASK_NOT_CANCELLABLE: 409,
  TASK_ENDED: 409,
  NOT_YOUR_TASK: 403,
  NOT_AWARDED_TO_YOU: 403,
  OWN_TASK: 403,
  ALREADY_BID: 409,
  TOO_MANY_BIDS: 409,
  TOO_MANY_PASSES: 409,
  BID_UNKNOWN: 404,
  ALREADY_ANSWERED: 409,
  TOO_MANY_AWARDS: 409,
  BID_OVER_BUDGET: 422,
  FAILED_THIS_TASK: 409,
  SKILL_TOO_LOW: 403,
  ALREADY_STARTED: 409,
  ALREADY_SUBMITTED: 409,
  EXTENSION_TOO_LONG: 422,
  TIMEOUT: 409,
  NO_CALLBACK: 409,
  TOO_MANY_RESENDS: 409,
  NOT_ENDED: 409,
  TIMER_STALE: 409,
  MESSAGE_STALE: 409,
  NOT_SUPPORTED: 409,
  INVALID_SCHEMA: 422,
  INVALID_RULES: 422,
  INVALID_EXAMPLE: 422,
  VALIDATION_TOO_EXPENSIVE: 422,
  IDEMPOTENCY_MISMATCH: 422,
  OVERLOADED: 503,
  UNAVAILABLE: 503,
  CONTENDED: 503,
  NOT_OWNER: 503,
  COMMAND_TOO_LARGE: 413,
  INTERNAL: 500,
};

const TITLES: { readonly [status: number]: string } = {
  400: "Malformed request",
  401: "API key missing or invalid",
  402: "Not enough credits",
  403: "Not allowed",
  404: "Not found",
  405: "Method not allowed",
  409: "Conflict with the current state",
  413: "Too large",
  415: "Unsupported media type",
  422: "Invalid input",
  429: "Too many requests",
  431: "Headers too large",
  500: "Internal error",
  503: "Temporarily unavailable",
};

/** The field that is wrong where an actor refuses its value. */
const FIELDS: { readonly [C in RefusalCode]?: string } = { BID_OVER_BUDGET: "bid_credits", EXTENSION_TOO_LONG: "seconds" };

const RETRY_AFTER_S = 1;

/** The problem of a refusal; without a reason that this version knows, its own sentence is told. */
export function problemOf({ refused, detail: told, reason }: Refusal): Problem {
  const status = STATUS[refused];
  const detail = (reason === undefined ? undefined : refusalSentence(reason)) ?? told;
  const field = FIELDS[refused];
  const errors = field === undefined ? undefined : [{ field, message: detail }];
  return new Problem(status, refused, detail, {
    ...(errors === undefined ? {} : { errors }),
    ...(status === 503 ? { retryAfter: RETRY_AFTER_S } : {}),
  });
}

/** The problem of a suspended account that asks for what only others may do (guide: Credit Rating System). */
export function accountSuspended(): Problem {
  return problemOf(refuse("ACCOUNT_SUSPENDED", "This account is suspended.", { why: "DEBT_UNPAID" }));
}

/** Text from a client is quoted up to this length (characters). */
const SHOWN_MAX = 200;

/** Text from a client, shortened for an error. */
export function shortened(text: string): string {
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX - 1).toWellFormed()}…`;
}

/** Invalid fields. The sentence names the first of them. */
export function invalid(wrong: readonly FieldProblem[], code = "VALIDATION_ERROR"): Problem {
  const errors = wrong.map(({ field, message }) => ({ field: shortened(field), message }));
  const [first] = errors;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more, see errors)` : "";
  return new Problem(422, code, `${first?.field ?? "body"}: ${first?.message ?? "is invalid"}${more}`, { errors });
}

/** Runs `check` and prefixes the fields of its problem with `field`. */
export function within<T>(field: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof Problem) || error.errors === undefined) throw error;
    throw invalid(
      error.errors.map((one) => ({ ...one, field: `${field}.${one.field}` })),
      error.code,
    );
  }
}

/** Runs `check` and calls the fields of its problem by these names. */
export function renamed<T>(names: { readonly [field: string]: string }, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof Problem) || error.errors === undefined) throw error;
    throw invalid(
      error.errors.map((one) => ({
        ...one,
        field: (Object.hasOwn(names, one.field) ? names[one.field] : undefined) ?? one.field,
      })),
      error.code,
    );
  }
}

/** A cursor that we did not issue. */
export function wrongCursor(): Problem {
  return invalid([{ field: "cursor", message: "invalid; omit it to start at the first page" }]);
}

/** The problem of an error; undefined for an unexpected one, which is a bug. */
export function asProblem(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error;
  if (error instanceof StoreUnavailable) {
    return new Problem(503, "UNAVAILABLE", "The database cannot be reached at the moment; try again shortly.", {
      retryAfter: RETRY_AFTER_S,
    });
  }
  return undefined;
}

/** The body of a problem document. */
export function problemBody({ status, code, message, errors }: Problem) {
  return {
    type: "about:blank",
    title: TITLES[status] ?? "Error",
    status,
    detail: message,
    code,
    ...(errors === undefined ? {} : { errors }),
  };
}
