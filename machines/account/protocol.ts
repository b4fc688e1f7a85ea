import type { BatchItem } from "../batch/events.ts";
import type { Capability, Offer } from "../market/capability.ts";
import type { Outcome } from "../market/reputation.ts";
import type { TaskSpec } from "../task/events.ts";
import type { AccountId, Credits, Millis, TaskId } from "../vocabulary.ts";
import type { GitHubLink } from "./events.ts";
import type { PaymentNews } from "./payments.ts";

export type AccountCommand =
  | {
      readonly type: "register";
      readonly account: AccountId;
      readonly email: string;
      readonly source: string | null;
      readonly keyHash: string;
      readonly grant: Credits;
      /** What it is known by, and those known by the same; see market/identity.ts. Gateways of before do not say. */
      readonly marks?: readonly string[];
    }
  /** Something more that it is known by; `kin` are the accounts that share it, which are told. */
  | { readonly type: "mark"; readonly marks: readonly string[]; readonly kin: readonly AccountId[] }
  | {
      readonly type: "rotateKey";
      /** The hash of the key that the request was made with. */
      readonly presented: string;
      readonly keyHash: string;
    }
  /** Hashes of recovery codes are keyed with the platform's secret: six digits alone could be guessed from a plain one. */
  | { readonly type: "requestRecovery"; readonly codeHash: string }
  | {
      readonly type: "recover";
      readonly codeHash: string;
      /** The hash of the key that is to replace the lost one. */
      readonly keyHash: string;
    }
  | { readonly type: "topUp"; readonly topup: string; readonly amount: Credits }
  /** What became of a payment at the payment service, and the customer that it knows there. */
  | { readonly type: "payment"; readonly payment: string; readonly news: PaymentNews; readonly customer: string | null }
  | { readonly type: "repay"; readonly repayment: string; readonly amount: Credits }
  | {
      readonly type: "hold";
      readonly task: TaskId;
      readonly order: TaskSpec;
      /** Workers whose price stands, the one to be asked first in front. */
      readonly offers?: readonly Offer[];
      /** Whether the task's id was made for this command, and not derived from an Idempotency-Key. */
      readonly fresh: boolean;
    }
  /** Lets a batch run, and opens it. */
  | {
      readonly type: "startBatch";
      readonly batch: string;
      readonly request: string;
      readonly template: TaskSpec;
      readonly items: readonly BatchItem[];
      readonly atOnce: number;
      /** How many items of all batches of the account may open in any 60 s; 0: as many as there are. */
      readonly perMinute: number;
      /** As with `hold`. */
      readonly fresh: boolean;
    }
  /** From a batch that is done. */
  | { readonly type: "batchEnded"; readonly batch: string }
  /**
   * A hold for an item of a batch: whoever asked hears what comes of it, so it is never refused. `ask` is left out by versions
   * that knew no pace; `want` is how many more items the batch could open, `called` whether it was its turn.
   */
  | {
      readonly type: "holdItem";
      readonly task: TaskId;
      readonly order: TaskSpec;
      readonly ask?: { readonly perMinute: number; readonly want: number; readonly called: boolean };
    }
  | { readonly type: "release"; readonly task: TaskId; readonly budget: Credits }
  | {
      readonly type: "settle";
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
    }
  | {
      readonly type: "earn";
      readonly task: TaskId;
      readonly taskType: string;
      readonly requester: AccountId;
      readonly requesterIdentity: string;
      readonly payout: Credits;
      readonly firstTry: boolean;
      readonly durationMs: Millis;
      readonly allowedMs: Millis;
    }
  | { readonly type: "fail"; readonly task: TaskId; readonly taskType: string; readonly outcome: Exclude<Outcome, "DELIVERED"> }
  /** Hashes of states are keyed with the platform's secret. */
  | { readonly type: "startOAuth"; readonly stateHash: string }
  | { readonly type: "useOAuth"; readonly stateHash: string }
  | { readonly type: "linkGitHub"; readonly github: GitHubLink }
  /** By an operator, with a reason. */
  | { readonly type: "freeze"; readonly reason: string }
  | { readonly type: "unfreeze"; readonly reason: string }
  | { readonly type: "adjust"; readonly adjustment: string; readonly amount: Credits; readonly reason: string }
  | { readonly type: "registerCapability"; readonly capability: Omit<Capability, "createdAt"> }
  | { readonly type: "setAvailability"; readonly capability: string; readonly available: boolean }
  /** A task asks for a bid at the price that stands; it is always answered, with a bid or by declining. */
  | {
      readonly type: "offer";
      readonly task: TaskId;
      readonly bid: string;
      readonly taskType: string;
      readonly budget: Credits;
      readonly minSkill: number;
      /** The requester's. */
      readonly marks: readonly string[];
    }
  /** The bid at the price that stands did not win. */
  | { readonly type: "freed"; readonly task: TaskId }
  /** How a task with a known answer was done. */
  | { readonly type: "honeypot"; readonly task: TaskId; readonly passed: boolean }
  | { readonly type: "rated"; readonly task: TaskId; readonly taskType: string; readonly stars: number }
  | { readonly type: "timer"; readonly name: string; readonly due: Millis };
