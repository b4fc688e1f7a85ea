/**
 * Decides which judgement is next. Every account has queues of its own, ordered by the thread time that the account has used
 * recently, so an account that keeps sending costly judgements waits behind all others.
 *
 * Q1  The account with the least thread time is next, in ms that decay by half every HALF_LIFE_MS. Within an account and a
 *     lane the oldest is next.
 * Q2  A submission goes before an example of an account that has used as much. Waiting counts in favour of both, so neither
 *     lane starves.
 * Q3  An account may have as many waiting as places are still free, so at most half of all; there is always room for others.
 * Q4  An account that has used a lot recently is heavy. The caller may ask for one that is not: one thread is reserved for them.
 * Q5  An account that neither waits nor has used a millisecond recently is forgotten, at the latest when thread time is next
 *     counted. So memory is bounded by the thread time that was used.
 */
import type { Lane } from "../../../machines/validation/judgement.ts";

const LANES: readonly Lane[] = ["submission", "example"];

/** Half-life of used thread time (ms). */
const HALF_LIFE_MS = 10_000;
/** Handicap of an example (ms of thread time). */
const EXAMPLE_MS = 200;
/** A tenth of the waiting time is subtracted from the used thread time. */
const AGING = 10;
/** Below this, the use of an account is forgotten (ms of thread time). */
const FORGOTTEN_MS = 1;

/** A waiting judgement. */
export interface Waiting<J> {
  readonly account: string;
  readonly lane: Lane;
  readonly job: J;
  readonly since: number;
}

interface Line<J> {
  readonly waiting: { readonly [L in Lane]: Waiting<J>[] };
  /** Thread time used (ms), as of `usedAt`. */
  used: number;
  usedAt: number;
}

export class FairQueue<J> {
  readonly #lines = new Map<string, Line<J>>();
  readonly #waitingMax: number;
  readonly #heavyMs: number;
  #size = 0;
  #sweptAt = 0;

  /** At most `waitingMax` wait in total; an account that has used `heavyMs` of thread time recently is heavy. */
  constructor(waitingMax: number, heavyMs: number) {
    this.#waitingMax = waitingMax;
    this.#heavyMs = heavyMs;
  }

  /** Number of waiting judgements. */
  get size(): number {
    return this.#size;
  }

  /** Number of remembered accounts. */
  get accounts(): number {
    return this.#lines.size;
  }

  /** Enqueues at `now` (ms); undefined if there is no place for this account. */
  join(account: string, lane: Lane, job: J, now: number): Waiting<J> | undefined {
    const { waiting } = this.#line(account, now);
    const mine = waiting.submission.length + waiting.example.length;
    if (mine >= this.#waitingMax - this.#size) return undefined;
    const one = { account, lane, job, since: now };
    waiting[lane].push(one);
    this.#size += 1;
    return one;
  }

  /** Removes one from the queue; false if it was no longer there. */
  leave(one: Waiting<J>): boolean {
    const line = this.#lines.get(one.account)?.waiting[one.lane] ?? [];
    const at = line.indexOf(one);
    if (at < 0) return false;
    line.splice(at, 1);
    this.#size -= 1;
    return true;
  }

  /** Dequeues the next at `now` (ms), from accounts that are not heavy unless `heavyToo`. */
  next(now: number, heavyToo: boolean): Waiting<J> | undefined {
    let first: Waiting<J> | undefined;
    let best = Number.POSITIVE_INFINITY;
    for (const line of this.#lines.values()) {
      if (isIdle(line)) continue;
      const used = usedBy(line, now);
      if (used >= this.#heavyMs && !heavyToo) continue;
      for (const lane of LANES) {
        const [one] = line.waiting[lane];
        if (one === undefined) continue;
        const rank = used + (lane === "example" ? EXAMPLE_MS : 0) - (now - one.since) / AGING;
        if (rank < best || (rank === best && first !== undefined && one.since < first.since)) {
          best = rank;
          first = one;
        }
      }
    }
    if (first !== undefined) this.leave(first);
    return first;
  }

  /** Counts thread time (ms) for an account; a negative amount corrects what was counted too much. */
  charge(account: string, ms: number, now: number): void {
    const line = this.#line(account, now);
    line.used = Math.max(0, usedBy(line, now) + ms);
    line.usedAt = now;
    if (now - this.#sweptAt >= HALF_LIFE_MS) this.sweep(now);
  }

  /** Forgets accounts that have been idle long enough. */
  sweep(now: number): void {
    this.#sweptAt = now;
    for (const [account, line] of this.#lines) {
      if (isIdle(line) && usedBy(line, now) < FORGOTTEN_MS) this.#lines.delete(account);
    }
  }

  /** Removes all. */
  empty(): readonly Waiting<J>[] {
    const all = [...this.#lines.values()].flatMap(({ waiting }) => LANES.flatMap((lane) => waiting[lane].splice(0)));
    this.#size = 0;
    return all;
  }

  #line(account: string, now: number): Line<J> {
    const known = this.#lines.get(account);
    if (known !== undefined) return known;
    const made: Line<J> = { waiting: { submission: [], example: [] }, used: 0, usedAt: now };
    this.#lines.set(account, made);
    return made;
  }
}

function isIdle({ waiting }: Line<unknown>): boolean {
  return LANES.every((lane) => waiting[lane].length === 0);
}

function usedBy({ used, usedAt }: { readonly used: number; readonly usedAt: number }, now: number): number {
  return used * 2 ** ((usedAt - now) / HALF_LIFE_MS);
}
