/**
 * Skill of a worker in one task type (guide: Skill Rating): 35% success rate, 20% first-try rate, 15% speed, 15% volume,
 * 15% rating. The rating part is neutral until requesters can rate.
 */
export interface Record {
  /** Awards that ended, whatever way. */
  readonly finished: number;
  readonly settled: number;
  readonly firstTry: number;
  /** Sum over the settled ones of used time / allowed time, each 0..1. */
  readonly timeShare: number;
}

export const EMPTY_RECORD: Record = { finished: 0, settled: 0, firstTry: 0, timeShare: 0 };

/** So many settled tasks give the whole of the volume part. */
const FULL_VOLUME = 100;
const NEUTRAL = 0.5;

/** The tiers from the highest down, with the least score of each and the number that `min_skill_rating` uses. */
const TIERS = [
  { tier: 5, least: 90 },
  { tier: 4, least: 75 },
  { tier: 3, least: 60 },
  { tier: 2, least: 40 },
] as const;

/** Gives the skill score, 0..100, of a worker with that record; 0 for one who has finished nothing. */
export function skillScore(record: Record): number {
  if (record.finished === 0) return 0;
  const success = record.settled / record.finished;
  const firstTry = record.firstTry / record.finished;
  const speed = record.settled === 0 ? 0 : 1 - record.timeShare / record.settled;
  const volume = Math.min(1, record.settled / FULL_VOLUME);
  return 100 * (0.35 * success + 0.2 * firstTry + 0.15 * speed + 0.15 * volume + 0.15 * NEUTRAL);
}

/** Gives the tier of a score: 1 Unrated, 2 Bronze (40+), 3 Silver (60+), 4 Gold (75+), 5 Diamond (90+). */
export function skillTier(score: number): number {
  return TIERS.find((tier) => score >= tier.least)?.tier ?? 1;
}
