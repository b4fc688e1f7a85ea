import { randomBytes } from "node:crypto";
import { SHARDS_DEFAULT } from "../../../actors/address.ts";
import { sql as market } from "./migrations/0001-market.ts";
import { sql as cluster } from "./migrations/0002-cluster.ts";
import { sql as guide } from "./migrations/0003-guide.ts";
import { sql as formats } from "./migrations/0004-formats.ts";
import type { Database } from "./pool.ts";

/** In the order in which they are run; one that has been released never changes. */
const MIGRATIONS: readonly { readonly name: string; readonly sql: string }[] = [
  { name: "0001-market", sql: market },
  { name: "0002-cluster", sql: cluster },
  { name: "0003-guide", sql: guide },
  { name: "0004-formats", sql: formats },
];

/** The lowest and the highest schema that this code works with, as the number of migrations. */
export const SCHEMAS: readonly [lowest: number, highest: number] = [MIGRATIONS.length, MIGRATIONS.length];

/** Any number will do, as long as every NexusToken uses the same. */
const MIGRATION_LOCK = 7_245_001;
const SERVER_VERSION_MIN = 140_000;

/** What a database is set up with, for good. */
export interface Platform {
  /** 32 random bytes, from which ids and webhook secrets are derived; the same in all databases of a platform. */
  readonly secret: Buffer;
  readonly shards: number;
  /** Which of the platform's databases it is, 0..places-1. */
  readonly place: number;
  readonly places: number;
}

/** The databases are not what this version needs yet; a node, or `nexus migrate`, changes that. */
export class NotSetUp extends Error {}

/**
 * Brings a platform's databases up to date, one process at a time; a second one waits and then finds nothing to do. New
 * ones become a platform with this many shards. Gives the names of what was run. Throws an Error with a sentence for the
 * operator when a server or a schema is not ours to use.
 */
export async function migrate(databases: readonly Database[], shards: number = SHARDS_DEFAULT): Promise<readonly string[]> {
  if (databases.length > shards)
    throw new Error(`${databases.length} databases need as many shards; set SHARDS higher than ${shards}.`);
  let founding: Pick<Platform, "secret" | "shards"> = { secret: randomBytes(32), shards };
  const applied = new Set<string>();
  for (const [place, database] of databases.entries()) {
    for (const name of await migrateOne(database, { ...founding, place, places: databases.length })) applied.add(name);
    const platform = await platformOf(database);
    // Before the next one is touched: a list that is wrong must change nothing.
    checkPlace(platform, place, databases.length, place === 0 ? platform : founding);
    founding = platform;
  }
  return [...applied];
}

async function migrateOne(database: Database, { secret, shards, place, places }: Platform): Promise<readonly string[]> {
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
    await transaction`
      insert into platform (secret, shards, place, places) values (${secret}, ${shards}, ${place}, ${places}) on conflict do nothing`;
    await transaction`
      insert into shards (shard)
      select shard from platform, generate_series(platform.place, platform.shards - 1, platform.places) shard
      on conflict do nothing`;
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

/**
 * Reads what these databases were set up with; gives it as the first one says it. Throws an Error with a sentence for the
 * operator when one is not up to date (NotSetUp), or when they are not one platform's, all of them and in order.
 */
export async function readPlatform(databases: readonly Database[]): Promise<Platform> {
  const platforms = await Promise.all(databases.map(readOne));
  const [first] = platforms;
  if (first === undefined) throw new Error("a platform has at least one database");
  for (const [place, platform] of platforms.entries()) checkPlace(platform, place, databases.length, first);
  return first;
}

async function readOne(database: Database): Promise<Platform> {
  const [there] = await database<{ there: boolean }[]>`select to_regclass('migrations') is not null as there`;
  if (there?.there !== true)
    throw new NotSetUp("The database is not set up yet; start a node, which does so, or run `nexus migrate`.");
  const pending = pendingOf(await database<{ name: string }[]>`select name from migrations`);
  if (pending.length > 0) {
    const names = pending.map(({ name }) => name).join(", ");
    throw new NotSetUp(`The database is older than this NexusToken (${names} is missing); run \`nexus migrate\`.`);
  }
  return platformOf(database);
}

async function platformOf(database: Database): Promise<Platform> {
  const [row] = await database<Platform[]>`select secret, shards, place, places from platform`;
  if (row === undefined) throw new NotSetUp("The database has no platform in it; run `nexus migrate`.");
  return row;
}

function checkPlace(platform: Platform, place: number, places: number, first: Pick<Platform, "secret" | "shards">): void {
  const which = `Database ${place + 1} of DATABASE_URL`;
  if (!platform.secret.equals(first.secret) || platform.shards !== first.shards) {
    throw new Error(`${which} belongs to another platform than the first one; name the databases of one platform.`);
  }
  if (platform.places !== places) {
    throw new Error(
      `DATABASE_URL lists ${places}, but the number of databases of this platform is ${platform.places}, which cannot change; list all of them.`,
    );
  }
  if (platform.place !== place) {
    throw new Error(`${which} was set up as number ${platform.place + 1}; name them in the order in which they were set up.`);
  }
}
