/**
 * Which batches of an account may open items now. Each that waits stands in a queue; it is called when its turn comes, so that
 * one that waits asks for nothing.
 */
import type { Credits, Millis } from "../vocabulary.ts";
import { OPEN_TASKS_MAX, spendingPower } from "./spending.ts";
import type { AccountContext } from "./state.ts";

/** What an item may wait for. */
export const WAITS_FOR = ["pace", "credits", "suspension", "open_tasks"] as const;
export type WaitsFor = (typeof WAITS_FOR)[number];

/** Items of batches that opened at a moment (ms). */
export interface Opened {
  readonly at: Millis;
  readonly count: number;
}

/** What opening an item takes: its budget, and the pace (items in any 60 s over all batches of the account; 0: none). */
export interface Needs {
  readonly budget: Credits;
  readonly perMinute: number;
}

/** A batch in the queue, and how many items it wants to open. */
export interface WaitingBatch extends Needs {
  readonly batch: string;
  readonly want: number;
  readonly reason: WaitsFor | null;
}

/** What one batch is called for. */
export interface Call {
  readonly batch: string;
  readonly count: number;
}

const MINUTE_MS = 60_000;
/** Batches are called at most once in this time (ms), so that places that come free one by one are given away together. */
export const CALL_MS = 250;
/** Above this pace (items/min) openings are noted in steps of so many ms, so that there are never many notes. */
const FINE_MAX = 600;
const STEP_MS = 250;

/** Notes an item that opens; never as earlier than it was, and for a minute more than it counts: clocks may go back a little. */
export function withOpened(opened: readonly Opened[], perMinute: number, at: Millis): readonly Opened[] {
  const moment = perMinute > FINE_MAX ? Math.ceil(at / STEP_MS) * STEP_MS : at;
  const kept = opened.filter((one) => one.at > at - 2 * MINUTE_MS);
  if (!kept.some((one) => one.at === moment)) return [...kept, { at: moment, count: 1 }];
  return kept.map((one) => (one.at === moment ? { ...one, count: one.count + 1 } : one));
}

/** Those that count at `at`. One that is far ahead was noted by a clock that was wrong. */
function counted(opened: readonly Opened[], at: Millis): readonly Opened[] {
  return opened.filter((one) => Math.abs(at - one.at) < MINUTE_MS);
}

function sum(opened: readonly Opened[]): number {
  return opened.reduce((total, { count }) => total + count, 0);
}

/** From when on the pace lets another item open (ms): `at` when it does now. */
export function paceAllows(opened: readonly Opened[], perMinute: number, at: Millis): Millis {
  const recent = counted(opened, at);
  let count = sum(recent);
  if (perMinute === 0 || count < perMinute) return at;
  let free = at;
  for (const one of recent.toSorted((a, b) => a.at - b.at)) {
    if (count < perMinute) break;
    count -= one.count;
    free = one.at + MINUTE_MS;
  }
  return free;
}

/** What keeps an account from spending, whatever it has: nothing (null), or that it is suspended or frozen. */
export type Restriction = "suspended" | "frozen" | null;

/** What an item would wait for at `at`; null when nothing keeps it from opening. */
export function waitsFor(
  context: AccountContext,
  restriction: Restriction,
  { budget, perMinute }: Needs,
  at: Millis,
): WaitsFor | null {
  if (restriction === "suspended") return "suspension";
  if (budget > spendingPower(context)) return "credits";
  if (context.openTasks >= OPEN_TASKS_MAX) return "open_tasks";
  return paceAllows(context.opened, perMinute, at) > at ? "pace" : null;
}

/**
 * Whom to call at `at`, in the order of the queue: no more items than can open now, and of what the pace leaves an equal share
 * to each. A frozen account calls everybody, to be told so.
 */
export function callsAt(context: AccountContext, restriction: Restriction, at: Millis): readonly Call[] {
  const { waiting } = context;
  if (restriction === "frozen") return waiting.map(({ batch }) => ({ batch, count: 1 }));
  let power = restriction === "suspended" ? 0 : spendingPower(context);
  let places = OPEN_TASKS_MAX - context.openTasks;
  let opened = sum(counted(context.opened, at));
  const before = opened;
  return waiting.flatMap(({ batch, want, budget, perMinute }) => {
    const share = Math.ceil((perMinute - before) / waiting.length);
    const paced = perMinute === 0 ? want : Math.min(share, perMinute - opened);
    const count = Math.max(0, Math.min(want, paced, places, Math.floor(power / budget)));
    power -= count * budget;
    places -= count;
    opened += count;
    return count === 0 ? [] : [{ batch, count }];
  });
}

/** When somebody in the queue of an account that nothing bars can open something, as things are at `at` (ms); or null. */
export function nextCall(context: AccountContext, at: Millis): Millis | null {
  const times = context.waiting.flatMap((one) => {
    const reason = waitsFor(context, null, one, at);
    if (reason === null) return [at];
    return reason === "pace" ? [paceAllows(context.opened, one.perMinute, at)] : [];
  });
  return times.length === 0 ? null : Math.min(...times);
}

/** For when the timer is set that calls somebody who can be called at `next` (ms). */
export function callDue({ calledAt }: AccountContext, next: Millis): Millis {
  return Math.max(next, calledAt + CALL_MS);
}

/** Whether the timer must be set anew: it stands for later than somebody can be called, or for when nobody can be. */
export function isCallChanged(context: AccountContext, next: Millis, at: Millis): boolean {
  const due = callDue(context, next);
  return context.callAt === null || due < context.callAt || (next > at && due > context.callAt);
}

/** The queue with a batch at its end, or with more that it wants where it stands. */
export function withWaiting(waiting: readonly WaitingBatch[], more: WaitingBatch): readonly WaitingBatch[] {
  if (!waiting.some(({ batch }) => batch === more.batch)) return [...waiting, more];
  return waiting.map((one) => (one.batch === more.batch ? { ...more, want: one.want + more.want } : one));
}
