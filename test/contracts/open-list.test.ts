/** The list of open tasks: what is in it for whom, in which order, and that its pages are the whole of it. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { shardOf } from "../../actors/address.ts";
import type { OpenQuery, ReadModel } from "../../gateway/ports/read-model.ts";
import type { TaskRow } from "../../machines/task/row.ts";
import { accountId, type TaskStatus } from "../../machines/vocabulary.ts";
import { Databases } from "../../src/adapters/postgres/databases.ts";
import { PostgresJournal } from "../../src/adapters/postgres/journal.ts";
import { LOOKED_MAX } from "../../src/adapters/postgres/look.ts";
import { migrate } from "../../src/adapters/postgres/migrate.ts";
import { type Database, openPool } from "../../src/adapters/postgres/pool.ts";
import { postgresReadModel } from "../../src/adapters/postgres/read-model.ts";
import { makeDatabase } from "../support/postgres.mjs";
import { order } from "../support/world.ts";

const SHARDS = 128;
const [ANN, BOB] = [accountId(randomUUID()), accountId(randomUUID())];

const pools: Database[] = [];
const drops: (() => Promise<void>)[] = [];
let databases: Databases;
let reads: ReadModel;
beforeAll(async () => {
  for (const _ of [1, 2]) {
    const made = await makeDatabase(inject("postgresUrl"));
    drops.push(made.drop);
    pools.push(openPool(made.url, { max: 2, name: "open list test" }));
  }
  await migrate(pools);
  databases = new Databases(pools, SHARDS);
  reads = postgresReadModel(databases);
});
beforeEach(async () => {
  for (const pool of pools) await pool`truncate tasks, journal`;
});
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.end()));
  await Promise.all(drops.map((drop) => drop()));
});

/** Opens tasks, one for each of these; gives their ids. */
async function open(...rows: readonly Partial<TaskRow>[]): Promise<readonly string[]> {
  const all = rows.map(
    (changes, n): TaskRow => ({ ...PLAIN, id: randomUUID(), createdAt: 1_000 + n, updatedAt: 1_000 + n, ...changes }),
  );
  for (const pool of pools) {
    const entries = all
      .filter(({ id }) => databases.of(id) === pool)
      .map((row) => ({
        ...{ address: { kind: "task", id: row.id } as const, after: 0, cause: randomUUID(), messages: [], timers: [], parts: [] },
        facts: [{ type: "Opened", version: 1, body: { type: "Opened", order: order({ inputData: row.id }) }, at: row.createdAt }],
        ...{ row, snapshot: undefined, postings: [[]] },
      }));
    await new PostgresJournal(pool, pool, SHARDS).append({ id: randomUUID(), entries, delivered: [], dead: [] });
  }
  return all.map(({ id }) => id);
}

const PLAIN = {
  ...{
    status: "ROUTING" as TaskStatus,
    requester: ANN,
    marks: [],
    worker: null,
    taskType: "a",
    budget: 20,
    minSkill: 0,
    closedTo: [],
  },
  ...{ awardedPrice: null, result: null, errorCode: null, retriesLeft: 3, autoRetriesLeft: 3, expiresAt: null },
};

const bobs: OpenQuery = {
  ...{ worker: BOB, marks: [], taskTypes: ["a", "b"], tiers: {}, minBudget: null },
  ...{ sort: null, limit: 10, cursor: null },
};

/** Follows the list to its end; gives its pages. */
async function walk(query: OpenQuery, between: () => Promise<unknown> = async () => {}): Promise<readonly (readonly string[])[]> {
  const pages = [];
  for (let cursor: string | null = query.cursor; ; ) {
    const page = await reads.open({ ...query, cursor });
    if (page === undefined) throw new Error("the cursor is one of the list's own");
    pages.push(page.items.map(({ row }) => row.id));
    if (page.next === null) return pages;
    cursor = page.next;
    await between();
  }
}

const times = (count: number, changes: (n: number) => Partial<TaskRow> = () => ({})) =>
  Array.from({ length: count }, (_, n) => changes(n));

