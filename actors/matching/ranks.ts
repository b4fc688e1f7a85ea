import { betterFirst, countedPrice, penaltyOf } from "../../machines/market/auction.ts";
import type { QualityPreference } from "../../machines/vocabulary.ts";
import { firstIndex, Heads, inOrder, type Order, SortedList } from "./sorted.ts";
import { type Listed, longestFirst, type Wait } from "./wait.ts";

/** Waiters with the same price, skill tier and lowest budget: the best quality first, then the longest wait. */
interface Rank {
  readonly price: number | null;
  readonly least: number;
  readonly waits: SortedList<Wait>;
  /** The quality of the first of them. */
  quality: number;
}

/** What a task asks of its worker. `going` is the going price (NC), or null. */
export interface Wanted {
  readonly budget: number;
  readonly minSkill: number;
  readonly preference: QualityPreference;
  readonly going: number | null;
}

const qualityOf = ({ listed }: Wait) => listed?.quality ?? 0;

/** The order within a rank; it is that of each preference, because the price is one. */
const withinRank: Order<Wait> = (a, b) => qualityOf(b) - qualityOf(a) || longestFirst(a, b);

/**
 * The waiters that have a price and a place, by what a task can compare. A look at each rank suffices to find the best one for a
 * task, so waiters with equal terms cost nothing, and prices and tiers bound how many ranks there are.
 */
export class Ranks {
  /** By tier; in each the lowest `least` first. */
  readonly #tiers: Rank[][] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  #find({ tier, least, price }: Listed): { readonly ranks: Rank[]; readonly index: number; readonly rank: Rank | undefined } {
    while (this.#tiers.length <= tier) this.#tiers.push([]);
    const ranks = this.#tiers[tier] ?? [];
    // Of two with the same lowest budget, the one with a posted price comes first.
    const index = firstIndex(
      ranks,
      (rank) => rank.least > least || (rank.least === least && (price !== null || rank.price === null)),
    );
    const rank = ranks[index];
    return { ranks, index, rank: rank?.least === least && rank.price === price ? rank : undefined };
  }

  /** Takes a waiter that is `listed`, and is not here. */
  add(wait: Wait, listed: Listed): void {
    const { ranks, index, rank } = this.#find(listed);
    this.#size += 1;
    if (rank !== undefined) {
      rank.waits.add(wait);
      rank.quality = Math.max(rank.quality, listed.quality);
      return;
    }
    const { price, least, quality } = listed;
    const waits = new SortedList(withinRank);
    waits.add(wait);
    ranks.splice(index, 0, { price, least, waits, quality });
  }

  remove(wait: Wait, listed: Listed): void {
    const { ranks, index, rank } = this.#find(listed);
    if (rank === undefined || !rank.waits.remove(wait)) return;
    this.#size -= 1;
    const { first } = rank.waits;
    if (first === undefined) ranks.splice(index, 1);
    else rank.quality = qualityOf(first);
  }

  /** Gives all whose price and tier suit the task, the best first; of equal ones, the longest wait. */
  bestFirst(wanted: Wanted): Generator<Wait> {
    const { budget, preference, going } = wanted;
    const better = betterFirst(preference);
    const termsOf = (wait: Wait) => ({ credits: countedPrice(wait.listed?.price ?? budget, going), quality: qualityOf(wait) });
    const order: Order<Wait> = (a, b) => better(termsOf(a), termsOf(b)) || longestFirst(a, b);
    return inOrder((width) => this.#choose(wanted, new Heads(order, width)), order);
  }

  #choose({ budget, minSkill, preference, going }: Wanted, heads: Heads<Wait>): Heads<Wait> {
    // All ranks may have to be looked at, so most are passed over by a number.
    const weigh = (price: number, quality: number) => penaltyOf(preference, { credits: countedPrice(price, going), quality });
    let worst = Number.POSITIVE_INFINITY;
    let worstQuality = 0;
    for (let tier = Math.max(0, minSkill); tier < this.#tiers.length; tier += 1) {
      for (const { least, price, quality, waits } of this.#tiers[tier] ?? []) {
        if (least > budget) break;
        if (preference === "best" && quality < worstQuality) {
          heads.leftOut();
          continue;
        }
        const weight = weigh(price ?? budget, quality);
        // Below half of the going price many weigh the same, and quality decides.
        if (weight > worst || (weight === worst && preference === "cheapest" && quality < worstQuality)) {
          heads.leftOut();
          // The prices that follow are higher, and no quality makes up for it.
          if (preference !== "best" && weigh(least, 1) > worst) break;
          continue;
        }
        heads.offer(waits);
        const { last } = heads;
        if (last === undefined) continue;
        worstQuality = qualityOf(last);
        worst = weigh(last.listed?.price ?? budget, worstQuality);
      }
    }
    return heads;
  }
}
