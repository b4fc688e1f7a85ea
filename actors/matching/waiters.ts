import type { Ineligibility } from "../../machines/ineligibility.ts";
import { type Terms, termsOf } from "../../machines/market/capability.ts";
import type { AccountId, Millis } from "../../machines/vocabulary.ts";
import { Ranks } from "./ranks.ts";
import { MATCHING, type Waiter } from "./vocabulary.ts";
import { type Listed, listedAs, newWait, placesOf, type Wait, type Worker } from "./wait.ts";

function isListedAlike(a: Listed | null, b: Listed | null): boolean {
  if (a === null || b === null) return a === b;
  return a.price === b.price && a.least === b.least && a.tier === b.tier && a.quality === b.quality && a.newcomer === b.newcomer;
}

function change<K>(counts: Map<K, number>, key: K, by: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}

/** Whether these terms let in what those before kept out. */
function takesLess(before: Partial<Terms> | undefined, now: Partial<Terms> | undefined): boolean {
  const [old, fresh] = [termsOf(before), termsOf(now)];
  return fresh.minSeconds < old.minSeconds || fresh.minRequesterScore < old.minRequesterScore;
}

/** Whether a renewed wait may have tasks that it could not have before. */
function mayTakeMore(before: Waiter, now: Waiter): boolean {
  if (now.kind === "manual") return false;
  if (!isListedAlike(listedAs(before), listedAs(now))) return true;
  if (before.standing.status !== now.standing.status) return true;
  if (before.kind !== "manual" && takesLess(before.takes, now.takes)) return true;
  if (before.kind === "pull" && now.kind === "pull") return before.most < now.most || before.bytesShare < now.bytesShare;
  return before.kind === "posted" && now.kind === "posted" && before.free < now.free;
}

