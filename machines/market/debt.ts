/**
 * Debt by the day on which it was drawn (guide: Credit Rating System, 7 days; how it is dated is ours).
 *
 * D1  The buckets add up to the debt, from the oldest to the youngest, and there are at most BUCKETS_MAX.
 * D2  A payment pays the oldest bucket first.
 * D3  What is paid and what is drawn within 24 h count as their difference: what was drawn takes the date that was repaid, up to that
 *     amount, whichever came first. So no debt becomes young by being paid with borrowed money.
 * D4  A hold that is given back undoes its own draw, so it ages no other debt and rejuvenates none.
 * D5  Rounding makes debt older, never younger: within 24 h of a bucket's date, draws join it.
 */
import type { Millis } from "../vocabulary.ts";
import { DEBT_MS_MAX } from "./rating.ts";

/** For how long draws join a bucket, and repayments and draws count as one (ms). */
export const DEBT_DAY_MS = 24 * 3_600_000;
/** Buckets lie a day apart, and after 7 days the account is suspended. */
export const BUCKETS_MAX = DEBT_MS_MAX / DEBT_DAY_MS + 1;
/** Repayments of one date that are this near to each other are kept as one (ms), so that a day has few of them. */
const REPAYMENT_STEP_MS = 3_600_000;

/** What was drawn on one day. */
export interface Bucket {
  /** Its date (ms). */
  readonly since: Millis;
  /** When something was drawn into it last (ms). */
  readonly last: Millis;
  /** NC. */
  readonly amount: number;
}

/** What was repaid of one date. */
export interface Repayment {
  readonly since: Millis;
  /** When (ms). */
  readonly at: Millis;
  /** NC; less what was drawn again since. */
  readonly amount: number;
}

export interface Debt {
  readonly buckets: readonly Bucket[];
  /** Of the last 24 h; older ones may still be there, and count for nothing. */
  readonly repaid: readonly Repayment[];
}

export const NO_DEBT: Debt = { buckets: [], repaid: [] };

/** The debt (NC). */
export function owedIn({ buckets }: Pick<Debt, "buckets">): number {
  return buckets.reduce((sum, { amount }) => sum + amount, 0);
}

/** The date of the oldest debt (ms), or null. */
export function oldestIn({ buckets }: Pick<Debt, "buckets">): Millis | null {
  return buckets[0]?.since ?? null;
}

/** Gives the debt after `amount` (NC, at least 0) more was drawn at `at` (ms). */
export function drawn(debt: Debt, amount: number, at: Millis): Debt {
  if (amount === 0) return debt;
  const newest = debt.buckets.at(-1);
  const joins = newest !== undefined && (newest.since > at - DEBT_DAY_MS || debt.buckets.length >= BUCKETS_MAX);
  const since = joins ? newest.since : at;
  return redated({ ...debt, buckets: withAmount(debt.buckets, { since, last: at, amount }) }, at);
}

/** Gives the debt after `amount` (NC, at most the debt) was paid at `at` (ms). */
export function paid(debt: Debt, amount: number, at: Millis): Debt {
  let left = amount;
  let { repaid } = debt;
  const buckets: Bucket[] = [];
  for (const bucket of debt.buckets) {
    const part = Math.min(left, bucket.amount);
    left -= part;
    if (part > 0) repaid = withRepayment(repaid, { since: bucket.since, at, amount: part });
    if (part < bucket.amount) buckets.push({ ...bucket, amount: bucket.amount - part });
  }
  if (left > 0) throw new Error(`${amount} NC is more than the debt`);
  return redated({ buckets, repaid }, at);
}

/**
 * Gives the debt after `amount` (NC, at most the debt) that was drawn at `since` (ms) came back at `at`. It leaves the bucket that it
 * was drawn into; what is not there any more has been dated otherwise or paid meanwhile, so that it pays the oldest.
 */
export function undone(debt: Debt, amount: number, since: Millis, at: Millis): Debt {
  // Within the day D3 counts draw and return as their difference anyway.
  if (since > at - DEBT_DAY_MS) return paid(debt, amount, at);
  const own = debt.buckets.findLast((bucket) => bucket.since <= since && since < bucket.since + DEBT_DAY_MS);
  if (own === undefined) return paid(debt, amount, at);
  const part = Math.min(amount, own.amount);
  const buckets = debt.buckets.flatMap((bucket) => {
    if (bucket !== own) return [bucket];
    return part < own.amount ? [{ ...own, amount: own.amount - part }] : [];
  });
  return paid({ ...debt, buckets }, amount - part, at);
}

/** D3: what was drawn within 24 h takes the dates that were repaid within 24 h, first those that were repaid last: the youngest. */
function redated({ buckets: before, repaid }: Debt, at: Millis): Debt {
  let buckets = before;
  const rest: Repayment[] = [];
  for (const one of repaid.filter((other) => other.at > at - DEBT_DAY_MS)) {
    let { amount } = one;
    for (const young of buckets.toReversed()) {
      const part = young.last > at - DEBT_DAY_MS && young.since > one.since ? Math.min(amount, young.amount) : 0;
      if (part === 0) continue;
      amount -= part;
      buckets = withAmount(buckets, { ...young, amount: -part });
      buckets = withAmount(buckets, { since: one.since, last: one.since, amount: part });
    }
    if (amount > 0) rest.push({ ...one, amount });
  }
  return { buckets, repaid: rest };
}

/** Adds to the bucket of this date, or makes it; the two youngest become one where there would be too many. */
function withAmount(buckets: readonly Bucket[], { since, last, amount }: Bucket): readonly Bucket[] {
  const before = buckets.find((bucket) => bucket.since === since);
  const sum = { since, last: Math.max(last, before?.last ?? last), amount: amount + (before?.amount ?? 0) };
  const others = buckets.filter((bucket) => bucket !== before);
  const all = [...others, sum].filter((bucket) => bucket.amount > 0).sort((a, b) => a.since - b.since);
  const [second, first] = [all.at(-2), all.at(-1)];
  if (all.length <= BUCKETS_MAX || first === undefined || second === undefined) return all;
  const joined = { since: second.since, last: Math.max(first.last, second.last), amount: first.amount + second.amount };
  return [...all.slice(0, -2), joined];
}

/** Kept from the youngest date to the oldest. */
function withRepayment(repaid: readonly Repayment[], more: Repayment): readonly Repayment[] {
  const near = repaid.find(({ since, at }) => since === more.since && Math.abs(more.at - at) < REPAYMENT_STEP_MS);
  const sum = near === undefined ? more : { ...more, at: Math.max(near.at, more.at), amount: near.amount + more.amount };
  return [...repaid.filter((one) => one !== near), sum].sort((a, b) => b.since - a.since);
}
