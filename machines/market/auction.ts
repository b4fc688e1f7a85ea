import type { AccountId, Credits, QualityPreference, TaskId } from "../vocabulary.ts";
import { hashOf } from "./hash.ts";

/** A bid in the auction. `quality` is 0..1, calculated when the bid was placed. */
export interface Bid {
  readonly id: string;
  readonly worker: AccountId;
  readonly credits: Credits;
  readonly quality: number;
}

export interface Award {
  readonly winner: Bid;
  /** Whether it won only because this task is one of the share that goes to the lowest price, so that newcomers get work. */
  readonly explored: boolean;
}

/** The share of tasks that go to the lowest price whatever the preference, so that newcomers get work. */
export const EXPLORATION_SHARE = 0.15;

const PRIOR_WEIGHT = 10;
const PRIOR_QUALITY = 0.5;
const REPUTATION_SPAN = 50;

/**
 * Gives a worker's quality, 0..1, from the score (0..100) that was seen in the task's type, the reputation and how many tasks
 * prove it. Newcomers start at a prior, 0.5 where nothing speaks for them, that ten tasks half outweigh.
 */
export function quality(score: number, reputation: number, tasks: number, prior = PRIOR_QUALITY): number {
  const trust = Math.min(1, Math.max(0, 0.5 + reputation / (2 * REPUTATION_SPAN)));
  const observed = 0.7 * (score / 100) + 0.3 * trust;
  return (tasks * observed + PRIOR_WEIGHT * prior) / (tasks + PRIOR_WEIGHT);
}

/** Whether this task is of the exploration share. By a hash of its id, so that replay agrees. */
export function explores(task: TaskId): boolean {
  return hashOf(task) / 2 ** 32 < EXPLORATION_SHARE;
}

/** What `balanced` compares: the price (NC), lowered for a better worker. */
function weighedPrice({ credits, quality: good }: Terms): number {
  return credits / (1 + good);
}

/** What a preference compares: the price (NC) and the quality (0..1). */
export type Terms = Pick<Bid, "quality"> & { readonly credits: number };
/** The fields of a bid that an order compares. */
export type Weighed = Terms & Pick<Bid, "id">;
type Comparator = (a: Terms, b: Terms) => number;

const byPrice: Comparator = (a, b) => a.credits - b.credits;
const byQuality: Comparator = (a, b) => b.quality - a.quality;
const byValue: Comparator = (a, b) => weighedPrice(a) - weighedPrice(b);

const ORDERS: { readonly [P in QualityPreference]: Comparator } = {
  cheapest: (a, b) => byPrice(a, b) || byQuality(a, b),
  best: (a, b) => byQuality(a, b) || byPrice(a, b),
  balanced: byValue,
};

/** The order of a preference; it gives 0 for terms that are equal to it, below 0 where `a` beats `b`. */
export function betterFirst(preference: QualityPreference): Comparator {
  return ORDERS[preference];
}

/** The terms of a bid as they are compared; `going` is the going price (NC), or null. */
function counted({ credits, quality: good }: Terms, going: number | null): Terms {
  return { credits: countedPrice(credits, going), quality: good };
}

/** The order of a preference by what counts of the prices; 0 for bids of which neither beats the other. */
export function strongerFirst(preference: QualityPreference, going: number | null): Comparator {
  const order = ORDERS[preference];
  return (a, b) => order(counted(a, going), counted(b, going));
}

/** The order in which bids win: of equal ones the lower id comes first. */
export function bestFirst(preference: QualityPreference, going: number | null): (a: Weighed, b: Weighed) => number {
  const order = strongerFirst(preference, going);
  return (a, b) => order(a, b) || (a.id < b.id ? -1 : 1);
}

/**
 * The price (NC) that counts in a comparison. Prices count down to half of the going price (NC; null: there is none); below that
 * quality decides, so that nobody wins by asking for next to nothing.
 */
export function countedPrice(price: number, going: number | null): number {
  return going === null ? price : Math.max(price, going / 2);
}

/** Whether a worker with so many finished awards is a newcomer: its prior still outweighs what it has shown. */
export function isNewcomer(finished: number): boolean {
  return finished < PRIOR_WEIGHT;
}

/** Whether this task is offered to a newcomer first. Not if its requester wants the lowest price and nothing else. */
export function seeksNewcomer(task: TaskId, preference: QualityPreference): boolean {
  return preference !== "cheapest" && explores(task);
}

/**
 * The number that a preference compares: `cheapest` the price (NC), `best` the quality, `balanced` price / (1 + quality), each by
 * what counts of the price.
 */
export function weightOf(preference: QualityPreference, bid: Terms, going: number | null = null): number {
  if (preference === "best") return bid.quality;
  const terms = counted(bid, going);
  return preference === "cheapest" ? terms.credits : weighedPrice(terms);
}

/** The same as a number that is lower for better terms. */
export function penaltyOf(preference: QualityPreference, terms: Terms): number {
  const weight = weightOf(preference, terms);
  return preference === "best" ? -weight : weight;
}

/** The preference that decides about this task: for the share that seeks a newcomer the lowest price. */
export function decidingPreference(task: TaskId, preference: QualityPreference): QualityPreference {
  return seeksNewcomer(task, preference) ? "cheapest" : preference;
}

/** Picks the winner among `bids`, the same at every replay; undefined if there are none. `going` is the going price (NC), or null. */
export function award(
  task: TaskId,
  preference: QualityPreference,
  bids: readonly Bid[],
  going: number | null = null,
): Award | undefined {
  const [preferred] = bids.toSorted(bestFirst(preference, going));
  const [winner] = bids.toSorted(bestFirst(decidingPreference(task, preference), going));
  return winner === undefined ? undefined : { winner, explored: winner !== preferred };
}
