/** Simulated time, and processes that live, stand still and die in it. */
import type { Clock } from "../../actors/ports/clock.ts";

/** Turns of the loop after each event: what can happen without time passing happens then. */
const TURNS = 3;
/** What a clock that is right shows when the simulation begins (ms). */
export const EPOCH_MS = 1_800_000_000_000;

interface Event {
  readonly at: number;
  /** Of two at the same time the one that was set first comes first. */
  readonly order: number;
  readonly job: () => void;
}

export class Time {
  /** Ms since the simulation began. */
  now = 0;
  #order = 0;
  readonly #heap: Event[] = [];

  at(at: number, job: () => void): void {
    const heap = this.#heap;
    this.#order += 1;
    const event = { at: Math.max(at, this.now), order: this.#order, job };
    let index = heap.push(event) - 1;
    for (let parent = (index - 1) >> 1; index > 0 && before(event, heap[parent]); parent = (index - 1) >> 1) {
      heap[index] = heap[parent] as Event;
      index = parent;
    }
    heap[index] = event;
  }

  /** Lets time go on to `until`, event by event. */
  async run(until: number): Promise<void> {
    await turns();
    for (let next = this.#heap[0]; next !== undefined && next.at <= until; next = this.#heap[0]) {
      this.now = next.at;
      this.#pop().job();
      await turns();
    }
    this.now = until;
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.at(this.now + ms, resolve));
  }

  #pop(): Event {
    const heap = this.#heap;
    const top = heap[0] as Event;
    const last = heap.pop() as Event;
    if (heap.length === 0) return top;
    let index = 0;
    for (let child = 1; child < heap.length; child = 2 * index + 1) {
      if (child + 1 < heap.length && before(heap[child + 1] as Event, heap[child])) child += 1;
      if (!before(heap[child] as Event, last)) break;
      heap[index] = heap[child] as Event;
      index = child;
    }
    heap[index] = last;
    return top;
  }
}

function before(a: Event, b: Event | undefined): boolean {
  return b === undefined || a.at < b.at || (a.at === b.at && a.order < b.order);
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** One life of a process. Whatever comes from outside comes through `run`: never once it is dead, later while it stands still. */
export class Process implements Clock {
  readonly name: string;
  /** How far its clock is off (ms). */
  skew = 0;
  #alive = true;
  #asleepUntil = 0;
  readonly #time: Time;

  constructor(name: string, time: Time) {
    this.name = name;
    this.#time = time;
  }

  get alive(): boolean {
    return this.#alive;
  }

  get asleep(): boolean {
    return this.#time.now < this.#asleepUntil;
  }

  now(): number {
    return EPOCH_MS + this.#time.now + this.skew;
  }

  elapsed(): number {
    return this.#time.now;
  }

  after(ms: number, job: () => void): () => void {
    let off = false;
    this.run(ms, () => {
      if (!off) job();
    });
    return () => {
      off = true;
    };
  }

  /** Runs `job` in this process after so many ms, if it still lives then, and not before it is awake. */
  run(ms: number, job: () => void): void {
    this.#time.at(this.#time.now + Math.max(0, ms), () => {
      if (!this.#alive) return;
      if (this.asleep) this.run(this.#asleepUntil - this.#time.now, job);
      else job();
    });
  }

  sleep(ms: number): void {
    this.#asleepUntil = this.#time.now + ms;
  }

  kill(): void {
    this.#alive = false;
  }
}
