import type { Credits, TaskId } from "../vocabulary.ts";

/** A branch of the tree: the next digit -> what is below it. */
interface Branch<T> {
  readonly [digit: string]: T;
}

/**
 * The open holds of an account, task -> budget, as a tree over the first two digits of the id. Adding one to ten thousand then
 * copies a few dozen entries and not all; a busy requester does that a thousand times a second.
 */
export type Holds = Branch<Branch<{ readonly [task: string]: Credits }>>;

function digits(task: TaskId): readonly [string, string] {
  return [task.charAt(0), task.charAt(1)];
}

/** The amount held for a task, in NC, or undefined. */
export function heldFor(holds: Holds, task: TaskId): Credits | undefined {
  const [first, second] = digits(task);
  return holds[first]?.[second]?.[task];
}

export function withHold(holds: Holds, task: TaskId, budget: Credits): Holds {
  const [first, second] = digits(task);
  const branch = holds[first];
  return { ...holds, [first]: { ...branch, [second]: { ...branch?.[second], [task]: budget } } };
}

export function withoutHold(holds: Holds, task: TaskId): Holds {
  const [first, second] = digits(task);
  const branch = holds[first] ?? {};
  return { ...holds, [first]: { ...branch, [second]: without(branch[second] ?? {}, task) } };
}

function without(leaf: { readonly [task: string]: Credits }, task: TaskId): { readonly [task: string]: Credits } {
  const { [task]: _ended, ...rest } = leaf;
  return rest;
}
