/**
 * The statechart of a batch: as many of its tasks as allowed are open, and each that ends makes room for the next. What cannot
 * open yet stands in the queue of the requester's account, which calls the batch when its turn has come.
 */
import { assign, type SnapshotFrom, setup } from "xstate";
import type { WaitsFor } from "../account/turns.ts";
import type { Effect } from "../effect.ts";
import type { RefusalCode } from "../refusal.ts";
import type { TaskSpec } from "../task/events.ts";
import type { AccountId, Millis, TerminalStatus } from "../vocabulary.ts";
import type { BatchFact, BatchItem } from "./events.ts";

type Of<T extends BatchFact["type"]> = Extract<BatchFact, { readonly type: T }>;
type Folded = Pick<BatchSnapshot, "value" | "context">;

/** What became of an item so far. */
export type ItemState =
  | { readonly state: "OPEN" }
  | { readonly state: "ENDED"; readonly status: TerminalStatus }
  | { readonly state: "REFUSED"; readonly code: RefusalCode; readonly detail: string };

/** Why a batch waits for its turn. */
export interface Waits {
  /** `turn`: other batches of the account stand before it. */
  readonly reason: WaitsFor | "turn";
  /** Until when (ms), where that is known. */
  readonly until: Millis | null;
  /** Since when it waits for something that may never come (ms); null while that is not so. */
  readonly since: Millis | null;
}

export interface BatchContext {
  readonly id: string;
  readonly requester: AccountId | null;
  readonly template: TaskSpec | null;
  readonly items: readonly BatchItem[];
  readonly atOnce: number;
  readonly perMinute: number;
  /** By number; those that are not here wait. */
  readonly states: { readonly [item: number]: ItemState };
  /** Whether it stands in the account's queue: then it asks for nothing until it is called. */
  readonly queued: boolean;
  readonly waits: Waits | null;
}

/** Before anything has happened; also what a snapshot lacks that was written before a field was there. */
export const NEW: Omit<BatchContext, "id"> = {
  requester: null,
  template: null,
  items: [],
  atOnce: 0,
  perMinute: 0,
  states: {},
  queued: false,
  waits: null,
};

/** How long a batch waits for credits before it ends without them (ms). */
export const PATIENCE_MS = 7 * 86_400_000;
export const PATIENCE_TIMER = "patience";

/** The effects of one fact, given the states before it and after. */
export function effectsOf(fact: BatchFact, before: Folded, after: Folded): readonly Effect[] {
  const asked = fact.type === "ItemsStarted" ? asking(fact, after.context) : [];
  const patience = patienceEffects(before.context.waits?.since ?? null, after.context.waits?.since ?? null);
  const { id, requester } = after.context;
  if (before.value === after.value || after.value !== "DONE" || requester === null) return [...asked, ...patience];
  return [
    ...asked,
    ...patience,
    { type: "tell", to: { kind: "account", id: requester }, command: { type: "batchEnded", batch: id } },
  ];
}

function patienceEffects(before: Millis | null, after: Millis | null): readonly Effect[] {
  if (before === after) return [];
  if (after === null) return [{ type: "forget", name: PATIENCE_TIMER }];
  return [{ type: "remind", name: PATIENCE_TIMER, at: after + PATIENCE_MS }];
}

function asking({ items: numbers, want = 0, called = false }: Of<"ItemsStarted">, context: BatchContext): readonly Effect[] {
  const { id, requester, template, items, perMinute } = context;
  if (requester === null || template === null) throw new Error("a batch that is not open starts nothing");
  return numbers.map((number, index) => {
    const item = items[number];
    if (item === undefined) throw new Error(`a batch of ${items.length} has no item ${number}`);
    const order: TaskSpec = { ...template, inputData: item.inputData, batch: { id, item: number } };
    const ask = { perMinute, want: index === numbers.length - 1 ? want : 0, called };
    return { type: "tell", to: { kind: "account", id: requester }, command: { type: "holdItem", task: item.task, order, ask } };
  });
}

