import postgres, { type Sql } from "postgres";
import { StoreUnavailable } from "../../../actors/ports/journal.ts";

/** A pool whose 8-byte integers come as numbers: amounts and times stay far below 2^53. */
export type Database = Sql<{ bigint: number }>;

export interface PoolOptions {
  /** Connections at most. */
  readonly max: number;
  /** How the sessions are named in pg_stat_activity. */
  readonly name: string;
  /** Keeps connections that have nothing to do; else they are closed after a minute. */
  readonly keep?: boolean;
  /** Told when a connection was closed. */
  readonly onclose?: () => void;
}

/** The longest that one statement may take (ms); the audit and migrations set their own. */
const STATEMENT_MS_MAX = 15_000;
/** The wait before a lost connection is tried again (s). */
const RECONNECT_S = 0.25;

/** Opens a pool on `url` (postgres://…). Connects when first used. */
export function openPool(url: string, { max, name, keep = false, onclose }: PoolOptions): Database {
  return postgres(url, {
    max,
    idle_timeout: keep ? 0 : 60,
    max_lifetime: null,
    connect_timeout: 5,
    backoff: () => RECONNECT_S,
    onnotice: () => {},
    ...(onclose === undefined ? {} : { onclose }),
    connection: { application_name: `nexustoken ${name}`, statement_timeout: STATEMENT_MS_MAX },
    types: { bigint: { to: 20, from: [20], parse: Number, serialize: String } },
  });
}

/** Codes of this driver and of Node for a server that is away. */
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
/** SQLSTATE classes and codes after which the same statement may succeed later (Postgres, appendix A). */
const PASSING = /^(08|53|57P|58|40001$|40P01$|57014$|25006$|55P03$)/;

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Whether the database is away or overloaded, so that the same call may succeed later. */
export function isAway(error: unknown): boolean {
  const code = codeOf(error);
  return code !== undefined && (AWAY.has(code) || PASSING.test(code));
}

/** Whether a row with the same key was there already (SQLSTATE 23505). */
export function isDuplicate(error: unknown): boolean {
  return codeOf(error) === "23505";
}

/** Whether the writer is no member any more (see require_member in the migrations). */
export function isFenced(error: unknown): boolean {
  return codeOf(error) === "NX001";
}

/** Whether a member was refused that does not read what has been written (see admit_member in the migrations). */
export function isTooOld(error: unknown): error is Error {
  return codeOf(error) === "NX002";
}

/** Says StoreUnavailable where the database is away, and lets every other error through: those are bugs. */
export async function reaching<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (isAway(error)) throw new StoreUnavailable("the database cannot be reached", { cause: error });
    throw error;
  }
}

/** Gives what `work` gives; rejects with StoreUnavailable when that takes longer than `ms`, and lets the work go on unheard. */
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
