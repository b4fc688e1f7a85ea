import { type AccountId, type Credits, credits, NO_CREDITS, type TaskId } from "../vocabulary.ts";

/**
 * Double entry. The ledger's accounts: per user `available` and `held`; for the platform `issuance`, `fees`, `transit`.
 * Every transfer sums to 0 and has an id derived from its cause, so that it cannot be applied twice.
 */
export const LEDGER_ACCOUNTS = ["available", "held", "issuance", "fees", "transit"] as const;
export type LedgerAccount = (typeof LEDGER_ACCOUNTS)[number];

/** Why money moved, as statements show it. */
export type TransferReason =
  | "GRANT"
  | "TOPUP"
  | "REPAY"
  | "ADJUSTMENT"
  | "PURCHASE"
  | "CHARGEBACK"
  | "HOLD"
  | "SETTLE"
  | "RELEASE"
  | "EARN";

/** One leg of a transfer. `amount` in NC; positive amounts come in. */
export interface Posting {
  readonly transfer: string;
  readonly leg: number;
  readonly account: LedgerAccount;
  /** The user whose account it is, or null for one of the platform's. */
  readonly owner: AccountId | null;
  readonly amount: Credits;
  readonly task: TaskId | null;
  readonly reason: TransferReason;
}

interface Leg {
  readonly account: LedgerAccount;
  readonly owner: AccountId | null;
  readonly amount: number;
}

/**
 * Makes the legs of one transfer, without legs of 0. Throws if they do not sum to 0, which is a bug: such a transfer must not
 * reach the ledger.
 */
export function transfer(id: string, reason: TransferReason, task: TaskId | null, legs: readonly Leg[]): readonly Posting[] {
  const sum = legs.reduce((total, leg) => total + leg.amount, 0);
  if (sum !== 0) throw new Error(`transfer ${id} does not sum to 0 but to ${sum}`);
  return legs
    .filter((leg) => leg.amount !== NO_CREDITS)
    .map((leg, index) => ({
      transfer: id,
      leg: index,
      account: leg.account,
      owner: leg.owner,
      amount: credits(leg.amount),
      task,
      reason,
    }));
}