test("lies in two databases", async () => {
  const ids = await open(...times(40));
  expect(new Set(ids.map((id) => shardOf(id, SHARDS) % 2)).size).toBe(2);
});

describe("in the order that is asked for", () => {
  test("it is by age, ties by id, over all types and databases", async () => {
    const ids = await open(
      ...times(60, (n) => ({ taskType: n % 3 === 0 ? "a" : "b", createdAt: Math.floor(n / 4), budget: 5 + (n % 7) })),
    );
    const expected = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14].flatMap((tie) =>
      [...ids.slice(4 * tie, 4 * tie + 4)].sort(),
    );
    for (const limit of [1, 7, 60, 61]) expect((await walk({ ...bobs, sort: "age", limit })).flat()).toEqual(expected);
  });

  test("it is by budget, the most first, ties by age and then by id", async () => {
    const budgets = [5, 1_000, 20, 20, 7, 1_000];
    const ids = await open(
      ...budgets.map((budget, n) => ({ budget, createdAt: n === 2 ? 9_000 : 1_000 + n, taskType: n % 2 === 0 ? "a" : "b" })),
    );
    const expected = [1, 5, 3, 2, 4, 0].map((n) => ids[n]);
    for (const limit of [1, 2, 6]) expect((await walk({ ...bobs, sort: "budget", limit })).flat()).toEqual(expected);
  });

  test("a cursor goes on in its own order where none is asked for, and is none in another", async () => {
    const ids = await open(...times(9, (n) => ({ budget: 5 + n })));
    const [aged, paid, mixed] = await Promise.all(
      (["age", "budget", null] as const).map(async (sort) => (await reads.open({ ...bobs, sort, limit: 5 }))?.next ?? null),
    );
    expect((await walk({ ...bobs, cursor: aged ?? null })).flat()).toEqual(ids.slice(5));
    expect((await walk({ ...bobs, cursor: paid ?? null })).flat()).toEqual(ids.slice(0, 4).toReversed());
    for (const [sort, cursor] of [
      ["age", paid],
      ["age", mixed],
      ["budget", aged],
    ] as const) {
      expect(await reads.open({ ...bobs, sort, cursor: cursor ?? null })).toBeUndefined();
    }
    for (const text of [
      "b20",
      `b20.1.${BOB}.2`,
      `b-1.1.${BOB}`,
      `b20.1.${BOB}.2.${BOB}.3`,
      `b20.x.${BOB}`,
      `b20.1.${BOB}x`,
      `20.1.${BOB}`,
    ]) {
      expect(await reads.open({ ...bobs, cursor: Buffer.from(text).toString("base64url") })).toBeUndefined();
    }
  });
});

describe("without an order", () => {
  test("neither 50 cheap old tasks nor 50 dear ones hide a new one: a fifth of the first page is new", async () => {
    for (const [old, budget] of [
      [5, 5],
      [5, 20],
      [1_000, 5],
    ] as const) {
      for (const pool of pools) await pool`truncate tasks, journal`;
      await open(...times(50, () => ({ budget: old })));
      const [fresh] = await open({ budget, createdAt: 9_000 });
      const page = await reads.open({ ...bobs, limit: 50 });
      expect(page?.items).toHaveLength(50);
      expect(page?.items.map(({ row }) => row.id)).toContain(fresh);
    }
  });

  test("a page is sorted by what tasks pay, and the pages together are every task once", async () => {
    const ids = await open(
      ...times(83, (n) => ({ budget: 5 + ((n * 37) % 50), taskType: n % 5 === 0 ? "b" : "a", minSkill: n % 2 })),
    );
    for (const limit of [1, 4, 5, 10, 82, 83, 84, 200]) {
      const pages = await walk({ ...bobs, limit });
      expect(pages.flat().length).toBe(ids.length);
      expect(new Set(pages.flat())).toEqual(new Set(ids));
      const [first] = (await reads.open({ ...bobs, limit }))?.items ?? [];
      expect(first?.row.budget).toBe(54);
    }
  });

  test("tasks that come while somebody walks take nothing away and bring nothing twice", async () => {
    const ids = await open(...times(40, (n) => ({ budget: 5 + (n % 9) })));
    let late = 5_000;
    const add = () => {
      late += 1;
      return open({ budget: late % 2 === 0 ? 5 : 900, createdAt: late });
    };
    const found = (await walk(bobs, add)).flat();
    expect(found.filter((id) => ids.includes(id)).sort()).toEqual([...ids].sort());
    expect(new Set(found).size).toBe(found.length);
  });
});

