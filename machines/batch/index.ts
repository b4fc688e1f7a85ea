import { createActor, getInitialSnapshot } from "xstate";
import type { Entity, Evolution } from "../entity.ts";
import { stepOf } from "../fold.ts";
import { decideBatch } from "./decide.ts";
import { type BatchFact, upcastBatchFact } from "./events.ts";
import { type BatchContext, type BatchSnapshot, batchMachine, effectsOf, NEW } from "./machine.ts";
import type { BatchCommand } from "./protocol.ts";

const step = stepOf(batchMachine, createActor(batchMachine, { input: { id: "" } }));

/** Folds one fact in. Throws on a fact that does not fit the state, which decide() must never give. */
function evolve(state: BatchSnapshot, fact: BatchFact): Evolution<BatchSnapshot> {
  if (!state.can(fact)) throw new Error(`a batch that is ${state.value} cannot have ${fact.type} happen to it`);
  const next = step(state, fact);
  return { state: next, effects: effectsOf(fact, state, next) };
}

/** Has no row: how far it is, it says itself. */
export const batch: Entity<BatchSnapshot, BatchCommand, BatchFact, never> = {
  kind: "batch",
  initial: (id) => getInitialSnapshot(batchMachine, { id }),
  question: () => undefined,
  answered: (command) => command,
  decide: decideBatch,
  patience: () => 0,
  evolve,
  upcast: upcastBatchFact,
  recall: ([first], { context }) => (first?.type === "BatchOpened" ? { batch: context.id, request: first.request } : null),
  postings: () => [],
  view: () => undefined,
  persist: ({ value, context }) => ({ value, context }),
  restore: (_id, stored) => {
    const { value, context } = stored as { value: BatchSnapshot["value"]; context: BatchContext };
    return batchMachine.resolveState({ value, context: { ...NEW, ...context } });
  },
  finished: ({ value }) => value !== "RUNNING",
};
