/** Room for one more bid: a round collects BIDS_MAX, and a better one takes the place of the worst. */
import { BIDS_MAX } from "../eligibility.ts";
import { bestFirst, decidingPreference, strongerFirst } from "../market/auction.ts";
import { type Millis, taskId } from "../vocabulary.ts";
import type { PlacedBid, TaskFact } from "./events.ts";
import type { Opened } from "./opened.ts";

/** A bid that is placed: the fact, and the bids that there are then. */
export interface Placed {
  readonly facts: readonly TaskFact[];
  readonly bids: readonly PlacedBid[];
}

/**
 * Places `bid` among `bids`; undefined if it beats none of as many as a round collects. `share` is the going price, as a share of
 * the budget, or null. One whose worker no longer waits is worse than any other.
 */
export function placed(
  { id, order, going }: Opened["context"],
  bids: readonly PlacedBid[],
  bid: PlacedBid,
  at: Millis,
  share = going,
): Placed | undefined {
  const fact = { type: "BidPlaced", bid, ...(share === null ? {} : { going: share }), at } as const;
  if (bids.length < BIDS_MAX) return { facts: [fact], bids: [...bids, bid] };
  const price = share === null ? null : share * order.budget;
  const preference = decidingPreference(taskId(id), order.quality);
  const over = bids.find(({ until }) => until !== undefined && at >= until);
  const worst = over ?? bids.toSorted(bestFirst(preference, price)).at(-1);
  if (worst === undefined || (worst !== over && strongerFirst(preference, price)(bid, worst) >= 0)) return undefined;
  return { facts: [{ ...fact, displaces: worst.id }], bids: [...bids.filter((one) => one !== worst), bid] };
}
