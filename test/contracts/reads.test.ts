/** A read that gets no connection, or no rows, ends all the same: who asked is told to try again. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { StoreUnavailable } from "../../actors/ports/journal.ts";
import { BIDDING_STATUSES } from "../../machines/task/tags.ts";
import { accountId } from "../../machines/vocabulary.ts";
import { Databases } from "../../src/adapters/postgres/databases.ts";
import { migrate } from "../../src/adapters/postgres/migrate.ts";
import { type Database, openPool } from "../../src/adapters/postgres/pool.ts";
import { postgresReadModel } from "../../src/adapters/postgres/read-model.ts";
import { makeDatabase } from "../support/postgres.mjs";

const MOST_MS = 200;
let pool: Database;
let holder: Database;
let drop: () => Promise<void>;

beforeAll(async () => {
  const made = await makeDatabase(inject("postgresUrl"));
  drop = made.drop;
  pool = openPool(made.url, { max: 1, name: "reads test" });
  holder = openPool(made.url, { max: 1, name: "lock test" });
  await migrate([pool]);
});
afterAll(async () => {
  await Promise.all([pool.end(), holder.end()]);
  await drop();
});

test("a read whose rows are locked, and those that wait behind it for a connection, end in time", async () => {
  const reads = postgresReadModel(new Databases([pool], 128), MOST_MS);
  const account = accountId(randomUUID());
  const letGo = new AbortController();
  const locked = new AbortController();
  const held = holder.begin(async (transaction) => {
    await transaction`lock table accounts in access exclusive mode`;
    locked.abort();
    await once(letGo.signal, "abort");
  });
  await once(locked.signal, "abort");
  const asked = [
    reads.account(account),
    reads.task(randomUUID()),
    reads.statement(account, 10, null),
    reads.accountByKey("a key"),
    reads.storedAccount(account),
  ];
  const outcomes = await Promise.allSettled(asked);
  expect(outcomes.map((outcome) => outcome.status === "rejected" && outcome.reason instanceof StoreUnavailable)).toEqual([
    true,
    true,
    true,
    true,
    true,
  ]);
  letGo.abort();
  await held;
  expect(await reads.account(account)).toBeUndefined();
  expect([await reads.accountByKey("a key"), await reads.storedAccount(account)]).toEqual([undefined, undefined]);
});

test.each(["tasks_by_age", "tasks_by_budget"])(
  "the index %s has the open tasks that the chart of a task tags so",
  async (name) => {
    const [index] = await pool<{ indexdef: string }[]>`select indexdef from pg_indexes where indexname = ${name}`;
    const indexed = [...(index?.indexdef ?? "").matchAll(/'(\w+)'/g)].map(([, status]) => status);
    expect(indexed.sort()).toEqual([...BIDDING_STATUSES].sort());
  },
);
