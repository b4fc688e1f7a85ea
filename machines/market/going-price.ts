/**
 * The going price of a task type: what workers usually get, as a share of the budget. A bid below half of it gains nothing by
 * being cheaper, and a posted price above it wins nothing by being there first (auction.ts). Whoever wants to move it has to
 * settle with many others, because nobody counts more than once.
 */
import type { Millis } from "../vocabulary.ts";

/** How far back settlements count (ms), and how many of the latest at most. */
export const GOING_MS = 7 * 24 * 3_600_000;
export const SETTLEMENTS_MAX = 5_000;
/** How many settlements of one pair of identities count. */
const OF_PAIR_MAX = 3;
/** With fewer requesters there is no going price. */
const REQUESTERS_MIN = 20;

/** A settled task of the type. */
export interface Settlement {
  readonly requester: string;
  readonly worker: string;
  /** The price as a share of the budget, 0..1. */
  readonly share: number;
  readonly at: Millis;
}

/** Gives the going price by these settlements of identities, as a share of the budget; null if there is none. */
export function goingPrice(settlements: readonly Settlement[]): number | null {
  const ofPair = new Map<string, number>();
  const ofRequester = new Map<string, number[]>();
  for (const { requester, worker, share } of settlements.toSorted((a, b) => b.at - a.at)) {
    const pair = `${requester} ${worker}`;
    const count = (ofPair.get(pair) ?? 0) + 1;
    if (requester === worker || count > OF_PAIR_MAX) continue;
    ofPair.set(pair, count);
    ofRequester.set(requester, [...(ofRequester.get(requester) ?? []), share]);
  }
  return ofRequester.size < REQUESTERS_MIN ? null : median([...ofRequester.values()].map(median));
}

/** The middle one, or the mean of the two in the middle. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.slice(Math.ceil(sorted.length / 2) - 1, Math.floor(sorted.length / 2) + 1);
  return middle.reduce((sum, value) => sum + value, 0) / middle.length;
}
