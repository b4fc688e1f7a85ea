/** How a batch's state is stored; the same in all formats. */
import { orNewer } from "../statechart.ts";
import { type BatchSnapshot, batchMachine } from "./machine.ts";
import { type BatchContext, NEW } from "./state.ts";

/** The stored state, as plain JSON. */
export function persistBatch({ value, context }: BatchSnapshot): unknown {
  return { value, context };
}

/** Reads a snapshot. Only we write them, so their shape is trusted. Throws NewerFormat for an unknown state. */
export function restoreBatch(stored: unknown): BatchSnapshot {
  const { value, context } = stored as { value: BatchSnapshot["value"]; context: BatchContext };
  return orNewer("batch", () => batchMachine.resolveState({ value, context: { ...NEW, ...context } }));
}
