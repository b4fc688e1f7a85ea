import type { Static } from "typebox";
import type { BidReply, SubmissionReply } from "../../machines/task/protocol.ts";
import type { BidPlaced, SubmissionVerdict } from "../schemas/work.ts";

/** What became of a bid, in the words of the API. */
export function showBid({ bid, status }: BidReply): Static<typeof BidPlaced> {
  return { bid_id: bid, status };
}

/** The verdict on a submission, in the words of the API. */
export function showSubmission({ submission, status, code, left, errors }: SubmissionReply): Static<typeof SubmissionVerdict> {
  return { submission_id: submission, status, error_code: code, retries_left: left, errors: [...errors] };
}
