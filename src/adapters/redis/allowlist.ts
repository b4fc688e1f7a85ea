/** The allowlist: which secrets were valid from which addresses within the last hour. In memory, and in Redis for all gateways. */
import type { Redis } from "ioredis";
import { LRUCache } from "lru-cache";
import type { Allowlist } from "../../../gateway/ports/limiter.ts";

const HOUR_S = 3_600;
/** Redis is refreshed at most this often (ms), so that a pair in constant use does not expire after an hour. */
const TOLD_MS = 600_000;
/** Maximum number of pairs, about 250 bytes each; above that, the least recently used one is forgotten. */
const PAIRS_MAX = 50_000;

/** `redis` is null if there is only one gateway. While Redis is down, each gateway knows only what it has seen itself. */
export function openAllowlist(redis: Redis | null, prefix: string, now: () => number): Allowlist {
  const told = new LRUCache<string, number>({ max: PAIRS_MAX, ttl: HOUR_S * 1_000 });
  const name = (pair: string) => `${prefix}:familiar:${pair}`;
  return {
    async has(pair) {
      if (told.has(pair)) return true;
      const known = redis === null ? null : await redis.get(name(pair)).catch(() => null);
      if (known === null) return false;
      told.set(pair, now());
      return true;
    },
    add(pair) {
      const before = told.get(pair);
      const fresh = before !== undefined && now() - before < TOLD_MS;
      // Set in any case: the hour starts over.
      told.set(pair, fresh ? before : now());
      if (!fresh) redis?.set(name(pair), "1", "EX", HOUR_S).catch(() => told.set(pair, 0));
    },
    drop(pair) {
      told.delete(pair);
      redis?.del(name(pair)).catch(() => {});
    },
  };
}
