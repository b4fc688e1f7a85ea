import type { WholeTask } from "../../machines/matcher/vocabulary.ts";
import type { AccountId } from "../../machines/vocabulary.ts";

/** Tells gateways what their clients may want to know, at most once: nothing depends on its arrival. */
export interface Notices {
  /** A new task, as a stranger may see it, for these workers who listen at a gateway. */
  newTask(gateway: string, task: WholeTask, workers: readonly AccountId[]): void;
}
