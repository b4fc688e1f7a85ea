import type { Ineligibility } from "../eligibility.ts";
import type { StoredFact } from "../entity.ts";
import { FORMATS } from "../formats.ts";
import type { Offer } from "../market/capability.ts";
import type { FieldError, Rule } from "../validation/rules.ts";
import type { AccountId, Credits, JsonObject, JsonValue, Millis, QualityPreference, TaskId } from "../vocabulary.ts";

/** What the requester asked for; never changes. Budget in NC. */
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
  /** How long bids are collected (ms). */
  readonly windowMs: Millis;
  /** The answer, where it is known; nobody but operators sees that it is. */
  readonly known?: JsonValue;
  /** The batch that it is of, which is told of its end. */
  readonly batch?: { readonly id: string; readonly item: number };
}

/** A bid with what the award will weigh. */
export interface PlacedBid {
  readonly id: string;
  readonly worker: AccountId;
  readonly credits: Credits;
  readonly quality: number;
  /** What the worker is counted by as a counterparty; absent where it was written before there were identities. */
  readonly identity?: string;
  /** Whether it is a price that stands, so that its worker keeps a place for the task. */
  readonly standing?: boolean;
}

/** One candidate of an award, as it is explained to the requester. */
export type Candidate = PlacedBid;

/** How one attempt at a webhook ended. `id` is its X-Nexus-Delivery, `ms` how long it took. */
export type DeliveryOutcome = { readonly id: string; readonly ms: Millis } & (
  | { readonly result: "delivered"; readonly status: number }
  | { readonly result: "gone"; readonly status: number }
  | { readonly result: "failed"; readonly status: number | null; readonly error: string }
);

interface At {
  readonly at: Millis;
}

export type TaskFact = At &
  (
    | {
        readonly type: "Opened";
        readonly task: TaskId;
        readonly requester: AccountId;
        /** What the requester is known by; see market/identity.ts. */
        readonly marks?: readonly string[];
        readonly order: TaskSpec;
        readonly offers?: readonly Offer[];
        readonly createdAt: Millis;
      }
    | { readonly type: "RoutingStarted"; readonly until: Millis }
    | { readonly type: "BidPlaced"; readonly bid: PlacedBid }
    /** A worker whose price stands does not take the task; why is not there where it was written before that was told. */
    | { readonly type: "OfferDeclined"; readonly worker: AccountId; readonly reason?: Ineligibility }
    /** A bid at a price that stands came when none was taken any more. */
    | { readonly type: "StandingBidDropped"; readonly worker: AccountId }
    | { readonly type: "PoolEntered"; readonly until: Millis }
    | {
        readonly type: "Awarded";
        readonly bid: PlacedBid;
        readonly deadline: Millis;
        readonly explored: boolean;
        readonly candidates: readonly Candidate[];
      }
    | { readonly type: "ExecutionStarted"; readonly worker: AccountId }
    | {
        readonly type: "ResultAccepted";
        readonly submission: string;
        readonly result: JsonValue;
        readonly firstTry: boolean;
        /** Whether it is the known answer, where there is one. */
        readonly isKnown?: boolean;
      }
    | {
        readonly type: "ResultRejected";
        readonly submission: string;
        readonly code: "SCHEMA_MISMATCH" | "RULE_VIOLATION";
        readonly errors: readonly FieldError[];
        /** How many wrong results this award still takes. */
        readonly left: number;
      }
    | { readonly type: "AwardFailed"; readonly code: "SCHEMA_MISMATCH" | "RULE_VIOLATION" }
    | { readonly type: "AwardTimedOut" }
    | { readonly type: "Reopened"; readonly until: Millis }
    | { readonly type: "Settled"; readonly payout: Credits; readonly fee: Credits; readonly refund: Credits }
    | { readonly type: "Rated"; readonly stars: number }
    /** By itself, or by an operator with a reason. */
    | { readonly type: "Expired"; readonly reason?: string }
    | { readonly type: "Cancelled" }
    | {
        readonly type: "WebhookAttempted";
        readonly attempt: number;
        readonly outcome: DeliveryOutcome;
        readonly next: Millis | null;
      }
    | { readonly type: "WebhookRequested" }
  );

export type TaskFactType = TaskFact["type"];

const TYPES: { readonly [T in TaskFactType]: true } = {
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
  WebhookAttempted: true,
  WebhookRequested: true,
};

/**
 * Reads a task's fact of any format that was ever written; so far they are alike. The journal is our own
 * writing, so a body's shape is trusted once its type and version are known. Throws on one that this code cannot know.
 */
export function upcastTaskFact(stored: StoredFact): TaskFact {
  if (stored.version > FORMATS.task || !Object.hasOwn(TYPES, stored.type)) {
    throw new Error(`a newer NexusToken wrote ${stored.type} v${stored.version}`);
  }
  return stored.body as TaskFact;
}
