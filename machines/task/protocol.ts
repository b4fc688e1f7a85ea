import type { OfferReply } from "../account/protocol.ts";
import type { DeliveryOutcome } from "../delivery.ts";
import type { Ineligibility } from "../ineligibility.ts";
import type { Offer as PostedOffer } from "../market/capability.ts";
import type { Qualification } from "../market/qualification.ts";
import type { Unmatched } from "../market/unmatched.ts";
import type { Offer, WholeTask } from "../matcher/vocabulary.ts";
import type { TimerFired } from "../timer.ts";
import type { Judgement } from "../validation/judgement.ts";
import type { FieldError } from "../validation/rules.ts";
import type { AccountId, Credits, JsonValue, Millis, ResultError, TaskId } from "../vocabulary.ts";
import type { KeyedRequest, PlacedBid, Pull, ReturnKind, TaskSpec } from "./events.ts";

/** AWARDED: the bid has already won. */
export const BID_STATUSES = ["PENDING", "AWARDED"] as const;

export interface BidReply {
  readonly bid: string;
  readonly status: (typeof BID_STATUSES)[number];
}

/** FAILED: the worker has no more tries. */
export const SUBMISSION_STATUSES = ["COMPLETED", "REJECTED", "FAILED"] as const;

/** The verdict on a submission. */
export interface Verdict {
  readonly submission: string;
  readonly status: (typeof SUBMISSION_STATUSES)[number];
  readonly code: ResultError | null;
  /** How many wrong results the award still takes. */
  readonly left: number;
  readonly errors: readonly FieldError[];
}

/** There is no verdict: judging was killed at its deadline. `ends`: not for the first time, which has ended the task. */
export interface NotJudged {
  readonly submission: string;
  readonly unjudged: string;
  readonly ends: boolean;
}

export type SubmissionReply = Verdict | NotJudged;

/** How an award was given back. `outcome` is that of the request that did it, if this is the same request. */
export interface ReturnReply {
  readonly id: string;
  readonly how: ReturnKind;
  readonly outcome?: string;
}

/** The new deadline of an award (ms), and by how much it can still be extended (s). `outcome` is that of the request. */
export interface ExtendReply {
  readonly id: string;
  readonly deadline: Millis;
  readonly left: number;
  readonly outcome?: string;
}

/** Whether the worker of a bid takes the award; null if its account did not answer in time. */
export interface Answer {
  readonly bid: string;
  readonly worker: AccountId;
  readonly reply: OfferReply | null;
}

/** A worker who does not take the task, and why. */
export interface Declined {
  readonly worker: AccountId;
  readonly reason: Ineligibility;
}

/** What became of a proposal. */
export type ProposalReply =
  /** `task` is there if it was for a pull. */
  | { readonly outcome: "awarded"; readonly worker: AccountId; readonly bid: string; readonly task: WholeTask | null }
  /** These of its bids compete until the window ends. */
  | { readonly outcome: "placed"; readonly bids: readonly string[]; readonly declined: readonly Declined[] }
  | { readonly outcome: "declined"; readonly declined: readonly Declined[] }
  /** The task takes no more bids. */
  | { readonly outcome: "closed" }
  /** The worker's account did not answer in time. */
  | { readonly outcome: "unanswered" };

