/**
 * The statechart of a batch: as many of its tasks as allowed are open, and each that ends makes room for the next. A batch that
 * cannot open more stands in the queue of the requester's account, which calls it when it is its turn.
 *
 * B1  After a pause it asks for nothing before the account has taken it out of its queue, even if it is resumed meanwhile: both
 *     know the same of the queue.
 * B2  A cancelled batch does not know which of its items are awarded. It asks the account to cancel those that are open, because
 *     only a message that follows the request for a budget reaches the account, and then the task, after it.
 */
import { assertEvent, emit, enqueueActions, type SnapshotFrom, setup } from "xstate";
import { type Effect, tellAccount } from "../effect.ts";
import { changesOf } from "../statechart.ts";
import type { TaskSpec } from "../task/events.ts";
import type { AccountId, Millis } from "../vocabulary.ts";
import * as changes from "./changes.ts";
import type { BatchFact } from "./events.ts";
import { type BatchContext, isDone, NEW, openItems } from "./state.ts";

type Of<T extends BatchFact["type"]> = Extract<BatchFact, { readonly type: T }>;

/** The tag of a batch that has not ended. */
export type BatchTag = "ongoing";

/** How long a batch waits for credits before its waiting items are refused (ms). */
export const WAIT_MAX_MS = 7 * 86_400_000;
export const WAIT_TIMER = "patience";

function requesterOf({ requester }: BatchContext): AccountId {
  if (requester === null) throw new Error("a batch that is not open has no requester to tell");
  return requester;
}

/** Asks the requester's account for the budgets of items; the last request says how many more are wanted. */
function asking({ items: numbers, want = 0, called = false }: Of<"ItemsStarted">, context: BatchContext): readonly Effect[] {
  const { id, template, items, perMinute } = context;
  const requester = requesterOf(context);
  if (template === null) throw new Error("a batch that is not open starts nothing");
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
    pause: on("BatchPaused", changes.afterPausing),
    leaveQueue: on("QueueLeft", changes.afterLeaving),
    cancelWaiting: on("BatchCancelled", changes.afterCancelling),
    endItem: on(["ItemRefused", "ItemEnded"], changes.afterItem),
    askForBudgets: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, "ItemsStarted");
      for (const effect of asking(event, context)) enqueue.emit(effect);
    }),
    startWaitTimer: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, "ItemPostponed");
      const { waits } = { ...context, ...changes.afterPostponing(context, event) };
      for (const effect of waitTimer(context.waits?.since ?? null, waits?.since ?? null)) enqueue.emit(effect);
    }),
    stopWaitTimer: enqueueActions(({ context, enqueue }) => {
      for (const effect of waitTimer(context.waits?.since ?? null, null)) enqueue.emit(effect);
    }),
    askToLeave: enqueueActions(({ context, enqueue }) => {
      if (!context.leaving) enqueue.emit(tellAccount(requesterOf(context), { type: "leaveQueue", batch: context.id }));
    }),
    askToCancel: emit(({ context }) => {
      const tasks = openItems(context).map(({ task }) => task);
      return tellAccount(requesterOf(context), { type: "batchCancelled", batch: context.id, tasks });
    }),
    tellEnd: emit(({ context }) => tellAccount(requesterOf(context), { type: "batchEnded", batch: context.id })),
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
      tags: ["ongoing"],
      on: {
        ItemsStarted: { actions: ["askForBudgets", "stopWaitTimer", "startItems"] },
        ItemPostponed: { actions: ["startWaitTimer", "postpone"] },
        ItemRefused: { actions: ["endItem"] },
        ItemEnded: { actions: ["endItem"] },
        WaitingRefused: { actions: ["stopWaitTimer", "refuseWaiting"] },
        QueueLeft: { actions: ["leaveQueue"] },
        BatchPaused: { target: "PAUSED", actions: ["stopWaitTimer", "askToLeave", "pause"] },
        BatchCancelled: { target: "CANCELLING", actions: ["stopWaitTimer", "askToCancel", "cancelWaiting"] },
      },
      always: { guard: "nothingIsLeft", target: "DONE" },
    },
    PAUSED: {
      tags: ["ongoing"],
      on: {
        ItemPostponed: { actions: ["postpone"] },
        ItemRefused: { actions: ["endItem"] },
        ItemEnded: { actions: ["endItem"] },
        QueueLeft: { actions: ["leaveQueue"] },
        BatchResumed: { target: "RUNNING" },
        BatchCancelled: { target: "CANCELLING", actions: ["askToCancel", "cancelWaiting"] },
      },
      always: { guard: "nothingIsLeft", target: "DONE" },
    },
    CANCELLING: {
      tags: ["ongoing"],
      on: {
        ItemRefused: { actions: ["endItem"] },
        ItemEnded: { actions: ["endItem"] },
      },
      always: { guard: "nothingIsLeft", target: "CANCELLED" },
    },
    DONE: { entry: ["tellEnd"] },
    CANCELLED: {},
  },
});

export type BatchSnapshot = SnapshotFrom<typeof batchMachine>;
