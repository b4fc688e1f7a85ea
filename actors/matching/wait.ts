/** A waiter as the matcher keeps it: its terms, and what it has got and may still get. */
import type { Ineligibility } from "../../machines/ineligibility.ts";
import { isNewcomer } from "../../machines/market/auction.ts";
import type { AccountId, Millis, TaskId } from "../../machines/vocabulary.ts";
import type { QueuedTask, Waiter } from "./vocabulary.ts";

/** What all waiters of one worker share. */
export interface Worker {
  readonly id: AccountId;
  readonly waits: Set<Wait>;
  /** Slots for tasks at the posted price: those that it may have, as told last, and those that are free, counted since. */
  slots: number;
  free: number;
  /** Of those, how many proposals under way may take. */
  offered: number;
  /** Why it had no place when it was last asked; until a place is freed, or for a while, it is not asked again. */
  full: Ineligibility | null;
  /** How many times in a row it had none. */
  fullTimes: number;
  /** Whether a place was freed while proposals were under way: a decline of one of them may be from before that. */
  freedMeanwhile: boolean;
}

export interface Wait {
  terms: Waiter;
  readonly worker: Worker;
  /** From when it has waited; a worker that stays begins anew with each task that it is proposed. */
  since: Millis;
  /** Orders those that began anew within a millisecond. */
  turn: number;
  /** Where it is listed for tasks; null while it has no place. */
  listed: Listed | null;
  /** Of a pull: what may still become its own, by task, with its size (bytes): under way, or placed as a bid. */
  readonly pending: Map<TaskId, number>;
  readonly placed: Map<TaskId, number>;
  readonly awarded: TaskId[];
  awardedBytes: number;
  /** Of a pull: tasks that it was proposed to or for which it had a bid, and of which nothing was heard in time. It may have them. */
  readonly unheard: Set<TaskId>;
  /** Its time is over, or whoever waited has left: it gets nothing more, but for what is under way. */
  ended: boolean;
  /** Why it got fewer tasks than it could have. */
  limited: Ineligibility | null;
}

/** By what a waiter is listed: only waiters whose terms differ in it are looked at one by one. */
export interface Listed {
  /** null: the task's budget. */
  readonly price: number | null;
  /** The lowest budget that it takes. */
  readonly least: number;
  readonly tier: number;
  readonly quality: number;
  readonly newcomer: boolean;
}

export function newWait(terms: Waiter, worker: Worker, since: Millis): Wait {
  return {
    terms,
    worker,
    since,
    turn: 0,
    listed: null,
    pending: new Map(),
    placed: new Map(),
    awarded: [],
    awardedBytes: 0,
    unheard: new Set(),
    ended: false,
    limited: null,
  };
}

/** How waiters that differ in nothing else are served: who has waited longest is first. */
export function longestFirst(a: Wait, b: Wait): number {
  return a.since - b.since || a.turn - b.turn || (a.terms.id < b.terms.id ? -1 : a.terms.id > b.terms.id ? 1 : 0);
}

/** How a waiter with a price is listed; null for one who bids by hand. */
export function listedAs({ standing, finished, ...terms }: Waiter): Listed | null {
  if (terms.kind === "manual") return null;
  const { tier, quality } = standing;
  const newcomer = finished !== undefined && isNewcomer(finished);
  const least = terms.kind === "posted" || terms.price !== null ? (terms.price ?? 0) : terms.minPrice;
  return { price: terms.price, least, tier, quality, newcomer };
}

/** How many more tasks a waiter takes now. */
export function placesOf({ terms, worker, awarded, pending, placed, ended }: Wait): number {
  if (ended || worker.full !== null || terms.standing.status !== "ACTIVE") return 0;
  switch (terms.kind) {
    case "pull":
      return Math.max(0, terms.most - awarded.length - pending.size - placed.size);
    case "posted":
      return Math.max(0, worker.free - worker.offered);
    case "manual":
      return 0;
  }
}

/** Whether the task still fits into what a pull may get here; a task goes to any other waiter by itself. */
export function hasRoom({ terms, pending, placed, awardedBytes }: Wait, { bytes }: QueuedTask): boolean {
  if (terms.kind !== "pull") return true;
  let taken = awardedBytes + bytes;
  for (const some of pending.values()) taken += some;
  for (const some of placed.values()) taken += some;
  return taken <= (taken === bytes ? terms.bytesMost : terms.bytesShare);
}

/** What a task would cost with this waiter (NC). */
export function priceOf({ terms }: Wait, { budget }: Pick<QueuedTask, "budget">): number {
  return terms.kind === "manual" ? budget : (terms.price ?? budget);
}
