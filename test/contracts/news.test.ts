/** What streams read of accounts' journals: by numbers, in bounded steps, and whatever the clocks of nodes said. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { accountId, taskId } from "../../machines/vocabulary.ts";
import { insertRows, rowsText } from "../../src/adapters/postgres/columns.ts";
import { Databases } from "../../src/adapters/postgres/databases.ts";
import { migrate } from "../../src/adapters/postgres/migrate.ts";
import { type Database, openPool } from "../../src/adapters/postgres/pool.ts";
import { postgresReadModel } from "../../src/adapters/postgres/read-model.ts";
import { ACCOUNTS } from "../../src/adapters/postgres/tables.ts";
import { member } from "../support/journals.ts";
import { makeDatabase } from "../support/postgres.mjs";

const SHARDS = 128;
/** Facts that one page looks through. */
const WINDOW = 500;

let pool: Database;
let drop: () => Promise<void>;
let reads: ReturnType<typeof postgresReadModel>;
beforeAll(async () => {
  const made = await makeDatabase(inject("postgresUrl"));
  drop = made.drop;
  pool = openPool(made.url, { max: 1, name: "news test" });
  await migrate([pool]);
  reads = postgresReadModel(new Databases([pool], SHARDS));
});
afterAll(async () => {
  await pool.end();
  await drop();
});

/** Writes facts to the journal of a new account, the first with number 1; `at` is when each was (ms). */
async function written(facts: readonly { readonly type: string; readonly at?: number }[]) {
  const account = accountId(randomUUID());
  const tasks = facts.map(() => taskId(randomUUID()));
  await pool`
    insert into journal (shard, kind, entity, seq, type, version, body, at, part, batch)
    select 0, 'account', ${account}, n, type, 1, json_build_object('type', type, 'task', task), at, 0, ${randomUUID()}
    from unnest(${facts.map(({ type }) => type)}::text[], ${tasks}::text[], ${facts.map(({ at = 1 }) => at)}::bigint[])
      with ordinality f(type, task, at, n)`;
  return { account, tasks };
}

test("ends and awards are found by what is asked for, in order, after a number", async () => {
  const types = ["Registered", "Held", "Settled", "OfferTaken", "Released", "OfferFreed", "Failed", "Earned"] as const;
  const { account, tasks } = await written(types.map((type) => ({ type })));
  await written([{ type: "Settled" }]);
  const seqs = async (after: number, ends: boolean, awards: boolean) =>
    (await reads.accountNews({ account, after, ends, awards })).news.map(({ seq }) => seq);
  expect(await seqs(0, true, false)).toEqual([3, 5]);
  expect(await seqs(0, false, true)).toEqual([4, 6, 7, 8]);
  expect(await seqs(0, true, true)).toEqual([3, 4, 5, 6, 7, 8]);
  expect(await seqs(3, true, false)).toEqual([5]);
  expect(await reads.accountNews({ account, after: 4, ends: true, awards: false })).toEqual({
    news: [{ seq: 5, type: "Released", task: tasks[4] }],
    upTo: 8,
    more: false,
  });
});

test("a page looks through 500 facts, and says whether there are more", async () => {
  const { account } = await written(Array.from({ length: WINDOW + 1 }, (_, n) => ({ type: n < WINDOW ? "Held" : "Settled" })));
  expect(await reads.accountNews({ account, after: 0, ends: true, awards: true })).toEqual({
    news: [],
    upTo: WINDOW,
    more: true,
  });
  const rest = await reads.accountNews({ account, after: WINDOW, ends: true, awards: true });
  expect([rest.news.length, rest.upTo, rest.more]).toEqual([1, WINDOW + 1, false]);
  expect(await reads.accountNews({ account, after: 1, ends: true, awards: true })).toMatchObject({
    upTo: WINDOW + 1,
    more: false,
  });
});

test("of an account without facts there is no news, and nothing is skipped", async () => {
  const account = accountId(randomUUID());
  expect(await reads.accountNews({ account, after: 0, ends: true, awards: true })).toEqual({ news: [], upTo: 0, more: false });
  expect([await reads.factBefore(account, null), await reads.factBefore(account, 10)]).toEqual([0, 0]);
});

test.each([1, 2, 3, 10, 1_000])("of %i facts the last before each time is found", async (count) => {
  // Two of each time.
  const { account } = await written(Array.from({ length: count }, (_, n) => ({ type: "Held", at: 100 + Math.floor(n / 2) })));
  const before = (at: number) => Math.min(count, Math.max(0, 2 * (at - 100)));
  const times = [0, 100, 101, 102, 100 + Math.floor(count / 4), 100 + Math.floor(count / 2), 100 + count];
  for (const at of times) expect([at, await reads.factBefore(account, at)]).toEqual([at, before(at)]);
  expect(await reads.factBefore(account, null)).toBe(count);
});

test("a search and a page fetch few facts of a long journal, by its key", async () => {
  const { account } = await written(
    Array.from({ length: 20_000 }, (_, n) => ({ type: n % 2 === 0 ? "Held" : "Settled", at: n })),
  );
  await pool`analyze journal`;
  const fetched = async () => {
    await pool`select pg_stat_force_next_flush()`;
    const [of] = await pool<{ scans: number; facts: number }[]>`
      select seq_scan as scans, idx_tup_fetch as facts from pg_stat_user_tables where relname = 'journal'`;
    if (of === undefined) throw new Error("there is a journal");
    return of;
  };
  const before = await fetched();
  expect(await reads.factBefore(account, 10_000)).toBe(10_000);
  expect((await reads.accountNews({ account, after: 10_000, ends: true, awards: false })).news).toHaveLength(WINDOW / 2);
  const after = await fetched();
  expect(after.scans - before.scans).toBe(0);
  // One per halving, and those of the page.
  expect(after.facts - before.facts).toBeLessThan(WINDOW + 30);
});

test("keys, status and last number of accounts are read together, of those that exist", async () => {
  const { account } = await written([{ type: "Registered" }, { type: "Held" }]);
  const row = { ...member(1), id: account, status: "FROZEN", shard: 0 } as const;
  await pool.unsafe(insertRows(ACCOUNTS, 1), [rowsText(ACCOUNTS, [row])]);
  expect(await reads.watched([account, accountId(randomUUID())])).toEqual([
    { id: account, keyHash: "key 1", status: "FROZEN", lastFact: 2 },
  ]);
});

test("a database that is away hides what it has, and nothing else", async () => {
  const away = openPool("postgres://nobody@127.0.0.1:1/none", { max: 1, name: "away" });
  const both = new Databases([pool, away], SHARDS);
  const here = (one: string) => both.of(one) === pool;
  const ids = Array.from({ length: 40 }, () => randomUUID());
  const ask = (database: Database, own: readonly string[]) =>
    database<{ id: string }[]>`select unnest(${[...own]}::text[]) as id`;
  const found = (await both.eachOf(ids, ask)).map(({ id }) => id);
  expect(found.toSorted()).toEqual(ids.filter(here).toSorted());
  await expect(
    both.eachOf(
      ids.filter((one) => !here(one)),
      ask,
    ),
  ).rejects.toThrow();
  expect(await both.eachOf([], ask)).toEqual([]);
  await away.end({ timeout: 0 });
});
