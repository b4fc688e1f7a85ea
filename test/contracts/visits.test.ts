/** How many rows a list looks at, whatever there is: a page is bounded by what it looks at, not by what is stored. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { BrowseQuery, OpenQuery, ReadModel, TaskQuery } from "../../gateway/ports/read-model.ts";
import { accountId, TASK_STATUSES } from "../../machines/vocabulary.ts";
import { Databases } from "../../src/adapters/postgres/databases.ts";
import { LOOKED_MAX } from "../../src/adapters/postgres/look.ts";
import { migrate } from "../../src/adapters/postgres/migrate.ts";
import { type Database, openPool } from "../../src/adapters/postgres/pool.ts";
import { postgresReadModel } from "../../src/adapters/postgres/read-model.ts";
import { CLOSED_TYPE, ENDED_SINCE, fill, OPEN_SINCE, TYPES } from "../support/many-rows.mjs";
import { makeDatabase } from "../support/postgres.mjs";

const SIZES = { open: 24_000, own: 6_000, ended: 24_000, capabilities: 24_000 };
const [requester, worker, stranger] = [accountId(randomUUID()), accountId(randomUUID()), accountId(randomUUID())];
const LIMIT = 20;
/** A page is read in two goes, a first one in three; each opens every branch of its list with one row. */
const GOES = 3;
const BRANCHES = 36;

let pool: Database;
let reads: ReadModel;
let drop: () => Promise<void>;
beforeAll(async () => {
  const made = await makeDatabase(inject("postgresUrl"));
  drop = made.drop;
  // One connection: what it has visited is counted for each transaction.
  pool = openPool(made.url, { max: 1, name: "visits test" });
  await migrate([pool]);
  await fill(pool, SIZES, { requester, worker });
  reads = postgresReadModel(new Databases([pool], 128));
}, 60_000);
afterAll(async () => {
  await pool.end();
  await drop();
});

/** How many rows this connection has read of the tables since it told the server's statistics of them, which is never in a transaction. */
async function visited(): Promise<number> {
  const [row] = await pool<{ rows: number }[]>`
    select coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::int as rows from pg_stat_xact_user_tables
    where relname in ('tasks', 'journal', 'capabilities')`;
  return row?.rows ?? 0;
}

/** Runs a read; gives how many rows of the tables it has read for it. */
async function visits<T>(read: () => Promise<T>): Promise<{ readonly found: T; readonly rows: number }> {
  await pool`begin`;
  const before = await visited();
  const found = await read();
  const rows = (await visited()) - before;
  await pool`commit`;
  return { found, rows };
}

const diamond = Object.fromEntries(TYPES.map((type) => [type, 5]));
const everything: OpenQuery = {
  ...{ worker: stranger, marks: [], taskTypes: TYPES, tiers: diamond, minBudget: null },
  ...{ sort: null, limit: LIMIT, cursor: null },
};
/** What a page reads to find what it gives at once: the row and its fact. */
const AT_ONCE = 2 * (LIMIT + 1) + GOES * BRANCHES;

describe("of open tasks", () => {
  test.each([null, "age", "budget"] as const)(
    "sorted by %s, a page of all, or of one type, reads little more than it gives",
    async (sort) => {
      for (const taskTypes of [TYPES, TYPES.slice(0, 1)]) {
        const { found, rows } = await visits(() => reads.open({ ...everything, taskTypes, sort }));
        expect(found?.items).toHaveLength(LIMIT);
        expect(rows).toBeLessThanOrEqual(AT_ONCE);
      }
    },
  );

  test.each(["age", "budget"] as const)("sorted by %s, a page far down reads no more", async (sort) => {
    let cursor: string | null = null;
    for (let n = 0; n < 20; n += 1) cursor = (await reads.open({ ...everything, sort, limit: 200, cursor }))?.next ?? null;
    const { found, rows } = await visits(() => reads.open({ ...everything, sort, cursor }));
    expect(found?.items).toHaveLength(LIMIT);
    expect(rows).toBeLessThanOrEqual(AT_ONCE);
  });

  test.each([null, "age", "budget"] as const)("sorted by %s, those for higher tiers are not looked at", async (sort) => {
    const nothing = await visits(() => reads.open({ ...everything, taskTypes: [CLOSED_TYPE], tiers: {}, sort }));
    expect([nothing.found, nothing.rows]).toEqual([{ items: [], next: null }, 0]);
    const few = await visits(() => reads.open({ ...everything, tiers: {}, sort }));
    expect(few.found?.items).toHaveLength(LIMIT);
    expect(few.rows).toBeLessThanOrEqual(AT_ONCE);
  });

  test("who asks for the best paid from a budget on reads none that pays less", async () => {
    const { found, rows } = await visits(() => reads.open({ ...everything, sort: "budget", minBudget: 1_000, limit: 30 }));
    expect(found?.items.every(({ row }) => row.budget === 1_000)).toBe(true);
    expect([found?.items.length, found?.next]).toEqual([24, null]);
    expect(rows).toBeLessThanOrEqual(AT_ONCE + 20);
  });

  test.each([
    ["whose own tasks are the oldest", { worker, sort: "age" }],
    ["who asks by age for more than they pay", { minBudget: 1_001, sort: "age" }],
  ] as const)("one %s gets an empty page that goes on, after a bounded look", async (_who, changes) => {
    const { found, rows } = await visits(() => reads.open({ ...everything, ...changes }));
    expect(found?.items).toEqual([]);
    expect(found?.next).not.toBeNull();
    expect(rows).toBeGreaterThanOrEqual(LOOKED_MAX);
    expect(rows).toBeLessThanOrEqual(LOOKED_MAX + BRANCHES);
  });

  test("what has changed lately is looked for among the newest", async () => {
    const since = OPEN_SINCE + SIZES.open - 3;
    const { found, rows } = await visits(() => reads.open({ ...everything, since }));
    expect(found?.items).toHaveLength(3);
    expect(rows).toBeLessThanOrEqual(LOOKED_MAX + BRANCHES + 3);
  });
});

