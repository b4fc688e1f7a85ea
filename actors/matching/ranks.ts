import { betterFirst, countedPrice } from "../../machines/market/auction.ts";
import type { QualityPreference } from "../../machines/vocabulary.ts";
import { inOrder, type Order, SortedList } from "./sorted.ts";
import { type Listed, longestFirst, type Wait } from "./wait.ts";

/** Waiters with the same price, skill tier and lowest budget: the best quality first, then the longest wait. */
interface Rank {
  readonly price: number | null;
  readonly least: number;
  readonly waits: SortedList<Wait>;
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
    let [from, to] = [0, ranks.length];
    // Of two with the same lowest budget, the one with a posted price comes first.
    const isBefore = (rank: Rank) => rank.least < least || (rank.least === least && rank.price !== null && rank.price !== price);
    while (from < to) {
      const middle = (from + to) >>> 1;
      const rank = ranks[middle];
      if (rank !== undefined && isBefore(rank)) from = middle + 1;
      else to = middle;
    }
    const rank = ranks[from];
    return { ranks, index: from, rank: rank?.least === least && rank.price === price ? rank : undefined };
  }

  /** Takes a waiter that is `listed`, and is not here. */
  add(wait: Wait, listed: Listed): void {
    const { ranks, index, rank } = this.#find(listed);
    const waits = rank?.waits ?? new SortedList(withinRank);
    waits.add(wait);
    if (rank === undefined) ranks.splice(index, 0, { price: listed.price, least: listed.least, waits });
    this.#size += 1;
  }

  remove(wait: Wait, listed: Listed): void {
    const { ranks, index, rank } = this.#find(listed);
    if (rank === undefined || !rank.waits.remove(wait)) return;
    if (rank.waits.size === 0) ranks.splice(index, 1);
    this.#size -= 1;
  }

  /** Gives all whose price and tier suit the task, the best first; of equal ones, the longest wait. */
  bestFirst({ budget, minSkill, preference, going }: Wanted): Generator<Wait> {
    const lists: SortedList<Wait>[] = [];
    for (let tier = Math.max(0, minSkill); tier < this.#tiers.length; tier += 1) {
      for (const { least, waits } of this.#tiers[tier] ?? []) {
        if (least > budget) break;
        lists.push(waits);
      }
    }
    const better = betterFirst(preference);
    const termsOf = ({ listed }: Wait) => ({
      credits: countedPrice(listed?.price ?? budget, going),
      quality: listed?.quality ?? 0,
    });
    return inOrder(lists, (a, b) => better(termsOf(a), termsOf(b)) || longestFirst(a, b));
  }
}
