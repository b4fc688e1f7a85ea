/** What listeners are told of a new task, and its requester of one that nobody takes. */

import { isNewcomer } from "../../machines/market/auction.ts";
import type { AccountId, Millis } from "../../machines/vocabulary.ts";
import { mayHave } from "./candidates.ts";
import type { Known } from "./queue.ts";
import { type Announce, type Explain, MATCHING, type Unmatched } from "./vocabulary.ts";
import { priceOf, type Wait } from "./wait.ts";
import type { Waiters } from "./waiters.ts";

/** Of the listeners that a task is announced to, the best and the newcomers; the rest are those who were told longest ago. */
const BEST_SHARE = 1 / 2;
const NEWCOMER_SHARE = 1 / 4;

/** A bounded number of listeners, who was told longest ago first. */
function longestAgo(waiters: Waiters): readonly Wait[] {
  const looked: Wait[] = [];
  for (const wait of waiters.listeners()) {
    if (looked.length >= MATCHING.announceLookMax) break;
    looked.push(wait);
  }
  return looked;
}

/**
 * Chooses at most `most` listeners who may have the task, each worker once: those of `before` first. No more are asked whether they
 * may than must be.
 */
function choose(known: Known, waiters: Waiters, most: number, before: readonly Wait[]): Iterable<Wait> {
  const chosen = new Map<AccountId, Wait>();
  const add = (waits: readonly Wait[], upTo: number) => {
    for (const wait of waits) {
      if (chosen.size >= upTo) return;
      if (!chosen.has(wait.worker.id) && mayHave(known, wait, priceOf(wait, known.task))) chosen.set(wait.worker.id, wait);
    }
  };
  add(
    before.filter((wait) => waiters.listens(wait)),
    most,
  );
  if (chosen.size >= most) return chosen.values();
  const left = most - chosen.size;
  const looked = longestAgo(waiters);
  const best = looked.toSorted((a, b) => b.terms.standing.quality - a.terms.standing.quality);
  const newcomers = looked.filter(({ terms }) => terms.finished !== undefined && isNewcomer(terms.finished));
  add(best, chosen.size + Math.floor(left * BEST_SHARE));
  add(newcomers, chosen.size + Math.floor(left * NEWCOMER_SHARE));
  add(looked, most);
  return chosen.values();
}

/**
 * Divides `most` streams among gateways, by how many workers of each are told: the shares add up to `most`, and none is smaller
 * than its number of workers as long as all of them together are at most `most`.
 */
function shareStreams(gateways: ReadonlyMap<string, readonly AccountId[]>, most: number): Announce["to"] {
  const all = [...gateways.values()].reduce((sum, workers) => sum + workers.length, 0);
  let upTo = 0;
  return [...gateways].map(([gateway, workers]) => {
    const before = Math.floor((most * upTo) / all);
    upTo += workers.length;
    return { gateway, workers, streams: Math.floor((most * upTo) / all) - before };
  });
}

/**
 * Those who are told of new tasks. Tasks of one moment are told to the same listeners, as far as these may have them: each gets them in
 * one message then, and a thousand listeners cost no more than a few.
 */
export class Audience {
  readonly #waiters: Waiters;
  readonly #most: number;
  #chosen: readonly Wait[] = [];
  #until: Millis = 0;

  /** `most` is how many streams are told of a task. */
  constructor(waiters: Waiters, most: number) {
    this.#waiters = waiters;
    this.#most = most;
  }

  /** Announces a task to at most so many streams of as many listeners, who then are behind all others; undefined if there are none. */
  announce(known: Known, now: Millis): Announce | undefined {
    const before = now < this.#until ? this.#chosen : [];
    const chosen = [...choose(known, this.#waiters, this.#most, before)];
    if (chosen.length === 0) return undefined;
    if (before.length === 0) this.#until = now + MATCHING.audienceMs;
    this.#chosen = chosen;
    const gateways = new Map<string, AccountId[]>();
    for (const wait of chosen) {
      const { gateway, worker } = wait.terms;
      gateways.set(gateway, [...(gateways.get(gateway) ?? []), worker]);
      this.#waiters.told(wait);
    }
    return { type: "announce", task: known.task.id, to: shareStreams(gateways, this.#most) };
  }
}

/** Says why nobody present takes a task; undefined if somebody may who only has no time. */
export function whyUnmatched(known: Known, waiters: Waiters): Unmatched | undefined {
  const { budget, minSkill } = known.task;
  if (waiters.present === 0) return "NOBODY_PRESENT";
  const cheapest = waiters.cheapest(minSkill);
  if (cheapest === undefined) return waiters.cheapest(0) === undefined ? "NONE_ELIGIBLE" : "SKILL_TOO_LOW";
  if (cheapest > budget) return "ALL_TOO_DEAR";
  let looked = 0;
  for (const wait of waiters.all()) {
    looked += 1;
    if (looked > MATCHING.lookAheadMax || mayHave(known, wait, priceOf(wait, known.task))) return undefined;
  }
  return "NONE_ELIGIBLE";
}

/** Explains why a task is still in the pool; undefined if that is known already. */
export function explain(known: Known, waiters: Waiters, now: Millis): Explain | undefined {
  const before = known.explained;
  if (before !== null && (now < before.at + MATCHING.explainAgainMs || before.times >= MATCHING.explanationsMax))
    return undefined;
  const why = whyUnmatched(known, waiters);
  if (why === undefined || why === before?.why) return undefined;
  known.explained = { why, at: now, times: (before?.times ?? 0) + 1 };
  return { type: "explain", task: known.task.id, why, present: waiters.present };
}
