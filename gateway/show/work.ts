import type { Static } from "typebox";
import type { BidRow } from "../../machines/task/bid-rows.ts";
import type { ReturnKind } from "../../machines/task/events.ts";
import type { OwnAward } from "../../machines/task/own-award.ts";
import type { BidReply, ExtendReply, ReturnReply, Verdict } from "../../machines/task/protocol.ts";
import type { BidPlaced, Extended, OwnBid, Released, SubmissionVerdict } from "../schemas/work.ts";
import { ineligibilitySentence } from "./ineligibility.ts";
import { time } from "./task.ts";

/** What became of a bid, in the words of the API. */
export function showBid({ bid, status }: BidReply): Static<typeof BidPlaced> {
  return { bid_id: bid, status };
}

/** What the worker is told of an award that it gave back. */
const RETURNED: { readonly [K in ReturnKind]: string } = {
  FREE: "You gave it back in time; it counts for nothing.",
  LATE: "You gave it back after its first 10 s; it counts as a failure.",
  TOO_MANY:
    "You gave it back in time, but have done so too often: one award and a tenth of your last 100 are free. It counts as a failure.",
  UNDELIVERED: "The platform gave it back, because its answer did not reach you; it counts for nothing.",
};

/** How an award was given back, in the words of the API. */
export function showReturned({ id, how }: ReturnReply): Static<typeof Released> {
  return { id, status: "RELEASED", free: how === "FREE" || how === "UNDELIVERED", why: how, detail: RETURNED[how] };
}

/** The new deadline of an award, in the words of the API. */
export function showExtended({ id, deadline, left }: ExtendReply): Static<typeof Extended> {
  return { id, expires_at: time(deadline), seconds_left: left };
}

/** A bid, for its worker, with what became of its award if it has won. */
export function showOwnBid(
  { id, task, taskType, credits, via, status, reason, placedAt, updatedAt }: BidRow,
  award?: OwnAward,
): Static<typeof OwnBid> {
  return {
    bid_id: id,
    task_id: task,
    task_type: taskType,
    bid_credits: credits,
    via,
    status,
    reason: reason?.why ?? null,
    detail: reason === null ? null : (ineligibilitySentence(reason) ?? null),
    award: award === undefined ? null : showAward(award),
    placed_at: time(placedAt),
    updated_at: time(updatedAt),
  };
}

function showAward({ outcome, errorCode, errors, reputationChange, excused }: OwnAward) {
  return {
    outcome,
    error_code: errorCode,
    errors: [...errors],
    reputation_change: reputationChange,
    penalty_taken_back: excused,
  };
}

/** The verdict on a submission, in the words of the API. */
export function showSubmission({ submission, status, code, left, errors }: Verdict): Static<typeof SubmissionVerdict> {
  return { submission_id: submission, status, error_code: code, retries_left: left, errors: [...errors] };
}
