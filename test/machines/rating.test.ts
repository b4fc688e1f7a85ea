/** guide: Credit Rating System, at each of its boundaries. */
import { describe, expect, test } from "vitest";
import { type CreditRecord, DEBT_MS_MAX, nextRating, RATINGS, ratingOf, successPercent } from "../../machines/market/rating.ts";

const PERFECT: CreditRecord = { settled: 1_000, failed: 0, timedOut: 0, counterparties: 100, honeypots: 1 };
const rated = (changes: Partial<CreditRecord>) => ratingOf({ ...PERFECT, ...changes }).name;

describe("a rating", () => {
  test.each<[string, Partial<CreditRecord>, string, Partial<CreditRecord>, string]>([
    ["Bronze", { settled: 9, counterparties: 0 }, "Newcomer", { settled: 10, counterparties: 0 }, "Bronze"],
    ["Silver", { settled: 10, counterparties: 2 }, "Bronze", { settled: 10, counterparties: 3 }, "Silver"],
    ["Silver by tasks", { settled: 9, counterparties: 3 }, "Newcomer", { settled: 10, counterparties: 3 }, "Silver"],
    ["Gold", { settled: 29, counterparties: 5 }, "Silver", { settled: 30, counterparties: 5 }, "Gold"],
    ["Gold by counterparties", { settled: 30, counterparties: 4 }, "Silver", { settled: 30, counterparties: 5 }, "Gold"],
    ["Gold by honeypot", { settled: 30, honeypots: 0 }, "Silver", { settled: 30, honeypots: 1 }, "Gold"],
    ["Platinum", { settled: 79 }, "Gold", { settled: 80 }, "Platinum"],
    ["Platinum by counterparties", { settled: 80, counterparties: 9 }, "Gold", { settled: 80, counterparties: 10 }, "Platinum"],
    ["Platinum by success", { settled: 90, failed: 4, timedOut: 6 }, "Gold", { settled: 91, failed: 4, timedOut: 6 }, "Platinum"],
    ["Platinum by honeypot", { settled: 80, honeypots: 0 }, "Silver", { settled: 80, honeypots: 1 }, "Platinum"],
    ["Diamond", { settled: 199 }, "Platinum", { settled: 200 }, "Diamond"],
    [
      "Diamond by counterparties",
      { settled: 200, counterparties: 19 },
      "Platinum",
      { settled: 200, counterparties: 20 },
      "Diamond",
    ],
    ["Diamond by success", { settled: 380, failed: 20 }, "Platinum", { settled: 381, failed: 20 }, "Diamond"],
  ])("%s begins where the guide says", (_, below, lower, above, higher) => {
    expect([rated(below), rated(above)]).toEqual([lower, higher]);
  });

  test("has the guide's stars and credit line, in NC", () => {
    expect(RATINGS.map(({ name, stars, line }) => [name, stars, line])).toEqual([
      ["Newcomer", 0, 0],
      ["Bronze", 1, 0],
      ["Silver", 2, 5_000],
      ["Gold", 3, 20_000],
      ["Platinum", 4, 100_000],
      ["Diamond", 5, 500_000],
    ]);
    expect(nextRating(RATINGS[1])?.name).toBe("Silver");
    expect(nextRating(RATINGS[5])).toBeUndefined();
  });

  test("exactly 90% is not more than 90%", () => {
    expect(successPercent({ ...PERFECT, settled: 90, failed: 10 })).toBe(90);
    expect(rated({ settled: 90, failed: 10 })).toBe("Gold");
    expect(successPercent({ ...PERFECT, settled: 0 })).toBe(0);
  });
});

test("debt may be unpaid for 7 days", () => {
  expect(DEBT_MS_MAX).toBe(7 * 24 * 60 * 60 * 1_000);
});
