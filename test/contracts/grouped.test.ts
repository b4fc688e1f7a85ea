/** Single rows that many ask for at once: how many queries that takes, what each gets, and what happens when the database hangs. */
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "vitest";
import { StoreUnavailable } from "../../actors/ports/journal.ts";
import { GroupedRead, KEYS_MAX, WAITING_MAX } from "../../src/adapters/postgres/grouped.ts";

interface Query {
  readonly keys: readonly string[];
  readonly answer: (rows: ReadonlyMap<string, number>) => void;
  readonly fail: (error: Error) => void;
}

let queries: Query[];
let reads: GroupedRead<number>;

function grouped(mostMs = 10_000): GroupedRead<number> {
  return new GroupedRead((keys) => new Promise((answer, fail) => queries.push({ keys, answer, fail })), mostMs);
}

beforeEach(() => {
  queries = [];
  reads = grouped();
});

async function answer(index: number, row: number): Promise<void> {
  const query = queries[index];
  query?.answer(new Map(query.keys.map((key) => [key, row])));
  await turn();
}

const find = (...keys: readonly string[]) => keys.map((key) => reads.find(key));
const asked = () => queries.map(({ keys }) => keys);

describe("a row", () => {
  test("is asked for at once by the first two, and then for all together, each key once", async () => {
    const [a, b, c, d, again] = find("a", "b", "c", "d", "c");
    expect(asked()).toEqual([["a"], ["b"]]);
    await answer(1, 1);
    expect(asked()).toEqual([["a"], ["b"], ["c", "d"]]);
    await answer(0, 2);
    await answer(2, 3);
    expect(await Promise.all([a, b, c, d, again])).toEqual([2, 1, 3, 3, 3]);
    expect(queries).toHaveLength(3);
  });

  test("that is asked for while a query has begun to read it is read again, so that nobody gets it as it was before", async () => {
    const [before] = find("a");
    const [after] = find("a");
    expect(asked()).toEqual([["a"], ["a"]]);
    await answer(0, 1);
    await answer(1, 2);
    expect(await Promise.all([before, after])).toEqual([1, 2]);
  });

  test("that there is not is undefined, whatever the others of its query are", async () => {
    const [, , a, b] = find("1", "2", "a", "b");
    await answer(0, 0);
    queries[2]?.answer(new Map([["b", 7]]));
    expect(await Promise.all([a, b])).toEqual([undefined, 7]);
  });
});

describe("a query", () => {
  test(`reads ${KEYS_MAX} keys at most, those that have waited longest`, async () => {
    const keys = Array.from({ length: KEYS_MAX + 1 }, (_, n) => `k${n}`);
    find("1", "2", ...keys);
    await answer(0, 0);
    expect(queries[2]?.keys).toEqual(keys.slice(0, KEYS_MAX));
    await answer(1, 0);
    expect(queries[3]?.keys).toEqual(keys.slice(KEYS_MAX));
  });

  test("that fails fails for those that it was for, and no others", async () => {
    const [, , a, b] = find("1", "2", "a", "b");
    await answer(0, 0);
    const [later] = find("c");
    queries[2]?.fail(new StoreUnavailable("the database is away"));
    expect(await Promise.allSettled([a, b])).toMatchObject([
      { status: "rejected", reason: expect.any(StoreUnavailable) },
      { status: "rejected", reason: expect.any(StoreUnavailable) },
    ]);
    await turn();
    await answer(3, 5);
    expect(await later).toBe(5);
  });

  test("that never ends holds up the others for as long as it may take, and no longer", async () => {
    reads = grouped(50);
    const [one, two, next] = find("1", "2", "a");
    expect(queries).toHaveLength(2);
    const failed = await Promise.allSettled([one, two]);
    expect(failed.every((outcome) => outcome.status === "rejected" && outcome.reason instanceof StoreUnavailable)).toBe(true);
    await sleep(0);
    await answer(2, 4);
    expect(await next).toBe(4);
  });
});

test(`while ${WAITING_MAX} keys wait the next one is refused, and one that waits already is not`, async () => {
  find("1", "2");
  const waiting = find(...Array.from({ length: WAITING_MAX }, (_, n) => `k${n}`));
  await expect(reads.find("more")).rejects.toBeInstanceOf(StoreUnavailable);
  expect(reads.find("k0")).toBe(waiting[0]);
  await answer(0, 0);
  const [one] = find("more");
  expect(one).toBeInstanceOf(Promise);
});
