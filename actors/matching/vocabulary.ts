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
import type { Unmatched } from "../../machines/market/unmatched.ts";
import type { Offer } from "../../machines/matcher/vocabulary.ts";
import type { AccountId, TaskId } from "../../machines/vocabulary.ts";

export type {
  ManualWaiter as Manual,
  Offer,
  PostedWaiter as Posted,
  PullWaiter as Pull,
  QueuedTask,
  Waiter,
} from "../../machines/matcher/vocabulary.ts";
export type { Unmatched };

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
  /** `streams`: how many streams of these workers are told at most, each worker's first one included. */
  readonly to: readonly { readonly gateway: string; readonly workers: readonly AccountId[]; readonly streams: number }[];
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
  /** How many waiters with a place there must be for a second offer of a task that is awarded at once. */
  waitersForSecond: 64,
  /** Workers who bid by hand; with more of them present no window is cut short. */
  manualMax: 32,
  /** Streams that a new task is announced to, and so the most workers who hear of it; unless it is set. */
  announcedMax: 32,
  /** How long the same listeners are told of new tasks (ms). */
  audienceMs: 50,
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
  /** How long a worker that had no place is left alone, unless a place is freed (ms): at first, and at most after it had none again and again. */
  fullMs: 1_000,
  fullMsMax: 30_000,
  /** Within which time a worker whose pull ended with nothing has to pull again to keep its turn (ms). */
  turnKeptMs: 2_000,
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
