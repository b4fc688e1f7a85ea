/**
 * Durable timers: a row in the commit of the fact that set them, a heap in memory. One that fell due while nobody was
 * there fires at once. What has changed since is not looked up; the actor refuses a timer that means nothing any more.
 */
import type { Address } from "../../machines/effect.ts";
import { addressKey } from "../../machines/entity.ts";
import type { Millis } from "../../machines/vocabulary.ts";
import { LIMITS } from "../limits.ts";
import { type Answer, isTransient } from "../message.ts";
import type { Clock, DueTimer, Journal, TimerChange } from "../ports.ts";

/** So many entries out of date are let be; more than that, and more than there are timers, and they are cleared out. */
const STALE_MAX = 1_000;
/** Node's timers hold at most this (ms). */
const WAIT_MAX_MS = 2 ** 31 - 1;

export class Timers {
  readonly #clock: Clock;
  readonly #shardOf: (address: Address) => number;
  readonly #fire: (timer: DueTimer) => Promise<Answer>;
  #heap: DueTimer[] = [];
  /** When each timer is due, by shard; what the heap says otherwise is out of date. */
  readonly #due = new Map<number, Map<string, Millis>>();
  #size = 0;
  #wakeAt = Number.POSITIVE_INFINITY;
  #callOff: (() => void) | null = null;
  #firing = 0;
  #closed = false;

  constructor(clock: Clock, shardOf: (address: Address) => number, fire: (timer: DueTimer) => Promise<Answer>) {
    this.#clock = clock;
    this.#shardOf = shardOf;
    this.#fire = fire;
  }

  /** How many timers are set. */
  get size(): number {
    return this.#size;
  }

  /** Takes over what a commit has changed. */
  change(address: Address, { name, at }: TimerChange): void {
    if (at === null) {
      this.#unset(address, name);
      this.#compact();
      return;
    }
    const shard = this.#shardOf(address);
    const due = this.#due.get(shard) ?? new Map<string, Millis>();
    this.#due.set(shard, due);
    this.#size -= due.size;
    due.set(keyOf({ address, name }), at);
    this.#size += due.size;
    this.#push({ address, name, at });
    this.#arm();
  }

  /** Forgets the timers of a shard; their rows stay for its next owner. */
  drop(shard: number): void {
    this.#size -= this.#due.get(shard)?.size ?? 0;
    this.#due.delete(shard);
    this.#compact();
  }

  /** Takes up the timers that earlier owners of a shard set. */
  async resume(journal: Journal, shard: number): Promise<void> {
    let last: DueTimer | null = null;
    for (;;) {
      const page: readonly DueTimer[] = await journal.timers(shard, last, LIMITS.pageRows);
      for (const timer of page) {
        // What was set since the start is newer than the row that was read.
        if (this.#dueAt(timer) === undefined) this.change(timer.address, timer);
      }
      last = page.at(-1) ?? null;
      if (last === null || page.length < LIMITS.pageRows) return;
    }
  }

  close(): void {
    this.#closed = true;
    this.#callOff?.();
  }

  #dueAt({ address, name }: { readonly address: Address; readonly name: string }): Millis | undefined {
    return this.#due.get(this.#shardOf(address))?.get(keyOf({ address, name }));
  }

  #unset(address: Address, name: string): void {
    if (this.#due.get(this.#shardOf(address))?.delete(keyOf({ address, name })) === true) this.#size -= 1;
  }

  #arm(): void {
    const next = this.#heap[0];
    if (next === undefined || this.#closed || this.#firing >= LIMITS.timersAtOnce || next.at >= this.#wakeAt) return;
    this.#callOff?.();
    this.#wakeAt = next.at;
    const wait = Math.min(WAIT_MAX_MS, Math.max(0, next.at - this.#clock.now()));
    this.#callOff = this.#clock.after(wait, () => {
      this.#wakeAt = Number.POSITIVE_INFINITY;
      this.#fireDue();
      this.#arm();
    });
  }

  #fireDue(): void {
    const now = this.#clock.now();
    while (this.#firing < LIMITS.timersAtOnce && (this.#heap[0]?.at ?? Number.POSITIVE_INFINITY) <= now) {
      const timer = this.#pop();
      if (timer === undefined || this.#dueAt(timer) !== timer.at) continue;
      this.#firing += 1;
      void this.#carryOut(timer);
    }
  }

  async #carryOut(timer: DueTimer): Promise<void> {
    const answer = await this.#fire(timer);
    this.#firing -= 1;
    if (this.#dueAt(timer) === timer.at) {
      if (isTransient(answer)) this.#later(timer);
      else this.#unset(timer.address, timer.name);
    }
    this.#arm();
  }

  /** Sets a timer again that could not be carried out now. */
  #later(timer: DueTimer): void {
    this.change(timer.address, { name: timer.name, at: this.#clock.now() + LIMITS.retryMaxMs });
  }

  /** A timer that is removed stays in the heap until then: without this, days of pools would stay in memory. */
  #compact(): void {
    if (this.#heap.length <= 2 * this.#size + STALE_MAX) return;
    // In order of time, so a heap.
    this.#heap = this.#heap.filter((timer) => this.#dueAt(timer) === timer.at).sort((a, b) => a.at - b.at);
  }

  #push(timer: DueTimer): void {
    const heap = this.#heap;
    let index = heap.push(timer) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (at(heap, parent).at <= timer.at) break;
      heap[index] = at(heap, parent);
      index = parent;
    }
    heap[index] = timer;
  }

  #pop(): DueTimer | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return top;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && at(heap, child + 1).at < at(heap, child).at) child += 1;
      if (at(heap, child).at >= last.at) break;
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

function at(heap: readonly DueTimer[], index: number): DueTimer {
  const timer = heap[index];
  if (timer === undefined) throw new Error("a heap's index lies within it");
  return timer;
}
