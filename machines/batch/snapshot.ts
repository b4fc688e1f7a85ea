/** How a batch's state is stored; the same in all formats. */
import { type BatchSnapshot, batchMachine } from "./machine.ts";
import { type BatchContext, NEW } from "./state.ts";

/** The stored state, as plain JSON. */
export function persistBatch({ value, context }: BatchSnapshot): unknown {
  return { value, context };
}

/** Reads a snapshot. Only we write them, so their shape is trusted; XState checks that the state exists. */
export function restoreBatch(stored: unknown): BatchSnapshot {
  const { value, context } = stored as { value: BatchSnapshot["value"]; context: BatchContext };
  return batchMachine.resolveState({ value, context: { ...NEW, ...context } });
}
