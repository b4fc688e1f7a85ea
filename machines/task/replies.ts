/** The replies of a task: made from facts, rebuilt when a command comes again, and checked when they arrive. */
import type { CommandOf, CommandType, ReplyOf } from "../protocols.ts";
import { changedForm, factOf, form, NO_REPLY, NOTHING, type Recalls, type ReplyForms } from "../replies.ts";
import {
  isAccountId,
  isFlag,
  isListOf,
  isNumber,
  isOneOf,
  isRecord,
  isTaskId,
  isText,
  isVariant,
  orAbsent,
  orNull,
} from "../shape.ts";
import type { FieldError } from "../validation/rules.ts";
import { RESULT_ERRORS } from "../vocabulary.ts";
import { isDeclined, isWholeTask } from "./commands.ts";
import { RETURN_KINDS, type TaskFact } from "./events.ts";
import type { TaskSnapshot } from "./machine.ts";
import {
  BID_STATUSES,
  type BidReply,
  type ExtendReply,
  type NotJudged,
  type ProposalReply,
  type ReturnReply,
  SUBMISSION_STATUSES,
  type Verdict,
} from "./protocol.ts";

type Of<T extends TaskFact["type"]> = Extract<TaskFact, { readonly type: T }>;

export function acceptedReply({ submission }: Pick<Of<"ResultAccepted">, "submission">): Verdict {
  return { submission, status: "COMPLETED", code: null, left: 0, errors: [] };
}

/** `left` is 0 if it was the worker's last try. */
export function rejectedReply({ submission, code, left, errors }: Of<"ResultRejected">, status: "REJECTED" | "FAILED"): Verdict {
  return { submission, status, code, left, errors: errors.map(({ field, message }) => ({ field, message })) };
}

export function unjudgedReply({ submission, why }: Pick<Of<"JudgingKilled">, "submission" | "why">, ends: boolean): NotJudged {
  return { submission, unjudged: why, ends };
}

/** The reply to the request that gave it back. */
export function returnedReply(id: string, { how, request }: Pick<Of<"AwardReturned">, "how" | "request">): ReturnReply {
  return { id, how, ...(request === undefined ? {} : { outcome: request.outcome }) };
}

export function extendedReply(
  id: string,
  { deadline, left, request }: Pick<Of<"AwardExtended">, "deadline" | "left" | "request">,
): ExtendReply {
  return { id, deadline, left, ...(request === undefined ? {} : { outcome: request.outcome }) };
}

const RECALLS: Recalls<"task", TaskSnapshot, TaskFact> = {
  open: (facts) => ({ id: factOf(facts, "Opened").task }),
  bid: (facts) => {
    const { bid } = factOf(facts, "BidPlaced");
    const won = facts.some((fact) => fact.type === "Awarded" && fact.bid.id === bid.id);
    return { bid: bid.id, status: won ? "AWARDED" : "PENDING" };
  },
  standingBid: NO_REPLY,
  bidAnswered: (facts) => ({ bid: factOf(facts, "BidPlaced").bid.id, status: "PENDING" }),
  awardAnswered: NO_REPLY,
  // Asked again, it is another proposal.
  propose: (facts) => ({
    outcome: "placed",
    bids: facts.flatMap((fact) => (fact.type === "BidPlaced" ? [fact.bid.id] : [])),
    declined: [],
  }),
  proposalAnswered: () => ({ outcome: "unanswered" }),
  explain: NO_REPLY,
  pass: (_facts, { context }) => ({ id: context.id, status: "PASSED" }),
  withdrawBid: (facts) => ({ bid: factOf(facts, "BidWithdrawn").bid, status: "WITHDRAWN" }),
  giveBack: (facts, { context }) => returnedReply(context.id, factOf(facts, "AwardReturned")),
  returnAnswered: (facts, { context }) => returnedReply(context.id, factOf(facts, "AwardReturned")),
  returnGranted: NO_REPLY,
  extend: (facts, { context }) => extendedReply(context.id, factOf(facts, "AwardExtended")),
  declined: NO_REPLY,
  expire: (_facts, { context }) => ({ id: context.id }),
  rate: (facts, { context }) => ({ id: context.id, rating: factOf(facts, "Rated").stars }),
  start: (_facts, { context }) => ({ id: context.id, status: "EXECUTING" }),
  submit: (facts) => {
    const killed = facts.find((fact) => fact.type === "JudgingKilled");
    if (killed !== undefined)
      return unjudgedReply(
        killed,
        facts.some(({ type }) => type === "Expired"),
      );
    const rejected = facts.find((fact) => fact.type === "ResultRejected");
    if (rejected === undefined) return acceptedReply(factOf(facts, "ResultAccepted"));
    return rejectedReply(rejected, facts.some((fact) => fact.type === "AwardFailed") ? "FAILED" : "REJECTED");
  },
  withdraw: NO_REPLY,
  cancel: (_facts, { context }) => ({ id: context.id, status: "CANCELLED" }),
  settled: NO_REPLY,
  timer: NO_REPLY,
  "webhook.attempted": NO_REPLY,
  "webhook.resend": (_facts, { context }) => ({ id: context.id, status: "QUEUED" }),
};

