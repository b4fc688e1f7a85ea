import { type Credits, credits } from "../vocabulary.ts";

/** How the budget of a settled task is divided. `payout + fee + refund` is the budget. All in NC. */
export interface Split {
  readonly payout: Credits;
  readonly fee: Credits;
  readonly refund: Credits;
}

/**
 * Divides a budget at settlement (guide: Pricing). The fee is 5% of the winning bid, rounded down, at least 1 NC. The
 * requester pays bid + fee and never more than the budget: at the cap the payout gives way.
 * Takes `bid` in 1..budget and a budget of at least 2 NC; throws RangeError otherwise.
 */
export function split(budget: Credits, bid: Credits): Split {
  if (bid < 1 || bid > budget || budget < 2) throw new RangeError(`no split of ${budget} at a bid of ${bid}`);
  const fee = Math.max(1, Math.floor(bid / 20));
  const payout = Math.min(bid, budget - fee);
  return { payout: credits(payout), fee: credits(fee), refund: credits(budget - payout - fee) };
}
