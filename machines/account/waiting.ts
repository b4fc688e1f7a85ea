/** The queue of an account: batches that wait to open items. turns.ts says whose turn it is. */
import type { Credits, Millis } from "../vocabulary.ts";

/** What an item may wait for. */
export const WAITS_FOR = ["pace", "credits", "suspension", "open_tasks"] as const;
export type WaitsFor = (typeof WAITS_FOR)[number];

/** How many items opened at a time (ms). */
export interface Opened {
  readonly at: Millis;
  readonly count: number;
}

/**
 * What an item needs to open: its budget, and room under the rate limit (items in any 60 s over all batches of the account; 0:
 * no limit).
 */
export interface Needs {
  readonly budget: Credits;
  readonly perMinute: number;
}

/** A batch in the queue, and how many items it wants to open. */
export interface WaitingBatch extends Needs {
  readonly batch: string;
  readonly want: number;
  readonly reason: WaitsFor | null;
}

/** What one batch is called for. */
export interface Call {
  readonly batch: string;
  readonly count: number;
}
