/** Counts in memory, in windows that begin with a key's first count. However many keys come, no more are kept than a bound. */
import { LRUCache } from "lru-cache";

/** Keys that are counted at once; past that, the one that has not been seen for the longest is forgotten. */
export const COUNTED_MAX = 50_000;

export interface Count {
  readonly consumed: number;
  /** Ms until the window ends. */
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

  /** How many keys are counted, those whose window is over included. */
  get size(): number {
    return this.#windows.size;
  }

  /** Adds points to a key; below 0 it gives them back. */
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
