/** The rows of bids: what is written comes back, by pages, the newest first, also while a cluster is updated. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type Entry, StoreUnavailable } from "../../actors/ports/journal.ts";
import { BID_OUTCOMES, type BidRow } from "../../machines/task/bid-rows.ts";
import { type AccountId, accountId } from "../../machines/vocabulary.ts";
import { Databases } from "../../src/adapters/postgres/databases.ts";
import { PostgresJournal } from "../../src/adapters/postgres/journal.ts";
import { migrate } from "../../src/adapters/postgres/migrate.ts";
import { type Database, openPool } from "../../src/adapters/postgres/pool.ts";
import { postgresReadModel } from "../../src/adapters/postgres/read-model.ts";
import { makeDatabase } from "../support/postgres.mjs";

const SHARDS = 2;
const drops: (() => Promise<void>)[] = [];
let databases: readonly Database[];
let reads: ReturnType<typeof postgresReadModel>;

beforeAll(async () => {
  const made = await Promise.all([makeDatabase(inject("postgresUrl")), makeDatabase(inject("postgresUrl"))]);
  drops.push(...made.map(({ drop }) => drop));
  databases = made.map(({ url }) => openPool(url, { max: 2, name: "test" }));
  await migrate(databases, { shards: SHARDS });
  reads = postgresReadModel(new Databases(databases, SHARDS));
});
afterAll(async () => {
  for (const database of databases) await database.end();
  for (const drop of drops) await drop();
});

const worker = () => accountId(randomUUID());
const bid = (by: AccountId, changes: Partial<BidRow> = {}): BidRow => ({
  ...{ id: randomUUID(), task: randomUUID(), taskType: "t", worker: by, credits: 9, via: "hand" },
  ...{ status: "PENDING", reason: null, placedAt: 1_000, updatedAt: 1_000 },
  ...changes,
});

const journalOf = (index = 0) => {
  const database = databases[index];
  if (database === undefined) throw new Error("there are two");
  return new PostgresJournal(database, database, SHARDS);
};

/** One entry for each list of bids, all in one commit. */
async function write(journal: PostgresJournal, ...commits: readonly (readonly BidRow[])[]): Promise<void> {
  const id = randomUUID();
  const entries: readonly Entry[] = commits.map((parts, after) => ({
    ...{ address: { kind: "task", id }, after, facts: [{ type: "BidPlaced", version: 1, body: {}, at: 1 }], cause: randomUUID() },
    ...{ postings: [[]], messages: [], timers: [], row: undefined, parts, snapshot: undefined },
  }));
  expect(await journal.append({ id: randomUUID(), entries, delivered: [], dead: [] })).toEqual(new Set());
}

const page = (
  by: AccountId,
  more: { readonly status?: BidRow["status"]; readonly limit?: number; readonly cursor?: string } = {},
) => reads.bids({ worker: by, status: null, limit: 50, cursor: null, ...more });

test("a bid comes back as it was written; later it changes, but not when it was placed", async () => {
  const me = worker();
  const first = bid(me);
  await write(journalOf(), [first]);
  expect((await page(me))?.items).toEqual([first]);
  const declined: BidRow = {
    ...first,
    status: "DECLINED",
    reason: { why: "NO_SLOT", slots: 2 },
    placedAt: 2_000,
    updatedAt: 2_000,
  };
  await write(journalOf(), [declined]);
  expect((await page(me))?.items).toEqual([{ ...declined, placedAt: 1_000 }]);
});

test("of one that changes in the batch that places it, the last change is kept, and when it was placed", async () => {
  const me = worker();
  const placed = bid(me);
  await write(journalOf(), [placed], [{ ...placed, status: "WON", placedAt: 1_005, updatedAt: 1_005 }]);
  expect((await page(me))?.items).toEqual([{ ...placed, status: "WON", updatedAt: 1_005 }]);
});

test("those of all databases are one list, the newest first, ties by id, in pages that miss none; by status too", async () => {
  const [me, other] = [worker(), worker()];
  const mine = Array.from({ length: 20 }, (_, n) =>
    bid(me, { placedAt: 1_000 + Math.floor(n / 3), status: BID_OUTCOMES[n % BID_OUTCOMES.length] ?? "PENDING" }),
  );
  await write(journalOf(0), mine.slice(0, 9), [bid(other)]);
  await write(journalOf(1), mine.slice(9));
  const expected = mine.toSorted((a, b) => b.placedAt - a.placedAt || (a.id < b.id ? 1 : -1));
  for (const status of [undefined, "WON", "LOST"] as const) {
    const found: BidRow[] = [];
    let cursor: string | undefined;
    do {
      const next = await page(me, {
        limit: 3,
        ...(status === undefined ? {} : { status }),
        ...(cursor === undefined ? {} : { cursor }),
      });
      found.push(...(next?.items ?? []));
      cursor = next?.next ?? undefined;
    } while (cursor !== undefined);
    expect(found).toEqual(expected.filter((one) => status === undefined || one.status === status));
  }
  expect(await page(me, { cursor: "nonsense" })).toBeUndefined();
});

test("while their table is not there yet everything else is written, and who asks for them is told to ask later", async () => {
  const me = worker();
  const [database] = databases;
  if (database === undefined) throw new Error("there are two");
  await database`alter table bids rename to bids_of_later`;
  try {
    await write(journalOf(), [bid(me)]);
    await expect(page(me)).rejects.toThrow(StoreUnavailable);
  } finally {
    await database`alter table bids_of_later rename to bids`;
  }
  expect((await page(me))?.items).toEqual([]);
  const late = bid(me);
  await write(journalOf(), [late]);
  expect((await page(me))?.items).toEqual([late]);
});

test("who has ever bid on a task is known by its journal", async () => {
  const [me, task] = [worker(), randomUUID()];
  const database = new Databases(databases, SHARDS).of(task);
  const journal = new PostgresJournal(database, database, SHARDS);
  const facts = [{ type: "BidPlaced", version: 1, body: { bid: { worker: me } }, at: 1 }];
  const entry: Entry = {
    ...{ address: { kind: "task", id: task }, after: 0, facts, cause: null, postings: [[]] },
    ...{ messages: [], timers: [], row: undefined, parts: [], snapshot: undefined },
  };
  await journal.append({ id: randomUUID(), entries: [entry], delivered: [], dead: [] });
  expect(await reads.hasBid(me, task)).toBe(true);
  expect(await reads.hasBid(worker(), task)).toBe(false);
});
