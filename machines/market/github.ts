/**
 * The score of a GitHub account, 0..100:
 *
 *   30  age: full after 5 years
 *   25  public work: repositories and gists, by their logarithm, full at 50
 *   20  followers, by their logarithm, full at 500
 *   25  contributions within the last year: full at 500
 *
 * It decides with which quality a newcomer starts: 0.5 without a GitHub account, up to 0.7 with the best, which is less than what 200
 * good tasks prove.
 */
import type { Millis } from "../vocabulary.ts";

export interface GitHubProfile {
  readonly createdAt: Millis;
  /** Public repositories and gists. */
  readonly works: number;
  readonly followers: number;
  /** In the last year. */
  readonly contributions: number;
}

const YEAR_MS = 365.25 * 24 * 3_600_000;
const FULL = { ageMs: 5 * YEAR_MS, works: 50, followers: 500, contributions: 500 } as const;
const WEIGHTS = { age: 30, works: 25, followers: 20, contributions: 25 } as const;

function share(value: number, full: number): number {
  return Math.min(1, Math.max(0, value) / full);
}

function byLogarithm(value: number, full: number): number {
  return share(Math.log2(1 + Math.max(0, value)), Math.log2(1 + full));
}

/** Gives the score of a profile as it is at `at` (ms), a whole number. */
export function githubScore({ createdAt, works, followers, contributions }: GitHubProfile, at: Millis): number {
  return Math.round(
    WEIGHTS.age * share(at - createdAt, FULL.ageMs) +
      WEIGHTS.works * byLogarithm(works, FULL.works) +
      WEIGHTS.followers * byLogarithm(followers, FULL.followers) +
      WEIGHTS.contributions * share(contributions, FULL.contributions),
  );
}

/** The quality with which a newcomer starts, and the most that a GitHub account adds to it. */
const PRIOR = { none: 0.5, most: 0.7 } as const;

/** Gives the quality, 0.5..0.7, with which a newcomer of that score starts; null: no GitHub account. */
export function priorOf(score: number | null): number {
  return PRIOR.none + ((PRIOR.most - PRIOR.none) * (score ?? 0)) / 100;
}
