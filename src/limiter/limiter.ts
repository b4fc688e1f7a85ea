/** Counts what clients ask: in Redis for all gateways together, in memory where there is no Redis or while it is away. */
import { Redis } from "ioredis";
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import type { Log } from "../../actors/ports.ts";
import type { Allowance, Limiter, LimitName } from "../../gateway/ports.ts";

/** How many are allowed in each window; 0 is no limit. */
export interface Limits {
  readonly requests: number;
  readonly tasks: number;
  readonly failures: number;
  readonly recoveries: number;
}

const WINDOW_S: { readonly [N in LimitName]: number } = { requests: 1, tasks: 60, failures: 60, recoveries: 3_600 };
const CONNECT_MS = 1_000;
/** A Redis that is slower than this is as good as away: the request goes on with the count in memory (ms). */
const ANSWER_MS = 250;
const RECONNECT_MS = 500;

interface Counter {
  consume(key: string, points: number): Promise<RateLimiterRes>;
}

/** The limiter of one gateway; `close` lets go of Redis. `redis` is its URL, or null. */
export function openLimiter(
  limits: Limits,
  redis: string | null,
  prefix: string,
  log: Log,
): Limiter & { close(): Promise<void> } {
  const client = redis === null ? null : connect(redis, log);
  const counters = new Map<LimitName, Counter>();
  for (const name of ["requests", "tasks", "failures", "recoveries"] as const) {
    const points = limits[name];
    if (points === 0) continue;
    const options = { points, duration: WINDOW_S[name], keyPrefix: `${prefix}:limit:${name}` };
    const memory = new RateLimiterMemory(options);
    counters.set(
      name,
      client === null
        ? memory
        : new RateLimiterRedis({ ...options, storeClient: client, insuranceLimiter: memory, rejectIfRedisNotReady: true }),
    );
  }
  return {
    take: (name, key, points = 1) => take(counters.get(name), name, limits[name], key, points),
    close: async () => client?.disconnect(),
  };
}

async function take(
  counter: Counter | undefined,
  name: LimitName,
  limit: number,
  key: string,
  points: number,
): Promise<Allowance> {
  if (counter === undefined) return { name, limit: 0, windowS: WINDOW_S[name], left: 0, resetMs: 0, allowed: true };
  const result = await counter.consume(key, points).catch((error: unknown) => {
    // The library rejects with its result when the limit is passed; anything else is a bug.
    if (error instanceof RateLimiterRes) return error;
    throw error;
  });
  const allowed = result.consumedPoints <= limit;
  return {
    name,
    limit,
    windowS: WINDOW_S[name],
    left: Math.max(0, limit - result.consumedPoints),
    resetMs: result.msBeforeNext,
    allowed,
  };
}

function connect(url: string, log: Log): Redis {
  const client = new Redis(url, {
    connectTimeout: CONNECT_MS,
    commandTimeout: ANSWER_MS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => RECONNECT_MS,
  });
  let up = true;
  client.on("error", (error) => {
    if (up) log.warn({ err: error }, "Redis is away; each gateway counts for itself until it is back");
    up = false;
  });
  client.on("ready", () => {
    if (!up) log.info({}, "Redis is back");
    up = true;
  });
  return client;
}
