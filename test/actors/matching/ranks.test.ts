import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Ranks } from "../../../actors/matching/ranks.ts";
import { longestFirst, priceOf, type Wait } from "../../../actors/matching/wait.ts";
import { Waiters } from "../../../actors/matching/waiters.ts";
import { betterFirst, countedPrice } from "../../../machines/market/auction.ts";
import { QUALITY_PREFERENCES } from "../../../machines/vocabulary.ts";
import { posted, pull, standing } from "../../support/matching.ts";

const waiter = fc.record({
  price: fc.option(fc.integer({ min: 1, max: 30 })),
  least: fc.integer({ min: 1, max: 30 }),
  tier: fc.integer({ min: 1, max: 3 }),
  quality: fc.constantFrom(0, 0.1, 0.25, 0.5, 0.75, 1),
  since: fc.nat(3),
});
const wanted = fc.record({
  budget: fc.integer({ min: 5, max: 30 }),
  minSkill: fc.integer({ min: 0, max: 4 }),
  preference: fc.constantFrom(...QUALITY_PREFERENCES),
  going: fc.option(fc.integer({ min: 1, max: 40 })),
});

describe("ranked waiters", () => {
  test("are gone through as if all were sorted for the task, whatever it prefers", () => {
    fc.assert(
      fc.property(fc.array(waiter, { maxLength: 300 }), wanted, fc.nat(), (some, task, without) => {
        const waiters = new Waiters(1_000);
        const waits = some.map(({ price, least, tier, quality, since }, n) => {
          const base = { since, standing: standing({ tier, quality }) };
          const terms = price === null ? pull(n, { ...base, minPrice: least }) : posted(n, { ...base, price });
          return waiters.put(terms, since)?.wait;
        });
        const gone = waits[without % Math.max(1, waits.length)];
        if (gone !== undefined) waiters.remove(gone);
        const better = betterFirst(task.preference);
        const terms = (wait: Wait) => ({
          credits: countedPrice(priceOf(wait, task), task.going),
          quality: wait.terms.standing.quality,
        });
        const sorted = [...waiters.all()]
          .filter(({ listed }) => listed !== null && listed.least <= task.budget && listed.tier >= task.minSkill)
          .sort((a, b) => better(terms(a), terms(b)) || longestFirst(a, b));
        expect([...waiters.ranks.bestFirst(task)]).toEqual(sorted);
        expect(waiters.ranks.size).toBe(waits.length - (gone === undefined ? 0 : 1));
      }),
      { numRuns: 500 },
    );
  });

  test("that are none give none", () => {
    expect([...new Ranks().bestFirst({ budget: 5, minSkill: 1, preference: "best", going: null })]).toEqual([]);
  });
});
