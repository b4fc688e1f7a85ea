import type { TaskStatus } from "../vocabulary.ts";
import type { TaskSpec } from "./events.ts";
import type { TaskSnapshot } from "./machine.ts";
import type { TaskContext } from "./state.ts";

/** A task that exists: it is open, or was. */
export interface Opened {
  readonly state: TaskSnapshot;
  readonly stage: TaskStatus;
  readonly context: TaskContext & { readonly order: TaskSpec };
}

/** Gives the task; undefined before it is opened. */
export function opened(state: TaskSnapshot): Opened | undefined {
  const { value: stage, context } = state;
  const { order } = context;
  return stage === "NEW" || order === null ? undefined : { state, stage, context: { ...context, order } };
}
