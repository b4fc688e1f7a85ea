/**
 * The questions of pulls that matchers have not answered yet. A matcher that ends with its node answers none, and the one after it
 * does not know of them: so matchers are asked now and then, about all at once, and whoever is not known is to ask again.
 */
import type { Clock } from "../../actors/ports/clock.ts";
import type { AccountId, Millis } from "../../machines/vocabulary.ts";
import type { Queues } from "./queues.ts";

/** How often matchers are asked (ms). What was asked for less than that ago is not: it may be on its way. */
export const CHECK_MS = 5_000;

interface Asked {
  readonly id: string;
  readonly worker: AccountId;
  readonly at: Millis;
  readonly abandon: () => void;
}

export class OpenAsks {
  readonly #queues: Pick<Queues, "unknown">;
  readonly #clock: Clock;
  readonly #asked = new Map<string, Set<Asked>>();
  #cancel: (() => void) | null = null;

  constructor(queues: Pick<Queues, "unknown">, clock: Clock) {
    this.#queues = queues;
    this.#clock = clock;
  }

  /** Notes a question to the matchers of a type; `abandon` is called if they do not know of it. To be ended by what this gives. */
  add(taskType: string, { id, worker }: Pick<Asked, "id" | "worker">, abandon: () => void): () => void {
    const asked: Asked = { id, worker, at: this.#clock.now(), abandon };
    const all = this.#asked.get(taskType) ?? new Set();
    this.#asked.set(taskType, all.add(asked));
    this.#cancel ??= this.#clock.after(CHECK_MS, () => this.#check());
    return () => {
      all.delete(asked);
      if (all.size === 0 && this.#asked.get(taskType) === all) this.#asked.delete(taskType);
      if (this.#asked.size > 0) return;
      this.#cancel?.();
      this.#cancel = null;
    };
  }

  #check(): void {
    this.#cancel = this.#asked.size === 0 ? null : this.#clock.after(CHECK_MS, () => this.#check());
    const before = this.#clock.now() - CHECK_MS;
    for (const [taskType, all] of this.#asked) {
      const due = [...all].filter(({ at }) => at <= before);
      if (due.length > 0) void this.#askAbout(taskType, due);
    }
  }

  async #askAbout(taskType: string, due: readonly Asked[]): Promise<void> {
    const unknown = await this.#queues.unknown(taskType, due);
    for (const { id, abandon } of due) if (unknown.has(id)) abandon();
  }
}
