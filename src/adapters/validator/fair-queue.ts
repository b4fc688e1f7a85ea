/**
 * Who is judged next. Every account has lines of its own, and what counts is the thread time that it has used lately: who
 * has used more waits longer, so an account that sends the most costly judgements all the time stands behind everyone
 * who does not.
 *
 * Q1  Next is whoever's account has used the least, in ms of thread time that halve every HALF_LIFE_MS. Of one account and
 *     lane the oldest is next.
 * Q2  A submission goes before an example of an account that has used as much. Waiting makes up for both, so neither lane
 *     waits for ever for the other.
 * Q3  One account may have as many waiting as are still free, so half of all at most, and there is always room for others.
 * Q4  An account that has used a lot lately is heavy. The caller may ask for one that is not: a thread is kept for those.
 * Q5  An account that neither waits nor has used a millisecond lately is forgotten, at the latest with the next thread time
 *     that is counted. So there are never more than thread time can have been given to.
 */
import type { Lane } from "../../../machines/entity.ts";

const LANES: readonly Lane[] = ["submission", "example"];

/** What counts as thread time used lately: it halves in this time (ms). */
const HALF_LIFE_MS = 10_000;
/** An example waits as if its account had used so much more (ms of thread time). */
const EXAMPLE_MS = 200;
/** A tenth of the time that one has waited counts as if its account had used so much less. */
const PATIENCE = 10;
/** Below this the use of an account is forgotten (ms of thread time). */
const FORGOTTEN_MS = 1;

/** One that waits. */
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

  /** At most `waitingMax` wait in all; an account that has used `heavyMs` of thread time lately is heavy. */
  constructor(waitingMax: number, heavyMs: number) {
    this.#waitingMax = waitingMax;
    this.#heavyMs = heavyMs;
  }

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  /** How many accounts something is known of. */
  get accounts(): number {
    return this.#lines.size;
  }

  /** Takes a place at `now` (ms); undefined when there is none for this account. */
  join(account: string, lane: Lane, job: J, now: number): Waiting<J> | undefined {
    const { waiting } = this.#line(account, now);
    const mine = waiting.submission.length + waiting.example.length;
    if (mine >= this.#waitingMax - this.#size) return undefined;
    const one = { account, lane, job, since: now };
    waiting[lane].push(one);
    this.#size += 1;
    return one;
  }

  /** Gives a place up; false when it was gone already. */
  leave(one: Waiting<J>): boolean {
    const line = this.#lines.get(one.account)?.waiting[one.lane] ?? [];
    const at = line.indexOf(one);
    if (at < 0) return false;
    line.splice(at, 1);
    this.#size -= 1;
    return true;
  }

  /** Takes out who is next at `now` (ms), of accounts that are not heavy unless `heavyToo`. */
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
        const rank = used + (lane === "example" ? EXAMPLE_MS : 0) - (now - one.since) / PATIENCE;
        if (rank < best || (rank === best && first !== undefined && one.since < first.since)) {
          best = rank;
          first = one;
        }
      }
    }
    if (first !== undefined) this.leave(first);
    return first;
  }

  /** Counts thread time (ms) for an account; less than nothing gives back what was counted too much. */
  charge(account: string, ms: number, now: number): void {
    const line = this.#line(account, now);
    line.used = Math.max(0, usedBy(line, now) + ms);
    line.usedAt = now;
    if (now - this.#sweptAt >= HALF_LIFE_MS) this.sweep(now);
  }

  /** Forgets the accounts that have been idle long enough. */
  sweep(now: number): void {
    this.#sweptAt = now;
    for (const [account, line] of this.#lines) {
      if (isIdle(line) && usedBy(line, now) < FORGOTTEN_MS) this.#lines.delete(account);
    }
  }

  /** Takes all out. */
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
