/** How a batch is kept between its facts; in all formats alike. */
import { type BatchSnapshot, batchMachine } from "./machine.ts";
import { type BatchContext, NEW } from "./state.ts";

/** What a snapshot keeps; plain JSON. */
export function persistBatch({ value, context }: BatchSnapshot): unknown {
  return { value, context };
}

/** Reads a snapshot. It is our own writing, so its shape is trusted; XState checks that the state exists. */
export function restoreBatch(stored: unknown): BatchSnapshot {
  const { value, context } = stored as { value: BatchSnapshot["value"]; context: BatchContext };
  return batchMachine.resolveState({ value, context: { ...NEW, ...context } });
}
