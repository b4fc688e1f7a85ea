import type { AccountId, Credits, QualityPreference, TaskId } from "../vocabulary.ts";

/** A bid in the auction. `quality` is 0..1, calculated when the bid was placed. */
export interface Bid {
  readonly id: string;
  readonly worker: AccountId;
  readonly credits: Credits;
  readonly quality: number;
}

export interface Award {
  readonly winner: Bid;
  /** Whether the lowest price won because this task is one of the share kept for newcomers. */
  readonly explored: boolean;
}

/** The share of tasks that go to the lowest price whatever the preference, so that newcomers get work. */
export const EXPLORATION_SHARE = 0.15;

const PRIOR_WEIGHT = 10;
const PRIOR_QUALITY = 0.5;
const REPUTATION_SPAN = 50;

/**
 * Gives a worker's quality, 0..1, from the skill score (0..100) in the task's type, the reputation and how many tasks
 * it finished. Newcomers start at a prior, 0.5 where nothing speaks for them, that ten finished tasks half outweigh.
 */
export function quality(score: number, reputation: number, finished: number, prior = PRIOR_QUALITY): number {
  const trust = Math.min(1, Math.max(0, 0.5 + reputation / (2 * REPUTATION_SPAN)));
  const observed = 0.7 * (score / 100) + 0.3 * trust;
  return (finished * observed + PRIOR_WEIGHT * prior) / (finished + PRIOR_WEIGHT);
}

/** Whether this task is of the exploration share. A hash of its id, so that replay agrees (FNV-1a, 32 bits). */
export function explores(task: TaskId): boolean {
  let hash = 0x811c9dc5;
  for (let index = 0; index < task.length; index += 1) {
    hash = Math.imul(hash ^ task.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) / 2 ** 32 < EXPLORATION_SHARE;
}

/** What `balanced` compares: the price (NC), lowered for a better worker. */
function weighedPrice({ credits, quality: good }: Pick<Weighed, "credits" | "quality">): number {
  return credits / (1 + good);
}

/** The fields of a bid that an order compares. */
export type Weighed = Omit<Bid, "worker" | "credits"> & { readonly credits: number };
type Comparator = (a: Weighed, b: Weighed) => number;

const byPrice: Comparator = (a, b) => a.credits - b.credits;
const byQuality: Comparator = (a, b) => b.quality - a.quality;
const byValue: Comparator = (a, b) => weighedPrice(a) - weighedPrice(b);
const byId: Comparator = (a, b) => (a.id < b.id ? -1 : 1);

/** Each order decides the ties of those before it. */
const ORDERS: { readonly [P in QualityPreference]: readonly Comparator[] } = {
  cheapest: [byPrice, byQuality, byId],
  best: [byQuality, byPrice, byId],
  balanced: [byValue, byId],
};

/** The order of a preference, for sorting. */
export function bestFirst(preference: QualityPreference): Comparator {
  return (a, b) => {
    for (const order of ORDERS[preference]) {
      const difference = order(a, b);
      if (difference !== 0) return difference;
    }
    return 0;
  };
}

/** The number that a preference compares: `cheapest` the price (NC), `best` the quality, `balanced` price / (1 + quality). */
export function weightOf(preference: QualityPreference, bid: Pick<Weighed, "credits" | "quality">): number {
  if (preference === "cheapest") return bid.credits;
  return preference === "best" ? bid.quality : weighedPrice(bid);
}

/** Picks the winner among `bids`, the same at every replay; undefined if there are none. */
export function award(task: TaskId, preference: QualityPreference, bids: readonly Bid[]): Award | undefined {
  const explored = explores(task) && preference !== "cheapest";
  const [winner] = [...bids].sort(bestFirst(explored ? "cheapest" : preference));
  return winner === undefined ? undefined : { winner, explored };
}
