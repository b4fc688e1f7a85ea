import type { Deciders, Decision } from "../entity.ts";
import type { CommandOf, CommandType, ReplyOf } from "../protocols.ts";
import { isRefusal, type Refusal, type RefusalCode, refuse } from "../refusal.ts";
import type { Millis } from "../vocabulary.ts";
import { afterItem, afterLeaving, afterOpening } from "./changes.ts";
import type { BatchFact } from "./events.ts";
import { type BatchSnapshot, WAIT_MAX_MS, WAIT_TIMER } from "./machine.ts";
import type { BatchProgress, BatchWaitsFor, ItemStatus } from "./protocol.ts";
import { type BatchContext, capacityLeft, waitingItems } from "./state.ts";

/** The most items of a batch, and the most that may be open at once. */
export const BATCH_ITEMS_MAX = 1_000;
export const BATCH_AT_ONCE_MAX = 100;

type Result<T extends CommandType<"batch">> = Decision<BatchFact, ReplyOf<"batch", T>> | Refusal;
type Told = Decision<BatchFact, null> | Refusal;
type Of<T extends CommandType<"batch">> = CommandOf<"batch", T>;

const UNKNOWN = refuse("BATCH_UNKNOWN", "There is no batch of yours with this id.", { why: "BATCH_UNKNOWN" });

const DECIDERS: Deciders<"batch", BatchSnapshot, BatchFact> = {
  openBatch: open,
  itemRefused: refused,
  itemPostponed: postponed,
  turns: (state, { count }, at) => ({ facts: mayAsk(state) ? started(state.context, count, true, at) : [], reply: null }),
  itemEnded: (state, { item, status }, at) => over(state, { type: "ItemEnded", item, status, at }, at),
  pause: ofRequester(pause),
  resume: ofRequester(resume),
  cancel: ofRequester(cancel),
  queueLeft: ({ value, context }, _command, at) => {
    if (!context.leaving || !isSteerable(value)) return { facts: [], reply: null };
    const left = { type: "QueueLeft", at } as const;
    const next = value === "RUNNING" ? started({ ...context, ...afterLeaving() }, 1, false, at) : [];
    return { facts: [left, ...next], reply: null };
  },
  show: ({ value, context }, command, at) =>
    value === "NEW" || context.requester !== command.requester
      ? UNKNOWN
      : { facts: [], reply: progress(value, context, command, at) },
  recall: () => ({ facts: [], reply: null }),
  timer: ({ context }, command, at) => timer(context, command, at),
};

/** Decides a command at the time `at` (ms). Pure. */
export function decideBatch<T extends CommandType<"batch">>(
  state: BatchSnapshot,
  command: CommandOf<"batch", T>,
  at: Millis,
  arrived: Millis = at,
): Result<T> {
  return DECIDERS[command.type](state, command, at, arrived);
}

/** Whether it may ask for items. After a pause the account must first have taken it out of its queue. */
function mayAsk({ value, context }: BatchSnapshot): boolean {
  return value === "RUNNING" && !context.leaving;
}

/** Whether a batch in this state takes a pause, a resumption and a cancellation. */
function isSteerable(value: BatchSnapshot["value"]): boolean {
  return value === "RUNNING" || value === "PAUSED";
}

type Steer = "pause" | "resume" | "cancel";

/** Refuses anybody but the requester. A batch of somebody else is as unknown as one that does not exist. */
function ofRequester(steer: (state: BatchSnapshot, at: Millis) => readonly BatchFact[] | Refusal) {
  return (state: BatchSnapshot, { requester }: Of<Steer>, at: Millis): Result<Steer> => {
    if (state.value === "NEW" || state.context.requester !== requester) return UNKNOWN;
    const facts = steer(state, at);
    if (isRefusal(facts)) return facts;
    return { facts, reply: { batch: state.context.id }, afterDelivery: true };
  };
}

function ended(value: BatchSnapshot["value"], done: string): Refusal {
  return refuse("BATCH_ENDED", `This batch is ${value}; it can be ${done} only while it is RUNNING or PAUSED.`);
}

/** Answered once the account has taken it out of the queue: from then on no further item opens. */
function pause({ value }: BatchSnapshot, at: Millis): readonly BatchFact[] | Refusal {
  if (!isSteerable(value)) return ended(value, "paused");
  return value === "PAUSED" ? [] : [{ type: "BatchPaused", at }];
}

function resume({ value, context }: BatchSnapshot, at: Millis): readonly BatchFact[] | Refusal {
  if (!isSteerable(value)) return ended(value, "resumed");
  if (value === "RUNNING") return [];
  return [{ type: "BatchResumed", at }, ...(context.leaving ? [] : started(context, 1, false, at))];
}

function cancel({ value }: BatchSnapshot, at: Millis): readonly BatchFact[] | Refusal {
  if (isSteerable(value)) return [{ type: "BatchCancelled", at }];
  return value === "DONE" ? ended(value, "cancelled") : [];
}

function open({ value, context }: BatchSnapshot, command: Of<"openBatch">, at: Millis): Result<"openBatch"> {
  if (value !== "NEW") return refuse("BATCH_EXISTS", "This batch is open already.");
  const { requester, request, template, items, atOnce, perMinute = 0 } = command;
  const opened = { type: "BatchOpened", requester, request, template, items, atOnce, perMinute, at } as const;
  return {
    facts: [opened, ...started({ ...context, ...afterOpening(context, opened) }, 1, false, at)],
    reply: { batch: context.id, request },
  };
}

