/** Questions about a task's status for code that has only the status; the chart's tags (machine.ts) give the answers. */
import { TASK_STATUSES, type TaskStatus, type TerminalStatus } from "../vocabulary.ts";
import { type TaskTag, taskMachine } from "./machine.ts";

const tagged = (tag: TaskTag): ReadonlySet<TaskStatus> =>
  new Set(TASK_STATUSES.filter((status) => taskMachine.states[status]?.tags.includes(tag)));

const OPEN = tagged("open");
const AWARDED = tagged("awarded");
const ENDED = tagged("ended");

/** Whether a task in `status` takes bids. */
export function takesBids(status: TaskStatus): boolean {
  return OPEN.has(status);
}

/** Whether a task in `status` is awarded to a worker, from whom it takes results. */
export function isAwarded(status: TaskStatus): boolean {
  return AWARDED.has(status);
}

/** Whether a task in `status` has ended. */
export function hasEnded(status: TaskStatus): status is TerminalStatus {
  return ENDED.has(status);
}

/** The statuses in which a task takes bids. */
export const BIDDING_STATUSES: readonly TaskStatus[] = TASK_STATUSES.filter(takesBids);

/** The statuses in which a task has ended. */
export const TERMINAL_STATUSES: readonly TerminalStatus[] = TASK_STATUSES.filter(hasEnded);
