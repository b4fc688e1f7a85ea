/** How a change of tables waits for the transactions that use them, beside a cluster that works on. */
import { setTimeout as pause } from "node:timers/promises";
import { type Database, isLocked } from "./pool.ts";

/**
 * All that comes later queues behind the change while it waits, heartbeats too, so it gives up long before a lease is over (ms).
 * Not before PostgreSQL's deadlock_timeout (1 s), at which an autovacuum in its way is ended.
 */
export const LOCK_MS_MAX = 1_500;
const TRIES = 3;
/** Between two tries (ms), in which what has queued behind the first gets through. */
const PAUSE_MS = 1_500;

/**
 * Runs a change, and again if a lock was not to be had. Rejects with an Error that says to the operator who holds it, or with
 * that of the change.
 */
export async function withRetries<T>(database: Database, change: () => Promise<T>, triesMax = TRIES): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await change();
    } catch (error) {
      if (!isLocked(error)) throw error;
      if (tries >= triesMax) throw new Error(await sentence(database), { cause: error });
    }
    await pause(PAUSE_MS);
  }
}

interface Holder {
  readonly pid: number;
  readonly user: string | null;
  readonly application: string | null;
  readonly state: string | null;
  readonly seconds: number | null;
}

/** Names the oldest transaction that uses a table of ours. Its statement is not told: there may be secrets in it. */
async function sentence(database: Database): Promise<string> {
  const [holder] = await database<Holder[]>`
    select pid, usename as user, application_name as application, state,
      extract(epoch from now() - xact_start)::integer as seconds
    from pg_stat_activity
    where pid <> pg_backend_pid() and pid in (
      select locks.pid from pg_locks locks join pg_class tables on tables.oid = locks.relation
      where locks.granted and locks.database = (select oid from pg_database where datname = current_database())
        and tables.relnamespace = current_schema()::regnamespace)
    order by xact_start limit 1`;
  const unchanged = "The schema was not changed: another transaction has locked a table that it changes";
  if (holder === undefined) return `${unchanged}. Try again.`;
  const { pid, user, application, state, seconds } = holder;
  const details = [
    `process ${pid} of PostgreSQL`,
    ...(user === null ? [] : [`user ${user}`]),
    ...(application === null || application === "" ? [] : [`application "${application}"`]),
    ...(state === null ? [] : [state]),
    ...(seconds === null ? [] : [`open for ${seconds} s`]),
  ];
  return `${unchanged} (${details.join(", ")}). Let it end, or end it with \`select pg_terminate_backend(${pid})\`, and try again.`;
}
