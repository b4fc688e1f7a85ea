/**
 * A worker's conduct: its failures in a row, and the cooldown or the freezing that they lead to (guide: Reputation System).
 *
 * D1  A delivery clears the failures in a row, but not by a deal with oneself; and a customer that has lately cleared failures at
 *     others clears only those at itself. So whoever lets tasks time out cannot buy off the cooldown from an accomplice, and
 *     a worker of one customer is cleared by every delivery to it.
 * D2  A penalty that is taken back (task/fault.ts) leaves the conduct that there would be without that award. For this the latest
 *     awards that ended are kept; of older ones nothing but their points can matter any more.
 * D3  What an operator has decided stands: a freezing by an operator is not lifted, and what was before an unfreezing does not freeze
 *     again.
 */
import { judge, type Outcome, pointsOf } from "../market/reputation.ts";
import type { Millis } from "../vocabulary.ts";

/** Which failures in a row a delivery clears: all, those at the same customer, or none; see D1. */
export const CLEARS = ["ALL", "SAME", "NONE"] as const;
export type Clears = (typeof CLEARS)[number];

/** How many of the latest ended awards are kept. */
export const LATEST_MAX = 50;
/** How many of the customers that cleared failures at others are kept; after so many others one may do so again. */
const CLEARING_MAX = 10;

/** A failure in a row; `by` is the requester's identity, null in what is from before it was recorded. */
interface InRow {
  readonly task: string;
  readonly by: string | null;
}

/** An award that has ended. */
export interface EndedAward extends InRow {
  readonly outcome: Outcome;
  readonly at: Millis;
  /** Of a delivery. */
  readonly clears: Clears;
  /** Whether an operator has unfrozen the account since. */
  readonly pardoned?: true;
}

/** What ended awards have led to. */
export interface Stage {
  readonly row: readonly InRow[];
  /** When the last cooldown that they led to is over (ms); it may be over. */
  readonly coolsUntil: Millis | null;
  /** Whether the reputation has frozen the account. */
  readonly frozen: boolean;
}

export interface Conduct {
  readonly now: Stage;
  /** As it was before the latest. */
  readonly before: Stage;
  readonly latest: readonly EndedAward[];
  /** The customers that cleared failures at others, the last one last. */
  readonly clearing: readonly string[];
  /** Whether an operator has frozen the account. */
  readonly byOperator: boolean;
}

const NOTHING: Stage = { row: [], coolsUntil: null, frozen: false };
export const NO_CONDUCT: Conduct = { now: NOTHING, before: NOTHING, latest: [], clearing: [], byOperator: false };

/** The conduct of an account of which only this was kept. */
export function conductOfBefore(failuresInRow: number): Conduct {
  const stage = { ...NOTHING, row: Array.from({ length: failuresInRow }, () => ({ task: "", by: null })) };
  return { ...NO_CONDUCT, now: stage, before: stage };
}

/** `reputation` is that before the award ended. */
function step({ row, coolsUntil, frozen }: Stage, reputation: number, one: EndedAward): Stage {
  const { task, by, outcome, at, clears, pardoned } = one;
  const judged = judge({ reputation, failuresInRow: row.length }, outcome, at);
  if (outcome === "DELIVERED") {
    const left = clears === "ALL" ? [] : clears === "NONE" ? row : row.filter((failure) => failure.by !== by);
    return { row: left, coolsUntil, frozen };
  }
  return {
    row: judged.cooldownUntil === null ? [...row, { task, by }] : [],
    coolsUntil: judged.cooldownUntil ?? coolsUntil,
    frozen: frozen || (pardoned !== true && judged.frozen),
  };
}

/** The reputation before these awards; `reputation` is that after all of them. */
function pointsBefore(latest: readonly EndedAward[], reputation: number): number {
  return latest.reduce((left, { outcome }) => left - pointsOf(outcome), reputation);
}

/** The stage to which these awards lead; `reputation` is that after all of them. */
function stageAfter(before: Stage, latest: readonly EndedAward[], reputation: number): Stage {
  let points = pointsBefore(latest, reputation);
  return latest.reduce((stage, one) => {
    const next = step(stage, points, one);
    points += pointsOf(one.outcome);
    return next;
  }, before);
}

/** The conduct after one more award has ended; `reputation` is that before it. */
export function afterAward(conduct: Conduct, reputation: number, one: EndedAward): Conduct {
  const { now, clearing } = conduct;
  const latest = [...conduct.latest, one];
  const [oldest] = latest;
  const isFull = latest.length > LATEST_MAX && oldest !== undefined;
  return {
    ...conduct,
    now: step(now, reputation, one),
    before: isFull ? step(conduct.before, pointsBefore(latest, reputation + pointsOf(one.outcome)), oldest) : conduct.before,
    latest: isFull ? latest.slice(1) : latest,
    clearing: clearsOthers(now, one) ? withLast(clearing, one.by) : clearing,
  };
}

function clearsOthers({ row }: Stage, { outcome, clears, by }: EndedAward): boolean {
  return outcome === "DELIVERED" && clears === "ALL" && row.some((failure) => failure.by !== by);
}

function withLast(clearing: readonly string[], by: string | null): readonly string[] {
  return by === null ? clearing : [...clearing.filter((one) => one !== by), by].slice(-CLEARING_MAX);
}

/** Which failures a delivery to this customer clears. `self` is what the worker itself is known by: its id, its marks. */
export function clearsBy({ clearing }: Conduct, by: string, self: readonly string[]): Clears {
  if (self.includes(by)) return "NONE";
  return clearing.includes(by) ? "SAME" : "ALL";
}

/** The conduct without the failure at this task; `reputation` is that without its penalty. */
export function withoutFailure(conduct: Conduct, task: string, reputation: number): Conduct {
  const isIt = (one: InRow & { readonly outcome?: Outcome }) => one.task === task && one.outcome !== "DELIVERED";
  const latest = conduct.latest.filter((one) => !isIt(one));
  const before = { ...conduct.before, row: conduct.before.row.filter((one) => !isIt(one)) };
  // One that is no longer kept has led to nothing that still holds, but perhaps to a place in the row.
  if (latest.length === conduct.latest.length) {
    return { ...conduct, before, now: { ...conduct.now, row: conduct.now.row.filter((one) => !isIt(one)) } };
  }
  return { ...conduct, before, latest, now: stageAfter(before, latest, reputation) };
}

/** The conduct of an account that is frozen: by an operator, or by its reputation. */
export function markFrozen(conduct: Conduct, byOperator: boolean): Conduct {
  return { ...conduct, byOperator };
}

/** The conduct of an account that is unfrozen: what was before that does not freeze it again. */
export function pardoned(conduct: Conduct): Conduct {
  const pardon = (stage: Stage): Stage => ({ ...stage, frozen: false });
  const { now, before, latest } = conduct;
  return {
    ...conduct,
    now: pardon(now),
    before: pardon(before),
    latest: latest.map((one): EndedAward => ({ ...one, pardoned: true })),
    byOperator: false,
  };
}
