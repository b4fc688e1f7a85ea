import { type CreditRecord, type Rating, ratingOf } from "../market/rating.ts";
import type { Record } from "../market/skill.ts";
import { type AccountId, type AccountStatus, accountId, type Millis } from "../vocabulary.ts";
import { type AccountContext, type AccountSnapshot, creditRecord, type Tally } from "./machine.ts";

/** The row of an account from which it is shown. Amounts in NC. */
export interface AccountView {
  readonly id: AccountId;
  readonly email: string;
  /** See market/identity.ts. */
  readonly marks: readonly string[];
  readonly status: AccountStatus;
  readonly keyHash: string;
  readonly available: number;
  readonly held: number;
  readonly reputation: number;
  readonly cooldownUntil: Millis | null;
  readonly counterparties: number;
  /** Since when something is owed (ms), or null. */
  readonly debtSince: Millis | null;
  readonly tally: Tally;
  readonly records: { readonly [taskType: string]: Record };
  readonly createdAt: Millis;
  readonly updatedAt: Millis;
}

/** How far an account may go into debt, and why. */
export function creditOf({ tally, counterparties }: Pick<AccountView, "tally" | "counterparties">): {
  readonly record: CreditRecord;
  readonly rating: Rating;
} {
  const record = { ...creditRecord({ tally, counterparties: [] }), counterparties };
  return { record, rating: ratingOf(record) };
}

function statusOf(value: Exclude<AccountSnapshot["value"], "NEW">, { debt }: AccountContext): AccountStatus {
  return value !== "FROZEN" && debt?.suspended === true ? "SUSPENDED" : value;
}

/** Gives the row of an account; undefined before it is registered. */
export function viewAccount({ value, context }: AccountSnapshot): AccountView | undefined {
  if (value === "NEW") return undefined;
  const { id, email, keyHash, available, held, reputation, cooldownUntil, tally, records } = context;
  const { counterparties, createdAt, updatedAt } = context;
  return {
    id: accountId(id),
    email,
    marks: context.marks,
    status: statusOf(value, context),
    keyHash,
    available,
    held,
    reputation,
    cooldownUntil,
    counterparties: counterparties.length,
    debtSince: context.debt?.since ?? null,
    tally,
    records,
    createdAt,
    updatedAt,
  };
}
