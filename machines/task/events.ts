import type { DeliveryOutcome } from "../delivery.ts";
import type { StoredFact } from "../fact.ts";
import { FORMATS, NewerFormat } from "../formats.ts";
import type { Ineligibility } from "../ineligibility.ts";
import type { Offer } from "../market/capability.ts";
import type { Failing } from "../market/reputation.ts";
import type { Unmatched } from "../market/unmatched.ts";
import type { FieldError, Rule } from "../validation/rules.ts";
import type { AccountId, Credits, JsonObject, JsonValue, Millis, QualityPreference, ResultError, TaskId } from "../vocabulary.ts";

/** What the requester asks for; never changes. Budget in NC. */
export interface TaskSpec {
  readonly taskType: string;
  readonly inputData: string;
  readonly schema: JsonObject;
  readonly rules: readonly Rule[];
  readonly exampleOutput: JsonValue;
  readonly budget: Credits;
  readonly maxSeconds: number;
  readonly quality: QualityPreference;
  readonly minSkill: number;
  readonly poolHours: number;
  readonly autoRetry: number;
  readonly callbackUrl: string | null;
  /** By how much all extensions of one award may move its deadline (s); absent: not at all. */
  readonly maxExtension?: number;
  /** How long bids are collected (ms). */
  readonly windowMs: Millis;
  /** The known answer of a honeypot; only operators see that there is one. */
  readonly known?: JsonValue;
  /** How long after it was done its worker's account counts a honeypot (ms); absent: at once. */
  readonly tellAfter?: Millis;
  /** The batch that it belongs to, which is told when it ends. */
  readonly batch?: { readonly id: string; readonly item: number };
}

/** A bid, with what the award weighs. */
export interface PlacedBid {
  readonly id: string;
  readonly worker: AccountId;
  readonly credits: Credits;
  readonly quality: number;
  /** The identity that the worker counts as among counterparties; absent in facts from before identities existed. */
  readonly identity?: string;
  /** Whether it is a posted price whose worker reserved a slot with the bid, as in facts from before slots came with the award. */
  readonly standing?: boolean;
  /** Whether it is at the worker's posted price. */
  readonly posted?: boolean;
  /** The pull for which it was placed. */
  readonly pull?: Pull;
  /** The request that placed it, if that may come again; see the command `bid`. */
  readonly request?: string;
  /** Placed before its account had answered, though it could win at once, so that its worker was told PENDING. */
  readonly waited?: true;
  /** When its worker stops waiting (ms), so that it no longer counts; absent if it counts until the award. */
  readonly until?: Millis;
  /** Whether its worker's failures say something about the task, as its account said with its yes; see fault.ts. */
  readonly proven?: true;
}

/**
 * Why a penalty is taken back. UNSOLVED: nobody has solved the task, though proven workers have tried. TOO_EXPENSIVE: judging their
 * results took too long.
 */
export const EXCUSE_REASONS = ["UNSOLVED", "TOO_EXPENSIVE"] as const;
export type ExcuseReason = (typeof EXCUSE_REASONS)[number];

/** A worker whose award failed without its fault. */
export interface Excused {
  readonly worker: AccountId;
  readonly outcome: Failing;
  readonly reason: ExcuseReason;
}

/** A worker's request for up to `most` tasks. */
export interface Pull {
  readonly id: string;
  readonly most: number;
}

/**
 * How an award is given back: FREE; LATE, after its first seconds, or TOO_MANY, by a worker who has given back too many of late: these
 * count as failures; UNDELIVERED, by the platform, because its answer did not reach the worker.
 */
export const RETURN_KINDS = ["FREE", "LATE", "TOO_MANY", "UNDELIVERED"] as const;
export type ReturnKind = (typeof RETURN_KINDS)[number];

/** A request that may come again: with the same id, and with another outcome if its body is another. */
export interface KeyedRequest {
  readonly id: string;
  readonly outcome: string;
}

/** One candidate of an award, as it is explained to the requester. */
export type Candidate = PlacedBid;

interface At {
  readonly at: Millis;
}

