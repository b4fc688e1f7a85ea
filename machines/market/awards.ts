/** How many awards a worker may have at a time: the input comes with an award, so this bounds what somebody unproven can read. */
import { type QualificationSource, skillIn } from "./qualification.ts";

/** By skill tier, the lowest (1 Unrated) first. */
export type AwardsByTier = readonly [unrated: number, bronze: number, silver: number, gold: number, diamond: number];

/** The most that an operator may set: each award in progress is kept in its worker's state. */
export const AWARDS_MAX = 10_000;

/** What holds unless an operator sets it (AWARDS_BY_TIER). */
export const AWARDS_BY_TIER: AwardsByTier = [3, 10, 30, 100, 1_000];

/** The best tier of a worker in any task type, and how many awards it may have at a time. */
export interface AwardLimit {
  readonly tier: number;
  readonly most: number;
}

/** Gives the limit of a worker with these records. */
export function awardLimit(records: QualificationSource["records"], byTier: AwardsByTier): AwardLimit {
  const tier = Object.keys(records).reduce((best, type) => Math.max(best, skillIn(records, type).tier), 1);
  return { tier, most: byTier[tier - 1] ?? byTier[0] };
}