describe("whatever its order", () => {
  const SORTS = [null, "age", "budget"] as const;

  test.each(SORTS)("sorted by %s it has what a worker of this tier may take, exactly its tier too", async (sort) => {
    const ids = await open(...times(12, (n) => ({ minSkill: n % 6, taskType: n < 6 ? "a" : "b" })));
    const found = async (tiers: OpenQuery["tiers"]) => new Set((await walk({ ...bobs, sort, tiers })).flat());
    expect(await found({})).toEqual(new Set([ids[0], ids[1], ids[6], ids[7]]));
    expect(await found({ a: 3 })).toEqual(new Set([...ids.slice(0, 4), ids[6], ids[7]]));
    expect(await found({ a: 5, b: 5 })).toEqual(new Set(ids));
  });

  test.each(SORTS)("sorted by %s it leaves out what is not this worker's to take, or not asked for", async (sort) => {
    const others: Partial<TaskRow>[] = [
      ...[{ requester: BOB }, { marks: ["x", "m"] }, { closedTo: [ANN, BOB] }, { status: "AWARDED" as const }],
      ...[{ status: "SETTLED" as const }, { taskType: "c" }, { budget: 19 }, { minSkill: 2 }],
    ];
    const [fine, pooled] = await open({}, { status: "PENDING_POOL", budget: 21, marks: ["y"], closedTo: [ANN] }, ...others);
    expect(new Set((await walk({ ...bobs, sort, marks: ["m"], minBudget: 20, limit: 3 })).flat())).toEqual(
      new Set([fine, pooled]),
    );
    expect(await reads.open({ ...bobs, sort, taskTypes: [] })).toEqual({ items: [], next: null });
  });

  test.each(SORTS)(
    "sorted by %s one who can take nothing of what a page looks at gets the rest on the next ones",
    async (sort) => {
      // In one database as many as are looked at and more; in the other a few between them.
      await open(...times(2 * LOOKED_MAX + 500, (n) => ({ requester: BOB, createdAt: n, budget: 500 })));
      const [one, two, three] = await open(
        { createdAt: -1, budget: 501 },
        { createdAt: 1_000_000, budget: 499 },
        { createdAt: 700, budget: 500 },
      );
      const pages = await walk({ ...bobs, sort });
      expect(pages.flat().sort()).toEqual([one, two, three].sort());
      expect(pages.length).toBeGreaterThan(1);
    },
  );

  test.each([LOOKED_MAX - 1, LOOKED_MAX, LOOKED_MAX + 1])(
    "of %i tasks of one's own before another's, it comes in the end",
    async (count) => {
      await open(...times(count, (n) => ({ id: idInFirst(), requester: BOB, createdAt: n })));
      for (const createdAt of [9_000_000, 8_000_000]) {
        const [last] = await open({ id: idInFirst(), createdAt });
        for (const sort of SORTS) expect((await walk({ ...bobs, sort })).flat()).toContain(last);
      }
    },
  );
});

/** A new id of a task in the first database. */
function idInFirst(): string {
  for (;;) {
    const id = randomUUID();
    if (databases.of(id) === pools[0]) return id;
  }
}

test("what has changed since a moment is told of the newest, that moment included", async () => {
  const ids = await open(...times(8, (n) => ({ updatedAt: n })));
  const page = await reads.open({ ...bobs, since: 5 });
  expect([new Set(page?.items.map(({ row }) => row.id)), page?.next]).toEqual([new Set(ids.slice(5)), null]);
  expect((await reads.open({ ...bobs, worker: ANN, since: 5 }))?.items).toEqual([]);
});
