/** The rules of the market that an operator may set. What is decided by them is a fact, so replay does not need them. */
import { AWARDS_BY_TIER, type AwardsByTier } from "./awards.ts";
import { type CreditTerms, NO_TERMS } from "./credit-line.ts";

export interface MarketRules {
  /** How many awards a worker may have at a time, by its best skill tier. */
  readonly awardsByTier: AwardsByTier;
  /** What opens a credit line, besides its rating. */
  readonly credit: CreditTerms;
  /** After how many tasks that others have paid the failures of a verified worker say something about a task. No setting. */
  readonly provenSettlements?: number;
}

/** What holds for it (design: Trust). */
export const PROVEN_SETTLEMENTS = 10;

export const MARKET_RULES: MarketRules = { awardsByTier: AWARDS_BY_TIER, credit: NO_TERMS };
