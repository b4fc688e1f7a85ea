/** Fairness is counted in judgements and in the thread time that is charged, never in the time of the test. */
import { describe, expect, test } from "vitest";
import type { Lane } from "../../machines/validation/judgement.ts";
import { FairQueue, type Waiting } from "../../src/adapters/validator/fair-queue.ts";
import { VALIDATOR_LIMITS } from "../../src/adapters/validator/pool.ts";

const HEAVY_MS = 250;
const { deadlineMs: DEADLINE_MS, waitMs: WAIT_MS } = VALIDATOR_LIMITS;

/** A queue with one thread, on a clock that goes on by what each judgement takes. */
class Bench {
  readonly queue: FairQueue<number>;
  now = 0;
  readonly judged: string[] = [];
  #places: Waiting<number>[] = [];

  constructor(waitingMax = 1_000) {
    this.queue = new FairQueue(waitingMax, HEAVY_MS);
  }

  join(account: string, times = 1, lane: Lane = "submission", ms = 5): number {
    const taken = Array.from({ length: times }, () => this.queue.join(account, lane, ms, this.now));
    const places = taken.filter((place) => place !== undefined);
    this.#places.push(...places);
    return places.length;
  }

  /** As the pool does with who has waited too long. */
  #expire(): void {
    for (const place of this.#places) if (this.now - place.since > WAIT_MS) this.queue.leave(place);
    this.#places = this.#places.filter(({ since }) => this.now - since <= WAIT_MS);
  }

  /** Judges the next one; gives whose it was. */
  step(heavyToo = true): string | undefined {
    this.#expire();
    const next = this.queue.next(this.now, heavyToo);
    if (next === undefined) return undefined;
    this.now += next.job;
    this.queue.charge(next.account, next.job, this.now);
    this.judged.push(next.account);
    return `${next.account} ${next.lane}`;
  }
}

describe("the fair queue", () => {
  test("gives accounts that ask for the same their turns one by one", () => {
    const bench = new Bench();
    for (const account of ["anna", "bert", "cora"]) bench.join(account, 10);
    for (let n = 0; n < 30; n += 1) bench.step();
    for (let turn = 0; turn < 30; turn += 3)
      expect(bench.judged.slice(turn, turn + 3).toSorted()).toEqual(["anna", "bert", "cora"]);
  });

  test("meters thread time, not turns: a hundred cheap ones go for the price of one that ran to its deadline", () => {
    const bench = new Bench();
    bench.join("mallory", 50, "submission", DEADLINE_MS);
    bench.step();
    bench.join("anna", 100, "submission", 4);
    for (let n = 0; n < 100; n += 1) expect(bench.step()).toBe("anna submission");
    expect(bench.step()).toBe("mallory submission");
  });

  test("lets nobody wait for a backlog that one account has built up before", () => {
    const bench = new Bench();
    bench.join("mallory", 400, "submission", DEADLINE_MS);
    for (let n = 0; n < 4; n += 1) bench.step();
    for (const account of ["anna", "bert", "cora"]) {
      bench.join(account);
      expect(bench.step()).toBe(`${account} submission`);
    }
  });

  test("nor for ten accounts that attack together, once each has had its first", () => {
    const bench = new Bench();
    const attackers = Array.from({ length: 10 }, (_, n) => `mallory${n}`);
    for (let n = 0; n < 10; n += 1) {
      for (const account of attackers) bench.join(account, 50, "submission", DEADLINE_MS);
      bench.step();
    }
    expect(new Set(bench.judged).size).toBe(10);
    for (let n = 0; n < 20; n += 1) {
      for (const account of attackers) bench.join(account, 50, "submission", DEADLINE_MS);
      bench.join("anna");
      expect(bench.step()).toBe("anna submission");
      bench.step();
    }
  });

  test("takes submissions before examples, whoever was first", () => {
    const bench = new Bench();
    bench.join("anna", 3, "example");
    bench.now += 10;
    bench.join("bert", 2, "submission");
    bench.join("anna", 1, "submission");
    const lanes = Array.from({ length: 6 }, () => bench.step()?.split(" ")[1]);
    expect(lanes).toEqual(["submission", "submission", "submission", "example", "example", "example"]);
  });

  test("lets neither lane wait for ever for the other, although new accounts go on to submit", () => {
    const bench = new Bench();
    bench.join("anna", 1, "example");
    let turns = 0;
    for (; turns < 1_000; turns += 1) {
      bench.join(`bert${turns}`);
      if (bench.step() === "anna example") break;
    }
    expect(turns).toBeLessThan(500);
    const examples = new Bench();
    examples.join("anna", 1, "submission", DEADLINE_MS);
    examples.step();
    examples.join("anna", 1, "submission");
    for (turns = 0; turns < 1_000; turns += 1) {
      examples.join(`bert${turns}`, 1, "example");
      if (examples.step() === "anna submission") break;
    }
    expect(turns).toBeLessThan(1_000);
  });

  test("does not let submissions of who uses much go before examples of who uses little", () => {
    const bench = new Bench();
    bench.join("mallory", 50, "submission", DEADLINE_MS);
    bench.step();
    bench.join("anna", 1, "example");
    expect(bench.step()).toBe("anna example");
  });

  test("leaves half of what is free to others, however much one account sends", () => {
    const bench = new Bench(100);
    expect(bench.join("mallory", 1_000)).toBe(50);
    expect(bench.join("bert", 1_000)).toBe(25);
    expect(bench.join("anna", 1)).toBe(1);
    expect(bench.queue.size).toBe(76);
    for (let n = 0; n < 10; n += 1) bench.join(`mallory${n}`, 1_000);
    expect(bench.queue.size).toBeLessThanOrEqual(100);
  });

  test("has nobody heavy next where one is asked for who is not", () => {
    const bench = new Bench();
    bench.join("mallory", 5, "submission", DEADLINE_MS);
    expect(bench.step(false)).toBe("mallory submission");
    expect(bench.step(false)).toBeUndefined();
    bench.join("anna");
    expect(bench.step(false)).toBe("anna submission");
    expect(bench.step(true)).toBe("mallory submission");
  });

  test("forgives with time, and then forgets", () => {
    const bench = new Bench();
    for (let n = 0; n < 1_000; n += 1) bench.join(`mallory${n}`, 1, "submission", 1);
    while (bench.step() !== undefined) {}
    bench.join("mallory", 1, "submission", DEADLINE_MS);
    bench.step();
    bench.join("mallory");
    expect(bench.step(false)).toBeUndefined();
    bench.now += 11_000;
    bench.join("mallory");
    expect(bench.step(false)).toBe("mallory submission");
    bench.now += 200_000;
    bench.join("anna");
    bench.step();
    expect(bench.queue.accounts).toBe(1);
  });

  test("keeps nothing of who was turned away, or gave up", () => {
    const bench = new Bench(2);
    const place = bench.queue.join("anna", "example", 1, 0);
    for (let n = 0; n < 100; n += 1) bench.join(`mallory${n}`);
    expect(place !== undefined && bench.queue.leave(place)).toBe(true);
    expect(place !== undefined && bench.queue.leave(place)).toBe(false);
    bench.queue.sweep(0);
    expect(bench.queue.accounts).toBe(bench.queue.size);
  });
});
