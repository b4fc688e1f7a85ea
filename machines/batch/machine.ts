/**
 * The statechart of a batch: as many of its tasks as allowed are open, and each that ends makes room for the next. A batch that
 * cannot open more stands in the queue of the requester's account, which calls it when it is its turn.
 */
import { assertEvent, emit, enqueueActions, type SnapshotFrom, setup } from "xstate";
import { type Effect, tellAccount } from "../effect.ts";
import { changesOf } from "../statechart.ts";
import type { TaskSpec } from "../task/events.ts";
import type { Millis } from "../vocabulary.ts";
import * as changes from "./changes.ts";
import type { BatchFact } from "./events.ts";
import { type BatchContext, isDone, NEW } from "./state.ts";

type Of<T extends BatchFact["type"]> = Extract<BatchFact, { readonly type: T }>;

/** The tags of a batch's state. */
export type BatchTag = "running";

/** How long a batch waits for credits before its waiting items are refused (ms). */
export const WAIT_MAX_MS = 7 * 86_400_000;
export const WAIT_TIMER = "patience";

/** Asks the requester's account for the budgets of items; the last request says how many more are wanted. */
function asking({ items: numbers, want = 0, called = false }: Of<"ItemsStarted">, context: BatchContext): readonly Effect[] {
  const { id, requester, template, items, perMinute } = context;
  if (requester === null || template === null) throw new Error("a batch that is not open starts nothing");
  return numbers.map((number, index) => {
    const item = items[number];
    if (item === undefined) throw new Error(`a batch of ${items.length} has no item ${number}`);
    const order: TaskSpec = { ...template, inputData: item.inputData, batch: { id, item: number } };
    const ask = { perMinute, want: index === numbers.length - 1 ? want : 0, called };
    return tellAccount(requester, { type: "holdItem", task: item.task, order, ask });
  });
}

/** The timer is set while the batch waits for something that may never come. */
function waitTimer(before: Millis | null, after: Millis | null): readonly Effect[] {
  if (before === after) return [];
  if (after === null) return [{ type: "forget", name: WAIT_TIMER }];
  return [{ type: "remind", name: WAIT_TIMER, at: after + WAIT_MAX_MS }];
}

const on = changesOf<BatchContext, BatchFact>();

const machineSetup = setup({
  types: {
    context: {} as BatchContext,
    events: {} as BatchFact,
    input: {} as { id: string },
    emitted: {} as Effect,
    tags: {} as BatchTag,
  },
  actions: {
    open: on("BatchOpened", changes.afterOpening),
    startItems: on("ItemsStarted", changes.afterStarting),
    postpone: on("ItemPostponed", changes.afterPostponing),
    refuseWaiting: on("WaitingRefused", changes.afterRefusingWaiting),
    endItem: on(["ItemRefused", "ItemEnded"], changes.afterItem),
    askForBudgets: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, "ItemsStarted");
      for (const effect of asking(event, context)) enqueue.emit(effect);
    }),
    startWaitTimer: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, "ItemPostponed");
      const { waits } = changes.afterPostponing(context, event);
      for (const effect of waitTimer(context.waits?.since ?? null, waits?.since ?? null)) enqueue.emit(effect);
    }),
    stopWaitTimer: enqueueActions(({ context, enqueue }) => {
      for (const effect of waitTimer(context.waits?.since ?? null, null)) enqueue.emit(effect);
    }),
    tellEnd: emit(({ context }) => {
      if (context.requester === null) throw new Error("a batch that is not open does not end");
      return tellAccount(context.requester, { type: "batchEnded", batch: context.id });
    }),
  },
  guards: { nothingIsLeft: ({ context }) => isDone(context) },
});

export const batchMachine = machineSetup.createMachine({
  id: "batch",
  initial: "NEW",
  context: ({ input }) => ({ ...NEW, id: input.id }),
  states: {
    NEW: { on: { BatchOpened: { target: "RUNNING", actions: ["open"] } } },
    RUNNING: {
      tags: ["running"],
      on: {
        ItemsStarted: { actions: ["askForBudgets", "stopWaitTimer", "startItems"] },
        ItemPostponed: { actions: ["startWaitTimer", "postpone"] },
        ItemRefused: { actions: ["endItem"] },
        ItemEnded: { actions: ["endItem"] },
        WaitingRefused: { actions: ["stopWaitTimer", "refuseWaiting"] },
      },
      always: { guard: "nothingIsLeft", target: "DONE" },
    },
    DONE: { entry: ["tellEnd"] },
  },
});

export type BatchSnapshot = SnapshotFrom<typeof batchMachine>;