/** Rebuilds the reply to a command from its facts; throws if they are another command's. */
export function recallTask<T extends CommandType<"task">>(
  command: CommandOf<"task", T>,
  facts: readonly TaskFact[],
  state: TaskSnapshot,
): ReplyOf<"task", T> {
  return RECALLS[command.type](facts, state);
}

const BID = { status: isOneOf(BID_STATUSES) };
const SUBMISSION = {
  status: isOneOf(SUBMISSION_STATUSES),
  errors: isListOf(isRecord<FieldError>({ field: isText, message: isText })),
};
const isErrorCode = orNull(isOneOf(RESULT_ERRORS));

const isProposalReply = isVariant<ProposalReply, "outcome">("outcome", {
  awarded: { worker: isAccountId, bid: isText, task: orNull(isWholeTask) },
  placed: { bids: isListOf(isText), declined: isListOf(isDeclined) },
  declined: { declined: isListOf(isDeclined) },
  closed: {},
  unanswered: {},
});

const isReturned = isRecord<ReturnReply>({ id: isText, how: isOneOf(RETURN_KINDS), outcome: orAbsent(isText) });

/** The form before, with the field names of the HTTP API. */
type BidBefore = Omit<BidReply, "bid"> & { readonly bid_id: string };
type SubmissionBefore = Pick<Verdict, "status" | "errors"> & {
  readonly submission_id: string;
  readonly error_code: Verdict["code"];
  readonly retries_left: number;
};

const VERDICT = changedForm(isRecord<Verdict>({ ...SUBMISSION, submission: isText, code: isErrorCode, left: isNumber }), {
  check: isRecord<SubmissionBefore>({ ...SUBMISSION, submission_id: isText, error_code: isErrorCode, retries_left: isNumber }),
  up: ({ submission_id: submission, error_code: code, retries_left: left, status, errors }) => {
    return { submission, status, code, left, errors };
  },
  down: ({ submission, code, left, status, errors }) => {
    return { submission_id: submission, status, error_code: code, retries_left: left, errors };
  },
});
const isNotJudged = isRecord<NotJudged>({ submission: isText, unjudged: isText, ends: isFlag });

export const TASK_REPLIES: ReplyForms<"task"> = {
  open: form(isRecord<ReplyOf<"task", "open">>({ id: isTaskId })),
  bid: changedForm(isRecord<BidReply>({ ...BID, bid: isText }), {
    check: isRecord<BidBefore>({ ...BID, bid_id: isText }),
    up: ({ bid_id: bid, status }) => ({ bid, status }),
    down: ({ bid, status }) => ({ bid_id: bid, status }),
  }),
  standingBid: NOTHING,
  bidAnswered: form(isRecord<BidReply>({ ...BID, bid: isText })),
  awardAnswered: NOTHING,
  propose: form(isProposalReply),
  proposalAnswered: form(isProposalReply),
  explain: NOTHING,
  pass: form(isRecord<ReplyOf<"task", "pass">>({ id: isText, status: isOneOf(["PASSED"]) })),
  withdrawBid: form(isRecord<ReplyOf<"task", "withdrawBid">>({ bid: isText, status: isOneOf(["WITHDRAWN"]) })),
  giveBack: form(isReturned),
  returnAnswered: form(isReturned),
  returnGranted: NOTHING,
  extend: form(isRecord<ExtendReply>({ id: isText, deadline: isNumber, left: isNumber, outcome: orAbsent(isText) })),
  declined: NOTHING,
  expire: form(isRecord<ReplyOf<"task", "expire">>({ id: isText })),
  rate: form(isRecord<ReplyOf<"task", "rate">>({ id: isText, rating: isNumber })),
  start: form(isRecord<ReplyOf<"task", "start">>({ id: isText, status: isOneOf(["EXECUTING"]) })),
  submit: { read: (value) => (isNotJudged(value) ? value : VERDICT.read(value)), older: VERDICT.older },
  withdraw: NOTHING,
  cancel: form(isRecord<ReplyOf<"task", "cancel">>({ id: isText, status: isOneOf(["CANCELLED"]) })),
  settled: NOTHING,
  timer: NOTHING,
  "webhook.attempted": NOTHING,
  "webhook.resend": form(isRecord<ReplyOf<"task", "webhook.resend">>({ id: isText, status: isOneOf(["QUEUED"]) })),
};
