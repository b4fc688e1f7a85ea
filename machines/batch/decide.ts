import type { Deciders, Decision } from "../entity.ts";
import type { CommandOf, CommandType, ReplyOf } from "../protocols.ts";
import { type Refusal, type RefusalCode, refuse } from "../refusal.ts";
import type { Millis } from "../vocabulary.ts";
import { afterItem, afterOpening } from "./changes.ts";
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
  itemRefused: ({ context }, command, at) => refused(context, command, at),
  itemPostponed: ({ value, context }, { item, reason, until }, at) => {
    // The postponement of other items comes too late if all of them have been requested meanwhile.
    const isLate = item === null ? waitingItems(context).length === 0 : context.states[item]?.state !== "OPEN";
    if (value !== "RUNNING" || isLate) return { facts: [], reply: null };
    return { facts: [{ type: "ItemPostponed", item, reason, until, at }], reply: null };
  },
  turns: ({ value, context }, { count }, at) => ({
    facts: value === "RUNNING" ? started(context, count, true, at) : [],
    reply: null,
  }),
  itemEnded: ({ context }, { item, status }, at) => over(context, { type: "ItemEnded", item, status, at }, at),
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

/**
 * An item is done, and the next one begins unless the batch waits for its turn. With no item open it asks anyway: an account on
 * a node of an older version has no queue and would never call.
 */
function over(context: BatchContext, fact: Extract<BatchFact, { type: "ItemRefused" | "ItemEnded" }>, at: Millis): Told {
  if (context.states[fact.item]?.state !== "OPEN") return { facts: [], reply: null };
  const after = { ...context, ...afterItem(context, fact) };
  const waits = after.queued && capacityLeft(after) < after.atOnce;
  return { facts: [fact, ...(waits ? [] : started(after, 1, false, at))], reply: null };
}

/** A frozen account opens none of the other items either. */
function refused(context: BatchContext, { item, code, detail }: Of<"itemRefused">, at: Millis): Told {
  const fact = { type: "ItemRefused", item, code, detail, at } as const;
  const after = { ...context, ...afterItem(context, fact) };
  if (code !== "ACCOUNT_FROZEN" || context.states[item]?.state !== "OPEN" || waitingItems(after).length === 0) {
    return over(context, fact, at);
  }
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