function statesAfter(context: BatchContext, fact: BatchFact): BatchContext["states"] {
  const { states } = context;
  switch (fact.type) {
    case "BatchOpened":
      return {};
    case "ItemsStarted":
      return { ...states, ...Object.fromEntries(fact.items.map((item) => [item, { state: "OPEN" } as const])) };
    case "ItemPostponed": {
      if (fact.item === null) return states;
      const { [fact.item]: _waits, ...rest } = states;
      return rest;
    }
    case "ItemRefused":
      return { ...states, [fact.item]: { state: "REFUSED", code: fact.code, detail: fact.detail } };
    case "WaitingRefused": {
      const { code, detail } = fact;
      const refused = waitingItems(context).map((item) => [item, { state: "REFUSED", code, detail } as const]);
      return { ...states, ...Object.fromEntries(refused) };
    }
    case "ItemEnded":
      return { ...states, [fact.item]: { state: "ENDED", status: fact.status } };
    default:
      return fact satisfies never;
  }
}

function queueAfter({ queued, waits }: BatchContext, fact: BatchFact): Pick<BatchContext, "queued" | "waits"> {
  switch (fact.type) {
    case "ItemsStarted":
      return { queued: (fact.want ?? 0) > 0, waits: null };
    case "ItemPostponed": {
      const { reason, until, at } = fact;
      // What those before it leave is not known yet, and nobody says so when they leave nothing.
      if (reason === null) return { queued: true, waits: waits ?? { reason: "turn", until, since: at } };
      return { queued: true, waits: { reason, until, since: reason === "pace" ? null : (waits?.since ?? at) } };
    }
    case "WaitingRefused":
      return { queued: false, waits: null };
    default:
      return { queued, waits };
  }
}

/** The items that were not asked for yet, or are to be asked for again. */
export function waitingItems({ items, states }: Pick<BatchContext, "items" | "states">): readonly number[] {
  return items.flatMap((_, number) => (states[number] === undefined ? [number] : []));
}

/** How many more may be open. */
export function roomOf({ atOnce, states }: BatchContext): number {
  return atOnce - Object.values(states).filter(({ state }) => state === "OPEN").length;
}

/** Whether no item waits or is open. */
export function isDone({ items, states }: BatchContext): boolean {
  return Object.keys(states).length === items.length && Object.values(states).every(({ state }) => state !== "OPEN");
}

/** What a fact makes of a batch. */
export function contextAfter(context: BatchContext, fact: BatchFact): BatchContext {
  const changed = { ...context, states: statesAfter(context, fact), ...queueAfter(context, fact) };
  if (fact.type !== "BatchOpened") return changed;
  const { requester, template, items, atOnce, perMinute = 0 } = fact;
  return { ...changed, requester, template, items, atOnce, perMinute };
}

const machineSetup = setup({
  types: { context: {} as BatchContext, events: {} as BatchFact, input: {} as { id: string } },
  actions: { apply: assign(({ context, event }) => contextAfter(context, event)) },
  guards: { isLast: ({ context, event }) => isDone(contextAfter(context, event)) },
});

const apply = { actions: ["apply"] } as const;
const over = [{ guard: "isLast", target: "DONE", ...apply }, apply] as const;

export const batchMachine = machineSetup.createMachine({
  id: "batch",
  initial: "NEW",
  context: ({ input }) => ({ ...NEW, id: input.id }),
  states: {
    NEW: { on: { BatchOpened: { target: "RUNNING", ...apply } } },
    RUNNING: {
      on: { ItemsStarted: apply, ItemPostponed: apply, ItemRefused: over, WaitingRefused: over, ItemEnded: over },
    },
    DONE: {},
  },
});

export type BatchSnapshot = SnapshotFrom<typeof batchMachine>;
