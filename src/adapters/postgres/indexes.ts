/**
 * Indexes of a migration. On tables with rows they are built while others read and write, which takes minutes where there are tens
 * of millions, and cannot be part of a transaction. One process builds at a time; what was built stays, so who is interrupted,
 * or fails, goes on with the next one.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { ReservedSql } from "postgres";
import type { Transaction } from "./consistent-snapshot.ts";
import type { Database } from "./pool.ts";

export interface Index {
  readonly name: string;
  readonly table: string;
  /** The columns in parentheses, and what else there is. */
  readonly of: string;
}

/** Any number will do, as long as every NexusToken uses the same; not that of migrations, whose transactions wait for theirs. */
const BUILDING_LOCK = 7_245_004;
/** How often it is tried to get the lock (ms). Waiting for it in a statement would keep the build from ending, which waits for that. */
const TRY_EVERY_MS = 250;

/** Those of these indexes that are not there, or were left half built. */
async function missing(database: Database | Transaction, indexes: readonly Index[]): Promise<readonly Index[]> {
  const built = await database<{ name: string }[]>`
    select c.relname as name from pg_index i join pg_class c on c.oid = i.indexrelid
    where i.indisvalid and c.relnamespace = current_schema()::regnamespace and c.relname = any(${indexes.map(({ name }) => name)}::text[])`;
  return indexes.filter(({ name }) => !built.some((one) => one.name === name));
}

/** How long a build waits for transactions of others (ms). Nobody waits for it meanwhile, and what it has read would be lost. */
const WAIT_MS_MAX = 60_000;

/** Whether all of these indexes are there. */
export async function areBuilt(database: Database | Transaction, indexes: readonly Index[]): Promise<boolean> {
  return indexes.length === 0 || (await missing(database, indexes)).length === 0;
}

/** Whether the tables of these indexes are there. */
export async function haveTables(database: Database | Transaction, indexes: readonly Index[]): Promise<boolean> {
  const tables = [...new Set(indexes.map(({ table }) => table))];
  const there = await database`select from unnest(${tables}::text[]) name where to_regclass(name) is not null`;
  return there.length === tables.length;
}

/** Builds indexes on tables without rows, as a part of a transaction. */
export async function buildAtOnce(transaction: Transaction, indexes: readonly Index[]): Promise<void> {
  for (const { name, table, of } of indexes) await transaction.unsafe(`create index ${name} on ${table} ${of}`);
}

/**
 * Builds those of these indexes that are not there, beside whoever works on the tables; waits while another process does. Rejects
 * when a transaction of others is in the way for `waitMs`: a build ends once all have ended that may see the table without it.
 */
export async function buildBeside(database: Database, indexes: readonly Index[], waitMs = WAIT_MS_MAX): Promise<void> {
  const session = await database.reserve();
  try {
    await session`set statement_timeout = 0`;
    await lock(session);
    try {
      await session`select set_config('lock_timeout', ${String(waitMs)}, false)`;
      for (const { name, table, of } of await missing(session, indexes)) {
        // One that was left half built is in the way, and slows down every write.
        await session.unsafe(`drop index concurrently if exists ${name}`);
        await session.unsafe(`create index concurrently ${name} on ${table} ${of}`);
      }
    } finally {
      await session`select pg_advisory_unlock(${BUILDING_LOCK})`;
    }
  } finally {
    await session`reset statement_timeout`;
    await session`reset lock_timeout`;
    session.release();
  }
}

async function lock(session: ReservedSql<{ bigint: number }>): Promise<void> {
  for (;;) {
    const [row] = await session<{ got: boolean }[]>`select pg_try_advisory_lock(${BUILDING_LOCK}) as got`;
    if (row?.got === true) return;
    await pause(TRY_EVERY_MS);
  }
}
