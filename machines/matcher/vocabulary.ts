/** What a matcher knows of tasks and workers. Amounts in NC, times in ms. */
import type { Terms } from "../market/capability.ts";
import type { Qualification } from "../market/qualification.ts";
import type { Pull, TaskSpec } from "../task/events.ts";
import type { TaskRow } from "../task/view.ts";
import type { AccountId, Millis, QualityPreference, TaskId } from "../vocabulary.ts";

/** A bid that is placed, as far as it matters to whom else the task is proposed. */
export interface QueuedBid {
  readonly worker: AccountId;
  readonly credits: number;
  /** 0..1, see market/auction.ts. */
  readonly quality: number;
}

/** An open task. */
export interface QueuedTask {
  readonly id: TaskId;
  readonly requester: AccountId;
  readonly marks: readonly string[];
  readonly budget: number;
  readonly minSkill: number;
  /** Older tasks leave it out. */
  readonly requesterScore?: number;
  readonly quality: QualityPreference;
  readonly status: "ROUTING" | "PENDING_POOL";
  /** Falls by one with each round: how many retries are left, less the rounds that cost none. */
  readonly round: number;
  readonly bids: readonly QueuedBid[];
  /** Who does not get it: workers that failed it, declined it or passed. */
  readonly closedTo: readonly AccountId[];
  /** Of those, or besides, who answered "no" in this round. */
  readonly passed: readonly AccountId[];
  readonly maxSeconds: number;
  readonly createdAt: Millis;
  readonly windowEnds: Millis;
  /** Size of the whole task as a worker gets it (bytes, about). */
  readonly bytes: number;
}

/** What every worker that waits has. */
export interface Waiting {
  /** Of the wait: a pull's, or that of a gateway's worker. */
  readonly id: string;
  readonly worker: AccountId;
  readonly gateway: string;
  readonly standing: Qualification;
  /** Awards of this task type that have ended; absent for a worker who is no newcomer. */
  readonly finished?: number;
  /** Since when it waits; a renewal does not change it. */
  readonly since: Millis;
  /** When the wait is over, unless it is renewed. */
  readonly until: Millis;
}

/** A request for tasks, answered with those that it got. */
export interface PullWaiter extends Waiting {
  readonly kind: "pull";
  /** Older gateways leave it out. */
  readonly takes?: Terms;
  /** When it was asked for last, which tells a new question from one that came twice; absent: when it began to wait. */
  readonly asked?: Millis;
  /** The posted price; null: the budget of each task. */
  readonly price: number | null;
  readonly minPrice: number;
  readonly most: number;
  /** What the answer holds (bytes). */
  readonly bytesMost: number;
  /** What this matcher may give beyond a first task (bytes): the answer is shared by all matchers that are asked. */
  readonly bytesShare: number;
}

/** A worker with a posted price that is online. */
export interface PostedWaiter extends Waiting {
  readonly kind: "posted";
  readonly takes?: Terms;
  readonly price: number;
  /** Slots that are free. One number for the worker: the latest that any gateway told. */
  readonly free: number;
  /** Whether it listens for new tasks. */
  readonly announce: boolean;
}

/** A worker that is online and bids by itself. */
export interface ManualWaiter extends Waiting {
  readonly kind: "manual";
  readonly announce: boolean;
}

export type Waiter = PullWaiter | PostedWaiter | ManualWaiter;

/** A worker to whom a task is proposed. */
export interface Offer {
  /** The id of the bid that it becomes. */
  readonly bid: string;
  readonly worker: AccountId;
  readonly credits: number;
  readonly standing: Qualification;
  /** When its pull is over; null without a pull. */
  readonly until: Millis | null;
  /** Without one the price is the posted price of a worker who is online. */
  readonly pull: Pull | null;
}

/** A task with its row and its spec. */
export interface WholeTask {
  readonly row: TaskRow;
  readonly order: TaskSpec;
}
