/** What an account may spend. */
import { type CreditTerms, type Evidence, lineGrowsAt, type UsableLine, usableLine } from "../market/credit-line.ts";
import { ratingOf } from "../market/rating.ts";
import { type Credits, credits, type Millis, NO_CREDITS } from "../vocabulary.ts";
import { purchasesOf } from "./payments.ts";
import { type AccountContext, creditRecord } from "./state.ts";

/** The most tasks that one account may have open; each is an entry of its state. */
export const OPEN_TASKS_MAX = 10_000;

/** What vouches for an account. */
export function evidenceOf({ payments, vouched, github, vouchesElsewhere }: AccountContext): Evidence {
  return {
    purchases: purchasesOf(payments),
    earned: vouched.total,
    github:
      github === null
        ? null
        : {
            score: github.score,
            createdAt: github.createdAt ?? null,
            elsewhere: vouchesElsewhere !== null && vouchesElsewhere === github.mark,
          },
  };
}

/** The context as it is under these terms. */
export function under(context: AccountContext, terms: CreditTerms): AccountContext {
  return { ...context, terms };
}

/** The credit line that can be used at `at` (ms), under the terms in the context. */
export function lineOf(context: AccountContext, at: Millis): UsableLine {
  const { line } = ratingOf(creditRecord(context));
  return usableLine(line, evidenceOf(context), context.terms, at);
}

/** The lowest balance that a hold may lead to at `at` (NC): the usable credit line, below 0. */
export function debtFloor(context: AccountContext, at: Millis): Credits {
  return credits(NO_CREDITS - lineOf(context, at).line);
}

/** The largest budget that may be held at `at`, in NC; negative if the debt exceeds the usable line. */
export function spendingPower(context: AccountContext, at: Millis): number {
  return context.available - debtFloor(context, at);
}

/** When, after `at` (ms), the spending power may grow by the mere passing of time; null if it will not. */
export function powerGrowsAt(context: AccountContext, at: Millis): Millis | null {
  return lineOf(context, at).limit === null ? null : lineGrowsAt(evidenceOf(context), context.terms, at);
}
