import type { Millis } from "../../machines/vocabulary.ts";

export interface Clock {
  now(): Millis;
  /** Monotonic time (ms). */
  elapsed(): number;
  /** Runs `job` after `ms`; gives a function that cancels it. */
  after(ms: Millis, job: () => void): () => void;
}
