/** The rules of the market as the settings say them. */
import type { CreditTerms } from "../../../machines/market/credit-line.ts";
import type { MarketRules } from "../../../machines/market/settings.ts";
import type { Config } from "./config.ts";

const HOUR_MS = 3_600_000;

/** What opens a credit line. */
export function creditTerms({ creditRequires: requires, creditLineMultiple: multiple, purchaseHoldHours }: Config): CreditTerms {
  return { requires, multiple, holdMs: purchaseHoldHours * HOUR_MS };
}

export function marketRules(config: Config): MarketRules {
  return { awardsByTier: config.awardsByTier, credit: creditTerms(config) };
}
