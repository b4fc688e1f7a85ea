import type { StoredFact } from "../fact.ts";
import { FORMATS, NewerFormat } from "../formats.ts";
import type { Ineligibility } from "../ineligibility.ts";
import type { Capability } from "../market/capability.ts";
import type { CreditTerms } from "../market/credit-line.ts";
import type { HoneypotOutcome } from "../market/honeypot.ts";
import type { Qualification } from "../market/qualification.ts";
import type { Failing } from "../market/reputation.ts";
import type { RefusalCode } from "../refusal.ts";
import type { ExcuseReason, Pull } from "../task/events.ts";
import type { AccountId, Credits, Millis, TaskId } from "../vocabulary.ts";
import type { Clears } from "./conduct.ts";
import type { Payment } from "./payments.ts";
import type { Call, WaitingBatch } from "./waiting.ts";

/** The GitHub account that is linked to this account. */
export interface GitHubLink {
  /** GitHub's own id, which never changes. */
  readonly id: string;
  readonly login: string;
  /** 0..100, see market/github.ts. */
  readonly score: number;
  /** Encrypted. */
  readonly token: string;
  /** When the GitHub account was made (ms), and its mark (see market/identity.ts); absent in links from before these were kept. */
  readonly createdAt?: Millis;
  readonly mark?: string;
}

interface At {
  readonly at: Millis;
}

interface Decided {
  readonly terms?: CreditTerms;
}

/** What happened to an account. Amounts in NC. API keys appear only as their SHA-256, in hex. */
export type AccountFact = At &
  (
    | {
        readonly type: "Registered";
        readonly account: AccountId;
        readonly email: string;
        readonly source: string | null;
        readonly keyHash: string;
        readonly grant: Credits;
      }
    /** `elsewhere`: the GitHub account with this mark vouches for an older account of its owner. */
    | {
        readonly type: "Marked";
        readonly marks: readonly string[];
        readonly kin: readonly AccountId[];
        readonly elsewhere?: string;
      }
    | { readonly type: "KeyRotated"; readonly keyHash: string; readonly before: string }
    | { readonly type: "RecoveryRequested"; readonly codeHash: string; readonly until: Millis }
    | { readonly type: "RecoveryFailed" }
    | { readonly type: "KeyRecovered"; readonly keyHash: string; readonly before: string }
    | { readonly type: "ToppedUp"; readonly topup: string; readonly amount: Credits; readonly available: Credits }
    | {
        readonly type: "PaymentChanged";
        readonly payment: string;
        readonly after: Payment;
        /** Numbers the changes of this payment. */
        readonly change: number;
        /** The change of the balance; negative if credits are taken back. */
        readonly amount: Credits;
        readonly customer: string | null;
      }
    | {
        readonly type: "Repaid";
        readonly repayment: string;
        readonly amount: Credits;
        readonly available: Credits;
        readonly debt: Credits;
      }
    /**
     * `perMinute` is the rate limit that it counts against, if it is an item of a batch. `terms` are those of the credit line by
     * which it was decided, here and in other facts; absent if that was the rating alone. `score` is the one with which the task
     * opens; absent in facts from before there were scores.
     */
    | (Decided & {
        readonly type: "Held";
        readonly task: TaskId;
        readonly budget: Credits;
        readonly perMinute?: number;
        readonly score?: number;
      })
    | { readonly type: "BatchStarted"; readonly batch: string; readonly request: string }
    | { readonly type: "BatchEnded"; readonly batch: string }
    | { readonly type: "BatchLeftQueue"; readonly batch: string }
    /** Its end, as far as the account is concerned; these tasks of it were open. */
    | { readonly type: "BatchCancelled"; readonly batch: string; readonly tasks: readonly TaskId[] }
    /**
     * The batch wants to open more items, this one among them (null: only others). It waits for the rate limit until `until`
     * (ms), else until it is called.
     */
    | (WaitingBatch & Decided & { readonly type: "BatchWaits"; readonly item: number | null; readonly until: Millis | null })
    | (Decided & { readonly type: "BatchesCalled"; readonly calls: readonly Call[] })
    | {
        readonly type: "ItemHoldRefused";
        readonly batch: string;
        readonly item: number;
        readonly code: RefusalCode;
        readonly detail: string;
      }
    /** `awarded`: an award of it had ended without a result. */
    | { readonly type: "Released"; readonly task: TaskId; readonly budget: Credits; readonly awarded?: true }
    | {
        readonly type: "Settled";
        readonly task: TaskId;
        readonly taskType: string;
        readonly worker: AccountId;
        /** The identity that the counterparty counts as; its id in facts from before identities existed. */
        readonly counterparty?: string;
        readonly payout: Credits;
        readonly fee: Credits;
        readonly refund: Credits;
        /** How much of the payout counts for the worker's credit line; absent if nothing does. */
        readonly vouched?: Credits;
        readonly firstTry: boolean;
        readonly durationMs: Millis;
        readonly allowedMs: Millis;
        /** Whether the result is the example, which does not occur in the text. */
        readonly echo?: true;
        /** Of a honeypot, since these are counted later: how it was done. */
        readonly honeypot?: HoneypotOutcome;
      }
    | {
        readonly type: "Earned";
        readonly task: TaskId;
        readonly taskType: string;
        readonly requester: AccountId;
        readonly counterparty?: string;
        readonly payout: Credits;
        readonly vouched?: Credits;
        readonly firstTry: boolean;
        readonly durationMs: Millis;
        readonly allowedMs: Millis;
        /** Whether the result is the example, which does not occur in the text. */
        readonly echo?: true;
        readonly honeypot?: HoneypotOutcome;
        /** Which failures in a row it clears; absent in facts from before: all. See conduct.ts. */
        readonly clears?: Clears;
      }
    | {
        readonly type: "Failed";
        readonly task: TaskId;
        readonly taskType: string;
        readonly outcome: Failing;
        /** Absent in facts from before it was recorded. */
        readonly counterparty?: string;
        readonly honeypot?: HoneypotOutcome;
      }
    /** The penalty of a failed award is taken back. */
    | {
        readonly type: "Excused";
        readonly task: TaskId;
        readonly taskType: string;
        readonly outcome: Failing;
        readonly reason: ExcuseReason;
        readonly counterparty?: string;
        readonly honeypot?: true;
      }
    | { readonly type: "OAuthStarted"; readonly stateHash: string; readonly until: Millis }
    | { readonly type: "OAuthUsed" }
    | { readonly type: "GitHubLinked"; readonly github: GitHubLink }
    /** `request` is the id from the command; absent in facts from before it was kept. */
    | { readonly type: "CapabilityRegistered"; readonly capability: Capability; readonly request?: string }
    | { readonly type: "AvailabilityChanged"; readonly capability: string; readonly available: boolean }
    | {
        readonly type: "OfferTaken";
        readonly task: TaskId;
        readonly bid: string;
        /** The capability whose slot it takes; empty if it is not by its posted price. */
        readonly capability: string;
        readonly price: Credits;
        readonly standing: Qualification;
        /** Whether a task asked for it with `asked`. */
        readonly asked?: boolean;
        readonly pull?: Pull;
      }
    /** The reason, and the bid that it was asked for, are absent in facts from before they were recorded. */
    | { readonly type: "OfferDeclined"; readonly task: TaskId; readonly reason?: Ineligibility; readonly bid?: string }
    | { readonly type: "OfferFreed"; readonly task: TaskId }
    /** The worker may give back the award of this task for free. */
    | { readonly type: "ReturnGranted"; readonly task: TaskId }
    /** Counted: when it was due, or, by an older version, at once. */
    | { readonly type: "HoneypotJudged"; readonly task: TaskId; readonly passed: boolean }
    | { readonly type: "Rated"; readonly task: TaskId; readonly taskType: string; readonly stars: number }
    | { readonly type: "CooldownStarted"; readonly until: Millis }
    | { readonly type: "CooldownEnded" }
    /** Because of its reputation, or by an operator, who gives a reason. */
    | { readonly type: "Frozen"; readonly reason?: string }
    | { readonly type: "Unfrozen"; readonly reason: string }
    | { readonly type: "Adjusted"; readonly adjustment: string; readonly amount: Credits; readonly reason: string }
    /** The debt is too old. The suspension ends with the debt. */
    | { readonly type: "Suspended" }
  );

