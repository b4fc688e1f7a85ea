import type { Credits, TaskId } from "../vocabulary.ts";

/**
 * The open holds of an account, task -> budget. Kept in 256 buckets by the id's first two digits, so that adding one
 * to ten thousand copies a few dozen entries and not all: a busy requester does that a thousand times a second.
 */
export type Holds = { readonly [bucket: string]: { readonly [task: string]: Credits } };

const bucketOf = (task: TaskId) => task.slice(0, 2);

/** The amount held for a task, in NC, or undefined. */
export function heldFor(holds: Holds, task: TaskId): Credits | undefined {
  return holds[bucketOf(task)]?.[task];
}

export function withHold(holds: Holds, task: TaskId, budget: Credits): Holds {
  const bucket = bucketOf(task);
  return { ...holds, [bucket]: { ...holds[bucket], [task]: budget } };
}

export function withoutHold(holds: Holds, task: TaskId): Holds {
  const bucket = bucketOf(task);
  const { [task]: _ended, ...rest } = holds[bucket] ?? {};
  if (Object.keys(rest).length > 0) return { ...holds, [bucket]: rest };
  const { [bucket]: _emptied, ...others } = holds;
  return others;
}