export type TaskFact = At &
  (
    | {
        readonly type: "Opened";
        readonly task: TaskId;
        readonly requester: AccountId;
        /** The requester's marks; see market/identity.ts. */
        readonly marks?: readonly string[];
        readonly order: TaskSpec;
        readonly offers?: readonly Offer[];
        /** The requester's score then; absent in facts from before there were scores. */
        readonly requesterScore?: number;
        readonly createdAt: Millis;
      }
    | { readonly type: "RoutingStarted"; readonly until: Millis }
    /** `going` is the going price then, as a share of the budget, if it was known; `displaces` the worse bid whose place it takes. */
    | { readonly type: "BidPlaced"; readonly bid: PlacedBid; readonly going?: number; readonly displaces?: string }
    /** A worker will not bid in this round. */
    | { readonly type: "Passed"; readonly worker: AccountId }
    | { readonly type: "BidWithdrawn"; readonly worker: AccountId; readonly bid: string }
    /**
     * A worker does not take the task: its bid is dropped, or, if none is named, it declined an offer. The reason is absent in
     * facts from before it was recorded.
     */
    | { readonly type: "OfferDeclined"; readonly worker: AccountId; readonly reason?: Ineligibility; readonly bid?: string }
    /** A worker reserved a slot for a bid when the task took no more bids. The bid is absent in facts from before it was recorded. */
    | { readonly type: "StandingBidDropped"; readonly worker: AccountId; readonly bid?: string }
    | { readonly type: "PoolEntered"; readonly until: Millis }
    | {
        readonly type: "Awarded";
        readonly bid: PlacedBid;
        readonly deadline: Millis;
        readonly explored: boolean;
        readonly candidates: readonly Candidate[];
        /** Whether the worker has reserved a slot; absent in facts from before every award had one. */
        readonly slot?: boolean;
        /** The going price that it was weighed against, as a share of the budget. */
        readonly going?: number;
      }
    /** Why nobody takes it, and how many workers were online. */
    | { readonly type: "PoolExplained"; readonly why: Unmatched; readonly present: number }
    | { readonly type: "ExecutionStarted"; readonly worker: AccountId }
    | {
        readonly type: "ResultAccepted";
        readonly submission: string;
        readonly result: JsonValue;
        readonly firstTry: boolean;
        /** Whether it is the known answer, if there is one. */
        readonly isKnown?: boolean;
        /** Whether it is the example, which does not occur in the text (echo.ts). */
        readonly echo?: true;
      }
    | {
        readonly type: "ResultRejected";
        readonly submission: string;
        readonly code: ResultError;
        readonly errors: readonly FieldError[];
        /** How many wrong results this award still takes. */
        readonly left: number;
      }
    | { readonly type: "AwardFailed"; readonly code: ResultError }
    | { readonly type: "AwardTimedOut" }
    /** Its worker gives it back, before a submission. `request` is there if that may come again. */
    | {
        readonly type: "AwardReturned";
        readonly worker: AccountId;
        readonly how: ReturnKind;
        readonly reason?: string;
        readonly request?: KeyedRequest;
      }
    /** `left` is by how much it can still be extended (s); `request` is there if that may come again. */
    | {
        readonly type: "AwardExtended";
        readonly worker: AccountId;
        readonly seconds: number;
        readonly deadline: Millis;
        readonly left: number;
        readonly request?: KeyedRequest;
      }
    /** `free`: it costs no retry. */
    | { readonly type: "Reopened"; readonly until: Millis; readonly free?: boolean }
    | { readonly type: "Settled"; readonly payout: Credits; readonly fee: Credits; readonly refund: Credits }
    | { readonly type: "Rated"; readonly stars: number }
    /** A result was not judged, because that was given up at its deadline; `why` is what its worker was told. */
    | { readonly type: "JudgingKilled"; readonly submission: string; readonly why: string }
    /**
     * When its time ran out, or because judging was killed again (`code`), or by an operator, who gives a reason. `excused` are those
     * whose penalties are taken back, if there are any.
     */
    | {
        readonly type: "Expired";
        readonly reason?: string;
        readonly code?: "VALIDATION_TOO_EXPENSIVE";
        readonly excused?: readonly Excused[];
      }
    | { readonly type: "Cancelled"; readonly excused?: readonly Excused[] }
    /** Its batch was cancelled while it was awarded: if that award fails, it expires. */
    | { readonly type: "Withdrawn" }
    | {
        readonly type: "WebhookAttempted";
        readonly attempt: number;
        readonly outcome: DeliveryOutcome;
        readonly next: Millis | null;
      }
    | { readonly type: "WebhookRequested" }
  );

export type TaskFactType = TaskFact["type"];

/** The types of its facts. */
export const TASK_FACTS: { readonly [T in TaskFactType]: true } = {
  Opened: true,
  RoutingStarted: true,
  BidPlaced: true,
  OfferDeclined: true,
  StandingBidDropped: true,
  PoolEntered: true,
  Awarded: true,
  ExecutionStarted: true,
  ResultAccepted: true,
  ResultRejected: true,
  AwardFailed: true,
  AwardTimedOut: true,
  Reopened: true,
  Settled: true,
  Rated: true,
  Expired: true,
  Cancelled: true,
  Withdrawn: true,
  WebhookAttempted: true,
  WebhookRequested: true,
  PoolExplained: true,
  AwardReturned: true,
  AwardExtended: true,
  Passed: true,
  BidWithdrawn: true,
  JudgingKilled: true,
};

/**
 * Reads a task's fact of any format; so far all are alike. Only we write the journal, so a body is trusted once its type and
 * version are known. Throws on a newer format.
 */
export function upcastTaskFact(stored: StoredFact): TaskFact {
  if (stored.version > FORMATS.task || !Object.hasOwn(TASK_FACTS, stored.type)) {
    throw new NewerFormat(`a newer NexusToken wrote ${stored.type} v${stored.version}`);
  }
  return stored.body as TaskFact;
}
