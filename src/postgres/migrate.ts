import { randomBytes } from "node:crypto";
import { SHARDS_DEFAULT } from "../../actors/address.ts";
import { sql as market } from "./migrations/0001-market.ts";
import { sql as cluster } from "./migrations/0002-cluster.ts";
import type { Database } from "./pool.ts";

/** In the order in which they are run; one that has been released never changes. */
const MIGRATIONS: readonly { readonly name: string; readonly sql: string }[] = [
  { name: "0001-market", sql: market },
  { name: "0002-cluster", sql: cluster },
];

/** Any number will do, as long as every NexusToken uses the same. */
const MIGRATION_LOCK = 7_245_001;
const SERVER_VERSION_MIN = 140_000;

/** What a database is set up with, for good. */
export interface Platform {
  /** 32 random bytes, from which ids and webhook secrets are derived. */
  readonly secret: Buffer;
  readonly shards: number;
}

/**
 * Brings the database up to date, one process at a time; a second one waits and then finds nothing to do. `shards` is
 * how many a new database gets. Gives the names of what was run. Throws an Error with a sentence for the operator when the server or the schema is not ours
 * to use.
 */
export async function migrate(database: Database, shards: number = SHARDS_DEFAULT): Promise<readonly string[]> {
  const [server] = await database`select current_setting('server_version_num')::int as version`;
  if (server?.["version"] < SERVER_VERSION_MIN) {
    throw new Error(
      `PostgreSQL 14 or later is needed; this one is ${server?.["version"]}. Upgrade it or point DATABASE_URL elsewhere.`,
    );
  }
  return database.begin(async (transaction) => {
    await transaction`set local statement_timeout = 0`;
    await transaction`select pg_advisory_xact_lock(${MIGRATION_LOCK})`;
    await transaction`create table if not exists migrations (name text primary key, at timestamptz not null default now())`;
    const pending = pendingOf(await transaction<{ name: string }[]>`select name from migrations`);
    for (const { name, sql } of pending) {
      await transaction.unsafe(sql);
      await transaction`insert into migrations (name) values (${name})`;
    }
    await transaction`insert into platform (secret, shards) values (${randomBytes(32)}, ${shards}) on conflict do nothing`;
    await transaction`
      insert into shards (shard) select generate_series(0, platform.shards - 1) from platform on conflict do nothing`;
    return pending.map(({ name }) => name);
  });
}

/** What is still to be run; throws when more than we know was run. */
function pendingOf(rows: readonly { readonly name: string }[]) {
  const done = new Set(rows.map(({ name }) => name));
  const known = new Set(MIGRATIONS.map(({ name }) => name));
  const newer = [...done].filter((name) => !known.has(name));
  if (newer.length > 0) {
    throw new Error(`This database was set up by a newer NexusToken (${newer.join(", ")}); start that one instead.`);
  }
  return MIGRATIONS.filter(({ name }) => !done.has(name));
}

/** Reads what the database was set up with. Throws an Error with a sentence for the operator when it is not up to date. */
export async function readPlatform(database: Database): Promise<Platform> {
  const [there] = await database<{ there: boolean }[]>`select to_regclass('migrations') is not null as there`;
  if (there?.there !== true)
    throw new Error("The database is not set up yet; run `nexus migrate` (a node does so when it starts).");
  const pending = pendingOf(await database<{ name: string }[]>`select name from migrations`);
  if (pending.length > 0) {
    const names = pending.map(({ name }) => name).join(", ");
    throw new Error(`The database is older than this NexusToken (${names} is missing); run \`nexus migrate\`.`);
  }
  const [row] = await database<{ secret: Buffer; shards: number }[]>`select secret, shards from platform`;
  if (row === undefined) throw new Error("The database has no platform in it; run `nexus migrate`.");
  return { secret: row.secret, shards: row.shards };
}
