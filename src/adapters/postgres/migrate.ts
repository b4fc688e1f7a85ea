import { randomBytes } from "node:crypto";
import { SHARDS_DEFAULT } from "../../../actors/address.ts";
import { LOCK_MS_MAX, withRetries } from "./change-lock.ts";
import type { Transaction } from "./consistent-snapshot.ts";
import { areBuilt, buildAtOnce, buildBeside, haveTables, type Index } from "./indexes.ts";
import { sql as market } from "./migrations/0001-market.ts";
import { sql as cluster } from "./migrations/0002-cluster.ts";
import { sql as guide } from "./migrations/0003-guide.ts";
import { sql as formats } from "./migrations/0004-formats.ts";
import { indexes as listIndexes, sql as lists } from "./migrations/0005-lists.ts";
import { sql as bids } from "./migrations/0006-bids.ts";
import { sql as honeypots } from "./migrations/0007-honeypots.ts";
import { sql as terms } from "./migrations/0008-terms.ts";
import type { Database } from "./pool.ts";

interface Migration {
  readonly name: string;
  /** Built before the SQL is run, beside whoever works on the tables. */
  readonly indexes?: readonly Index[];
  readonly sql: string;
  /** The lowest schema that code must know to work with the database after it. Its own number, unless older code goes on. */
  readonly needs: number;
}

/** In the order in which they are run; one that has been released never changes. A schema is how many have been run. */
export const MIGRATIONS: readonly Migration[] = [
  { name: "0001-market", sql: market, needs: 1 },
  { name: "0002-cluster", sql: cluster, needs: 2 },
  { name: "0003-guide", sql: guide, needs: 3 },
  { name: "0004-formats", sql: formats, needs: 4 },
  { name: "0005-lists", indexes: listIndexes, sql: lists, needs: 4 },
  { name: "0006-bids", sql: bids, needs: 4 },
  { name: "0007-honeypots", sql: honeypots, needs: 4 },
  { name: "0008-terms", sql: terms, needs: 4 },
];

/** The lowest and the highest schema that this code works with, but for later ones that need no more. */
export const SCHEMAS: readonly [lowest: number, highest: number] = [3, MIGRATIONS.length];
/** Since this one, members publish what they read, and the database knows which schema code must know. */
const SCHEMA_OF_FORMATS = 4;
/** The first that has members. */
const SCHEMA_OF_MEMBERS = 2;

/** Any number will do, as long as every NexusToken uses the same. */
const MIGRATION_LOCK = 7_245_001;
const SERVER_VERSION_MIN = 140_000;
const LEASE_MS_DEFAULT = 5_000;

/** What a database is set up with; never changes. */
export interface Platform {
  /** 32 random bytes, from which ids and webhook secrets are derived; the same in all databases of a platform. */
  readonly secret: Buffer;
  readonly shards: number;
  /** Which of the platform's databases it is, 0..databases-1. Columns `place` and `places`. */
  readonly databaseIndex: number;
  readonly databases: number;
}

/** The databases are not what this version needs yet; a node, or `nexus migrate`, changes that. */
export class NotSetUp extends Error {}

export interface MigrateOptions {
  /** How many shards a new platform gets. */
  readonly shards?: number | undefined;
  /** A member that is silent for longer is none (ms). */
  readonly leaseMs?: number;
  /** Changes nothing where other processes work on the databases. */
  readonly onlyAlone?: boolean;
}

/**
 * Brings a platform's databases up to date, one process at a time; a second one waits and then finds nothing to do. New
 * ones become a platform. Indexes on tables with rows are built first, while the cluster works. Gives the names of what was run. Throws an Error with a sentence for the operator when a server or
 * a schema is not ours to use, when a member of the cluster does not work with the new schema, and when a transaction of
 * others holds a lock for too long; that database is unchanged then.
 */
export async function migrate(databases: readonly Database[], options: MigrateOptions = {}): Promise<readonly string[]> {
  const { shards = SHARDS_DEFAULT } = options;
  if (databases.length > shards)
    throw new Error(`${databases.length} databases need as many shards; set SHARDS higher than ${shards}.`);
  let founding: Pick<Platform, "secret" | "shards"> = { secret: randomBytes(32), shards };
  const applied = new Set<string>();
  for (const [databaseIndex, database] of databases.entries()) {
    const founded = { ...founding, databaseIndex, databases: databases.length };
    const { run, platform } = await migrateOne(database, founded, options);
    for (const name of run) applied.add(name);
    // Before the next one is touched: a list that is wrong must change nothing.
    checkDatabase(platform, databaseIndex, databases.length, databaseIndex === 0 ? platform : founding);
    founding = platform;
  }
  return [...applied];
}

