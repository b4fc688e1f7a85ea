/**
 * The words of matching. The queue is all open tasks of one task type (or a partition of them); its matcher keeps them and who
 * waits for them, and proposes. It only proposes: a task checks each proposal against its own facts and asks the worker's
 * account, so a matcher that is new, late or wrong costs a delay and never money.
 *
 *   waiter     who waits: a pull, a stream or poller with a posted price, or somebody who bids by hand
 *   place      one more task that a waiter takes; it is used up by an award, and reserved while a proposal is under way
 *   proposal   the workers that a task might be given to, the best first; one at a time for each task
 *   outcome    what became of a proposal
 *   round      the time from a task's opening, or reopening, to its award: a window, and then the pool
 *
 * Amounts in NC, times in ms, sizes in bytes.
 */
import type { Ineligibility } from "../../machines/ineligibility.ts";
import type { Qualification } from "../../machines/market/qualification.ts";
import type { AccountId, Millis, QualityPreference, TaskId } from "../../machines/vocabulary.ts";

/** A bid that a task has in this round. */
export interface QueuedBid {
  readonly worker: AccountId;
  readonly credits: number;
  /** 0..1, see machines/market/auction.ts. */
  readonly quality: number;
}

/** An open task as the matcher knows it. */
export interface QueuedTask {
  readonly id: TaskId;
  readonly requester: AccountId;
  readonly marks: readonly string[];
  readonly budget: number;
  readonly minSkill: number;
  readonly quality: QualityPreference;
  readonly status: "ROUTING" | "PENDING_POOL";
  /** The automatic retries that are left, so a later round has a lower number. */
  readonly round: number;
  readonly bids: readonly QueuedBid[];
  /** Workers who do not get it: they failed it, declined it or passed. */
  readonly closedTo: readonly AccountId[];
  /** Of those, or besides, who answered "no" in this round. */
  readonly passed: readonly AccountId[];
  readonly maxSeconds: number;
  readonly createdAt: Millis;
  readonly windowEnds: Millis;
  /** The size of the whole task as a worker gets it. */
  readonly bytes: number;
}

interface Waits {
  /** Of the wait: the pull's id, or `${gateway}/${worker}` for a stream or poller. */
  readonly id: string;
  readonly worker: AccountId;
  readonly gateway: string;
  readonly standing: Qualification;
  /** Awards of this task type that have ended; absent for a worker who is no newcomer. */
  readonly finished?: number;
  readonly since: Millis;
  /** Renewed by gateways; from then on it is gone. */
  readonly until: Millis;
}

/** A pull: it waits for up to `most` tasks and is answered once. */
export interface Pull extends Waits {
  readonly kind: "pull";
  /** The posted price; null: it takes each task at its budget. */
  readonly price: number | null;
  /** With no price: the lowest budget that it takes. */
  readonly minPrice: number;
  readonly most: number;
  readonly bytesMost: number;
}

/** A worker with a posted price who is present: tasks are awarded to it until its slots are taken. */
export interface Posted extends Waits {
  readonly kind: "posted";
  readonly price: number;
  /** Slots that are free. One number for the worker: the latest that any gateway told. */
  readonly free: number;
  /** Whether it has a stream for new tasks. */
  readonly announce: boolean;
}

/** A worker who listens or polls, and bids by hand: present, and never proposed. */
export interface Manual extends Waits {
  readonly kind: "manual";
  readonly announce: boolean;
}

export type Waiter = Pull | Posted | Manual;

/** A worker that a task is proposed. */
export interface Offer {
  /** The id of the bid that it becomes. */
  readonly bid: string;
  readonly worker: AccountId;
  readonly credits: number;
  readonly standing: Qualification;
  /** When its pull is over; null without a pull. */
  readonly until: Millis | null;
  readonly pull: { readonly id: string; readonly most: number } | null;
}

/** Why nobody gets a task in the pool. */
export type Unmatched = "NOBODY_PRESENT" | "ALL_TOO_DEAR" | "SKILL_TOO_LOW" | "NONE_ELIGIBLE";

