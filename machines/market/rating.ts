/** Credit rating (guide: Credit Rating System): what an account has done, and how far it may go into debt for it. */
import { type Credits, credits, type Millis } from "../vocabulary.ts";

/** How long a debt may be unpaid before the account is suspended (guide: Credit Rating System), in ms. */
export const DEBT_MS_MAX = 7 * 24 * 3_600_000;

/** What the rating is calculated from. A task counts for its worker, a counterparty for both sides. */
export interface CreditRecord {
  /** Settled as a worker. */
  readonly settled: number;
  readonly failed: number;
  readonly timedOut: number;
  readonly counterparties: number;
  /** Honeypots: passed less failed, at least 0. */
  readonly honeypots: number;
}

/** What a rating requires. `success` must be exceeded, in percent. */
export interface Requirements {
  readonly tasks: number;
  readonly counterparties: number;
  readonly honeypots: number;
  readonly success: number;
}

export interface Rating {
  readonly name: "Newcomer" | "Bronze" | "Silver" | "Gold" | "Platinum" | "Diamond";
  readonly stars: number;
  /** How far `available` may go below 0, in NC. */
  readonly line: Credits;
  readonly requires: Requirements;
}

const NOTHING: Requirements = { tasks: 0, counterparties: 0, honeypots: 0, success: 0 };

/** From the lowest up. The ratings above Gold require its honeypot too. */
export const RATINGS = [
  { name: "Newcomer", stars: 0, line: credits(0), requires: NOTHING },
  { name: "Bronze", stars: 1, line: credits(0), requires: { ...NOTHING, tasks: 10 } },
  { name: "Silver", stars: 2, line: credits(5_000), requires: { ...NOTHING, tasks: 10, counterparties: 3 } },
  { name: "Gold", stars: 3, line: credits(20_000), requires: { tasks: 30, counterparties: 5, honeypots: 1, success: 0 } },
  { name: "Platinum", stars: 4, line: credits(100_000), requires: { tasks: 80, counterparties: 10, honeypots: 1, success: 90 } },
  { name: "Diamond", stars: 5, line: credits(500_000), requires: { tasks: 200, counterparties: 20, honeypots: 1, success: 95 } },
] as const satisfies readonly [Rating, ...Rating[]];

/** Gives settled / (settled + failed + timed out) in percent; 0 if nothing is finished. */
export function successPercent({ settled, failed, timedOut }: CreditRecord): number {
  const finished = settled + failed + timedOut;
  return finished === 0 ? 0 : (100 * settled) / finished;
}

function fulfils(record: CreditRecord, { tasks, counterparties, honeypots, success }: Requirements): boolean {
  const { settled, failed, timedOut } = record;
  // In whole numbers, so that exactly 90% is not more than 90%.
  const succeeds = success === 0 || 100 * settled > success * (settled + failed + timedOut);
  return settled >= tasks && record.counterparties >= counterparties && record.honeypots >= honeypots && succeeds;
}

/** Gives the highest rating whose requirements are all met. */
export function ratingOf(record: CreditRecord): Rating {
  return RATINGS.findLast(({ requires }) => fulfils(record, requires)) ?? RATINGS[0];
}

/** Gives the next higher rating; undefined for the highest. */
export function nextRating({ stars }: Rating): Rating | undefined {
  return RATINGS.find((rating) => rating.stars === stars + 1);
}

/** When an account that has been in debt since `debtSince` is suspended (ms). */
export function suspensionAt(debtSince: Millis): Millis {
  return debtSince + DEBT_MS_MAX;
}
