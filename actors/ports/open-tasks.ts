import type { QueuedTask, WholeTask } from "../../machines/matcher/vocabulary.ts";
import type { TaskId } from "../../machines/vocabulary.ts";

/** An open task, as far as it takes to see whether it is known already. */
export interface OpenTask {
  readonly id: TaskId;
  readonly status: QueuedTask["status"];
  readonly round: number;
  /** How many workers cannot take it: who have bid in this round, and who failed it. */
  readonly closed: number;
}

/** One that is not known: as a matcher keeps it, and as a stranger may see it. */
export interface ReadTask {
  readonly task: QueuedTask;
  readonly shown: WholeTask;
}

export interface OpenTaskPage {
  readonly tasks: readonly OpenTask[];
  /** Where the next page begins; null at the end. */
  readonly next: string | null;
}

/** The index of open tasks, from which matchers are built. Every call may reject with StoreUnavailable. */
export interface OpenTasks {
  /** A page of the open tasks of a type, the highest budget first, then the oldest. */
  page(taskType: string, after: string | null, limit: number): Promise<OpenTaskPage>;
  /** Those of these tasks that are still open. */
  read(ids: readonly TaskId[]): Promise<readonly ReadTask[]>;
  /** The going price of a type at `now` (ms), as a share of the budget; null if too little was settled. */
  going(taskType: string, now: number): Promise<number | null>;
}