/** Runs what a database has not had; what needs indexes waits until they have been built. */
async function migrateOne(database: Database, founding: Platform, options: MigrateOptions) {
  const run: string[] = [];
  for (;;) {
    const done = await withRetries(database, () => runReady(database, founding, options));
    run.push(...done.run);
    if (done.unbuilt === undefined) return { run, platform: done.platform };
    const { unbuilt } = done;
    await withRetries(database, () => buildBeside(database, unbuilt), 1);
  }
}

/** Runs, in one transaction, what may be run now; gives the indexes that have to be built before the rest. */
async function runReady(database: Database, founding: Platform, options: MigrateOptions) {
  const [server] = await database`select current_setting('server_version_num')::int as version`;
  if (server?.["version"] < SERVER_VERSION_MIN) {
    throw new Error(
      `PostgreSQL 14 or later is needed; this one is ${server?.["version"]}. Upgrade it or point DATABASE_URL elsewhere.`,
    );
  }
  return database.begin(async (transaction) => {
    await transaction`set local statement_timeout = 0`;
    await transaction`select pg_advisory_xact_lock(${MIGRATION_LOCK})`;
    await transaction`select set_config('lock_timeout', ${String(LOCK_MS_MAX)}, true)`;
    await transaction`create table if not exists migrations (name text primary key, at timestamptz not null default now())`;
    const names = (await transaction<{ name: string }[]>`select name from migrations`).map(({ name }) => name);
    const pending = await pendingOf(transaction, names);
    if (pending.length > 0 && (await mayChange(transaction, schemaOf(names), pending, options))) {
      const { ready, unbuilt } = await readyOf(transaction, pending, names.length === 0);
      if (ready.length > 0) await run(transaction, ready, founding);
      return { run: ready.map(({ name }) => name), unbuilt, platform: await platformOf(transaction) };
    }
    return { run: [], unbuilt: undefined, platform: await platformOf(transaction) };
  });
}

/**
 * What may be run now of what is pending, and the indexes that must be built first: before all of it, so that members have one change
 * of the schema to live with; or, in a database so old that it lacks their tables, once these are there. A new database has no rows.
 */
async function readyOf(transaction: Transaction, pending: readonly Migration[], isNew: boolean) {
  for (const [index, { indexes = [] }] of isNew ? [] : pending.entries()) {
    if (await areBuilt(transaction, indexes)) continue;
    return { ready: (await haveTables(transaction, indexes)) ? [] : pending.slice(0, index), unbuilt: indexes };
  }
  return { ready: pending, unbuilt: undefined };
}

async function run(
  transaction: Transaction,
  pending: readonly Migration[],
  { secret, shards, databaseIndex, databases }: Platform,
) {
  for (const { name, sql, indexes = [] } of pending) {
    if (!(await areBuilt(transaction, indexes))) await buildAtOnce(transaction, indexes);
    await transaction.unsafe(sql);
    await transaction`insert into migrations (name) values (${name})`;
  }
  await transaction`
    insert into platform (secret, shards, place, places) values (${secret}, ${shards}, ${databaseIndex}, ${databases}) on conflict do nothing`;
  await transaction`
    insert into shards (shard)
    select shard from platform, generate_series(platform.place, platform.shards - 1, platform.places) shard
    on conflict do nothing`;
  const needs = Math.max(...pending.map((migration) => migration.needs));
  await transaction`update platform set schema_needed = greatest(schema_needed, ${needs})`;
}

/**
 * Whether the schema may be changed now: no member is there that does not work with the new one, and none joins until this
 * transaction ends. Removes members that would prevent it and have been silent for a lease. Throws a sentence for the operator
 * that names those that prevent it.
 */
