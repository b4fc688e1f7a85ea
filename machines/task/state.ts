/** The state of a task, folded from its facts. */
import type { Offer } from "../market/capability.ts";
import { SCORE_OF_NEWCOMER } from "../market/requester-score.ts";
import type { Unmatched } from "../market/unmatched.ts";
import { type AccountId, BOUNDS, type JsonValue, type Millis, type ResultError } from "../vocabulary.ts";
import type { KeyedRequest, PlacedBid, ReturnKind, TaskSpec } from "./events.ts";

/** How long a worker's account may take to say whether it has a slot for the task (ms). */
export const ASK_MS = 2_000;

export interface Webhook {
  readonly attempts: number;
  readonly done: boolean;
  /** How often it was requested again; absent in snapshots from before this was counted. */
  readonly resends?: number;
}

export interface Failure {
  readonly worker: AccountId;
  /** The bid, and the request that placed it, if known; absent in snapshots from before they were recorded. */
  readonly bid?: string;
  readonly request?: string;
  readonly code: ResultError | "TIMEOUT" | "RELEASED";
  /** Of an award that was given back: how, and by which request, if that may come again. */
  readonly how?: ReturnKind;
  readonly returnedBy?: KeyedRequest;
  /** The identity of a proven worker of whom a result was judged; see fault.ts. */
  readonly witness?: string;
  /** Whether judging a result of this award was killed. */
  readonly killed?: true;
}

/** A worker who passed in this round, or the bid that it withdrew. */
export interface Pass {
  readonly worker: AccountId;
  readonly bid: string | null;
}

export interface TaskContext {
  readonly id: string;
  readonly requester: AccountId | null;
  readonly marks: readonly string[];
  /** The requester's when the task was opened. */
  readonly requesterScore: number;
  readonly order: TaskSpec | null;
  /** Workers with posted prices, and how many of those that can take it were asked in this round. */
  readonly offers: readonly Offer[];
  readonly asked: number;
  readonly bids: readonly PlacedBid[];
  readonly passed: readonly Pass[];
  /** The going price that was last heard in this round, as a share of the budget, or null. */
  readonly going: number | null;
  /** Why nobody takes it from the pool, as its matcher said last. */
  readonly unmatched: Unmatched | null;
  /** Workers whose awards ended without a result, and how; closedWorkers() says who does not get this task again. */
  readonly failures: readonly Failure[];
  readonly award: PlacedBid | null;
  /** Whether its worker has reserved a slot: not if it was awarded before every award had one. */
  readonly slot: boolean;
  readonly awardedAt: Millis | null;
  readonly deadline: Millis | null;
  /** By how much the award was extended (s). */
  readonly extended: number;
  readonly submissions: number;
  /** How often judging was killed, of all its results and of those of this award. */
  readonly killed: number;
  readonly killedInAward: number;
  readonly autoRetriesLeft: number;
  /** Rounds that cost no retry. */
  readonly freeRounds: number;
  /** Whether its batch was cancelled, so that there is no other round. */
  readonly withdrawn: boolean;
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

/** The initial state; also the defaults of fields that older snapshots lack. */
export const NEW: Omit<TaskContext, "id"> = {
  requester: null,
  marks: [],
  requesterScore: SCORE_OF_NEWCOMER,
  order: null,
  offers: [],
  asked: 0,
  bids: [],
  passed: [],
  going: null,
  unmatched: null,
  failures: [],
  award: null,
  slot: false,
  awardedAt: null,
  deadline: null,
  extended: 0,
  submissions: 0,
  killed: 0,
  killedInAward: 0,
  autoRetriesLeft: 0,
  freeRounds: 0,
  withdrawn: false,
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

/**
 * How often the platform may give back an award of a worker until that one does not get the task again, and how many awards of one
 * task: after these, each of their workers.
 */
const UNDELIVERED_OF_WORKER_MAX = 2;
const UNDELIVERED_MAX = 10;

/** The workers who do not get the task again, each once. */
export function closedWorkers(failures: TaskContext["failures"]): readonly AccountId[] {
  const undelivered = failures.filter(({ how }) => how === "UNDELIVERED");
  const most = undelivered.length > UNDELIVERED_MAX ? 1 : UNDELIVERED_OF_WORKER_MAX;
  const isClosed = (worker: AccountId) => undelivered.filter((one) => one.worker === worker).length >= most;
  const closed = failures.filter(({ worker, how }) => how !== "UNDELIVERED" || isClosed(worker));
  return [...new Set(closed.map(({ worker }) => worker))];
}

/** Workers with posted prices who have not failed this task, in the order in which they are asked. */
export function askable({ offers, failures }: Pick<TaskContext, "offers" | "failures">): readonly Offer[] {
  return offers.filter(({ worker }) => !failures.some((failure) => failure.worker === worker));
}

/** Balanced accepts the first bid at a posted price, so it asks one by one, the best first; the others compare all. */
export function askedAtFirst(context: Pick<TaskContext, "offers" | "failures" | "order">): number {
  const count = askable(context).length;
  return context.order?.quality === "balanced" ? Math.min(1, count) : count;
}

/** How many retries the worker in charge has left. */
export function retriesLeft(context: TaskContext): number {
  return Math.max(0, BOUNDS.submissionsPerAward - 1 - context.submissions);
}
