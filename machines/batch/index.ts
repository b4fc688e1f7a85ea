import { createActor, getInitialSnapshot } from "xstate";
import type { Entity, Evolution, StoredFact } from "../entity.ts";
import { stepOf } from "../fold.ts";
import type { BatchCommand } from "./commands.ts";
import { decideBatch } from "./decide.ts";
import type { BatchFact } from "./facts.ts";
import { type BatchContext, type BatchSnapshot, batchMachine, effectsOf, NEW } from "./machine.ts";

const TYPES: { readonly [T in BatchFact["type"]]: true } = {
  BatchOpened: true,
  ItemsStarted: true,
  ItemPostponed: true,
  WaitingRefused: true,
  ItemRefused: true,
  ItemEnded: true,
};

const step = stepOf(batchMachine, createActor(batchMachine, { input: { id: "" } }));

/** Folds one fact in. Throws on a fact that does not fit the state, which decide() must never give. */
function evolve(state: BatchSnapshot, fact: BatchFact): Evolution<BatchSnapshot> {
  if (!state.can(fact)) throw new Error(`a batch that is ${state.value} cannot have ${fact.type} happen to it`);
  const next = step(state, fact);
  return { state: next, effects: effectsOf(fact, state, next) };
}

/** Reads a fact; version 1 is the only one so far. Throws on one that this code cannot know. */
function upcast({ type, version, body }: StoredFact): BatchFact {
  if (version !== 1 || !Object.hasOwn(TYPES, type))
    throw new Error(`a newer NexusToken wrote ${type} v${version}; start that one`);
  // The journal is our own writing, so a body's shape is trusted once its type and version are known.
  return body as BatchFact;
}

/** Has no row: how far it is, it says itself. */
export const batch: Entity<BatchSnapshot, BatchCommand, BatchFact, never> = {
  kind: "batch",
  version: 1,
  initial: (id) => getInitialSnapshot(batchMachine, { id }),
  question: () => undefined,
  answered: (command) => command,
  decide: decideBatch,
  patience: () => 0,
  evolve,
  upcast,
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