/** Asks for the next items, as many as may be open and at most `count`; the last request says how many more it wants. */
function started(context: BatchContext, count: number, called: boolean, at: Millis): readonly BatchFact[] {
  const waiting = waitingItems(context);
  const wanted = Math.min(capacityLeft(context), waiting.length);
  const items = waiting.slice(0, Math.min(count, wanted));
  // A called batch has left the queue, even if it wants nothing.
  if (items.length === 0 && !(called && context.queued)) return [];
  return [{ type: "ItemsStarted", items, want: wanted - items.length, called, at }];
}

/** An item keeps waiting; that of a cancelled batch is cancelled. */
function postponed({ value, context }: BatchSnapshot, command: Of<"itemPostponed">, at: Millis): Told {
  const { item, reason, until } = command;
  // The postponement of other items comes too late if all of them have been requested meanwhile, or the batch asks no more.
  const isLate = item === null ? context.leaving || waitingItems(context).length === 0 : context.states[item]?.state !== "OPEN";
  if (isLate) return { facts: [], reply: null };
  if (isSteerable(value)) return { facts: [{ type: "ItemPostponed", item, reason, until, at }], reply: null };
  return { facts: item === null ? [] : [{ type: "ItemEnded", item, status: "CANCELLED", at }], reply: null };
}

/**
 * An item is done, and the next one begins unless the batch waits for its turn. With no item open it asks anyway: an account on
 * a node of an older version has no queue and would never call.
 */
function over(state: BatchSnapshot, fact: Extract<BatchFact, { type: "ItemRefused" | "ItemEnded" }>, at: Millis): Told {
  const { context } = state;
  if (context.states[fact.item]?.state !== "OPEN") return { facts: [], reply: null };
  const after = { ...context, ...afterItem(context, fact) };
  const waits = !mayAsk(state) || (after.queued && capacityLeft(after) < after.atOnce);
  return { facts: [fact, ...(waits ? [] : started(after, 1, false, at))], reply: null };
}

/** A frozen account opens none of the other items either, but those of a paused batch are not asked for. */
function refused(state: BatchSnapshot, { item, code, detail }: Of<"itemRefused">, at: Millis): Told {
  const { context } = state;
  const fact = { type: "ItemRefused", item, code, detail, at } as const;
  const after = { ...context, ...afterItem(context, fact) };
  const isLast = context.states[item]?.state !== "OPEN" || waitingItems(after).length === 0;
  if (code !== "ACCOUNT_FROZEN" || isLast || !mayAsk(state)) return over(state, fact, at);
  return { facts: [fact, { type: "WaitingRefused", code, detail, at }], reply: null };
}

const GIVEN_UP: { readonly [R in Exclude<BatchWaitsFor, "pace">]: { readonly code: RefusalCode; readonly what: string } } = {
  credits: { code: "INSUFFICIENT_CREDITS", what: "credits" },
  turn: { code: "INSUFFICIENT_CREDITS", what: "what your other batches left" },
  suspension: { code: "ACCOUNT_SUSPENDED", what: "your debt to be repaid" },
  open_tasks: { code: "TOO_MANY_OPEN_TASKS", what: "tasks of yours to end" },
};

function timer({ waits }: BatchContext, { name }: Of<"timer">, at: Millis): Told {
  const stale = refuse("TIMER_STALE", `The timer ${name} is out of date: this batch does not wait for it.`);
  if (name !== WAIT_TIMER || waits === null || waits.reason === "pace") return stale;
  if (waits.since === null || at < waits.since + WAIT_MAX_MS) return stale;
  const { code, what } = GIVEN_UP[waits.reason];
  const detail = `It waited ${WAIT_MAX_MS / 86_400_000} days for ${what}; post it again when there are enough.`;
  return { facts: [{ type: "WaitingRefused", code, detail, at }], reply: null };
}

function progress(
  value: BatchProgress["status"],
  context: BatchContext,
  { from = 0, limit = BATCH_ITEMS_MAX }: Of<"show">,
  at: Millis,
): BatchProgress {
  const { id, items, states, waits } = context;
  const all = items.map(({ task }, number) => {
    const known = states[number];
    const error = known?.state === "REFUSED" ? { code: known.code, detail: known.detail } : null;
    const status: ItemStatus = known?.state === "ENDED" ? known.status : (known?.state ?? "WAITING");
    return { task, status, error };
  });
  const count = (status: ItemStatus) => all.filter((item) => item.status === status).length;
  return {
    batch: id,
    status: value,
    total: items.length,
    waiting: count("WAITING"),
    open: count("OPEN"),
    settled: count("SETTLED"),
    expired: count("EXPIRED"),
    cancelled: count("CANCELLED"),
    refused: count("REFUSED"),
    waitsFor: waits?.reason ?? null,
    // A time in the past means that it goes on at any moment.
    nextAt: waits?.until == null ? null : Math.max(waits.until, at),
    givesUpAt: waits?.since == null ? null : waits.since + WAIT_MAX_MS,
    items: all.slice(from, from + limit),
    next: from + limit < all.length ? from + limit : null,
  };
}
