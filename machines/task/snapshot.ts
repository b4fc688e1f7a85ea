/** How a task is kept between its facts; in all formats alike. */
import { type TaskSnapshot, taskMachine } from "./machine.ts";
import { NEW, type TaskContext } from "./state.ts";

/** What a snapshot keeps; plain JSON. */
export function persistTask({ value, context }: TaskSnapshot): unknown {
  return { value, context };
}

/** Reads a snapshot. It is our own writing, so its shape is trusted; XState checks that the state exists. */
export function restoreTask(stored: unknown): TaskSnapshot {
  const { value, context } = stored as { value: TaskSnapshot["value"]; context: TaskContext };
  return taskMachine.resolveState({ value, context: { ...NEW, ...context } });
}
