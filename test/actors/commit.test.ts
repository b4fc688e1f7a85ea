/** Transactions beside others: what may be in them, and when one begins. */
import { expect, test } from "vitest";
import { Committer } from "../../actors/host/commit.ts";
import { LIMITS } from "../../actors/limits.ts";
import { type Batch, type Entry, type Journal, StoreUnavailable } from "../../actors/ports/journal.ts";
import { addressKey } from "../../machines/address.ts";
import { ManualClock } from "../support/clock.ts";
import { id, person, SILENT } from "../support/world.ts";

const MIN = LIMITS.besideFactsMin;

/** A commit that is under way until the test says what became of it. */
interface UnderWay {
  readonly batch: Batch;
  readonly end: (conflicts?: readonly string[]) => void;
  readonly fail: (error: Error) => void;
}

class Bench {
  readonly clock = new ManualClock();
  readonly underWay: UnderWay[] = [];
  readonly outcomes: string[] = [];
  readonly committer: Committer;
  readonly #after = new Map<string, number>();
  #ids = 0;

  constructor(writers = 2) {
    const append = (batch: Batch) =>
      new Promise<ReadonlySet<string>>((resolve, reject) => {
        const gone = () => this.underWay.splice(this.underWay.indexOf(one), 1);
        const one: UnderWay = {
          batch,
          end: (conflicts = []) => {
            gone();
            resolve(new Set(conflicts));
          },
          fail: (error) => {
            gone();
            reject(error);
          },
        };
        this.underWay.push(one);
      });
    const never = () => Promise.reject(new Error("nothing is read here"));
    const journal: Journal = { append, load: never, caused: never, outbox: never, timers: never };
    const ids = {
      next: () => {
        this.#ids += 1;
        return id(this.#ids);
      },
    };
    this.committer = new Committer({ journal, clock: this.clock, ids, log: SILENT, fenced: () => {} }, { writers });
  }

  /** Submits an entry of so many facts of an account. */
  submit(account: number, facts = 1): void {
    const address = { kind: "account" as const, id: person(account) };
    const after = this.#after.get(address.id) ?? 0;
    this.#after.set(address.id, after + facts);
    const made = Array.from({ length: facts }, () => ({ type: "Repaid", version: 1, body: {}, at: 0 }));
    const rest = { cause: null, postings: [], messages: [], timers: [], row: null, parts: [], snapshot: undefined };
    this.committer.submit({ address, after, facts: made, ...rest }, (outcome) =>
      this.outcomes.push(`${account}.${after + 1} ${outcome}`),
    );
  }

  /** What is in each transaction under way, as `account.first fact`. */
  get inside(): readonly (readonly string[])[] {
    const named = ({ address, after }: Entry) => `${Number.parseInt(address.id.slice(-4), 10)}.${after + 1}`;
    return this.underWay.map(({ batch }) => batch.entries.map(named));
  }

  one(index: number): UnderWay {
    const one = this.underWay[index];
    if (one === undefined) throw new Error(`transaction ${index} is not under way`);
    return one;
  }

  async turns(count = 4): Promise<void> {
    for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** One transaction is under way, with an entry of account 1. */
async function begun(writers?: number): Promise<Bench> {
  const bench = new Bench(writers);
  bench.submit(1);
  await bench.turns();
  expect(bench.inside).toEqual([["1.1"]]);
  return bench;
}

test("what gathers while a transaction runs is committed beside it, without its actors", async () => {
  const bench = await begun();
  bench.submit(1);
  bench.submit(2, MIN);
  bench.submit(1);
  bench.submit(3);
  await bench.turns();
  expect(bench.inside).toEqual([["1.1"], ["2.1", "3.1"]]);
  bench.one(0).end();
  await bench.turns();
  expect(bench.inside).toEqual([["2.1", "3.1"]]);
  bench.one(0).end();
  await bench.turns();
  expect(bench.inside).toEqual([["1.2", "1.3"]]);
  bench.one(0).end();
  await bench.turns();
  expect(bench.outcomes).toEqual(["1.1", "2.1", "3.1", "1.2", "1.3"].map((entry) => `${entry} committed`));
});

test.each([
  [MIN - 1, 1],
  [MIN, 2],
])("of %i facts of other actors, so many transactions are under way: %i", async (facts, transactions) => {
  const bench = await begun();
  bench.submit(1, MIN);
  bench.submit(2, facts);
  await bench.turns();
  expect(bench.underWay).toHaveLength(transactions);
});

test("none begins beside another while every turn of the event loop brings an entry", async () => {
  const bench = await begun();
  for (let turn = 0; turn < 10; turn += 1) {
    bench.submit(2 + turn, MIN);
    await bench.turns(1);
    expect(bench.underWay).toHaveLength(1);
  }
  await bench.turns();
  expect(bench.underWay).toHaveLength(2);
  expect(bench.inside[1]).toHaveLength(10);
});

test.each([1, 2, 3])("no more than %i are under way at once", async (writers) => {
  const bench = await begun(writers);
  for (let account = 2; account < 8; account += 1) {
    bench.submit(account, MIN);
    await bench.turns();
  }
  expect(bench.underWay).toHaveLength(writers);
  while (bench.underWay.length > 0) {
    bench.one(0).end();
    await bench.turns();
  }
  expect(bench.outcomes).toHaveLength(7);
});

test("a conflict in one concerns its own actors, and what they have decided since", async () => {
  const bench = await begun();
  bench.submit(2, MIN);
  await bench.turns();
  bench.submit(1);
  bench.submit(2);
  bench.submit(3);
  bench.one(1).end([addressKey({ kind: "account", id: person(2) })]);
  await bench.turns();
  expect(bench.outcomes).toEqual(["2.1 conflict", `2.${MIN + 1} conflict`]);
  bench.one(0).end();
  await bench.turns();
  expect(bench.inside).toEqual([["1.2", "3.1"]]);
});

test("while one finds out which of its entries cannot be written, the other goes on, and its actors wait for that", async () => {
  const bench = await begun();
  bench.submit(2, MIN);
  bench.submit(3);
  await bench.turns();
  bench.one(1).fail(new Error("22P05"));
  await bench.turns();
  expect(bench.inside).toEqual([["1.1"], ["2.1"]]);
  bench.submit(3);
  bench.one(0).end();
  await bench.turns();
  expect(bench.inside).toEqual([["2.1"]]);
  bench.one(0).fail(new Error("22P05"));
  await bench.turns();
  expect(bench.inside).toEqual([["3.1"]]);
  bench.one(0).end();
  await bench.turns();
  expect(bench.inside).toEqual([["3.2"]]);
  expect(bench.outcomes).toEqual(["1.1 committed", "2.1 broken", "3.1 committed"]);
});

test("one whose outcome is not known is repeated under its id, the other ends by itself, and what waits fails", async () => {
  const bench = await begun();
  bench.submit(2, MIN);
  await bench.turns();
  bench.submit(1);
  const { id: unknown } = bench.one(0).batch;
  bench.one(0).fail(new StoreUnavailable("lost"));
  await bench.turns();
  expect(bench.outcomes).toEqual(["1.2 unavailable"]);
  bench.one(0).end();
  await bench.turns();
  expect(bench.outcomes).toEqual(["1.2 unavailable", "2.1 committed"]);
  bench.clock.to(bench.clock.now() + LIMITS.retryMinMs);
  await bench.turns();
  expect(bench.one(0).batch.id).toBe(unknown);
  bench.one(0).end();
  await bench.turns();
  expect(bench.outcomes).toContain("1.1 committed");
  await bench.committer.flush();
});
