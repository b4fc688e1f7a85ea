/**
 * How many awards a worker may give back for free: one, and a tenth of its latest awards. So nobody can take tasks for a look at
 * their input and give them back, again and again. What the platform gives back itself counts as no award and no return.
 */

/** How many of the latest awards count, and of how many of them one may be given back. */
const AWARDS_COUNTED = 100;
const AWARDS_PER_RETURN = 10;

/** An award that was given back for free. */
export interface Returned {
  readonly task: string;
  /** Which award it was, of all that have ended. */
  readonly nth: number;
}

/** What an account counts. */
export interface Counted {
  readonly tally: { readonly earned: number; readonly failed: number; readonly timedOut: number };
  readonly returned: number;
  readonly returns: readonly Returned[];
}

/** The number of the award that ends next. */
function nextOf({ tally, returned }: Counted): number {
  return tally.earned + tally.failed + tally.timedOut + returned + 1;
}

/** The returns that still count. */
function latest(counted: Counted): readonly Returned[] {
  const next = nextOf(counted);
  return counted.returns.filter(({ nth }) => nth > next - AWARDS_COUNTED);
}

/** The returns that count once the award of this task is one. */
export function withReturn(counted: Counted, task: string): readonly Returned[] {
  return [...latest(counted), { task, nth: nextOf(counted) }];
}

/** Whether one more award may be given back for free. */
export function isFree(counted: Counted): boolean {
  const most = 1 + Math.floor(Math.min(AWARDS_COUNTED, nextOf(counted)) / AWARDS_PER_RETURN);
  return latest(counted).length < most;
}