export type AccountFactType = AccountFact["type"];

/** The types of its facts. */
export const ACCOUNT_FACTS: { readonly [T in AccountFactType]: true } = {
  Registered: true,
  Marked: true,
  KeyRotated: true,
  RecoveryRequested: true,
  RecoveryFailed: true,
  KeyRecovered: true,
  ToppedUp: true,
  PaymentChanged: true,
  Repaid: true,
  Held: true,
  ItemHoldRefused: true,
  BatchStarted: true,
  BatchEnded: true,
  BatchLeftQueue: true,
  BatchCancelled: true,
  BatchWaits: true,
  BatchesCalled: true,
  Released: true,
  Settled: true,
  Earned: true,
  Failed: true,
  Excused: true,
  OAuthStarted: true,
  OAuthUsed: true,
  GitHubLinked: true,
  CapabilityRegistered: true,
  AvailabilityChanged: true,
  OfferTaken: true,
  OfferDeclined: true,
  OfferFreed: true,
  ReturnGranted: true,
  HoneypotJudged: true,
  Rated: true,
  CooldownStarted: true,
  CooldownEnded: true,
  Frozen: true,
  Unfrozen: true,
  Adjusted: true,
  Suspended: true,
};

/**
 * Reads an account's fact of any format; so far all are alike. Only we write the journal, so a body is trusted once its type
 * and version are known. Throws on a newer format.
 */
export function upcastAccountFact(stored: StoredFact): AccountFact {
  if (stored.version > FORMATS.account || !Object.hasOwn(ACCOUNT_FACTS, stored.type)) {
    throw new NewerFormat(`a newer NexusToken wrote ${stored.type} v${stored.version}`);
  }
  return stored.body as AccountFact;
}
