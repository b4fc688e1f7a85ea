/**
 * The score of a requester, which workers see with each task: of the tasks of which an award has ended, the share that was settled,
 * with ten tasks before the first, nine of them settled. What was cancelled, or expired, without such an award does not count.
 */

/** What a requester is known by. */
export interface RequesterRecord {
  readonly settled: number;
  /** Ended without a result after an award that did. */
  readonly unfulfilled: number;
}

/** Gives (settled + 9) / (ended after an award + 10), rounded to two decimals: it is compared as it is shown. */
export function scoreOf({ settled, unfulfilled }: RequesterRecord): number {
  return Math.round((100 * (settled + 9)) / (settled + unfulfilled + 10)) / 100;
}

/** The score of a requester of whom nothing is known. */
export const SCORE_OF_NEWCOMER = scoreOf({ settled: 0, unfulfilled: 0 });
