/** What may be asked of a task's status by those who have only the word: the chart's tags (machine.ts) say it. */
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

/** Whether a task in `status` is a worker's, whose result it takes. */
export function isAwarded(status: TaskStatus): boolean {
  return AWARDED.has(status);
}

/** Whether a task in `status` has come to its end. */
export function hasEnded(status: TaskStatus): status is TerminalStatus {
  return ENDED.has(status);
}

/** Those in which a task takes bids. */
export const BIDDING_STATUSES: readonly TaskStatus[] = TASK_STATUSES.filter(takesBids);

/** The ends of a task. */
export const TERMINAL_STATUSES: readonly TerminalStatus[] = TASK_STATUSES.filter(hasEnded);
