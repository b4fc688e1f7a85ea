/**
 * For whom a task is proposed, and whether now.
 *
 * C1  In the pool: whoever is the best of those present gets it at once.
 * C2  In its window, when everybody present who bids by hand has answered: likewise, and bids that are there count too.
 * C3  In the window of a balanced task: at once for an offer that beats every bid and asks no more than the going price.
 * C4  In any other window offers are placed as bids, once for each worker and round: the best few at first, then those that beat
 *     every bid. Those of pulls only when the window is about to end, and if they wait that long: until then, they are free.
 */
import { bidIneligibility, termsIneligibility } from "../../machines/eligibility.ts";
import { betterFirst, countedPrice, seeksNewcomer } from "../../machines/market/auction.ts";
import { termsOf } from "../../machines/market/capability.ts";
import type { Millis } from "../../machines/vocabulary.ts";
import type { Known } from "./queue.ts";
import { MATCHING } from "./vocabulary.ts";
import { hasRoom, priceOf, type Wait } from "./wait.ts";
import type { Waiters } from "./waiters.ts";

export interface Plan {
  /** The best first. */
  readonly waits: readonly Wait[];
  readonly complete: boolean;
}

/** What is looked at beside the task. `share` is the going price as a share of the budget, or null. */
export interface Market {
  readonly waiters: Waiters;
  readonly share: number | null;
  readonly now: Millis;
}

type Stage = "window" | "closing" | "between" | "pool";

/** Where in its round a task is. After its window the task itself decides for a while; what it decided may not have been heard. */
export function stageOf({ task }: Known, now: Millis): Stage {
  if (task.status === "PENDING_POOL" || now >= task.windowEnds + MATCHING.poolAfterMs) return "pool";
  if (now >= task.windowEnds) return "between";
  return now >= task.windowEnds - MATCHING.windowClosingMs ? "closing" : "window";
}

/** When the stage of a task changes next (ms); null in the pool. */
export function nextStageAt(known: Known, now: Millis): Millis | null {
  const { windowEnds } = known.task;
  switch (stageOf(known, now)) {
    case "window":
      return windowEnds - MATCHING.windowClosingMs;
    case "closing":
      return windowEnds;
    case "between":
      return windowEnds + MATCHING.poolAfterMs;
    case "pool":
      return null;
  }
}

/** Whether nothing between this task and this worker speaks against it. */
export function mayHave({ onOffer, declined, bidders }: Known, { worker, terms }: Wait, price: number | null): boolean {
  if (declined.has(worker.id) || bidders.has(worker.id)) return false;
  if (terms.kind !== "manual" && termsIneligibility(onOffer, termsOf(terms.takes)) !== undefined) return false;
  return bidIneligibility(onOffer, { worker: worker.id, standing: terms.standing }, price) === undefined;
}

/** Whether everybody present who bids by hand, and may have this task, has answered. */
function isComplete(known: Known, waiters: Waiters): boolean {
  if (waiters.countByHand > MATCHING.manualMax) return false;
  for (const wait of waiters.byHand()) if (mayHave(known, wait, null)) return false;
  return true;
}

function goingOf({ task }: Known, share: number | null): number | null {
  return share === null ? null : share * task.budget;
}

/** Gives whether the task is better off with a waiter than with any bid that it has. */
function beatsBids({ task, declined }: Known, going: number | null): (wait: Wait) => boolean {
  const better = betterFirst(task.quality);
  const [rival] = task.bids
    .filter(({ worker }) => !declined.has(worker))
    .map(({ credits, quality }) => ({ credits: countedPrice(credits, going), quality }))
    .sort(better);
  if (rival === undefined) return anybody;
  return (wait) => {
    const offered = { credits: countedPrice(priceOf(wait, task), going), quality: wait.terms.standing.quality };
    return better(offered, rival) < 0;
  };
}

const anybody = () => true;

/** Whether a waiter is wanted; `stop`: nor is anybody after it. */
type Wish = (wait: Wait) => "take" | "skip" | "stop";

/** Takes the first `count` of these, each worker once, that suit the task and are wanted. */
function take(from: Iterable<Wait>, known: Known, count: number, wish: Wish): Wait[] {
  const taken: Wait[] = [];
  const seen = new Set<unknown>();
  let passedOver = 0;
  for (const wait of from) {
    if (seen.has(wait.worker)) continue;
    const wanted = wish(wait);
    if (wanted === "stop") break;
    // Another pull of the same worker may have room or time where this one has none.
    if (wanted === "take" && hasRoom(wait, known.task)) {
      seen.add(wait.worker);
      if (mayHave(known, wait, priceOf(wait, known.task))) taken.push(wait);
      else passedOver += 1;
    } else passedOver += 1;
    if (taken.length >= count || passedOver >= MATCHING.passedOverMax) break;
  }
  return taken;
}

/** Gives the best `count` for a task; one of a share of the tasks is offered to a newcomer first. */
function best(known: Known, { waiters, share }: Market, count: number, wish: Wish): readonly Wait[] {
  const { id, budget, minSkill, quality } = known.task;
  const wanted = { budget, minSkill, preference: quality, going: goingOf(known, share) };
  const found = take(waiters.ranks.bestFirst(wanted), known, count, wish);
  if (found.length === 0 || !seeksNewcomer(id, quality)) return found;
  const newcomers = waiters.newcomers.bestFirst({ ...wanted, preference: "cheapest" });
  const [newcomer] = take(newcomers, known, 1, wish);
  if (newcomer === undefined) return found;
  return [newcomer, ...found.filter(({ worker }) => worker !== newcomer.worker)].slice(0, count);
}

/**
 * How many to offer a task that is awarded at once. A second one is for the task to know something about the first that is not
 * known here. It is not free meanwhile and loses turns by it, so there is none where few are free, and never a third.
 */
function offersAtOnce({ waiters }: Market): number {
  return waiters.ranks.size < MATCHING.waitersForSecond ? 1 : 2;
}

/** Says what to propose for a task that nothing is under way for; undefined if nothing. */
export function planFor(known: Known, market: Market): Plan | undefined {
  const stage = stageOf(known, market.now);
  if (stage === "between") return undefined;
  const complete = isComplete(known, market.waiters);
  if (stage === "pool" || complete) {
    const waits = best(known, market, offersAtOnce(market), () => "take");
    const isDecided = stage !== "pool" && known.task.bids.some(({ worker }) => !known.declined.has(worker));
    return waits.length > 0 || isDecided ? { waits, complete } : undefined;
  }
  const going = goingOf(known, market.share);
  const beats = beatsBids(known, going);
  if (known.task.quality === "balanced" && going !== null) {
    const wins: Wish = (wait) => (!beats(wait) ? "stop" : priceOf(wait, known.task) <= going ? "take" : "skip");
    const waits = best(known, market, offersAtOnce(market), wins);
    if (waits.length > 0) return { waits, complete };
  }
  const isFirst = known.proposed.size === 0;
  const competes: Wish = (wait) => {
    if (!isFirst && !beats(wait)) return "stop";
    if (known.proposed.has(wait.worker.id)) return "skip";
    if (wait.terms.kind !== "pull") return "take";
    return stage === "closing" && wait.terms.until >= known.task.windowEnds ? "take" : "skip";
  };
  const waits = best(known, market, MATCHING.offersMax, competes);
  return waits.length > 0 ? { waits, complete } : undefined;
}
