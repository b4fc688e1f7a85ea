import type { Millis } from "../vocabulary.ts";

/** At which pace an item of a batch is asked for. */
export interface Pace {
  /** Tasks that this account may create in a minute. */
  readonly perMinute: number;
  /** When it was put off till, which counted it; null where it is asked for the first time (ms). */
  readonly slot: Millis | null;
}

const MINUTE_MS = 60_000;

/**
 * Whether an item may open at `at` (ms), over all batches of its account: a minute's worth at once, then evenly (the generic
 * cell rate algorithm, ITU-T I.371). `itemsAt` is where the evenly spaced items have got to; gives where they get to with this
 * one, and when it may open: null for at once.
 */
export function paceItem(itemsAt: Millis, { perMinute, slot }: Pace, at: Millis): { itemsAt: Millis; slot: Millis | null } {
  if (slot !== null) return { itemsAt, slot: null };
  const next = Math.max(itemsAt, at) + Math.ceil(MINUTE_MS / perMinute);
  return { itemsAt: next, slot: next - MINUTE_MS <= at ? null : next - MINUTE_MS };
}
