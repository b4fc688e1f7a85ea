/** Indexes are built beside those who write, one process at a time, and what was left half built is built again. */
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, expect, inject, test, vi } from "vitest";
import { DatabaseLock } from "../../src/adapters/postgres/database-lock.ts";
import { buildBeside } from "../../src/adapters/postgres/indexes.ts";
import { MIGRATIONS, migrate } from "../../src/adapters/postgres/migrate.ts";
import { indexes } from "../../src/adapters/postgres/migrations/0005-lists.ts";
import { type Database, openPool } from "../../src/adapters/postgres/pool.ts";
import { makeDatabase } from "../support/postgres.mjs";

/** The schema of the version before these indexes. */
const BEFORE = 4;
const NAME = "0005-lists";
/** What is run on such a database: theirs, and those after it. */
const LATER = MIGRATIONS.slice(BEFORE).map(({ name }) => name);

let pool: Database;
let other: Database;
let url: string;
let drop: () => Promise<void>;
beforeEach(async () => {
  const made = await makeDatabase(inject("postgresUrl"));
  ({ url, drop } = made);
  pool = openPool(made.url, { max: 3, name: "indexes test" });
  other = openPool(made.url, { max: 1, name: "others" });
});
afterEach(async () => {
  await Promise.all([pool.end(), other.end()]);
  await drop();
});

/** A database as a version left it that knew so many migrations, with two tasks in it. */
async function ofSchema(schema: number): Promise<void> {
  await pool`create table migrations (name text primary key, at timestamptz not null default now())`;
  for (const { name, sql } of MIGRATIONS.slice(0, schema)) {
    await pool.unsafe(sql);
    await pool`insert into migrations (name) values (${name})`;
  }
  await pool`insert into platform (secret, shards) values (${Buffer.alloc(32)}, 128)`;
  for (const _ of [1, 2]) await addTask(pool);
}

const addTask = (database: Database) => database`
  insert into tasks (shard, id, status, requester, task_type, budget, min_skill, closed_to, retries_left, auto_retries_left, created_at, updated_at)
  values (0, ${randomUUID()}, 'ROUTING', ${randomUUID()}, 'a', 5, 0, '{}', 3, 0, 1, 1)`;

/** The valid indexes of tasks and capabilities, but for keys. */
async function built(): Promise<readonly string[]> {
  const rows = await pool<{ name: string }[]>`
    select c.relname as name from pg_index i join pg_class c on c.oid = i.indexrelid
    where i.indrelid = any(array['tasks', 'capabilities']::regclass[]) and i.indisvalid and not i.indisprimary order by name`;
  return rows.map(({ name }) => name);
}

const ALL = [...indexes.map(({ name }) => name), "capabilities_account", "capabilities_standing", "tasks_settled"].sort();

test.each([0, 1, 2, 3, BEFORE])("a database of schema %i gets them, and loses those in whose place they are", async (schema) => {
  if (schema > 0) await ofSchema(schema);
  expect(await migrate([pool])).toContain(NAME);
  expect(await built()).toEqual(ALL);
  expect(await migrate([pool])).toEqual([]);
});

test("while they are built others write, who have written before too, and the migration is there once they are", async () => {
  await ofSchema(BEFORE);
  await other`begin`;
  await addTask(other);
  let isOver = false;
  const changed = migrate([pool]).finally(() => {
    isOver = true;
  });
  // It waits for who has written and has not committed yet, and keeps nobody from writing.
  const building = () => pool`select from pg_stat_progress_create_index where phase like 'waiting for %'`;
  await vi.waitFor(async () => expect(await building()).toHaveLength(1), { timeout: 10_000 });
  await addTask(pool);
  expect(isOver).toBe(false);
  expect(await pool`select from migrations where name = ${NAME}`).toHaveLength(0);
  await other`commit`;
  expect(await changed).toEqual(LATER);
  expect(await built()).toEqual(ALL);
});

test("one that was left half built is built again, and those that are there are not", async () => {
  await ofSchema(BEFORE);
  await expect(pool`create unique index concurrently tasks_by_age on tasks (status)`).rejects.toThrow(
    /could not create unique index/,
  );
  const [first] = indexes.filter(({ name }) => name === "capabilities_by_score");
  if (first === undefined) throw new Error("it is one of them");
  await pool.unsafe(`create index ${first.name} on ${first.table} ${first.of}`);
  const oid = () => pool`select ${first.name}::regclass::oid::int as oid`;
  const [before] = await oid();
  expect(await migrate([pool])).toEqual(LATER);
  expect(await built()).toEqual(ALL);
  expect((await oid())[0]).toEqual(before);
});

test("a transaction that is in the way for too long ends the build, which goes on at the next try", async () => {
  await ofSchema(BEFORE);
  await other`begin`;
  await addTask(other);
  await expect(buildBeside(pool, indexes, 50)).rejects.toThrow(/lock timeout/);
  expect(await pool`select from pg_index where not indisvalid`).toHaveLength(1);
  await other`commit`;
  await buildBeside(pool, indexes, 50);
  expect(await built()).toEqual(expect.arrayContaining(indexes.map(({ name }) => name)));
  expect(await migrate([pool])).toEqual(LATER);
});

test("two processes that change a schema at once change it once, and both find it changed", async () => {
  await ofSchema(BEFORE);
  const found = await Promise.all([migrate([pool]), migrate([other])]);
  expect(found.flat()).toEqual(LATER);
  expect(await built()).toEqual(ALL);
});

test("a process that is alone on its database, and holds the lock that says so, builds too", async () => {
  await ofSchema(BEFORE);
  const lock = await DatabaseLock.acquire(url, false, 0, () => {});
  expect(lock).toBeDefined();
  expect(await migrate([pool])).toEqual(LATER);
  await lock?.release();
});

test("a statement's time is as it was for who builds", async () => {
  await ofSchema(BEFORE);
  const timeout = () => other`select current_setting('statement_timeout') as ms`;
  const before = await timeout();
  await migrate([other]);
  expect(await timeout()).toEqual(before);
});
