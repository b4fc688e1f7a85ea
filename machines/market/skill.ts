/**
 * Skill of a worker in one task type, which is that of its capability (guide: Skill Rating): 35% success rate, 20% first-try
 * rate, 15% speed, 15% volume, 15% rating. Each part is a share, 0..1:
 *
 *   success    settled / finished, where finished counts awards that were settled, failed or timed out
 *   first try  settled with the first submission / finished
 *   speed      1 - the mean, over the settled ones, of used time / allowed time; 0 before the first
 *   volume     settled / 100, at most 1
 *   rating     (mean of the requesters' ratings - 1) / 4, and 0.5 before the first rating
 */
export interface Record {
  /** Awards that have ended in any way. */
  readonly finished: number;
  readonly settled: number;
  readonly firstTry: number;
  /** Sum over the settled ones of used time / allowed time, each 0..1. */
  readonly timeShare: number;
  /** How many requesters have rated, and the sum of what they gave (1..5 each). */
  readonly ratings: number;
  readonly ratingSum: number;
}

export const EMPTY_RECORD: Record = { finished: 0, settled: 0, firstTry: 0, timeShare: 0, ratings: 0, ratingSum: 0 };

/** How many settled tasks give the full volume part. */
const FULL_VOLUME = 100;
const NEUTRAL = 0.5;

export const WEIGHTS = { success: 0.35, firstTry: 0.2, speed: 0.15, volume: 0.15, rating: 0.15 } as const;
export type SkillParts = { readonly [P in keyof typeof WEIGHTS]: number };

/** The tiers from the highest down, with their lowest scores and their numbers. */
const TIERS = [
  { tier: 5, name: "Diamond", least: 90 },
  { tier: 4, name: "Gold", least: 75 },
  { tier: 3, name: "Silver", least: 60 },
  { tier: 2, name: "Bronze", least: 40 },
] as const;
const UNRATED = { tier: 1, name: "Unrated" } as const;

/** Gives the parts of a worker's skill, each 0..1. */
export function skillParts({ finished, settled, firstTry, timeShare, ratings, ratingSum }: Record): SkillParts {
  return {
    success: finished === 0 ? 0 : settled / finished,
    firstTry: finished === 0 ? 0 : firstTry / finished,
    speed: settled === 0 ? 0 : 1 - timeShare / settled,
    volume: Math.min(1, settled / FULL_VOLUME),
    rating: ratings === 0 ? NEUTRAL : (ratingSum / ratings - 1) / 4,
  };
}

/** Gives the skill score, 0..100, of a worker with this record; 0 if nothing is finished. */
export function skillScore(record: Record): number {
  if (record.finished === 0) return 0;
  const parts = skillParts(record);
  return 100 * (Object.keys(WEIGHTS) as (keyof SkillParts)[]).reduce((sum, part) => sum + WEIGHTS[part] * parts[part], 0);
}

/** Gives the tier of a score: 1 Unrated, 2 Bronze (40+), 3 Silver (60+), 4 Gold (75+), 5 Diamond (90+). */
export function skillTier(score: number): number {
  return TIERS.find((tier) => score >= tier.least)?.tier ?? UNRATED.tier;
}

/** Gives the lowest score of a tier; 0 for Unrated, and for less than that. */
export function leastScore(tier: number): number {
  return TIERS.find((one) => one.tier === tier)?.least ?? 0;
}

/** Gives the name of a tier. */
export function tierName(tier: number): string {
  return TIERS.find((one) => one.tier === tier)?.name ?? UNRATED.name;
}
