import { LRUCache } from "lru-cache";
import type { AccountId, Millis } from "../../machines/vocabulary.ts";
import type { Signals } from "../ports/signals.ts";

/** A worker counts as online for this long after asking for work (ms). */
const ONLINE_MS = 10_000;
/** With more workers online than this, a task does not wait for all of them. */
const COUNTED_MAX = 32;

/** Other gateways are told of the same worker at most this often (ms). */
const TOLD_MS = 2_000;
const TOLD_MAX = 50_000;
/** Workers remembered per type; above that, the one that asked the longest ago is forgotten. */
export const PRESENT_MAX = 10_000;

/** Which workers are online, by task type. In memory only, because it is outdated within seconds. */
export class Presence {
  readonly #signals: Signals;
  readonly #seen: ReadonlyMap<string, Map<AccountId, Millis>>;

  /** When other gateways were last told of a worker and type. */
  readonly #told = new LRUCache<string, true>({ max: TOLD_MAX, ttl: TOLD_MS });

  /** Only these types are remembered. */
  constructor(signals: Signals, taskTypes: readonly string[]) {
    this.#signals = signals;
    this.#seen = new Map(taskTypes.map((type) => [type, new Map<AccountId, Millis>()]));
  }

  /** Records that a worker asked this gateway for tasks of this type at `now` (ms), and tells the other gateways. */
  seen(worker: AccountId, taskType: string, now: Millis): void {
    if (!this.#seen.has(taskType)) return;
    this.note(worker, taskType, now);
    const key = `${worker} ${taskType}`;
    if (this.#told.has(key)) return;
    this.#told.set(key, true);
    this.#signals.send({ type: "presence", worker, taskType });
  }

  /** Records that a worker asked for tasks of this type at `now` (ms). */
  note(worker: AccountId, taskType: string, now: Millis): void {
    const workers = this.#seen.get(taskType);
    if (workers === undefined) return;
    workers.delete(worker);
    workers.set(worker, now);
    this.#prune(workers, now);
    const [oldest] = workers.keys();
    if (workers.size > PRESENT_MAX && oldest !== undefined) workers.delete(oldest);
  }

  /** Whether this worker is online for a type. */
  has(worker: AccountId, taskType: string, now: Millis): boolean {
    const at = this.#seen.get(taskType)?.get(worker);
    return at !== undefined && now - at <= ONLINE_MS;
  }

  /** How many workers are online for a type. */
  count(taskType: string, now: Millis): number {
    const workers = this.#seen.get(taskType);
    if (workers === undefined) return 0;
    this.#prune(workers, now);
    return workers.size;
  }

  /** The workers online for a type, or null if they are too many to wait for all of them. */
  online(taskType: string, now: Millis): readonly AccountId[] | null {
    return this.count(taskType, now) > COUNTED_MAX ? null : [...(this.#seen.get(taskType)?.keys() ?? [])];
  }

  /** The map is ordered by when workers were last seen, so expired ones come first. */
  #prune(workers: Map<AccountId, Millis>, now: Millis): void {
    for (const [worker, at] of workers) {
      if (now - at <= ONLINE_MS) return;
      workers.delete(worker);
    }
  }
}
