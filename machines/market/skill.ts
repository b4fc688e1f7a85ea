/**
 * Skill of a worker in one task type, which is that of its capability (guide: Skill Rating): 35% success rate, 20% first-try
 * rate, 15% speed, 15% volume, 15% rating. Each part is a share, 0..1:
 *
 *   success    settled / finished, where finished counts awards that were settled, failed or timed out
 *   first try  settled with the first submission / finished
 *   speed      1 - the mean, over the settled ones, of used time / allowed time; 0 before the first
 *   volume     settled / 100, at most 1
 *   rating     (mean of the requesters' ratings - 1) / 4, and 0.5 before the first rating
 *
 * Success and first try are not the bare shares but what the latest tasks (evidence.ts) prove of them: the lower bound of Wilson's score
 * interval. So little evidence is a low score: one task done at once, well rated by its requester, proves 0.1 and not 1.
 *
 * And a score is at most 100 x success: being fast, busy and well rated does not make up for results that fail. The bound is wide,
 * z = 3, which is the least whole number for which half of 200 tasks failed is never Bronze (39.6): with z = 2 it would be (43.0).
 */
import { type Evidence, evidenceOf } from "./evidence.ts";

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
  /** The latest tasks, see evidence.ts; absent in records from before they were kept. */
  readonly latest?: string;
  /** How many of the settled ones gave back the example, which does not occur in the text; absent if none. */
  readonly echoes?: number;
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

/** Standard deviations by which a bound is below what was seen. */
const Z = 3;

/** The lower bound of Wilson's score interval for a share of so many tasks; 0 of none. */
export function lowerBound(share: number, tasks: number): number {
  // Exactly, where rounding would leave next to nothing.
  if (tasks === 0 || share === 0) return 0;
  const centre = share + Z ** 2 / (2 * tasks);
  const margin = Z * Math.sqrt((share * (1 - share)) / tasks + (Z / (2 * tasks)) ** 2);
  return Math.max(0, centre - margin) / (1 + Z ** 2 / tasks);
}

/** Evidence by record: an account has many records, of which a task changes one. */
const known = new WeakMap<Record, Evidence>();

/** Gives what the latest tasks of a record prove. */
export function provenBy(record: Record): Evidence {
  const before = known.get(record);
  if (before !== undefined) return before;
  const evidence = evidenceOf(record);
  known.set(record, evidence);
  return evidence;
}

function partsBy(record: Record, success: number, firstTry: number): SkillParts {
  const { settled, timeShare, ratings, ratingSum } = { ...EMPTY_RECORD, ...record };
  return {
    success,
    firstTry,
    speed: settled === 0 ? 0 : 1 - timeShare / settled,
    volume: Math.min(1, settled / FULL_VOLUME),
    rating: ratings === 0 ? NEUTRAL : (ratingSum / ratings - 1) / 4,
  };
}

function sum(parts: SkillParts): number {
  const names = Object.keys(WEIGHTS) as (keyof SkillParts)[];
  return (
    100 *
    Math.min(
      parts.success,
      names.reduce((all, part) => all + WEIGHTS[part] * parts[part], 0),
    )
  );
}

/** Gives the parts of a worker's skill, each 0..1. */
export function skillParts(record: Record): SkillParts {
  const { tasks, settled, first } = provenBy(record);
  return partsBy(record, lowerBound(settled, tasks), lowerBound(first, tasks));
}

/** Gives the skill score, 0..100, of a worker with this record; 0 if nothing is finished. */
export function skillScore(record: Record): number {
  return sum(skillParts(record));
}

/** Gives the score that the shares come to as they were seen, 0..100, for who weighs the evidence itself. */
export function seenScore(record: Record): number {
  const { settled, first } = provenBy(record);
  return sum(partsBy(record, settled, first));
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
