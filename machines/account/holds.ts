import type { Credits, Millis, TaskId } from "../vocabulary.ts";

/** A branch of the tree: the next digit -> what is below it. */
interface Branch<T> {
  readonly [digit: string]: T;
}

/**
 * What an account knows of each of its open holds, as a tree over the first two digits of the task's id. Adding one to ten thousand
 * then copies a few dozen entries and not all; a busy requester does that a thousand times a second.
 */
export type PerHold<T> = Branch<Branch<{ readonly [task: string]: T }>>;

/** Task -> budget (NC). */
export type Holds = PerHold<Credits>;

/** How much of a hold was drawn on the credit line (NC), and when (ms); of those that were covered, nothing. */
export type Draws = PerHold<{ readonly amount: number; readonly at: Millis }>;

function digits(task: TaskId): readonly [string, string] {
  return [task.charAt(0), task.charAt(1)];
}

/** What is known of the hold for a task, or undefined. */
export function heldFor<T>(holds: PerHold<T>, task: TaskId): T | undefined {
  const [first, second] = digits(task);
  return holds[first]?.[second]?.[task];
}

export function withHold<T>(holds: PerHold<T>, task: TaskId, known: T): PerHold<T> {
  const [first, second] = digits(task);
  const branch = holds[first];
  return { ...holds, [first]: { ...branch, [second]: { ...branch?.[second], [task]: known } } };
}

export function withoutHold<T>(holds: PerHold<T>, task: TaskId): PerHold<T> {
  const [first, second] = digits(task);
  const branch = holds[first] ?? {};
  return { ...holds, [first]: { ...branch, [second]: without(branch[second] ?? {}, task) } };
}

function without<T>(leaf: { readonly [task: string]: T }, task: TaskId): { readonly [task: string]: T } {
  const { [task]: _ended, ...rest } = leaf;
  return rest;
}
