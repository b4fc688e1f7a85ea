import type { BatchItem } from "../batch/events.ts";
import type { BatchMade } from "../batch/protocol.ts";
import type { Capability, Offer } from "../market/capability.ts";
import type { Outcome } from "../market/reputation.ts";
import type { TimerFired } from "../protocols.ts";
import type { TaskSpec } from "../task/events.ts";
import type { AccountId, Credits, Millis, TaskId } from "../vocabulary.ts";
import type { GitHubLink } from "./events.ts";
import type { PaymentUpdate } from "./payments.ts";

/** What an account is asked and told, and what it replies. Amounts in NC. */
export interface AccountProtocol {
  readonly register: {
    readonly command: {
      readonly account: AccountId;
      readonly email: string;
      readonly source: string | null;
      readonly keyHash: string;
      readonly grant: Credits;
      /** What it is known by, and those known by the same; see market/identity.ts. Gateways of before do not say. */
      readonly marks?: readonly string[];
    };
    readonly reply: { readonly account: string };
  };
  /** Something more that it is known by; `kin` are the accounts that share it, which are told. */
  readonly mark: {
    readonly command: { readonly marks: readonly string[]; readonly kin: readonly AccountId[] };
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
  /** Hashes of recovery codes are keyed with the platform's secret: six digits alone could be guessed from a plain one. */
  readonly requestRecovery: { readonly command: { readonly codeHash: string }; readonly reply: null };
  readonly recover: {
    readonly command: {
      readonly codeHash: string;
      /** The hash of the key that is to replace the lost one. */
      readonly keyHash: string;
    };
    /** The hash of the key that was replaced; null when none was, because the code was wrong. */
    readonly reply: { readonly replaced: string | null };
  };
  readonly topUp: {
    readonly command: { readonly topup: string; readonly amount: Credits };
    readonly reply: { readonly topup: string; readonly available: number };
  };
  /** What became of a payment at the payment service, and the customer that it knows there. */
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
      /** Workers whose price stands, the one to be asked first in front. */
      readonly offers?: readonly Offer[];
      /** Whether the task's id was made for this command, and not derived from an Idempotency-Key. */
      readonly fresh: boolean;
    };
    readonly reply: { readonly id: string; readonly createdAt: Millis };
  };
  /** Lets a batch run, and opens it. */
  readonly startBatch: {
    readonly command: {
      readonly batch: string;
      readonly request: string;
      readonly template: TaskSpec;
      readonly items: readonly BatchItem[];
      readonly atOnce: number;
      /** How many items of all batches of the account may open in any 60 s; 0: as many as there are. */
      readonly perMinute: number;
      /** As with `hold`. */
      readonly fresh: boolean;
    };
    readonly reply: BatchMade;
  };
  /** From a batch that is done. */
  readonly batchEnded: { readonly command: { readonly batch: string }; readonly reply: null };
  /**
   * A hold for an item of a batch: whoever asked hears what comes of it, so it is never refused. `ask` is left out by versions
   * that knew no pace; `want` is how many more items the batch could open, `called` whether it was its turn.
   */
  readonly holdItem: {
    readonly command: {
      readonly task: TaskId;
      readonly order: TaskSpec;
      readonly ask?: { readonly perMinute: number; readonly want: number; readonly called: boolean };
    };
    readonly reply: null;
  };
  readonly release: { readonly command: { readonly task: TaskId; readonly budget: Credits }; readonly reply: null };
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
      readonly firstTry: boolean;
      readonly durationMs: Millis;
      readonly allowedMs: Millis;
    };
    readonly reply: null;
  };
  readonly fail: {
    readonly command: { readonly task: TaskId; readonly taskType: string; readonly outcome: Exclude<Outcome, "DELIVERED"> };
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
    /** `request` is the id that the command gave it; null where it was registered before the journal kept that. */
    readonly reply: { readonly capability: string; readonly request: string | null };
  };
  readonly setAvailability: {
    readonly command: { readonly capability: string; readonly available: boolean };
    readonly reply: { readonly capability: string };
  };
  /** A task asks for a bid at the price that stands; it is always answered, with a bid or by declining. */
  readonly offer: {
    readonly command: {
      readonly task: TaskId;
      readonly bid: string;
      readonly taskType: string;
      readonly budget: Credits;
      readonly minSkill: number;
      /** The requester's. */
      readonly marks: readonly string[];
    };
    readonly reply: null;
  };
  /** The bid at the price that stands did not win. */
  readonly freed: { readonly command: { readonly task: TaskId }; readonly reply: null };
  /** How a task with a known answer was done. */
  readonly honeypot: { readonly command: { readonly task: TaskId; readonly passed: boolean }; readonly reply: null };
  readonly rated: {
    readonly command: { readonly task: TaskId; readonly taskType: string; readonly stars: number };
    readonly reply: null;
  };
  readonly timer: TimerFired;
}
