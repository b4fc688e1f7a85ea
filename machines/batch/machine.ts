/** The statechart of a batch: as many of its tasks as allowed are open, and each that ends makes room for the next. */
import { assign, type SnapshotFrom, setup } from "xstate";
import type { Effect } from "../effect.ts";
import type { RefusalCode } from "../refusal.ts";
import type { Order } from "../task/facts.ts";
import type { AccountId, Millis, TerminalStatus } from "../vocabulary.ts";
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
  /** 0: items open as fast as they can. Else one after the other, each when the requester's account says so. */
  readonly perMinute: number;
  /** The item that the account has been asked for, and its slot once it has one (ms). */
  readonly asked: { readonly item: number; readonly slot: Millis | null } | null;
}

export const NEW: Omit<BatchContext, "id"> = {
  requester: null,
  template: null,
  items: [],
  atOnce: 0,
  states: {},
  perMinute: 0,
  asked: null,
};
/** Due at an item's slot. */
export const SLOT_TIMER = "slot";

/** The effects of one fact, given the context that it has led to. */
export function effectsOf(fact: BatchFact, { id, requester, template, items, perMinute }: BatchContext): readonly Effect[] {
  if (fact.type === "ItemPaced" && fact.slot !== null) return [{ type: "remind", name: SLOT_TIMER, at: fact.slot }];
  if (fact.type !== "ItemsStarted") return [];
  if (requester === null || template === null) throw new Error("a batch that is not open starts nothing");
  const pace = perMinute === 0 ? {} : { pace: { perMinute, slot: fact.slot ?? null } };
  return fact.items.map((number) => {
    const item = items[number];
    if (item === undefined) throw new Error(`a batch of ${items.length} has no item ${number}`);
    const order: Order = { ...template, inputData: item.inputData, batch: { id, item: number } };
    return {
      type: "tell",
      to: { kind: "account", id: requester },
      command: { type: "holdItem", task: item.task, order, ...pace },
    };
  });
}

function statesAfter({ states }: BatchContext, fact: BatchFact): BatchContext["states"] {
  switch (fact.type) {
    case "BatchOpened":
      return {};
    case "ItemsStarted":
      return { ...states, ...Object.fromEntries(fact.items.map((item) => [item, { state: "OPEN" } as const])) };
    case "ItemPaced":
      return fact.slot === null ? states : without(states, fact.item);
    case "ItemRefused":
      return { ...states, [fact.item]: { state: "REFUSED", code: fact.code, detail: fact.detail } };
    case "ItemEnded":
      return { ...states, [fact.item]: { state: "ENDED", status: fact.status } };
    default:
      return fact satisfies never;
  }
}

function without(states: BatchContext["states"], item: number): BatchContext["states"] {
  const { [item]: _waits, ...rest } = states;
  return rest;
}

function askedAfter({ asked, perMinute }: BatchContext, fact: BatchFact): BatchContext["asked"] {
  if (fact.type === "ItemPaced") return fact.slot === null ? null : { item: fact.item, slot: fact.slot };
  const [item] = fact.type === "ItemsStarted" && perMinute > 0 ? fact.items : [];
  return item === undefined ? asked : { item, slot: null };
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
      const { requester, template, items, atOnce, perMinute = 0 } = event;
      return { requester, template, items, atOnce, perMinute };
    }),
    note: assign(({ context, event }) => ({ states: statesAfter(context, event), asked: askedAfter(context, event) })),
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
    RUNNING: {
      on: { ItemsStarted: { actions: ["note"] }, ItemPaced: { actions: ["note"] }, ItemRefused: itemOver, ItemEnded: itemOver },
    },
    DONE: {},
  },
});

export type BatchSnapshot = SnapshotFrom<typeof batchMachine>;