/** Everybody who waits. Those with a price and a place are ranked; that is kept up here with each change. */
export class Waiters {
  readonly #max: number;
  readonly #waits = new Map<string, Wait>();
  readonly #workers = new Map<AccountId, Worker>();
  /** Workers by the number of their waits by hand. */
  readonly #manual = new Map<AccountId, number>();
  /** How many waiters that may work take which lowest budget (NC), by tier; 0 for those who bid by hand. */
  readonly #prices = new Map<number, Map<number, number>>();
  /** Listeners for new tasks: who was told longest ago comes first. */
  readonly #listeners = new Set<Wait>();
  /** Workers who do not wait any more, while proposals that name them are under way. */
  readonly #absent = new Set<Worker>();
  #turns = 0;
  readonly ranks = new Ranks();
  readonly newcomers = new Ranks();

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#waits.size;
  }

  /** How many workers are present. */
  get present(): number {
    return this.#workers.size - this.#absent.size;
  }

  get(id: string): Wait | undefined {
    return this.#waits.get(id);
  }

  worker(id: AccountId): Worker | undefined {
    return this.#workers.get(id);
  }

  all(): Iterable<Wait> {
    return this.#waits.values();
  }

  /** Workers who bid by hand: those of them who have a price here too have answered by it. */
  *byHand(): Generator<Wait> {
    for (const id of this.#manual.keys()) {
      let byHand: Wait | undefined;
      for (const wait of this.#workers.get(id)?.waits ?? []) {
        byHand = wait.terms.kind === "manual" ? wait : undefined;
        if (byHand === undefined) break;
      }
      if (byHand !== undefined) yield byHand;
    }
  }

  get countByHand(): number {
    return this.#manual.size;
  }

  listeners(): Iterable<Wait> {
    return this.#listeners;
  }

  /** Takes in a waiter who has waited since `since` (ms), or its renewal; undefined where there is no room for one more. */
  put(terms: Waiter, since: Millis): { readonly wait: Wait; readonly takesMore: boolean } | undefined {
    const known = this.#waits.get(terms.id);
    if (known !== undefined) return { wait: known, takesMore: this.#renew(known, terms) };
    const worker = this.#workers.get(terms.worker) ?? {
      id: terms.worker,
      waits: new Set(),
      slots: 0,
      free: 0,
      offered: 0,
      full: null,
      fullTimes: 0,
      freedMeanwhile: false,
    };
    if (this.#waits.size >= this.#max || worker.waits.size >= MATCHING.waitersOfWorkerMax) return undefined;
    const wait = newWait(terms, worker, since);
    this.#workers.set(terms.worker, worker);
    this.#waits.set(terms.id, wait);
    worker.waits.add(wait);
    this.#absent.delete(worker);
    this.#count(terms, 1);
    this.#tell(wait);
    return { wait, takesMore: true };
  }

  #renew(wait: Wait, terms: Waiter): boolean {
    const before = wait.terms;
    if (!isListedAlike(wait.listed, listedAs(terms))) this.#unlist(wait);
    this.#count(before, -1);
    wait.terms = terms;
    this.#count(terms, 1);
    this.#tell(wait);
    return mayTakeMore(before, terms);
  }

  /** Takes over what the terms say beside their rank. */
  #tell(wait: Wait): void {
    const { terms, worker } = wait;
    if (terms.kind !== "pull" && terms.announce && !wait.ended) this.#listeners.add(wait);
    else this.#listeners.delete(wait);
    if (terms.kind === "posted") {
      worker.slots = terms.free;
      worker.free = terms.free;
    }
    this.refresh(worker);
  }

  #count(terms: Waiter, by: 1 | -1): void {
    const { tier, status } = terms.standing;
    const least = listedAs(terms)?.least ?? 0;
    const prices = this.#prices.get(tier) ?? new Map<number, number>();
    this.#prices.set(tier, prices);
    if (status === "ACTIVE") change(prices, least, by);
    if (terms.kind === "manual") change(this.#manual, terms.worker, by);
  }

  /** The lowest budget that a waiter of this tier or a higher one takes, whether or not it has a place; undefined: there is none. */
  cheapest(tier: number): number | undefined {
    let cheapest: number | undefined;
    for (const [of, prices] of this.#prices) {
      if (of < tier) continue;
      for (const price of prices.keys()) cheapest = Math.min(cheapest ?? price, price);
    }
    return cheapest;
  }

  /** It gets nothing more; it is forgotten by `remove`, when nothing is under way. */
  end(wait: Wait): void {
    wait.ended = true;
    this.#unlist(wait);
    this.#listeners.delete(wait);
  }

  remove(wait: Wait): void {
    const { terms, worker } = wait;
    this.end(wait);
    if (!this.#waits.delete(terms.id)) return;
    worker.waits.delete(wait);
    this.#count(terms, -1);
    this.refresh(worker);
  }

  /** Ranks the waiters of a worker that have a place, and no others; forgets a worker of whom nothing is left. */
  refresh(worker: Worker): void {
    if (worker.waits.size === 0) {
      if (worker.offered > 0) this.#absent.add(worker);
      else {
        this.#absent.delete(worker);
        this.#workers.delete(worker.id);
      }
    }
    for (const wait of worker.waits) {
      if (placesOf(wait) === 0) this.#unlist(wait);
      else if (wait.listed === null) this.#list(wait);
    }
  }

  /** Puts a waiter behind all that are equal to it: it has been served at `now` (ms). */
  requeue(wait: Wait, now: Millis): void {
    this.#unlist(wait);
    this.#turns += 1;
    wait.since = Math.max(wait.since, now);
    wait.turn = this.#turns;
    this.refresh(wait.worker);
  }

  /** Whether it still listens for new tasks. */
  listens(wait: Wait): boolean {
    return this.#listeners.has(wait);
  }

  /** Puts a listener behind all others: it has been told of a task. */
  told(wait: Wait): void {
    if (this.#listeners.delete(wait)) this.#listeners.add(wait);
  }

  setFull(worker: Worker, reason: Ineligibility | null): void {
    worker.full = reason;
    this.refresh(worker);
  }

  #list(wait: Wait): void {
    const listed = listedAs(wait.terms);
    if (listed === null) return;
    wait.listed = listed;
    this.ranks.add(wait, listed);
    if (listed.newcomer) this.newcomers.add(wait, listed);
  }

  #unlist(wait: Wait): void {
    const { listed } = wait;
    if (listed === null) return;
    this.ranks.remove(wait, listed);
    if (listed.newcomer) this.newcomers.remove(wait, listed);
    wait.listed = null;
  }
}
