/** Which secrets were good from which addresses within the hour: in memory, and in Redis for all gateways together. */
import type { Redis } from "ioredis";
import { LRUCache } from "lru-cache";
import type { Familiar } from "../../../gateway/ports/limiter.ts";

const HOUR_S = 3_600;
/** Redis is told again at most so often (ms): what is used all the time must not be forgotten after an hour. */
const TOLD_MS = 600_000;
/** About 250 bytes each; past that, the one that has not been used for the longest is forgotten. */
const FAMILIAR_MAX = 50_000;

/** `redis` is null where this gateway is alone. While Redis is away, each gateway knows what it has seen itself. */
export function openFamiliar(redis: Redis | null, prefix: string, now: () => number): Familiar {
  const told = new LRUCache<string, number>({ max: FAMILIAR_MAX, ttl: HOUR_S * 1_000 });
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
      // Set again in any case: its hour begins anew.
      told.set(pair, fresh ? before : now());
      if (!fresh) redis?.set(name(pair), "1", "EX", HOUR_S).catch(() => told.set(pair, 0));
    },
    drop(pair) {
      told.delete(pair);
      redis?.del(name(pair)).catch(() => {});
    },
  };
}
