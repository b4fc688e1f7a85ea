/** What a task is, folded from its facts. */
import type { Offer } from "../market/capability.ts";
import { type AccountId, BOUNDS, type JsonValue, type Millis } from "../vocabulary.ts";
import type { PlacedBid, TaskSpec } from "./events.ts";

export interface Webhook {
  readonly attempts: number;
  readonly done: boolean;
  /** How often it was asked for again; not there in snapshots of before this was counted. */
  readonly resends?: number;
}

export interface Failure {
  readonly worker: AccountId;
  readonly code: "SCHEMA_MISMATCH" | "RULE_VIOLATION" | "TIMEOUT";
}

export interface TaskContext {
  readonly id: string;
  readonly requester: AccountId | null;
  readonly marks: readonly string[];
  readonly order: TaskSpec | null;
  /** Workers whose price stands, and how many of them that could take it were asked in this round. */
  readonly offers: readonly Offer[];
  readonly asked: number;
  readonly bids: readonly PlacedBid[];
  /** Whose awards ended without a result, and how; they get this task no more. */
  readonly failures: readonly Failure[];
  readonly award: PlacedBid | null;
  readonly awardedAt: Millis | null;
  readonly deadline: Millis | null;
  readonly submissions: number;
  readonly autoRetriesLeft: number;
  readonly errorCode: string | null;
  readonly result: JsonValue;
  readonly payout: number | null;
  readonly fee: number | null;
  /** 1..5, by the requester. */
  readonly rating: number | null;
  readonly expiresAt: Millis | null;
  readonly webhook: Webhook;
  readonly createdAt: Millis;
  readonly updatedAt: Millis;
}

/** Before anything has happened; also what a snapshot lacks that was written before a field was there. */
export const NEW: Omit<TaskContext, "id"> = {
  requester: null,
  marks: [],
  order: null,
  offers: [],
  asked: 0,
  bids: [],
  failures: [],
  award: null,
  awardedAt: null,
  deadline: null,
  submissions: 0,
  autoRetriesLeft: 0,
  errorCode: null,
  result: null,
  payout: null,
  fee: null,
  rating: null,
  expiresAt: null,
  webhook: { attempts: 0, done: false },
  createdAt: 0,
  updatedAt: 0,
};

/** Those whose price stands and who have not failed this task, in the order in which they are asked. */
export function askable({ offers, failures }: Pick<TaskContext, "offers" | "failures">): readonly Offer[] {
  return offers.filter(({ worker }) => !failures.some((failure) => failure.worker === worker));
}

/** Balanced takes the first price that stands, so it asks the best first, one by one; the others compare all of them. */
export function askedAtFirst(context: Pick<TaskContext, "offers" | "failures" | "order">): number {
  const count = askable(context).length;
  return context.order?.quality === "balanced" ? Math.min(1, count) : count;
}

/** How many wrong submissions the award of this task still takes before it ends. */
export function retriesLeft(context: TaskContext): number {
  return Math.max(0, BOUNDS.submissionsPerAward - 1 - context.submissions);
}
