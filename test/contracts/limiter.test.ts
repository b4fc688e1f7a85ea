/** One suite for every limiter, and what happens when Redis goes. */
import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, inject, test } from "vitest";
import type { Limiter } from "../../gateway/ports/limiter.ts";
import { Counts } from "../../src/adapters/redis/counts.ts";
import { openLimiter } from "../../src/adapters/redis/limiter.ts";
import { startPrivate } from "../support/servers.mjs";
import { SILENT } from "../support/world.ts";

const LIMITS = { requests: 0, tasks: 5, visits: 4, registrations: 2, failures: 3, recoveries: 3 };

function suite(name: string, open: () => Limiter & { close(): Promise<void> }) {
  describe(name, () => {
    const limiter = open();
    afterAll(() => limiter.close());

    test("allows as many as the limit says, tells what is left, and when it begins anew", async () => {
      await ready(limiter);
      const key = randomUUID();
      const taken = [];
      for (let n = 0; n < 7; n += 1) taken.push(await limiter.take("tasks", key));
      expect(taken.map(({ allowed }) => allowed)).toEqual([true, true, true, true, true, false, false]);
      expect(taken.map(({ left }) => left)).toEqual([4, 3, 2, 1, 0, 0, 0]);
      for (const { limit, windowS, resetMs } of taken) {
        expect({ limit, windowS }).toEqual({ limit: 5, windowS: 60 });
        expect(resetMs).toBeGreaterThan(0);
        expect(resetMs).toBeLessThanOrEqual(60_000);
      }
    });

    test("keeps keys and limits apart", async () => {
      const key = randomUUID();
      for (let n = 0; n < 6; n += 1) await limiter.take("tasks", key);
      expect(await limiter.take("tasks", randomUUID())).toMatchObject({ allowed: true, left: 4 });
      expect(await limiter.take("failures", key)).toMatchObject({ allowed: true, left: 2 });
    });

    test("of many at once lets exactly as many through", async () => {
      const key = randomUUID();
      const taken = await Promise.all(Array.from({ length: 40 }, () => limiter.take("tasks", key)));
      expect(taken.filter(({ allowed }) => allowed)).toHaveLength(5);
    });

    test("a limit of 0 is none", async () => {
      expect(await limiter.take("requests", randomUUID())).toMatchObject({ allowed: true, limit: 0 });
    });
  });
}

test("in memory no more keys are counted than the bound, and those that come again are kept", () => {
  const counts = new Counts(60_000, () => 0, 100);
  for (let n = 0; n < 10_000; n += 1) {
    counts.add("busy", 1);
    counts.add(`stranger ${n}`, 1);
  }
  expect(counts.size).toBe(100);
  expect(counts.look("busy").consumed).toBe(10_000);
  expect(counts.look("stranger 0").consumed).toBe(0);
});

test("a window is over at its end, and not before", () => {
  let now = 0;
  const counts = new Counts(1_000, () => now);
  counts.add("a", 1);
  now = 999;
  expect(counts.add("a", 1)).toEqual({ consumed: 2, resetMs: 1 });
  now = 1_000;
  expect(counts.look("a")).toEqual({ consumed: 0, resetMs: 1_000 });
  expect(counts.add("a", 1)).toEqual({ consumed: 1, resetMs: 1_000 });
  expect(counts.add("a", -2)).toEqual({ consumed: 0, resetMs: 1_000 });
});

/** A connection to Redis needs a moment; until then the count in memory stands in, which is for another test. */
async function ready(limiter: Limiter): Promise<void> {
  for (let n = 0; n < 20; n += 1) await limiter.take("failures", "warm-up");
  await new Promise((resolve) => setTimeout(resolve, 200));
}

suite("in memory", () => openLimiter(LIMITS, null, "test", SILENT));
suite("in Redis", () => openLimiter(LIMITS, inject("redisUrl"), `test-${randomUUID()}`, SILENT));

describe("in Redis", () => {
  test("two gateways count together; while Redis is away each counts for itself, and nobody is turned away for it", async () => {
    const redis = await startPrivate("redis");
    const [one, two] = [openLimiter(LIMITS, redis.url, "t", SILENT), openLimiter(LIMITS, redis.url, "t", SILENT)] as const;
    await Promise.all([ready(one), ready(two)]);
    const key = randomUUID();
    for (let n = 0; n < 3; n += 1) await one.take("tasks", key);
    expect(await two.take("tasks", key)).toMatchObject({ allowed: true, left: 1 });
    await redis.kill();
    const other = randomUUID();
    for (let n = 0; n < 5; n += 1) expect(await one.take("tasks", other)).toMatchObject({ allowed: true });
    expect(await one.take("tasks", other)).toMatchObject({ allowed: false });
    expect(await two.take("tasks", other)).toMatchObject({ allowed: true });
    await redis.start();
    let left = -1;
    for (const until = Date.now() + 5_000; left !== 3 && Date.now() < until; ) {
      const fresh = randomUUID();
      await one.take("tasks", fresh);
      left = (await two.take("tasks", fresh)).left;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(left).toBe(3);
    await Promise.all([one.close(), two.close()]);
    await redis.stop();
  });
});
