import type { Millis } from "../../machines/vocabulary.ts";

export interface Clock {
  now(): Millis;
  /** Ms since some moment, on a clock that nobody sets. */
  elapsed(): number;
  /** Runs `job` after so many ms; gives a function that calls it off. */
  after(ms: Millis, job: () => void): () => void;
}
