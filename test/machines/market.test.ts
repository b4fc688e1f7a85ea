import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  award,
  type Bid,
  betterFirst,
  countedPrice,
  EXPLORATION_SHARE,
  explores,
  isNewcomer,
  penaltyOf,
  quality,
  seeksNewcomer,
} from "../../machines/market/auction.ts";
import { split } from "../../machines/market/pricing.ts";
import { judge } from "../../machines/market/reputation.ts";
import { leastScore, skillTier } from "../../machines/market/skill.ts";
import { transfer } from "../../machines/money/postings.ts";
import { accountId, credits, taskId } from "../../machines/vocabulary.ts";

const uuid = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;

describe("pricing (guide: Pricing)", () => {
  test.each([
    [20, 12, { payout: 12, fee: 1, refund: 7 }],
    [100, 60, { payout: 60, fee: 3, refund: 37 }],
    [20, 20, { payout: 19, fee: 1, refund: 0 }],
    [1_000, 1_000, { payout: 950, fee: 50, refund: 0 }],
    [5, 1, { payout: 1, fee: 1, refund: 3 }],
  ])("a budget of %i NC at a bid of %i NC", (budget, bid, expected) => {
    expect(split(credits(budget), credits(bid))).toEqual(expected);
  });

  test("divides every budget wholly, and pays the worker something", () => {
    fc.assert(
      fc.property(fc.integer({ min: 5, max: 1_000 }), fc.integer({ min: 1, max: 1_000 }), (budget, wanted) => {
        const bid = Math.min(wanted, budget);
        const { payout, fee, refund } = split(credits(budget), credits(bid));
        expect(payout + fee + refund).toBe(budget);
        expect(fee).toBe(Math.max(1, Math.floor(bid * 0.05)));
        expect(Math.min(payout, refund + 1)).toBeGreaterThan(0);
      }),
    );
  });

  test("a bid over the budget is a bug of the caller", () => {
    expect(() => split(credits(10), credits(11))).toThrow(RangeError);
  });
});

describe("reputation (guide: Reputation System)", () => {
  const start = { reputation: 0, failuresInRow: 0 };
  test("+1 for a delivery, -2 for failed validation, -3 for a timeout", () => {
    expect(judge(start, "DELIVERED", 0).reputation).toBe(1);
    expect(judge(start, "FAILED_VALIDATION", 0).reputation).toBe(-2);
    expect(judge(start, "TIMED_OUT", 0).reputation).toBe(-3);
  });
  test("below -10 the account is frozen; at -10 it is not", () => {
    expect(judge({ reputation: -8, failuresInRow: 0 }, "FAILED_VALIDATION", 0).frozen).toBe(false);
    expect(judge({ reputation: -9, failuresInRow: 0 }, "FAILED_VALIDATION", 0).frozen).toBe(true);
  });
  test("three failures in a row bring an hour's cooldown, and the count begins anew", () => {
    expect(judge({ reputation: 0, failuresInRow: 1 }, "TIMED_OUT", 5).cooldownUntil).toBeNull();
    expect(judge({ reputation: 0, failuresInRow: 2 }, "TIMED_OUT", 5)).toMatchObject({
      cooldownUntil: 3_600_005,
      failuresInRow: 0,
    });
    expect(judge({ reputation: 0, failuresInRow: 2 }, "DELIVERED", 5)).toMatchObject({ cooldownUntil: null, failuresInRow: 0 });
  });
});

describe("skill (guide: Skill Rating)", () => {
  test.each([
    [0, 1],
    [39.9, 1],
    [40, 2],
    [60, 3],
    [75, 4],
    [90, 5],
    [100, 5],
  ])("a score of %d is tier %i", (score, tier) => {
    expect(skillTier(score)).toBe(tier);
  });

  test("each tier begins at its lowest score, and the first one at 0", () => {
    expect([0, 1, 2, 3, 4, 5].map(leastScore)).toEqual([0, 0, 40, 60, 75, 90]);
    for (const tier of [2, 3, 4, 5])
      expect([skillTier(leastScore(tier)), skillTier(leastScore(tier) - 1e-9)]).toEqual([tier, tier - 1]);
  });
});

