/** How a task's state is stored; the same in all formats. */
import { orNewer } from "../statechart.ts";
import { type TaskSnapshot, taskMachine } from "./machine.ts";
import { NEW, type TaskContext } from "./state.ts";

/** The stored state, as plain JSON. */
export function persistTask({ value, context }: TaskSnapshot): unknown {
  return { value, context };
}

/** Reads a snapshot. Only we write them, so their shape is trusted. Throws NewerFormat for an unknown state. */
export function restoreTask(stored: unknown): TaskSnapshot {
  const { value, context } = stored as { value: TaskSnapshot["value"]; context: TaskContext };
  return orNewer("task", () => taskMachine.resolveState({ value, context: { ...NEW, ...context } }));
}
