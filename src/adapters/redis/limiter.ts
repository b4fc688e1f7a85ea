/** Rate limiter: in Redis for all gateways together, in memory without Redis or while it is down. */
import { Redis } from "ioredis";
import { RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import type { Log } from "../../../actors/ports/log.ts";
import type { Allowance, Limiter, LimitName } from "../../../gateway/ports/limiter.ts";
import { openAllowlist } from "./allowlist.ts";
import { type Count, Counts } from "./counts.ts";

/** How many are allowed per window; 0: no limit. */
export type Limits = { readonly [N in LimitName]: number };

const WINDOW_S: { readonly [N in LimitName]: number } = {
  requests: 1,
  tasks: 60,
  visits: 1,
  registrations: 3_600,
  failures: 60,
  recoveries: 3_600,
};
const NAMES = ["requests", "tasks", "visits", "registrations", "failures", "recoveries"] as const;
const CONNECT_MS = 1_000;
/** Timeout of Redis; after it the request continues with the count in memory (ms). */
const ANSWER_MS = 250;
const RECONNECT_MS = 500;

/** One limit: `add` counts points, `look` only reads. */
interface Counter {
  add(key: string, points: number): Promise<Count>;
  look(key: string): Promise<Count>;
}

/** Opens the limiter of one gateway; `redis` is the URL of Redis, or null; `close` disconnects from it. */
export function openLimiter(
  limits: Limits,
  redis: string | null,
  prefix: string,
  log: Log,
): Limiter & { close(): Promise<void> } {
  const client = redis === null ? null : connect(redis, log);
  const counters = new Map<LimitName, Counter>();
  for (const name of NAMES) {
    if (limits[name] === 0) continue;
    const memory = new Counts(WINDOW_S[name] * 1_000, Date.now);
    counters.set(
      name,
      client === null ? inMemory(memory) : inRedis(client, `${prefix}:limit:${name}`, limits[name], name, memory),
    );
  }
  const allowance = async (name: LimitName, count: Promise<Count> | undefined, looks: boolean): Promise<Allowance> => {
    const limit = limits[name];
    const windowS = WINDOW_S[name];
    if (count === undefined) return { name, limit: 0, windowS, left: 0, resetMs: 0, allowed: true };
    const { consumed, resetMs } = await count;
    return {
      name,
      limit,
      windowS,
      left: Math.max(0, limit - consumed),
      resetMs,
      allowed: looks ? consumed < limit : consumed <= limit,
    };
  };
  return {
    take: (name, key, points = 1) => allowance(name, counters.get(name)?.add(key, points), false),
    look: (name, key) => allowance(name, counters.get(name)?.look(key), true),
    give: async (name, key) => void (await counters.get(name)?.add(key, -1)),
    allowlist: openAllowlist(client, prefix, Date.now),
    close: async () => client?.disconnect(),
  };
}

function inMemory(counts: Counts): Counter {
  return { add: async (key, points) => counts.add(key, points), look: async (key) => counts.look(key) };
}

function inRedis(storeClient: Redis, keyPrefix: string, points: number, name: LimitName, memory: Counts): Counter {
  const options = { storeClient, keyPrefix, points, duration: WINDOW_S[name], rejectIfRedisNotReady: true };
  const store = new RateLimiterRedis(options);
  const counted = ({ consumedPoints, msBeforeNext }: RateLimiterRes) => ({ consumed: consumedPoints, resetMs: msBeforeNext });
  return {
    add: (key, more) =>
      (more < 0 ? store.reward(key, -more) : store.consume(key, more)).then(counted, (error: unknown) =>
        // The library rejects with its result if the limit is exceeded, and with an error if Redis does not answer.
        error instanceof RateLimiterRes ? counted(error) : memory.add(key, more),
      ),
    look: (key) =>
      store.get(key).then(
        (found) => (found === null ? { consumed: 0, resetMs: WINDOW_S[name] * 1_000 } : counted(found)),
        () => memory.look(key),
      ),
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
    if (up) log.warn({ err: error }, "Redis is down; each gateway counts for itself until it is back");
    up = false;
  });
  client.on("ready", () => {
    if (!up) log.info({}, "Redis is back");
    up = true;
  });
  return client;
}
