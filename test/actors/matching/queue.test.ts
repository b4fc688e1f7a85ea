import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Queue } from "../../../actors/matching/queue.ts";
import { Waiters } from "../../../actors/matching/waiters.ts";
import { ordinary, posted, pull, standing, task } from "../../support/matching.ts";

const made = fc.record({
  budget: fc.integer({ min: 5, max: 30 }),
  minSkill: fc.integer({ min: 1, max: 4 }),
  createdAt: fc.nat(50),
  removed: fc.boolean(),
});
const terms = fc.record({
  price: fc.option(fc.integer({ min: 1, max: 30 })),
  least: fc.integer({ min: 1, max: 30 }),
  tier: fc.nat(4),
});

describe("a queue", () => {
  test("is gone through as if all its tasks were sorted for the waiter: the oldest, or the highest budget, first", () => {
    fc.assert(
      fc.property(fc.array(made, { maxLength: 300 }), terms, (some, { price, least, tier }) => {
        const queue = new Queue(1_000);
        const known = some.map(({ removed: _, ...change }, n) => queue.add(task(n, change), 0));
        for (const one of known) if (one !== undefined) queue.shelve(one);
        some.forEach(({ removed }, n) => {
          const one = queue.get(ordinary(n));
          if (removed && one !== undefined) queue.remove(one);
        });
        const base = { standing: standing({ tier }) };
        const waiter = price === null ? pull(1, { ...base, minPrice: least }) : posted(1, { ...base, price });
        const wait = new Waiters(1).put(waiter, 0)?.wait;
        if (wait === undefined) throw new Error("there is room for one");
        const sorted = [...queue.all()]
          .map((one) => one.task)
          .filter(({ budget, minSkill }) => budget >= (price ?? least) && minSkill <= tier)
          .sort(
            (a, b) =>
              (price === null ? b.budget - a.budget : 0) || a.createdAt - b.createdAt || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
          );
        expect([...queue.for(wait, false)].map((one) => one.task)).toEqual(sorted);
        expect([...queue.for(wait, true)].map((one) => one.task)).toEqual(sorted);
      }),
      { numRuns: 300 },
    );
  });
});
