/**
 * Durable timers: a row in the commit of the fact that sets them, and a heap in memory. A timer that became due while no node
 * ran fires at once. Nothing checks whether it still matters; the actor refuses a timer that is out of date.
 *
 * A timer may have a grace period: it fires that long after its time, or that long after this node resumed it if that is later.
 * So requests from before that time, which clients repeat because the previous node is gone, are decided first.
 */

import { type Address, addressKey } from "../../machines/address.ts";
import type { Millis } from "../../machines/vocabulary.ts";
import { LIMITS } from "../limits.ts";
import { type CommandResult, isTransient, UNDECIDED } from "../message.ts";
import type { Clock } from "../ports/clock.ts";
import type { DueTimer, Journal, TimerChange } from "../ports/journal.ts";

/** How many outdated entries the heap may have; above that, and above the number of timers, they are removed. */
const STALE_MAX = 1_000;
/** The longest delay of a timer in Node.js (ms). */
const WAIT_MAX_MS = 2 ** 31 - 1;

/** A timer in memory. `fireAt` is when it fires (ms): its time `at`, and the grace period. */
interface Armed extends DueTimer {
  readonly fireAt: Millis;
}

export class Timers {
  readonly #clock: Clock;
  readonly #shardOf: (address: Address) => number;
  readonly #graceMs: (timer: DueTimer) => Millis;
  readonly #fire: (timer: DueTimer) => Promise<CommandResult>;
  #heap: Armed[] = [];
  /** The timers that are set, by shard. All others in the heap are out of date, even if they are for the same time. */
  readonly #due = new Map<number, Map<string, Armed>>();
  #size = 0;
  #wakeAt = Number.POSITIVE_INFINITY;
  #cancelWakeUp: (() => void) | null = null;
  #firing = 0;
  #closed = false;

  constructor(
    clock: Clock,
    shardOf: (address: Address) => number,
    graceMs: (timer: DueTimer) => Millis,
    fire: (timer: DueTimer) => Promise<CommandResult>,
  ) {
    this.#clock = clock;
    this.#shardOf = shardOf;
    this.#graceMs = graceMs;
    this.#fire = fire;
  }

  /** How many timers are set. */
  get size(): number {
    return this.#size;
  }

  /** Applies a change from a commit. */
  change(address: Address, { name, at }: TimerChange): void {
    if (at === null) {
      this.#unset(address, name);
      this.#compact();
      return;
    }
    this.#set({ address, name, at }, at);
  }

  /** Fires a timer in so many ms if that is sooner, unless a commit has unset it. */
  hasten(address: Address, name: string, ms: Millis): void {
    const armed = this.#armed({ address, name });
    const at = this.#clock.now() + ms;
    if (armed !== undefined && at < armed.fireAt) this.change(address, { name, at });
  }

  #set(timer: DueTimer, from: Millis): void {
    const shard = this.#shardOf(timer.address);
    const armed = { ...timer, fireAt: from + this.#graceMs(timer) };
    const due = this.#due.get(shard) ?? new Map<string, Armed>();
    this.#due.set(shard, due);
    this.#size -= due.size;
    due.set(keyOf(timer), armed);
    this.#size += due.size;
    this.#push(armed);
    this.#arm();
  }

  /** Forgets the timers of a shard; their rows stay for its next owner. */
  drop(shard: number): void {
    this.#size -= this.#due.get(shard)?.size ?? 0;
    this.#due.delete(shard);
    this.#compact();
  }

  /** Resumes the timers that earlier owners of a shard set. */
  async resume(journal: Journal, shard: number): Promise<void> {
    let last: DueTimer | null = null;
    for (;;) {
      const page: readonly DueTimer[] = await journal.timers(shard, last, LIMITS.pageRows);
      for (const timer of page) {
        // A timer that was set meanwhile is newer than the row.
        if (this.#armed(timer) !== undefined) continue;
        this.#set(timer, this.#graceMs(timer) > 0 ? Math.max(timer.at, this.#clock.now()) : timer.at);
      }
      last = page.at(-1) ?? null;
      if (last === null || page.length < LIMITS.pageRows) return;
    }
  }

  close(): void {
    this.#closed = true;
    this.#cancelWakeUp?.();
  }

  #armed({ address, name }: { readonly address: Address; readonly name: string }): Armed | undefined {
    return this.#due.get(this.#shardOf(address))?.get(keyOf({ address, name }));
  }

  #unset(address: Address, name: string): void {
    if (this.#due.get(this.#shardOf(address))?.delete(keyOf({ address, name })) === true) this.#size -= 1;
  }

  #arm(): void {
    const next = this.#heap[0];
    if (next === undefined || this.#closed || this.#firing >= LIMITS.timersAtOnce || next.fireAt >= this.#wakeAt) return;
    this.#cancelWakeUp?.();
    this.#wakeAt = next.fireAt;
    const wait = Math.min(WAIT_MAX_MS, Math.max(0, next.fireAt - this.#clock.now()));
    this.#cancelWakeUp = this.#clock.after(wait, () => {
      this.#wakeAt = Number.POSITIVE_INFINITY;
      this.#fireDue();
      this.#arm();
    });
  }

  #fireDue(): void {
    const now = this.#clock.now();
    while (this.#firing < LIMITS.timersAtOnce && (this.#heap[0]?.fireAt ?? Number.POSITIVE_INFINITY) <= now) {
      const timer = this.#pop();
      if (timer === undefined || this.#armed(timer) !== timer) continue;
      this.#firing += 1;
      void this.#carryOut(timer);
    }
  }

  async #carryOut(timer: Armed): Promise<void> {
    const answer = await this.#fire(timer);
    this.#firing -= 1;
    if (this.#armed(timer) === timer) {
      // A commit that makes a timer needless unsets it. One that is refused and still set met an outdated state, or a bug.
      if (answer.ok && answer !== UNDECIDED) this.#unset(timer.address, timer.name);
      else this.#retryLater(timer, isTransient(answer) ? LIMITS.retryMaxMs : LIMITS.refusedTimerMs);
    }
    this.#arm();
  }

  /** Sets a timer again, after so many ms, whose command could not be processed now, was refused, or is undecided. */
  #retryLater(timer: DueTimer, ms: Millis): void {
    this.change(timer.address, { name: timer.name, at: this.#clock.now() + ms });
  }

  /** A removed timer stays in the heap until its time; without this, timers of pools would stay in memory for days. */
  #compact(): void {
    if (this.#heap.length <= 2 * this.#size + STALE_MAX) return;
    // A sorted list is a heap.
    this.#heap = this.#heap.filter((timer) => this.#armed(timer) === timer).sort((a, b) => a.fireAt - b.fireAt);
  }

  #push(timer: Armed): void {
    const heap = this.#heap;
    let index = heap.push(timer) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (at(heap, parent).fireAt <= timer.fireAt) break;
      heap[index] = at(heap, parent);
      index = parent;
    }
    heap[index] = timer;
  }

  #pop(): Armed | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return top;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && at(heap, child + 1).fireAt < at(heap, child).fireAt) child += 1;
      if (at(heap, child).fireAt >= last.fireAt) break;
      heap[index] = at(heap, child);
      index = child;
    }
    heap[index] = last;
    return top;
  }
}

function keyOf({ address, name }: { readonly address: Address; readonly name: string }): string {
  return `${addressKey(address)}:${name}`;
}

function at(heap: readonly Armed[], index: number): Armed {
  const timer = heap[index];
  if (timer === undefined) throw new Error("an index of a heap is within it");
  return timer;
}
