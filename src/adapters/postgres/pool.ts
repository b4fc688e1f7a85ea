import postgres, { type Sql } from "postgres";
import { StoreUnavailable } from "../../../actors/ports/journal.ts";

/** A pool that gives 8-byte integers as numbers: amounts and times stay far below 2^53. */
export type Database = Sql<{ bigint: number }>;

export interface PoolOptions {
  /** Maximum number of connections. */
  readonly max: number;
  /** Name of the sessions in pg_stat_activity. */
  readonly name: string;
  /** Keeps idle connections; otherwise they are closed after a minute. */
  readonly keep?: boolean;
  /** Called when a connection was closed. */
  readonly onclose?: () => void;
}

/** Timeout of a statement (ms); the audit and migrations set their own. */
const STATEMENT_MS_MAX = 15_000;
/**
 * Statements are planned once for each connection, whatever their parameters. None of ours is better off with a plan of its own, and
 * planning a list of many branches takes longer than running it.
 */
const PLANS = "force_generic_plan";
/**
 * What it costs to read a page by an index, where 1 is a page of a scan: as on disks without heads, or in memory. By the server's own
 * value lists of some thousand rows would be read whole and sorted.
 */
const RANDOM_PAGE_COST = 1.1;
/** Delay before a lost connection is retried (s). */
const RECONNECT_S = 0.25;

/** Opens a pool for `url` (postgres://…). Connects on first use. */
export function openPool(url: string, { max, name, keep = false, onclose }: PoolOptions): Database {
  return postgres(url, {
    max,
    idle_timeout: keep ? 0 : 60,
    max_lifetime: null,
    connect_timeout: 5,
    backoff: () => RECONNECT_S,
    onnotice: () => {},
    ...(onclose === undefined ? {} : { onclose }),
    connection: {
      application_name: `nexustoken ${name}`,
      statement_timeout: STATEMENT_MS_MAX,
      plan_cache_mode: PLANS,
      random_page_cost: RANDOM_PAGE_COST,
    },
    types: { bigint: { to: 20, from: [20], parse: Number, serialize: String } },
  });
}

/** Error codes of this driver and of Node for an unreachable server. */
const AWAY = new Set([
  "CONNECTION_CLOSED",
  "CONNECTION_ENDED",
  "CONNECTION_DESTROYED",
  "CONNECT_TIMEOUT",
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ENOENT",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "CANCELLED",
]);
/** SQLSTATE classes and codes of transient errors: the same statement may succeed later (Postgres, appendix A). */
const PASSING = /^(08|53|57P|58|40001$|40P01$|57014$|25006$|55P03$)/;

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Whether the database is unreachable or overloaded, so that the same call may succeed later. */
export function isAway(error: unknown): boolean {
  const code = codeOf(error);
  return code !== undefined && (AWAY.has(code) || PASSING.test(code));
}

/** Whether a row with the same key exists (SQLSTATE 23505). */
export function isDuplicate(error: unknown): boolean {
  return codeOf(error) === "23505";
}

/** Whether a table is not there (SQLSTATE 42P01), because the schema is one of before. */
export function isUndefinedTable(error: unknown): boolean {
  return codeOf(error) === "42P01";
}

/** Whether a lock was not to be had within lock_timeout (SQLSTATE 55P03). */
export function isLocked(error: unknown): boolean {
  return codeOf(error) === "55P03";
}

/** Whether the writer is no longer a member (see require_member in the migrations). */
export function isFenced(error: unknown): boolean {
  return codeOf(error) === "NX001";
}

/** Whether a member was refused that does not read what has been written (see admit_member in the migrations). */
export function isTooOld(error: unknown): error is Error {
  return codeOf(error) === "NX002";
}

/** Rejects with StoreUnavailable if the database is unreachable, and passes on all other errors: those are bugs. */
export async function reaching<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (isAway(error)) throw new StoreUnavailable("the database cannot be reached", { cause: error });
    throw error;
  }
}

/** Gives the result of `work`; rejects with StoreUnavailable after `ms`. The work goes on, its result is ignored. */
export async function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new StoreUnavailable(`the database did not answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
