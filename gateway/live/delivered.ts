/** Which tasks of pulls have reached their clients, the latest of them: a task that was delivered once is not taken back. */
import type { Clock } from "../../actors/ports/clock.ts";
import type { Millis, TaskId } from "../../machines/vocabulary.ts";

/** How long a delivery is remembered (ms): much longer than a pull, its repeats and the looks for what came too late. */
export const DELIVERED_MS = 600_000;
/** Tasks that are remembered; beyond it the oldest are forgotten. */
export const DELIVERED_MAX = 50_000;

export class Delivered {
  readonly #clock: Pick<Clock, "now">;
  /** By task: the pull that has given it, and when (ms); the oldest first. */
  readonly #all = new Map<TaskId, { readonly pull: string; readonly at: Millis }>();

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#all.size;
  }

  add(pull: string, tasks: readonly TaskId[]): void {
    const at = this.#clock.now();
    for (const task of tasks) {
      this.#all.delete(task);
      this.#all.set(task, { pull, at });
    }
    for (const [task, one] of this.#all) {
      if (this.#all.size <= DELIVERED_MAX && one.at > at - DELIVERED_MS) return;
      this.#all.delete(task);
    }
  }

  /** Whether this pull has given this task to its client. */
  has(pull: string, task: TaskId): boolean {
    const one = this.#all.get(task);
    return one?.pull === pull && one.at > this.#clock.now() - DELIVERED_MS;
  }
}
