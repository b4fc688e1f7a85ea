/** How a schema is changed: by who is alone, or while a cluster of two versions works on it. */
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, inject, test, vi } from "vitest";
import { TooOld } from "../../actors/ports/registry.ts";
import { BASE_FORMATS, FORMATS } from "../../machines/formats.ts";
import { readCluster } from "../../src/adapters/postgres/cluster.ts";
import { buildBeside } from "../../src/adapters/postgres/indexes.ts";
import { MIGRATIONS, migrate, missingMigrations, NotSetUp, readPlatform } from "../../src/adapters/postgres/migrate.ts";
import { indexes } from "../../src/adapters/postgres/migrations/0005-lists.ts";
import { type Database, openPool } from "../../src/adapters/postgres/pool.ts";
import { PostgresRegistry } from "../../src/adapters/postgres/registry.ts";
import { makeDatabase } from "../support/postgres.mjs";

const STATS = { actors: 1, timers: 2, inFlight: 3, commits: 4, facts: 5, lagMs: 6 };
/** The schema of the last version that published nothing. */
const BEFORE = 3;

let pool: Database;
let url: string;
let drop: () => Promise<void>;
beforeEach(async () => {
  const made = await makeDatabase(inject("postgresUrl"));
  ({ url, drop } = made);
  pool = openPool(made.url, { max: 4, name: "migrate test" });
});
afterEach(async () => {
  await pool.end();
  await drop();
});

/** A database as a version left it that knew so many migrations. */
async function ofSchema(schema: number): Promise<void> {
  await pool`create table migrations (name text primary key, at timestamptz not null default now())`;
  for (const { name, sql } of MIGRATIONS.slice(0, schema)) {
    await pool.unsafe(sql);
    await pool`insert into migrations (name) values (${name})`;
  }
  await pool`insert into platform (secret, shards) values (${Buffer.alloc(32)}, 128)`;
  await pool`insert into shards (shard) select generate_series(0, 127)`;
  // How they are built has tests of its own.
  if (schema >= BEFORE) await buildBeside(pool, indexes);
}

/** Joins as nodes did that published nothing. */
async function joinAsBefore(node: string, ageMs = 0): Promise<string> {
  const id = randomUUID();
  await pool`
    insert into members (id, node, weight, version, stats, beat)
    values (${id}, ${node}, 1, '0.0.9', '{}', now() - make_interval(secs => ${ageMs / 1_000}))`;
  return id;
}

async function joinToday(registry: PostgresRegistry, node: string): Promise<string> {
  const id = randomUUID();
  await registry.join({ id, node, weight: 1, formats: FORMATS });
  return id;
}

/** Reads the members in a transaction that stays open. Gives the process that holds the lock. */
async function holdMembers(other: Database): Promise<number> {
  await other`begin`;
  await other`select count(*) from members`;
  const [row] = await other<{ pid: number }[]>`select pg_backend_pid() as pid`;
  return row?.pid ?? 0;
}

/** Resolves when the migration waits for the members' lock, or waits no more. */
async function waits(expected: boolean): Promise<void> {
  const waiting = () => pool`select from pg_locks where not granted and relation = 'members'::regclass`;
  await vi.waitFor(async () => expect((await waiting()).length > 0).toBe(expected), { timeout: 10_000 });
}

const run = async () => (await pool<{ name: string }[]>`select name from migrations order by name`).map(({ name }) => name);
const names = MIGRATIONS.map(({ name }) => name);