describe("of an account's tasks", () => {
  const mine: TaskQuery = { account: requester, role: null, status: null, limit: LIMIT, cursor: null };

  test.each([null, ...TASK_STATUSES])(
    "%s, as requester, worker and either, a page reads little more than it gives",
    async (status) => {
      for (const role of [null, "requester", "worker"] as const) {
        for (const account of [requester, worker, stranger]) {
          const { rows } = await visits(() => reads.tasks({ ...mine, account, role, status }));
          expect(rows).toBeLessThanOrEqual(AT_ONCE);
        }
      }
    },
  );

  test("a page far down reads no more", async () => {
    const cursor = Buffer.from(`${ENDED_SINCE + SIZES.ended / 2}.${stranger}`).toString("base64url");
    const { found, rows } = await visits(() => reads.tasks({ ...mine, cursor }));
    expect(found?.items).toHaveLength(LIMIT);
    expect(rows).toBeLessThanOrEqual(AT_ONCE);
  });
});

describe("of everybody's capabilities", () => {
  const all: BrowseQuery = {
    ...{ taskTypes: TYPES, tag: null, tierMin: null, priceMax: null, available: null },
    ...{ sort: "score", limit: LIMIT, cursor: null },
  };
  const ORDERS = ["score", "price", "tasks"] as const;

  test.each(ORDERS)("sorted by %s, a page reads little more than it gives, at the start and far down", async (sort) => {
    let cursor: string | null = null;
    for (let n = 0; n < 10; n += 1) {
      const { found, rows } = await visits(() => reads.browse({ ...all, sort, cursor }));
      expect(found?.items).toHaveLength(LIMIT);
      expect(rows).toBeLessThanOrEqual(AT_ONCE);
      const far = await reads.browse({ ...all, sort, limit: 200, cursor });
      cursor = far?.next ?? null;
    }
  });

  test.each(ORDERS)("sorted by %s, a page of one type reads little more than it gives", async (sort) => {
    const { found, rows } = await visits(() => reads.browse({ ...all, sort, taskTypes: TYPES.slice(0, 1) }));
    expect(found?.items).toHaveLength(LIMIT);
    expect(rows).toBeLessThanOrEqual(AT_ONCE);
  });

  test.each(ORDERS)("sorted by %s, a page of few that fit is bounded by what it looks at", async (sort) => {
    for (const filter of [{ tag: "rare" }, { tag: "none" }, { tierMin: 5 }, { priceMax: 1 }, { available: false, tag: "some" }]) {
      const { rows } = await visits(() => reads.browse({ ...all, sort, ...filter }));
      expect(rows).toBeLessThanOrEqual(GOES * (LOOKED_MAX + BRANCHES));
    }
  });

  test("what an order can keep to itself ends the list, not the look", async () => {
    const dear = await visits(() => reads.browse({ ...all, sort: "price", priceMax: 1 }));
    expect(dear.found?.next).toBeNull();
    expect(dear.rows).toBeLessThanOrEqual(SIZES.capabilities / 1_000 + GOES * BRANCHES);
    const good = await visits(() => reads.browse({ ...all, sort: "score", tierMin: 5 }));
    expect(good.found?.items.every(({ tier }) => tier === 5)).toBe(true);
    expect(good.found?.items).toHaveLength(LIMIT);
    expect(good.rows).toBeLessThanOrEqual(AT_ONCE);
  });
});