export interface Propose {
  readonly type: "propose";
  readonly proposal: string;
  readonly task: TaskId;
  /** The best first, at most OFFERS_MAX. None: the task has a bid, and nobody else is left who could still bid. */
  readonly offers: readonly Offer[];
  /** Whether everybody present who bids by hand has answered. */
  readonly complete: boolean;
  /** The going price, a share of the budget. */
  readonly going: number | null;
}

/** Tells listeners that there is a new task. */
export interface Announce {
  readonly type: "announce";
  readonly task: TaskId;
  readonly to: readonly { readonly gateway: string; readonly workers: readonly AccountId[] }[];
}

/** A pull is done. */
export interface Answer {
  readonly type: "answer";
  readonly waiter: string;
  readonly tasks: readonly TaskId[];
  /** awarded: it has tasks; full: none, because its worker has no place; over: none in its time. */
  readonly why: "awarded" | "over" | "full";
  /** Why it has not got more. */
  readonly limited?: Ineligibility;
}

/** Says why a task is still in the pool. */
export interface Explain {
  readonly type: "explain";
  readonly task: TaskId;
  readonly why: Unmatched;
  /** How many workers are present. */
  readonly present: number;
}

export type Action = Propose | Announce | Answer | Explain;

/** What became of a proposal. */
export type Outcome =
  | { readonly type: "awarded"; readonly worker: AccountId; readonly bid: string }
  /** These of its bids were placed, and compete until the window ends. */
  | { readonly type: "placed"; readonly bids: readonly string[] }
  | {
      readonly type: "declined";
      readonly declined: readonly { readonly worker: AccountId; readonly reason: Ineligibility }[];
    }
  /** The task takes no more bids. */
  | { readonly type: "closed" }
  /** There was no answer. */
  | { readonly type: "failed" };

/** To whom a task went: told with its end, for a bid that was placed in a window. */
export interface AwardedTo {
  readonly worker: AccountId;
  /** The id of the pull that the bid came from. */
  readonly pull: string | null;
}

/** Every bound of a matcher, with its unit. */
export const MATCHING = {
  /** Tasks in memory; the rest stay in the index. */
  tasksMax: 100_000,
  /** Waiters; a pull beyond it is answered at once. */
  waitersMax: 50_000,
  /** Waiters of one worker, so that a few accounts cannot take all places. */
  waitersOfWorkerMax: 250,
  /** Offers in a proposal. */
  offersMax: 8,
  /** How many waiters with a place there must be for each further offer of a task that is awarded at once. */
  waitersPerOffer: 64,
  /** Workers who bid by hand; with more of them present no window is cut short. */
  manualMax: 32,
  /** Listeners that a new task is announced to. */
  announcedMax: 32,
  /** Listeners that are looked at for it. */
  announceLookMax: 128,
  /** Tasks that are looked at for a waiter that arrives. */
  lookAheadMax: 256,
  /** Workers who may not have a task that are passed over in search of one who may. */
  passedOverMax: 512,
  /** Workers that a task remembers to have been declined by. */
  declinedMax: 1_000,
  /** Tasks that are tried again with each tick, in turn. */
  sweptPerTick: 64,
  /** Of those, tasks that may have to wait for their windows; and windows that are looked at when somebody who bids by hand leaves. */
  windowsLookedAt: 32,
  /** The first and the longest wait before a task is proposed again after no answer (ms). */
  retryMinMs: 500,
  retryMaxMs: 5_000,
  /** How long a worker that had no place is left alone, unless a place is freed (ms). */
  fullMs: 1_000,
  /** How long before the end of a window the bids of pulls are placed (ms): until then they are free for other tasks. */
  windowClosingMs: 250,
  /** How long after its window a task is taken to be in the pool, though nothing was heard (ms): longer than a task asks an account. */
  poolAfterMs: 2_500,
  /** After which time a proposal counts as unanswered (ms). */
  proposalMsMax: 10_000,
  /** How long ago a window may have ended of a task that is announced although only the index told of it (ms). */
  announceAfterMs: 60_000,
  /** The shortest time between two explanations of one task (ms), and how many it gets in a round. */
  explainAgainMs: 60_000,
  explanationsMax: 8,
  /** Pulls that are remembered after their end, so that one that is told again is not taken for a new one. */
  endedMax: 10_000,
} as const;