describe("a cluster on the schema of the version before", () => {
  beforeEach(() => ofSchema(BEFORE));

  test("can be joined by a node of today, which publishes what it reads as soon as there is a place for it", async () => {
    const registry = new PostgresRegistry(pool, "0.1.0");
    await readPlatform([pool]);
    expect(await missingMigrations([pool])).toEqual(names.slice(BEFORE));
    const me = await joinToday(registry, "young");
    const before = await registry.beat(me, false, STATS);
    expect(before?.formats).toEqual(BASE_FORMATS);
    expect(before?.members).toMatchObject([{ node: "young", formats: null }]);
    expect(await migrate([pool])).toEqual(names.slice(BEFORE));
    // What a heartbeat writes is seen by the next one.
    await registry.beat(me, false, STATS);
    const after = await registry.beat(me, false, STATS);
    expect(after?.members).toMatchObject([{ node: "young", formats: FORMATS }]);
    const { members, schema } = await readCluster([pool]);
    expect(members).toMatchObject([{ reads: { formats: FORMATS, schema: [BEFORE, names.length] }, stats: STATS }]);
    expect(schema).toBe(names.length);
  });

  test("keeps it while a node works on it that would not work with the new one, and says which and what to do", async () => {
    const registry = new PostgresRegistry(pool, "0.1.0");
    const young = await joinToday(registry, "young");
    await registry.beat(young, false, STATS);
    const old = await joinAsBefore("node-2");
    await expect(migrate([pool])).rejects.toThrow(
      /^The schema was not changed: node-2 \(NexusToken 0\.0\.9\) would not work with 0004-formats, 0005-lists.*run `nexus migrate` again\.$/,
    );
    expect(await run()).toEqual(names.slice(0, BEFORE));
    await registry.leave(old);
    expect(await migrate([pool])).toEqual(names.slice(BEFORE));
  });

  test("does not wait for a node that has been silent for a lease; that one is a member no more", async () => {
    const dead = await joinAsBefore("dead", 60_000);
    expect(await migrate([pool], { leaseMs: 5_000 })).toEqual(names.slice(BEFORE));
    expect(await pool`select from members where id = ${dead}`).toHaveLength(0);
  });

  test("is not changed by a node that starts beside others; by one that is alone it is", async () => {
    const registry = new PostgresRegistry(pool, "0.1.0");
    const other = await joinToday(registry, "other");
    expect(await migrate([pool], { onlyAlone: true })).toEqual([]);
    await registry.leave(other);
    expect(await migrate([pool], { onlyAlone: true })).toEqual(names.slice(BEFORE));
  });

  test("lets heartbeats through while a transaction of others is in the way, and says which it is and what to do", async () => {
    const registry = new PostgresRegistry(pool, "0.1.0");
    const me = await joinToday(registry, "young");
    const other = openPool(url, { max: 1, name: "somebody's report" });
    try {
      const pid = await holdMembers(other);
      let isOver = false;
      const changed = migrate([pool]).finally(() => {
        isOver = true;
      });
      changed.catch(() => {});
      await waits(true);
      await registry.beat(me, false, STATS);
      expect(isOver).toBe(false);
      await expect(changed).rejects.toThrow(
        new RegExp(
          `^The schema was not changed: .*process ${pid} of PostgreSQL.*somebody's report", idle in transaction.*pg_terminate_backend\\(${pid}\\)`,
        ),
      );
      expect(await run()).toEqual(names.slice(0, BEFORE));
      await other`commit`;
      expect(await migrate([pool])).toEqual(names.slice(BEFORE));
    } finally {
      await other.end();
    }
  });

  test("is changed at the next try when a transaction that was in the way has ended", async () => {
    const other = openPool(url, { max: 1, name: "somebody's report" });
    try {
      await holdMembers(other);
      const changed = migrate([pool]);
      await waits(true);
      await waits(false);
      await other`commit`;
      expect(await changed).toEqual(names.slice(BEFORE));
    } finally {
      await other.end();
    }
  });

  test("lets nobody join of before once it is changed", async () => {
    await migrate([pool]);
    await expect(joinAsBefore("old")).rejects.toThrow(/has schema 4, which NexusToken 0\.0\.9 does not know\. Update this node/);
    await expect(
      new PostgresRegistry(pool, "0.0.9").join({ id: randomUUID(), node: "old", weight: 1, formats: null }),
    ).rejects.toThrow(TooOld);
  });
});

test("a schema that is older than this code works with is told with the command that changes it", async () => {
  await ofSchema(2);
  const told = await readPlatform([pool]).catch((error: unknown) => error);
  expect(told).toBeInstanceOf(NotSetUp);
  expect(String(told)).toContain(
    "0003-guide, 0004-formats, 0005-lists, 0006-bids, 0007-honeypots, 0008-terms is missing); run `nexus migrate`",
  );
});

test("a later schema is worked with where it leaves this code working, and refused where it does not", async () => {
  await migrate([pool]);
  await pool`insert into migrations (name) values ('9999-later')`;
  await readPlatform([pool]);
  expect(await migrate([pool])).toEqual([]);
  await joinToday(new PostgresRegistry(pool, "0.1.0"), "young");
  await pool`update platform set schema_needed = 9999`;
  await expect(readPlatform([pool])).rejects.toThrow(/newer NexusToken \(9999-later\)/);
  await expect(migrate([pool])).rejects.toThrow(/newer NexusToken \(9999-later\)/);
  await expect(joinToday(new PostgresRegistry(pool, "0.1.0"), "late")).rejects.toThrow(TooOld);
});
