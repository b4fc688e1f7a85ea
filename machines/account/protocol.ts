import type { BatchItem } from "../batch/events.ts";
import type { BatchMade } from "../batch/protocol.ts";
import type { Ineligibility } from "../ineligibility.ts";
import type { Capability, Offer } from "../market/capability.ts";
import type { HoneypotOutcome } from "../market/honeypot.ts";
import type { Failing } from "../market/reputation.ts";
import type { ExcuseReason, KeyedRequest, PlacedBid, Pull, TaskSpec } from "../task/events.ts";
import type { TimerFired } from "../timer.ts";
import type { AccountId, Credits, Millis, TaskId } from "../vocabulary.ts";
import type { GitHubLink } from "./events.ts";
import type { PaymentUpdate } from "./payments.ts";

/** Whether the worker takes the award, and if not, why. */
export type OfferReply = { readonly kept: true } | { readonly kept: false; readonly reason: Ineligibility };

/** That an account is linked to the GitHub account with this mark. It vouches for the oldest of those that are. */
export interface GitHubClaim {
  readonly mark: string;
  readonly by: AccountId;
  /** When the account was registered (ms). */
  readonly createdAt: Millis;
}

/** The commands of an account, and its replies. Amounts in NC. */
export interface AccountProtocol {
  readonly register: {
    readonly command: {
      readonly account: AccountId;
      readonly email: string;
      readonly source: string | null;
      readonly keyHash: string;
      readonly grant: Credits;
      /** What it is known by; see market/identity.ts. Older gateways leave it out. */
      readonly marks?: readonly string[];
    };
    readonly reply: { readonly account: string };
  };
  /** New marks of the account; `kin` are the accounts that share one, which are told, with what the account claims. */
  readonly mark: {
    readonly command: { readonly marks: readonly string[]; readonly kin: readonly AccountId[]; readonly claim?: GitHubClaim };
    readonly reply: null;
  };
  readonly rotateKey: {
    readonly command: {
      /** The hash of the key that the request was made with. */
      readonly presented: string;
      readonly keyHash: string;
    };
    readonly reply: { readonly account: string };
  };
  /** Hashes of recovery codes are keyed with the platform's secret, because a plain hash of six digits can be reversed. */
  readonly requestRecovery: { readonly command: { readonly codeHash: string }; readonly reply: null };
  readonly recover: {
    readonly command: {
      readonly codeHash: string;
      /** The hash of the key that is to replace the lost one. */
      readonly keyHash: string;
    };
    /** The hash of the replaced key; null if the code was wrong. */
    readonly reply: { readonly replaced: string | null };
  };
  readonly topUp: {
    readonly command: { readonly topup: string; readonly amount: Credits };
    readonly reply: { readonly topup: string; readonly available: number };
  };
  /** An update of a payment, and the payment service's id of the customer. */
  readonly payment: {
    readonly command: { readonly payment: string; readonly news: PaymentUpdate; readonly customer: string | null };
    readonly reply: null;
  };
  readonly repay: {
    readonly command: { readonly repayment: string; readonly amount: Credits };
    readonly reply: { readonly repayment: string; readonly available: number; readonly debt: number };
  };
  readonly hold: {
    readonly command: {
      readonly task: TaskId;
      readonly order: TaskSpec;
      /** Workers with a posted price, in the order in which they are asked. */
      readonly offers?: readonly Offer[];
      /** Whether the task's id was made for this command, and not derived from an idempotency key. */
      readonly fresh: boolean;
    };
    /** `score` is the requester's; see market/requester-score.ts. Older nodes leave it out. */
    readonly reply: { readonly id: string; readonly createdAt: Millis; readonly score?: number };
  };
  /** Lets a batch run, and opens it. */
  readonly startBatch: {
    readonly command: {
      readonly batch: string;
      readonly request: string;
      readonly template: TaskSpec;
      readonly items: readonly BatchItem[];
      readonly atOnce: number;
      /** How many items of all batches of the account may open in any 60 s; 0: no limit. */
      readonly perMinute: number;
      /** As with `hold`. */
      readonly fresh: boolean;
    };
    readonly reply: BatchMade;
  };
  /** From a batch that is done. */
  readonly batchEnded: { readonly command: { readonly batch: string }; readonly reply: null };
  /** From a batch that was paused; it is told when it has left the queue. */
  readonly leaveQueue: { readonly command: { readonly batch: string }; readonly reply: null };
  /** From a batch that was cancelled: `tasks` are its open items, of which those that are not awarded are cancelled. */
  readonly batchCancelled: {
    readonly command: { readonly batch: string; readonly tasks: readonly TaskId[] };
    readonly reply: null;
  };
  /**
   * A hold for an item of a batch. Never refused: the batch gets the outcome as a message. `want` is how many more items the
   * batch could open, `called` whether it was its turn; versions from before the rate limit leave `ask` out.
   */
  readonly holdItem: {
    readonly command: {
      readonly task: TaskId;
      readonly order: TaskSpec;
      readonly ask?: { readonly perMinute: number; readonly want: number; readonly called: boolean };
    };
    readonly reply: null;
  };
  /** `awarded`: an award of it has ended without a result, so that it counts in the requester's score. */
  readonly release: {
    readonly command: { readonly task: TaskId; readonly budget: Credits; readonly awarded?: true };
    readonly reply: null;
  };
  readonly settle: {
    readonly command: {
      readonly task: TaskId;
      readonly taskType: string;
      readonly budget: Credits;
      readonly payout: Credits;
      readonly fee: Credits;
      readonly refund: Credits;
      readonly worker: AccountId;
      readonly workerIdentity: string;
      readonly firstTry: boolean;
      readonly durationMs: Millis;
      readonly allowedMs: Millis;
      /** Whether the result is the example, which does not occur in the text (task/echo.ts). */
      readonly echo?: true;
      /** If its answer is known: how it was done. The requester is of the house. */
      readonly honeypot?: HoneypotOutcome;
    };
    readonly reply: null;
  };
  readonly earn: {
    readonly command: {
      readonly task: TaskId;
      readonly taskType: string;
      readonly requester: AccountId;
      readonly requesterIdentity: string;
      readonly payout: Credits;
      /** How much of it counts for the worker's credit line: all that a verified requester did not borrow. */
      readonly vouched?: Credits;
      readonly firstTry: boolean;
      readonly durationMs: Millis;
      readonly allowedMs: Millis;
      /** Whether the result is the example, which does not occur in the text (task/echo.ts). */
      readonly echo?: true;
      readonly honeypot?: HoneypotOutcome;
    };
    readonly reply: null;
  };
  readonly fail: {
    readonly command: {
      readonly task: TaskId;
      readonly taskType: string;
      readonly outcome: Failing;
      /** Older tasks leave it out. */
      readonly requesterIdentity?: string;
      readonly honeypot?: HoneypotOutcome;
    };
    readonly reply: null;
  };
  /** The penalty of a failed award is taken back, because the fault was not the worker's (task/fault.ts). */
  readonly excuse: {
    readonly command: {
      readonly task: TaskId;
      readonly taskType: string;
      readonly outcome: Failing;
      readonly reason: ExcuseReason;
      /** As in the failure. */
      readonly requesterIdentity: string;
      /** Whether it was a honeypot, and so counted as one that was failed. */
      readonly honeypot?: true;
    };
    readonly reply: null;
  };
  /** Hashes of states are keyed with the platform's secret. */
  readonly startOAuth: { readonly command: { readonly stateHash: string }; readonly reply: null };
  readonly useOAuth: { readonly command: { readonly stateHash: string }; readonly reply: null };
  readonly linkGitHub: { readonly command: { readonly github: GitHubLink }; readonly reply: null };
  /** By an operator, with a reason. */
  readonly freeze: { readonly command: { readonly reason: string }; readonly reply: null };
  readonly unfreeze: { readonly command: { readonly reason: string }; readonly reply: null };
  readonly adjust: {
    readonly command: { readonly adjustment: string; readonly amount: Credits; readonly reason: string };
    readonly reply: { readonly adjustment: string };
  };
  readonly registerCapability: {
    readonly command: { readonly capability: Omit<Capability, "createdAt"> };
    /** `request` is the id from the command; null if it was registered before the journal kept it. */
    readonly reply: { readonly capability: string; readonly request: string | null };
  };
  readonly setAvailability: {
    readonly command: { readonly capability: string; readonly available: boolean };
    readonly reply: { readonly capability: string };
  };
  /**
   * A task asks whether the worker takes its award: yes reserves a slot, and the task is told (`standingBid`). With `asked` a no
   * is only the reply; without it, from a task of an older version, it is a fact and a message, too.
   */
  readonly offer: {
    readonly command: {
      readonly task: TaskId;
      readonly bid: string;
      readonly taskType: string;
      readonly budget: Credits;
      readonly minSkill: number;
      /** Time for the worker (s), and the requester's score. Older tasks leave them out. */
      readonly maxSeconds?: number;
      readonly requesterScore?: number;
      /** The requester's. */
      readonly marks: readonly string[];
      /** The price of the bid; if absent, the posted price. */
      readonly price?: Credits;
      readonly pull?: Pull;
      /** What else the award weighs: other candidates, and the going price; comes back with a yes. */
      readonly candidates?: readonly PlacedBid[];
      readonly going?: number;
      readonly asked?: boolean;
    };
    readonly reply: OfferReply | null;
  };
  /**
   * Whether the worker may give back this task's award for free. A yes is counted, and told to the task as well (`returnGranted`);
   * asked again about the same task it is yes again.
   */
  readonly mayReturn: {
    readonly command: { readonly task: TaskId; readonly reason: string | null; readonly request?: KeyedRequest };
    readonly reply: { readonly granted: boolean };
  };
  /**
   * The slot for this bid is not needed: the task went to somebody else, or ended without an outcome for this worker. A task of an
   * older version names no bid.
   */
  readonly freed: { readonly command: { readonly task: TaskId; readonly bid?: string }; readonly reply: null };
  /** How a honeypot, a task with a known answer, was done; from nodes of an older version, which told it at once. */
  readonly honeypot: { readonly command: { readonly task: TaskId; readonly passed: boolean }; readonly reply: null };
  readonly rated: {
    readonly command: { readonly task: TaskId; readonly taskType: string; readonly stars: number };
    readonly reply: null;
  };
  readonly timer: TimerFired;
}
