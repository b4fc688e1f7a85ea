import type { Ineligibility } from "../eligibility.ts";
import type { Judgement } from "../entity.ts";
import type { Offer } from "../market/capability.ts";
import type { WorkerStanding } from "../market/standing.ts";
import type { AccountId, Credits, JsonValue, Millis, TaskId } from "../vocabulary.ts";
import type { DeliveryOutcome, TaskSpec } from "./events.ts";

export type TaskCommand =
  | {
      readonly type: "open";
      readonly task: TaskId;
      readonly requester: AccountId;
      /** The requester's. */
      readonly marks: readonly string[];
      readonly order: TaskSpec;
      /** Workers whose price stands, the one to be asked first in front. */
      readonly offers?: readonly Offer[];
      readonly createdAt: Millis;
    }
  /** A worker's answer to an offer; never refused. */
  | {
      readonly type: "standingBid";
      readonly bid: string;
      readonly worker: AccountId;
      readonly credits: Credits;
      readonly standing: WorkerStanding;
    }
  /** An account of before does not say why. */
  | { readonly type: "declined"; readonly worker: AccountId; readonly reason?: Ineligibility }
  /** By an operator. */
  | { readonly type: "expire"; readonly reason: string }
  | { readonly type: "rate"; readonly requester: AccountId; readonly stars: number }
  | {
      readonly type: "bid";
      readonly bid: string;
      readonly worker: AccountId;
      /** null bids the budget. */
      readonly credits: Credits | null;
      readonly standing: WorkerStanding;
      /** The workers online for the type, or null when they are too many to wait for each. */
      readonly online: readonly AccountId[] | null;
    }
  | { readonly type: "start"; readonly worker: AccountId }
  | {
      readonly type: "submit";
      readonly submission: string;
      readonly worker: AccountId;
      readonly result: JsonValue;
      /** Worked out before the decision; absent until then. */
      readonly verdict?: Judgement;
    }
  | { readonly type: "cancel"; readonly requester: AccountId }
  | { readonly type: "settled"; readonly payout: Credits; readonly fee: Credits; readonly refund: Credits }
  | { readonly type: "timer"; readonly name: string; readonly due: Millis }
  | { readonly type: "webhook.attempted"; readonly attempt: number; readonly outcome: DeliveryOutcome }
  | { readonly type: "webhook.resend"; readonly requester: AccountId };
