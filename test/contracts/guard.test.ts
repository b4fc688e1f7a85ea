/** Who guesses is turned away before anything is looked up: with counts in memory, and in Redis for two gateways together. */
import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, inject, test } from "vitest";
import { Guard } from "../../gateway/doors/guard.ts";
import { Problem } from "../../gateway/http/problems.ts";
import type { Limiter } from "../../gateway/ports/limiter.ts";
import { openLimiter } from "../../src/adapters/redis/limiter.ts";
import { SILENT } from "../support/world.ts";

const LIMITS = { requests: 0, tasks: 0, visits: 0, registrations: 0, failures: 5, recoveries: 0 };
const ANSWER = { set: () => {} };

/** A gateway's guard, and how often it has looked something up. */
class Door {
  readonly #guard: Guard;
  readonly #good: Set<string>;
  lookups = 0;

  constructor(limiter: Limiter, good: Set<string>) {
    this.#guard = new Guard(limiter);
    this.#good = good;
  }

  /** What the client gets: 200, 401 or 429. */
  async knock(address: string, key: string): Promise<number> {
    const look = async () => {
      this.lookups += 1;
      await new Promise((resolve) => setImmediate(resolve));
      return this.#good.has(key) ? key : undefined;
    };
    try {
      return (await this.#guard.check(ANSWER, address, key, look)) === undefined ? 401 : 200;
    } catch (error) {
      if (error instanceof Problem) return error.status;
      throw error;
    }
  }

  /** As many wrong keys at once. */
  wrong(address: string, count: number): Promise<number[]> {
    return Promise.all(Array.from({ length: count }, () => this.knock(address, randomUUID())));
  }
}

function suite(name: string, open: () => Limiter & { close(): Promise<void> }, shared: boolean) {
  describe(name, () => {
    const [one, two] = [open(), open()] as const;
    const good = new Set<string>();
    const doors = () => [new Door(one, good), new Door(two, good)] as const;
    afterAll(() => Promise.all([one.close(), two.close()]));

    test("of twenty wrong keys at once five are looked up, and the rest are refused without a look", async () => {
      await settled(shared, one, two);
      const [door] = doors();
      const address = randomUUID();
      const statuses = await door.wrong(address, 20);
      expect(statuses.filter((status) => status === 401)).toHaveLength(5);
      expect(statuses.filter((status) => status === 429)).toHaveLength(15);
      expect(door.lookups).toBe(5);
      expect(await door.wrong(randomUUID(), 1)).toEqual([401]);
    });

    test("good keys that come at once from one address all pass, and take nothing from it", async () => {
      const [door] = doors();
      const [address, keys] = [randomUUID(), Array.from({ length: 20 }, () => randomUUID())];
      for (const key of keys) good.add(key);
      expect(new Set(await Promise.all(keys.map((key) => door.knock(address, key))))).toEqual(new Set([200]));
      expect(await door.wrong(address, 5)).toEqual([401, 401, 401, 401, 401]);
    });

    test("a key that was good from an address passes whatever a stranger does there; one that was not waits", async () => {
      const [door] = doors();
      const [address, seen, unseen] = [randomUUID(), randomUUID(), randomUUID()];
      good.add(seen).add(unseen);
      expect(await door.knock(address, seen)).toBe(200);
      await door.wrong(address, 6);
      const before = door.lookups;
      expect(await door.knock(address, seen)).toBe(200);
      expect(await door.knock(address, unseen)).toBe(429);
      expect(door.lookups - before).toBe(1);
      expect(await door.knock(randomUUID(), unseen)).toBe(200);
    });

    test("a key that is good no longer is looked up once more, and then waits like any wrong one", async () => {
      const [door] = doors();
      const [address, key] = [randomUUID(), randomUUID()];
      good.add(key);
      await door.knock(address, key);
      await door.wrong(address, 4);
      good.delete(key);
      const before = door.lookups;
      expect([await door.knock(address, key), await door.knock(address, key), await door.knock(address, key)]).toEqual([
        401, 429, 429,
      ]);
      expect(door.lookups - before).toBe(1);
    });

    test(`what one gateway has seen, another ${shared ? "knows" : "does not, where they share nothing"}`, async () => {
      const [here, there] = doors();
      const [address, key] = [randomUUID(), randomUUID()];
      good.add(key);
      await here.knock(address, key);
      await here.wrong(address, 5);
      expect(await there.wrong(address, 1)).toEqual([shared ? 429 : 401]);
      await there.wrong(address, 5);
      expect(await there.knock(address, key)).toBe(shared ? 200 : 429);
    });
  });
}

/** A connection to Redis needs a moment; until then the counts in memory stand in. */
async function settled(shared: boolean, one: Limiter, two: Limiter): Promise<void> {
  for (let tries = 0; shared && tries < 100; tries += 1) {
    const address = randomUUID();
    await one.take("failures", address);
    if ((await two.look("failures", address)).left === 4) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

suite("in memory", () => openLimiter(LIMITS, null, "test", SILENT), false);
const prefix = `test-${randomUUID()}`;
suite("in Redis", () => openLimiter(LIMITS, inject("redisUrl"), prefix, SILENT), true);
