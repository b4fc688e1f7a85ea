/** The statechart of a batch: as many of its tasks as allowed are open, and each that ends makes room for the next. */
import { assign, type SnapshotFrom, setup } from "xstate";
import type { Effect } from "../effect.ts";
import type { RefusalCode } from "../refusal.ts";
import type { Order } from "../task/facts.ts";
import type { AccountId, TerminalStatus } from "../vocabulary.ts";
import type { BatchFact, BatchItem } from "./facts.ts";

/** What became of an item so far. */
export type ItemState =
  | { readonly state: "OPEN" }
  | { readonly state: "ENDED"; readonly status: TerminalStatus }
  | { readonly state: "REFUSED"; readonly code: RefusalCode; readonly detail: string };

export interface BatchContext {
  readonly id: string;
  readonly requester: AccountId | null;
  readonly template: Order | null;
  readonly items: readonly BatchItem[];
  readonly atOnce: number;
  /** By number; those that are not here wait. */
  readonly states: { readonly [item: number]: ItemState };
}

const NEW: Omit<BatchContext, "id"> = { requester: null, template: null, items: [], atOnce: 0, states: {} };

/** The effects of one fact, given the context that it has led to. */
export function effectsOf(fact: BatchFact, { id, requester, template, items }: BatchContext): readonly Effect[] {
  if (fact.type !== "ItemsStarted") return [];
  if (requester === null || template === null) throw new Error("a batch that is not open starts nothing");
  return fact.items.map((number) => {
    const item = items[number];
    if (item === undefined) throw new Error(`a batch of ${items.length} has no item ${number}`);
    const order: Order = { ...template, inputData: item.inputData, batch: { id, item: number } };
    return { type: "tell", to: { kind: "account", id: requester }, command: { type: "holdItem", task: item.task, order } };
  });
}

function statesAfter({ states }: BatchContext, fact: BatchFact): BatchContext["states"] {
  switch (fact.type) {
    case "BatchOpened":
      return {};
    case "ItemsStarted":
      return { ...states, ...Object.fromEntries(fact.items.map((item) => [item, { state: "OPEN" } as const])) };
    case "ItemRefused":
      return { ...states, [fact.item]: { state: "REFUSED", code: fact.code, detail: fact.detail } };
    case "ItemEnded":
      return { ...states, [fact.item]: { state: "ENDED", status: fact.status } };
    default:
      return fact satisfies never;
  }
}

/** Whether no item waits or is open. */
export function isDone({ items, states }: BatchContext): boolean {
  return Object.keys(states).length === items.length && Object.values(states).every(({ state }) => state !== "OPEN");
}

const machineSetup = setup({
  types: { context: {} as BatchContext, events: {} as BatchFact, input: {} as { id: string } },
  actions: {
    open: assign(({ event }) => {
      if (event.type !== "BatchOpened") return {};
      const { requester, template, items, atOnce } = event;
      return { requester, template, items, atOnce };
    }),
    note: assign(({ context, event }) => ({ states: statesAfter(context, event) })),
  },
  guards: {
    isLast: ({ context, event }) => isDone({ ...context, states: statesAfter(context, event) }),
  },
});

const itemOver = [{ guard: "isLast", target: "DONE", actions: ["note"] }, { actions: ["note"] }] as const;

export const batchMachine = machineSetup.createMachine({
  id: "batch",
  initial: "NEW",
  context: ({ input }) => ({ ...NEW, id: input.id }),
  states: {
    NEW: { on: { BatchOpened: { target: "RUNNING", actions: ["open"] } } },
    RUNNING: { on: { ItemsStarted: { actions: ["note"] }, ItemRefused: itemOver, ItemEnded: itemOver } },
    DONE: {},
  },
});

export type BatchSnapshot = SnapshotFrom<typeof batchMachine>;
