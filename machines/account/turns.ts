/**
 * Which batches of an account may open items now. Waiting batches stand in a queue and are called when it is their turn, so
 * they need not ask.
 */
import type { Millis } from "../vocabulary.ts";
import { OPEN_TASKS_MAX, powerGrowsAt, spendingPower } from "./power.ts";
import type { AccountContext } from "./state.ts";
import type { Call, Needs, Opened, WaitingBatch, WaitsFor } from "./waiting.ts";

const MINUTE_MS = 60_000;
/** The least time between two calls (ms), so that room that becomes free bit by bit is given away at once. */
export const CALL_MS = 250;
/** Above this rate (items/min) openings are counted in steps of STEP_MS, so that the list stays short. */
const FINE_MAX = 600;
const STEP_MS = 250;

/**
 * Counts an item that opens. Its time is rounded up, and kept a minute longer than it counts, because clocks may go back a
 * little.
 */
export function withOpened(opened: readonly Opened[], perMinute: number, at: Millis): readonly Opened[] {
  const moment = perMinute > FINE_MAX ? Math.ceil(at / STEP_MS) * STEP_MS : at;
  const kept = opened.filter((one) => one.at > at - 2 * MINUTE_MS);
  if (!kept.some((one) => one.at === moment)) return [...kept, { at: moment, count: 1 }];
  return kept.map((one) => (one.at === moment ? { ...one, count: one.count + 1 } : one));
}

/** The entries that count at `at`. One that is far in the future came from a wrong clock. */
function counted(opened: readonly Opened[], at: Millis): readonly Opened[] {
  return opened.filter((one) => Math.abs(at - one.at) < MINUTE_MS);
}

function sum(opened: readonly Opened[]): number {
  return opened.reduce((total, { count }) => total + count, 0);
}

/** When the rate limit lets the next item open (ms): `at` if it can open now. */
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

/** What keeps an account from spending, whatever its balance; null: nothing. */
export type Restriction = "suspended" | "frozen" | null;

/** What an item would have to wait for at `at`; null if it can open. */
export function waitsFor(
  context: AccountContext,
  restriction: Restriction,
  { budget, perMinute }: Needs,
  at: Millis,
): WaitsFor | null {
  if (restriction === "suspended") return "suspension";
  if (budget > spendingPower(context, at)) return "credits";
  if (context.openTasks >= OPEN_TASKS_MAX) return "open_tasks";
  return paceAllows(context.opened, perMinute, at) > at ? "pace" : null;
}

/**
 * Whom to call at `at`, in the order of the queue: no more items than can open now, and an equal share of what the rate limit
 * leaves. A frozen account calls all, so that they learn that it is frozen.
 */
export function callsAt(context: AccountContext, restriction: Restriction, at: Millis): readonly Call[] {
  const { waiting } = context;
  if (restriction === "frozen") return waiting.map(({ batch }) => ({ batch, count: 1 }));
  let power = restriction === "suspended" ? 0 : spendingPower(context, at);
  let room = OPEN_TASKS_MAX - context.openTasks;
  let opened = sum(counted(context.opened, at));
  const before = opened;
  return waiting.flatMap(({ batch, want, budget, perMinute }) => {
    const share = Math.ceil((perMinute - before) / waiting.length);
    const paced = perMinute === 0 ? want : Math.min(share, perMinute - opened);
    const count = Math.max(0, Math.min(want, paced, room, Math.floor(power / budget)));
    power -= count * budget;
    room -= count;
    opened += count;
    return count === 0 ? [] : [{ batch, count }];
  });
}

/** When a batch in the queue of an account without a restriction can open its next item, as of `at` (ms); null if none can. */
export function nextCall(context: AccountContext, at: Millis): Millis | null {
  const times = context.waiting.flatMap((one) => {
    const reason = waitsFor(context, null, one, at);
    if (reason === null) return [at];
    if (reason === "credits") return powerGrowsAt(context, at) ?? [];
    return reason === "pace" ? [paceAllows(context.opened, one.perMinute, at)] : [];
  });
  return times.length === 0 ? null : Math.min(...times);
}

/** When the timer must be due for a batch that can be called at `next` (ms). */
export function callDue({ calledAt }: AccountContext, next: Millis): Millis {
  return Math.max(next, calledAt + CALL_MS);
}

/** Whether the timer must be set again: it is due later than a batch can be called, or none can be called any more. */
export function isCallChanged(context: AccountContext, next: Millis, at: Millis): boolean {
  const due = callDue(context, next);
  return context.callAt === null || due < context.callAt || (next > at && due > context.callAt);
}

/** The queue with a batch added at its end; one that is in it already keeps its position and wants more. */
export function withWaiting(waiting: readonly WaitingBatch[], more: WaitingBatch): readonly WaitingBatch[] {
  if (!waiting.some(({ batch }) => batch === more.batch)) return [...waiting, more];
  return waiting.map((one) => (one.batch === more.batch ? { ...more, want: one.want + more.want } : one));
}
