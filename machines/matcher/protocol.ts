import type { Ineligibility } from "../ineligibility.ts";
import type { Unmatched } from "../market/unmatched.ts";
import type { AccountId, Millis, TaskId } from "../vocabulary.ts";
import type { ManualWaiter, PostedWaiter, PullWaiter, QueuedTask, WholeTask } from "./vocabulary.ts";

/** awarded: with tasks; full: with none, because its worker has no slot; over: none came in its time. */
export const PULL_ENDS = ["awarded", "over", "full"] as const;

/** What a pull has got. */
export interface Pulled {
  /** Awarded to the worker. */
  readonly tasks: readonly WholeTask[];
  /** How many more have been awarded to it that are not here, because a task's answer was lost. */
  readonly missing: number;
  readonly why: (typeof PULL_ENDS)[number];
  /** Why it has not got more. */
  readonly limited?: Ineligibility;
}

/** What a matcher knows about a task and who is online. */
export interface Look {
  /** How many workers are online for the queue, and how many of them may take the task. */
  readonly present: number;
  readonly eligible: number;
  /** Why nobody of them would take it; null if somebody would. */
  readonly unmatched: Unmatched | null;
  /** Of those, who has neither bid nor passed, and has no price that answers for it; null if they are too many to wait for. */
  readonly unanswered: readonly AccountId[] | null;
  /** The going price, as a share of the budget; null if it is not known. */
  readonly going: number | null;
}

/**
 * The commands of a matcher, and its replies. All but `pull` and `look` may be lost, doubled or late: a matcher knows them for
 * hints.
 */
export interface MatcherProtocol {
  /** A task has opened, or changed while it is open; `shown` is how a stranger sees it, absent if it was announced before. */
  readonly opened: { readonly command: { readonly task: QueuedTask; readonly shown?: WholeTask }; readonly reply: null };
  /** A task takes no more bids. */
  readonly closed: {
    /** With the worker who got it, and with the whole task if it was for a pull. */
    readonly command: {
      readonly task: TaskId;
      readonly worker: AccountId | null;
      readonly pull: string | null;
      readonly whole?: WholeTask;
    };
    readonly reply: null;
  };
  /** A worker waits for tasks, until `wait.until` at most. */
  readonly pull: { readonly command: { readonly wait: PullWaiter }; readonly reply: Pulled };
  /** Which of these waits are not known here, so that they must be asked for again. */
  readonly check: {
    readonly command: { readonly waits: readonly string[] };
    readonly reply: { readonly unknown: readonly string[] };
  };
  /** These waits are over. */
  readonly leave: { readonly command: { readonly waits: readonly string[] }; readonly reply: null };
  /** Workers who are online at a gateway: new or changed, and those of whom only the time is renewed. */
  readonly present: {
    readonly command: {
      readonly posted: readonly PostedWaiter[];
      readonly manual: readonly ManualWaiter[];
      readonly renewed: readonly string[];
      readonly until: Millis;
    };
    /** Those of the renewed that are not known here: tell of them anew. */
    readonly reply: { readonly unknown: readonly string[] };
  };
  /** A worker has a free slot again. */
  readonly freed: { readonly command: { readonly worker: AccountId }; readonly reply: null };
  /** Asked about a task that `worker` may bid on, or that somebody may post. */
  readonly look: {
    readonly command: {
      readonly task: TaskId | null;
      readonly worker: AccountId;
      readonly budget: number;
      readonly minSkill: number;
      readonly at: Millis;
    };
    readonly reply: Look;
  };
}
