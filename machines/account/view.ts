import type { Record } from "../market/skill.ts";
import { type AccountId, type AccountStatus, accountId, type Millis } from "../vocabulary.ts";
import type { AccountSnapshot, Tally } from "./machine.ts";

/** The row of an account from which it is shown. Amounts in NC. */
export interface AccountView {
  readonly id: AccountId;
  readonly email: string;
  readonly status: AccountStatus;
  readonly keyHash: string;
  readonly available: number;
  readonly held: number;
  readonly reputation: number;
  readonly cooldownUntil: Millis | null;
  readonly counterparties: number;
  readonly tally: Tally;
  readonly records: { readonly [taskType: string]: Record };
  readonly createdAt: Millis;
  readonly updatedAt: Millis;
}

/** Gives the row of an account; undefined before it is registered. */
export function viewAccount({ value: status, context }: AccountSnapshot): AccountView | undefined {
  if (status === "NEW") return undefined;
  const { id, email, keyHash, available, held, reputation, cooldownUntil, tally, records } = context;
  const { counterparties, createdAt, updatedAt } = context;
  return {
    id: accountId(id),
    email,
    status,
    keyHash,
    available,
    held,
    reputation,
    cooldownUntil,
    counterparties: counterparties.length,
    tally,
    records,
    createdAt,
    updatedAt,
  };
}