async function mayChange(
  transaction: Transaction,
  schema: number,
  pending: readonly Migration[],
  { leaseMs = LEASE_MS_DEFAULT, onlyAlone = false }: MigrateOptions,
): Promise<boolean> {
  if (schema < SCHEMA_OF_MEMBERS) return true;
  const publishes = schema >= SCHEMA_OF_FORMATS;
  if (publishes) await transaction`select from platform for update`;
  else await transaction`lock table members in share row exclusive mode`;
  // Before there was a column for what members read, they wrote it into their statistics; older ones wrote it nowhere.
  const reads = publishes ? transaction`reads` : transaction`stats -> 'reads'`;
  const highest = transaction`coalesce((${reads} -> 'schema' ->> 1)::integer, ${SCHEMA_OF_FORMATS - 1})`;
  const needs = Math.max(...pending.map((migration) => migration.needs));
  await transaction`delete from members where beat < now() - make_interval(secs => ${leaseMs / 1_000}) and (${onlyAlone} or ${highest} < ${needs})`;
  const members = await transaction<{ node: string; version: string; old: boolean }[]>`
    select node, version, ${highest} < ${needs} as old from members order by node`;
  if (onlyAlone) return members.length === 0;
  const old = members.filter((member) => member.old).map(({ node, version }) => `${node} (NexusToken ${version})`);
  if (old.length === 0) return true;
  const names = pending.map(({ name }) => name).join(", ");
  throw new Error(
    `The schema was not changed: ${old.join(", ")} would not work with ${names}. Update every node (\`nexus cluster\` shows them), then run \`nexus migrate\` again.`,
  );
}

/** How many of the migrations have been run, from the first on. */
function schemaOf(names: readonly string[]): number {
  const missing = MIGRATIONS.findIndex(({ name }) => !names.includes(name));
  return missing < 0 ? MIGRATIONS.length : missing;
}

/** What is still to be run; throws when something was run that this code must know, and does not. */
async function pendingOf(database: Database | Transaction, names: readonly string[]): Promise<readonly Migration[]> {
  const known = new Set(MIGRATIONS.map(({ name }) => name));
  const newer = names.filter((name) => !known.has(name));
  if (newer.length > 0) {
    const [row] = await database<{ needed: number }[]>`select schema_needed as needed from platform`;
    if (row === undefined || row.needed > MIGRATIONS.length)
      throw new Error(`This database was set up by a newer NexusToken (${newer.join(", ")}); start that one instead.`);
  }
  return MIGRATIONS.filter(({ name }) => !names.includes(name));
}

/** The migrations that some of these databases have not had; none of them may be needed for this code to work. */
export async function missingMigrations(databases: readonly Database[]): Promise<readonly string[]> {
  const missing = new Set<string>();
  for (const database of databases) {
    const run = await database<{ name: string }[]>`select name from migrations`;
    for (const { name } of MIGRATIONS) if (!run.some((done) => done.name === name)) missing.add(name);
  }
  return [...missing];
}

/**
 * Reads what these databases were set up with; gives it as the first one says it. Throws an Error with a sentence for the
 * operator when one is older than this code works with (NotSetUp), or when they are not one platform's, all of them and in order.
 */
export async function readPlatform(databases: readonly Database[]): Promise<Platform> {
  const platforms = await Promise.all(databases.map(readOne));
  const [first] = platforms;
  if (first === undefined) throw new Error("a platform has at least one database");
  for (const [index, platform] of platforms.entries()) checkDatabase(platform, index, databases.length, first);
  return first;
}

async function readOne(database: Database): Promise<Platform> {
  const [there] = await database<{ there: boolean }[]>`select to_regclass('migrations') is not null as there`;
  if (there?.there !== true)
    throw new NotSetUp("The database is not set up yet; start a node, which does so, or run `nexus migrate`.");
  const run = (await database<{ name: string }[]>`select name from migrations`).map(({ name }) => name);
  const pending = await pendingOf(database, run);
  if (schemaOf(run) < SCHEMAS[0]) {
    const names = pending.map(({ name }) => name).join(", ");
    throw new NotSetUp(`The database is older than this NexusToken (${names} is missing); run \`nexus migrate\`.`);
  }
  return platformOf(database);
}

async function platformOf(database: Database | Transaction): Promise<Platform> {
  const [row] = await database<Platform[]>`select secret, shards, place as "databaseIndex", places as databases from platform`;
  if (row === undefined) throw new NotSetUp("The database has no platform in it; run `nexus migrate`.");
  return row;
}

function checkDatabase(platform: Platform, index: number, databases: number, first: Pick<Platform, "secret" | "shards">): void {
  const which = `Database ${index + 1} of DATABASE_URL`;
  if (!platform.secret.equals(first.secret) || platform.shards !== first.shards) {
    throw new Error(`${which} belongs to another platform than the first one; name the databases of one platform.`);
  }
  if (platform.databases !== databases) {
    throw new Error(
      `DATABASE_URL lists ${databases}, but the number of databases of this platform is ${platform.databases}, which cannot change; list all of them.`,
    );
  }
  if (platform.databaseIndex !== index) {
    throw new Error(
      `${which} was set up as number ${platform.databaseIndex + 1}; name them in the order in which they were set up.`,
    );
  }
}
