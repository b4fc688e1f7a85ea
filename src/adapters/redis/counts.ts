/** Fixed-window counters in memory, each window beginning with the first count of its key. The number of keys is bounded. */
import { LRUCache } from "lru-cache";

/** Maximum number of keys; above that, the least recently used one is forgotten. */
const COUNTED_MAX = 50_000;

export interface Count {
  readonly consumed: number;
  /** Time until the window ends (ms). */
  readonly resetMs: number;
}

interface Window {
  consumed: number;
  /** ms */
  readonly until: number;
}

export class Counts {
  readonly #windows: LRUCache<string, Window>;
  readonly #windowMs: number;
  readonly #now: () => number;

  /** `now` gives the time in ms. */
  constructor(windowMs: number, now: () => number, max = COUNTED_MAX) {
    this.#windowMs = windowMs;
    this.#now = now;
    this.#windows = new LRUCache({ max });
  }

  /** Number of keys, including those whose window is over. */
  get size(): number {
    return this.#windows.size;
  }

  /** Adds points to a key; negative points are given back. */
  add(key: string, points: number): Count {
    const now = this.#now();
    const known = this.#windows.get(key);
    const window = known !== undefined && known.until > now ? known : { consumed: 0, until: now + this.#windowMs };
    window.consumed = Math.max(0, window.consumed + points);
    if (window !== known) this.#windows.set(key, window);
    return { consumed: window.consumed, resetMs: window.until - now };
  }

  look(key: string): Count {
    const now = this.#now();
    const known = this.#windows.get(key);
    return known !== undefined && known.until > now
      ? { consumed: known.consumed, resetMs: known.until - now }
      : { consumed: 0, resetMs: this.#windowMs };
  }
}