describe("auction", () => {
  const tasks = [...Array(1_000).keys()].map((n) => taskId(uuid(n * 7_919)));
  const task = tasks.find((id) => !explores(id)) ?? taskId(uuid(0));
  const exploring = tasks.find(explores) ?? taskId(uuid(0));
  const bid = (n: number, price: number, q: number): Bid => ({
    id: uuid(n),
    worker: accountId(uuid(n)),
    credits: credits(price),
    quality: q,
  });
  const cheap = bid(1, 10, 0.2);
  const good = bid(2, 18, 0.9);
  const fair = bid(3, 12, 0.7);

  test("cheapest takes the lowest price, best the highest quality, balanced the best of both", () => {
    expect(award(task, "cheapest", [good, cheap, fair])?.winner).toBe(cheap);
    expect(award(task, "best", [cheap, good, fair])?.winner).toBe(good);
    expect(award(task, "balanced", [cheap, good, fair])?.winner).toBe(fair);
  });
  test("ties are broken by quality, then by the bid's id, the same at every replay", () => {
    expect(award(task, "cheapest", [bid(4, 10, 0.1), bid(5, 10, 0.3)])?.winner.id).toBe(uuid(5));
    expect(award(task, "balanced", [bid(7, 10, 0.3), bid(6, 10, 0.3)])?.winner.id).toBe(uuid(6));
  });
  test("a share of the tasks goes to the lowest price", () => {
    expect(award(exploring, "best", [good, cheap])).toMatchObject({ winner: cheap, explored: true });
    const share = [...Array(20_000).keys()].filter((n) => explores(taskId(uuid(n * 7919)))).length / 20_000;
    expect(Math.abs(share - EXPLORATION_SHARE)).toBeLessThan(0.02);
  });
  test("without bids nobody wins", () => {
    expect(award(task, "best", [])).toBeUndefined();
  });
  test("a task seeks newcomers unless it wants the lowest price", () => {
    expect([exploring, task].map((id) => seeksNewcomer(id, "best"))).toEqual([true, false]);
    expect(seeksNewcomer(exploring, "cheapest")).toBe(false);
  });
  test("a worker is a newcomer until ten awards have ended", () => {
    expect([0, 9, 10].map(isNewcomer)).toEqual([true, true, false]);
  });
  test("a price counts down to half of the going price, and wholly where there is none", () => {
    expect([1, 5, 6].map((price) => countedPrice(price, 10))).toEqual([5, 5, 6]);
    expect(countedPrice(1, null)).toBe(1);
  });
  test("a penalty never contradicts the order, and equal terms are equal", () => {
    const terms = fc.record({ credits: fc.integer({ min: 1, max: 1_000 }), quality: fc.double({ min: 0, max: 1, noNaN: true }) });
    fc.assert(
      fc.property(
        fc.constantFrom("best" as const, "balanced" as const, "cheapest" as const),
        terms,
        terms,
        (preference, a, b) => {
          if (penaltyOf(preference, a) < penaltyOf(preference, b)) expect(betterFirst(preference)(a, b)).toBeLessThan(0);
          expect(betterFirst(preference)(a, { ...a })).toBe(0);
        },
      ),
    );
  });
  test("quality starts at a prior of one half, which ten finished tasks half outweigh", () => {
    expect(quality(0, 0, 0)).toBe(0.5);
    expect(quality(100, 50, 10)).toBeCloseTo(0.75);
  });
});

describe("transfers", () => {
  test("that do not sum to 0 never come about", () => {
    const owner = accountId(uuid(1));
    expect(() => transfer("x", "GRANT", null, [{ account: "available", owner, amount: 1 }])).toThrow("does not sum to 0");
  });
});
