/** What becomes of bids, as their workers are shown it: a row for each bid that was placed, written with the facts that change it. */
import type { Part } from "../entity.ts";
import type { Ineligibility } from "../ineligibility.ts";
import type { AccountId, Millis } from "../vocabulary.ts";
import type { PlacedBid, TaskFact } from "./events.ts";
import type { TaskSnapshot } from "./machine.ts";
import { takesBids } from "./tags.ts";

/**
 * PENDING until the award; then WON or LOST. DECLINED: its worker could not take the award when it was asked. DISPLACED: by better
 * bids, of as many as a round collects. CANCELLED, EXPIRED: the task ended without an award.
 */
export const BID_OUTCOMES = ["PENDING", "WON", "LOST", "DECLINED", "DISPLACED", "WITHDRAWN", "CANCELLED", "EXPIRED"] as const;
export type BidOutcome = (typeof BID_OUTCOMES)[number];

/** By hand, at the worker's posted price, or for a pull. */
export const BID_WAYS = ["hand", "posted", "pull"] as const;

export interface BidRow extends Part {
  readonly task: string;
  readonly taskType: string;
  readonly worker: AccountId;
  /** NC. */
  readonly credits: number;
  readonly via: (typeof BID_WAYS)[number];
  readonly status: BidOutcome;
  /** Why its worker could not take the award, if it is DECLINED. */
  readonly reason: Ineligibility | null;
  /** When it was placed; for a bid from before there were rows, when something became of it. */
  readonly placedAt: Millis;
  readonly updatedAt: Millis;
}

interface Change {
  readonly bid: PlacedBid;
  readonly status: BidOutcome;
  readonly reason?: Ineligibility;
  readonly at: Millis;
}

/** Gives the rows of the bids that these facts change, as they are then. */
export function bidRows(before: TaskSnapshot, facts: readonly TaskFact[]): readonly BidRow[] {
  let bids = before.context.bids;
  let isOpen = before.value !== "NEW" && takesBids(before.value);
  let { order } = before.context;
  const changed = new Map<string, Change>();
  for (const fact of facts) {
    if (fact.type === "Opened") order = fact.order;
    for (const change of isOpen || fact.type === "BidPlaced" ? changesBy(fact, bids) : []) changed.set(change.bid.id, change);
    bids = bidsAfter(fact, bids);
    if (ENDS.has(fact.type)) isOpen = false;
  }
  const placed = new Map(facts.flatMap((fact) => (fact.type === "BidPlaced" ? [[fact.bid.id, fact.at] as const] : [])));
  const { taskType = "" } = order ?? {};
  return [...changed.values()].map(({ bid: { id, worker, credits, pull, posted, standing }, status, reason = null, at }) => ({
    id,
    task: before.context.id,
    taskType,
    worker,
    credits,
    via: pull !== undefined ? "pull" : posted === true || standing === true ? "posted" : "hand",
    status,
    reason,
    placedAt: placed.get(id) ?? at,
    updatedAt: at,
  }));
}

/** With these a task takes no more bids. */
const ENDS: ReadonlySet<TaskFact["type"]> = new Set(["Awarded", "Cancelled", "Expired"]);

function changesBy(fact: TaskFact, bids: readonly PlacedBid[]): readonly Change[] {
  const { at } = fact;
  const all = (status: BidOutcome) => bids.map((bid) => ({ bid, status, at }));
  switch (fact.type) {
    case "BidPlaced":
      return [...leaving(bids, fact.displaces, { status: "DISPLACED", at }), { bid: fact.bid, status: "PENDING", at }];
    case "Awarded":
      return bids.map((bid) => ({ bid, status: bid.id === fact.bid.id ? "WON" : "LOST", at }));
    case "BidWithdrawn":
      return leaving(bids, fact.bid, { status: "WITHDRAWN", at });
    case "OfferDeclined": {
      const { bid, reason } = fact;
      return leaving(bids, bid, { status: "DECLINED", ...(reason === undefined ? {} : { reason }), at });
    }
    case "Cancelled":
      return all("CANCELLED");
    case "Expired":
      return all("EXPIRED");
    default:
      return [];
  }
}

function leaving(bids: readonly PlacedBid[], id: string | undefined, change: Omit<Change, "bid">): readonly Change[] {
  return bids.filter((bid) => bid.id === id).map((bid) => ({ ...change, bid }));
}

function bidsAfter(fact: TaskFact, bids: readonly PlacedBid[]): readonly PlacedBid[] {
  switch (fact.type) {
    case "BidPlaced":
      return [...bids.filter(({ id }) => id !== fact.displaces), fact.bid];
    case "BidWithdrawn":
    case "OfferDeclined":
      return bids.filter(({ id }) => id !== fact.bid);
    default:
      return bids;
  }
}