/** The commands of a task, and its replies. */
export interface TaskProtocol {
  /** From its matcher: workers who could take it, the best first; see matcher/vocabulary.ts. */
  readonly propose: {
    readonly command: { readonly offers: readonly Offer[]; readonly complete: boolean; readonly going: number | null };
    readonly reply: ProposalReply;
  };
  /** What the account of a worker that was proposed, or of a bidder, answered; `declined` are those who may not take it. */
  readonly proposalAnswered: {
    readonly command: { readonly answer: Answer; readonly declined: readonly Declined[] };
    readonly reply: ProposalReply;
  };
  /** From its matcher: why nobody takes it, and how many workers are online for its queue. */
  readonly explain: { readonly command: { readonly why: Unmatched; readonly present: number }; readonly reply: null };
  /** A worker will not bid in this round. */
  readonly pass: {
    readonly command: { readonly worker: AccountId; readonly standing: Qualification };
    readonly reply: { readonly id: string; readonly status: "PASSED" };
  };
  readonly withdrawBid: {
    readonly command: { readonly worker: AccountId };
    readonly reply: { readonly bid: string; readonly status: "WITHDRAWN" };
  };
  /** `undelivered`: by the platform, whose answer with what this pull got did not reach the worker. */
  readonly giveBack: {
    readonly command: {
      readonly worker: AccountId;
      readonly reason: string | null;
      readonly undelivered?: string;
      readonly request?: KeyedRequest;
    };
    readonly reply: ReturnReply;
  };
  /** Whether the worker's account lets the award be given back for free; null if it did not answer in time. */
  readonly returnAnswered: {
    readonly command: {
      readonly worker: AccountId;
      readonly reason: string | null;
      readonly granted: boolean | null;
      readonly request?: KeyedRequest;
    };
    readonly reply: ReturnReply;
  };
  /** The account's yes, which is never lost. */
  readonly returnGranted: {
    readonly command: { readonly worker: AccountId; readonly reason: string | null; readonly request?: KeyedRequest };
    readonly reply: null;
  };
  /** `seconds` is added to the deadline. */
  readonly extend: {
    readonly command: { readonly worker: AccountId; readonly seconds: number; readonly request?: KeyedRequest };
    readonly reply: ExtendReply;
  };
  readonly open: {
    readonly command: {
      readonly task: TaskId;
      readonly requester: AccountId;
      /** The requester's. */
      readonly marks: readonly string[];
      readonly order: TaskSpec;
      /** Workers with a posted price, in the order in which they are asked. */
      readonly offers?: readonly PostedOffer[];
      /** The requester's score; see market/requester-score.ts. Older accounts leave it out. */
      readonly requesterScore?: number;
      readonly createdAt: Millis;
    };
    readonly reply: { readonly id: TaskId };
  };
  /**
   * A worker takes an award and has reserved a slot for it; never refused. Without `asked`, from an account of an older version,
   * it is a bid at a posted price.
   */
  readonly standingBid: {
    readonly command: {
      readonly bid: string;
      readonly worker: AccountId;
      readonly credits: Credits;
      readonly standing: Qualification;
      readonly asked?: boolean;
      readonly posted?: boolean;
      readonly pull?: Pull;
      readonly candidates?: readonly PlacedBid[];
      readonly going?: number;
    };
    readonly reply: null;
  };
  /** What the account of a bidder answered about a bid that can win at once, and is not placed yet. */
  readonly bidAnswered: { readonly command: { readonly bid: PlacedBid; readonly answer: Answer }; readonly reply: BidReply };
  /**
   * What the account of a bidder answered about the best bid. `silent` are the bids whose accounts have not answered before in
   * this round of questions, `early` says that the round began before the end of the window, `timer` that a timer began it.
   */
  readonly awardAnswered: {
    readonly command: {
      readonly answer: Answer;
      readonly silent?: readonly string[];
      readonly early?: true;
      readonly timer?: "routing";
    };
    readonly reply: null;
  };
  /** A worker does not bid by its posted price. Accounts of older versions name no bid, and some no reason. */
  readonly declined: {
    readonly command: { readonly worker: AccountId; readonly reason?: Ineligibility; readonly bid?: string };
    readonly reply: null;
  };
  /** By an operator. */
  readonly expire: { readonly command: { readonly reason: string }; readonly reply: { readonly id: string } };
  readonly rate: {
    readonly command: { readonly requester: AccountId; readonly stars: number };
    readonly reply: { readonly id: string; readonly rating: number };
  };
  readonly bid: {
    readonly command: {
      readonly bid: string;
      readonly worker: AccountId;
      /** null: the budget. */
      readonly credits: Credits | null;
      readonly standing: Qualification;
      /** The workers who are online for the type; null if they are too many to wait for each. */
      readonly online: readonly AccountId[] | null;
      /** The id of its request, if that may come again: then with the same id, and with another bid if its body is another. */
      readonly request?: string;
    };
    readonly reply: BidReply;
  };
  readonly start: {
    readonly command: { readonly worker: AccountId };
    readonly reply: { readonly id: string; readonly status: "EXECUTING" };
  };
  readonly submit: {
    readonly command: {
      readonly submission: string;
      readonly worker: AccountId;
      readonly result: JsonValue;
      /** Worked out before the decision; absent until then. */
      readonly verdict?: Judgement;
    };
    readonly reply: SubmissionReply;
  };
  readonly cancel: {
    readonly command: { readonly requester: AccountId };
    readonly reply: { readonly id: string; readonly status: "CANCELLED" };
  };
  /** From the requester's account, of an item whose batch was cancelled. One that is awarded runs on and is not awarded again. */
  readonly withdraw: { readonly command: { readonly [field in never]: never }; readonly reply: null };
  readonly settled: {
    readonly command: { readonly payout: Credits; readonly fee: Credits; readonly refund: Credits };
    readonly reply: null;
  };
  readonly timer: TimerFired;
  readonly "webhook.attempted": {
    readonly command: { readonly attempt: number; readonly outcome: DeliveryOutcome };
    readonly reply: null;
  };
  readonly "webhook.resend": {
    readonly command: { readonly requester: AccountId };
    readonly reply: { readonly id: string; readonly status: "QUEUED" };
  };
}
