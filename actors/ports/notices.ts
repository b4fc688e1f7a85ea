import type { WholeTask } from "../../machines/matcher/vocabulary.ts";
import type { AccountId } from "../../machines/vocabulary.ts";

/** Tells gateways what their clients may want to know, at most once: nothing depends on its arrival. */
export interface Notices {
  /** A new task, as a stranger may see it, for these workers who listen at a gateway. */
  newTask(gateway: string, task: WholeTask, listeners: NoticeListeners): void;
}

/** Whom a gateway tells of a new task. */
export interface NoticeListeners {
  readonly workers: readonly AccountId[];
  /** How many of their streams it tells at most; at least one of each worker. */
  readonly streams: number;
}
