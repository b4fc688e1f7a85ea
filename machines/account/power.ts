/** What an account may spend. */
import { ratingOf } from "../market/rating.ts";
import { type Credits, credits, NO_CREDITS } from "../vocabulary.ts";
import { type AccountContext, creditRecord } from "./state.ts";

/** The most tasks that one account may have open; each is an entry of its state. */
export const OPEN_TASKS_MAX = 10_000;

/** The lowest balance that a hold may lead to (NC): the credit line, below 0. */
export function debtFloor(context: AccountContext): Credits {
  return credits(NO_CREDITS - ratingOf(creditRecord(context)).line);
}

/** The largest budget that may be held now, in NC; negative if the debt exceeds the credit line. */
export function spendingPower(context: AccountContext): number {
  return context.available - debtFloor(context);
}
