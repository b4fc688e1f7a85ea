/**
 * Tells streams of new tasks: of each to a bounded number of them, and with few writes where many tasks come. Each write to a
 * stream costs a call to the system, whatever its size.
 *
 * N1  A task goes to one stream of each of its workers first, then to second ones by turns (turns.ts), up to the bound.
 * N2  A stream that has been told nothing for GATHER_MS is told at once. What comes within that time goes out together at its end.
 */
import type { Clock } from "../../actors/ports/clock.ts";
import type { StoredTask } from "../ports/read-model.ts";
import { type EventStream, eventOf } from "./stream.ts";
import { Turns } from "./turns.ts";

/** How long new tasks are gathered for a stream that was told of one (ms). */
export const GATHER_MS = 50;
/** What is gathered for a stream at most (characters). */
const GATHERED_MAX = 65_536;

export class NewTasks {
  readonly #clock: Clock;
  readonly #turns = new Turns<EventStream>();
  /** Streams that were told something within GATHER_MS. */
  readonly #told = new Set<EventStream>();
  #stop: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Tells at most `most` of the streams of some workers, none of whom is a party of the task. */
  tell(task: StoredTask, workers: readonly (readonly EventStream[])[], most: number): void {
    const streams = this.#turns.choose(workers, most);
    const [first] = streams;
    if (first === undefined) return;
    // Strangers all see the same.
    const data = eventOf("task.new", task, first.subscription.account);
    for (const stream of streams) {
      const gathered = stream.gather(roundOf(task), data);
      if (!this.#told.has(stream) || gathered > GATHERED_MAX) stream.flush();
      this.#told.add(stream);
    }
    this.#stop ??= this.#clock.after(GATHER_MS, () => this.#flush());
  }

  forget(stream: EventStream): void {
    this.#told.delete(stream);
    if (this.#told.size > 0) return;
    this.#stop?.();
    this.#stop = undefined;
  }

  #flush(): void {
    for (const stream of this.#told) if (!stream.flush()) this.#told.delete(stream);
    this.#stop = this.#told.size === 0 ? undefined : this.#clock.after(GATHER_MS, () => this.#flush());
  }
}

/** A new task is told once per round, however many bids it gets. */
export function roundOf({ row }: StoredTask): string {
  return `${row.id} ${row.autoRetriesLeft}`;
}
