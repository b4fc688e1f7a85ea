/**
 * What else workers say of a task that is open for bids: that they will not bid in this round, and that they take a bid back. Both
 * answer it, so that nobody waits for them (the window ends when everybody has answered). A worker does so once in a round, and
 * may still bid; then its bid stays.
 */
import { BIDS_MAX, bidIneligibility } from "../eligibility.ts";
import type { CommandOf } from "../protocols.ts";
import { refuse } from "../refusal.ts";
import type { Millis } from "../vocabulary.ts";
import { onOffer, type Result, refuseBid } from "./awarding.ts";
import type { Opened } from "./opened.ts";
import { takesBids } from "./tags.ts";

/** How many workers may pass in a round, and how many may pass or withdraw a bid: each stays in the task's state until the next. */
export const PASSES_MAX = 100;
export const ANSWERS_MAX = PASSES_MAX + BIDS_MAX;

/** A worker who could bid will not, in this round; the same again changes nothing. */
export function pass({ stage, context }: Opened, { worker, standing }: CommandOf<"task", "pass">, at: Millis): Result<"pass"> {
  const reason = bidIneligibility(onOffer(stage, context), { worker, standing }, null);
  if (reason?.why === "ALREADY_BID") {
    return refuse("ALREADY_BID", "This worker has a bid on the task; it must be withdrawn instead.", { why: "BID_STANDS" });
  }
  if (reason !== undefined) return refuseBid(reason);
  const reply = { id: context.id, status: "PASSED" } as const;
  if (context.passed.some((one) => one.worker === worker)) return { facts: [], reply };
  if (context.passed.length >= PASSES_MAX) {
    const detail = `${PASSES_MAX} workers have passed on this task, which is as many as are noted; nobody waits for this one.`;
    return refuse("TOO_MANY_PASSES", detail);
  }
  return { facts: [{ type: "Passed", worker, at }], reply };
}

/** A worker takes its bid back, before the award; the same again gets its reply again. */
export function withdrawBid(
  { stage, context }: Opened,
  { worker }: CommandOf<"task", "withdrawBid">,
  at: Millis,
): Result<"withdrawBid"> {
  const bid = context.bids.find((one) => one.worker === worker);
  const before = context.passed.find((one) => one.worker === worker);
  if (bid === undefined || !takesBids(stage)) {
    const isDone = bid === undefined && before !== undefined && before.bid !== null;
    if (isDone) return { facts: [], reply: { bid: before.bid, status: "WITHDRAWN" } };
    if (bid === undefined)
      return refuse("BID_UNKNOWN", "This worker has no bid on the task in this round.", { why: "BID_UNKNOWN" });
    return refuse("TASK_NOT_OPEN", `This task is ${stage}; a bid can be withdrawn only before the award.`);
  }
  if (before !== undefined || context.passed.length >= ANSWERS_MAX) {
    return refuse("ALREADY_ANSWERED", "A worker passes or withdraws once in a round; this bid stays.", {
      why: "ALREADY_ANSWERED",
    });
  }
  return { facts: [{ type: "BidWithdrawn", worker, bid: bid.id, at }], reply: { bid: bid.id, status: "WITHDRAWN" } };
}
