import { getInitialSnapshot } from "xstate";
import type { Entity } from "../entity.ts";
import { evolve, logicOf } from "../statechart.ts";
import { decideBatch } from "./decide.ts";
import { type BatchFact, upcastBatchFact } from "./events.ts";
import { type BatchSnapshot, batchMachine } from "./machine.ts";
import { recallBatch } from "./replies.ts";
import { persistBatch, restoreBatch } from "./snapshot.ts";

const logic = logicOf(batchMachine);

/** A batch has no row: it is asked for its progress. */
export const batch: Entity<"batch", BatchSnapshot, BatchFact, never> = {
  kind: "batch",
  initial: (id) => getInitialSnapshot(batchMachine, { id }),
  question: () => undefined,
  answered: (command) => command,
  decide: decideBatch,
  timerGraceMs: () => 0,
  logic,
  evolve: (state, fact) => evolve(logic, state, fact),
  upcast: upcastBatchFact,
  recall: recallBatch,
  postings: () => [],
  announce: () => [],
  wakes: () => [],
  row: () => undefined,
  parts: () => [],
  persist: persistBatch,
  restore: (_id, stored) => restoreBatch(stored),
  finished: (state) => !state.hasTag("ongoing"),
};
