/** The market's formulas in numbers that were worked out by hand, each part of them by itself. */
import { describe, expect, test } from "vitest";
import { award, explores, quality, weightOf } from "../../machines/market/auction.ts";
import { githubScore, priorOf } from "../../machines/market/github.ts";
import { isKnownAnswer } from "../../machines/market/honeypot.ts";
import { split } from "../../machines/market/pricing.ts";
import { ratingOf, successPercent } from "../../machines/market/rating.ts";
import { judge } from "../../machines/market/reputation.ts";
import { tierName } from "../../machines/market/skill.ts";
import { accountId, credits, taskId } from "../../machines/vocabulary.ts";
import { id, person } from "../support/world.ts";

const YEAR_MS = 365.25 * 24 * 3_600_000;

test.each([
  // Score, reputation, finished: (n * (0.7 * score / 100 + 0.3 * standing) + 5) / (n + 10).
  [100, 50, 10, 0.75],
  [50, 0, 10, 0.5],
  [0, -50, 10, 0.25],
  [0, -80, 10, 0.25],
  [0, 80, 10, 0.4],
  [80, 10, 30, 0.68],
])("quality of a score of %i at reputation %i after %i tasks is %d", (score, reputation, finished, expected) => {
  expect(quality(score, reputation, finished)).toBeCloseTo(expected, 10);
});

test("a prior counts as ten tasks", () => {
  expect([quality(0, 0, 0, 0.8), quality(100, 50, 30, 0.8)]).toEqual([0.8, 0.95]);
});

test("a balanced price is price / (1 + quality), and ties go to the lesser id", () => {
  const bid = (n: number, price: number, good: number) => ({
    id: id(n),
    worker: person(n),
    credits: credits(price),
    quality: good,
  });
  const task = [...Array(100).keys()].map((n) => taskId(id(7_919 * n))).find((one) => !explores(one)) ?? taskId(id(0));
  expect(award(task, "balanced", [bid(1, 15, 0.5), bid(2, 12, 0.1), bid(3, 20, 0.9)])?.winner.id).toBe(id(1));
  expect(award(task, "balanced", [bid(9, 10, 0.5), bid(8, 10, 0.5), bid(10, 10, 0.5)])?.winner.id).toBe(id(8));
  expect((["cheapest", "best", "balanced"] as const).map((one) => weightOf(one, { credits: 15, quality: 0.5 }))).toEqual([
    15, 0.5, 10,
  ]);
});

test("which tasks are kept for newcomers does not change: replays agree", () => {
  const kept = [...Array(60).keys()].filter((n) => explores(taskId(id(n))));
  expect(kept.length).toBeGreaterThan(0);
  const cheap = { id: id(1), worker: person(1), credits: credits(1), quality: 0 };
  const good = { id: id(2), worker: person(2), credits: credits(9), quality: 1 };
  for (const n of kept) {
    expect(award(taskId(id(n)), "best", [good, cheap])).toEqual({ winner: cheap, explored: true });
    expect(award(taskId(id(n)), "cheapest", [good, cheap])).toEqual({ winner: cheap, explored: false });
  }
});

describe("a GitHub account's score", () => {
  const at = 20 * YEAR_MS;
  const score = (changes: object) => githubScore({ createdAt: at, works: 0, followers: 0, contributions: 0, ...changes }, at);
  test.each([
    ["nothing", {}, 0],
    ["half of five years", { createdAt: at - 2.5 * YEAR_MS }, 15],
    ["five years", { createdAt: at - 5 * YEAR_MS }, 30],
    ["ten years", { createdAt: at - 10 * YEAR_MS }, 30],
    ["an account of tomorrow", { createdAt: at + YEAR_MS }, 0],
    ["all works", { works: 50 }, 25],
    ["a few works", { works: 6 }, 12],
    ["all followers", { followers: 500 }, 20],
    ["a few followers", { followers: 21 }, 10],
    ["half of the contributions", { contributions: 250 }, 13],
    ["more than all", { works: 1_000, followers: 9_000, contributions: 9_000 }, 70],
    ["less than nothing", { works: -5, followers: -5, contributions: -5 }, 0],
    ["everything", { createdAt: 0, works: 50, followers: 500, contributions: 500 }, 100],
  ])("of %s", (_about, changes, expected) => {
    expect(score(changes)).toBe(expected);
  });
  test("moves where a newcomer starts", () => {
    expect([priorOf(null), priorOf(0), priorOf(50), priorOf(100)]).toEqual([0.5, 0.5, 0.6, 0.7]);
  });
});

test("the names of the tiers", () => {
  expect([1, 2, 3, 4, 5, 6].map(tierName)).toEqual(["Unrated", "Bronze", "Silver", "Gold", "Diamond", "Unrated"]);
});

test("a delivery of somebody far down leaves it frozen, and brings it out where it should", () => {
  expect([-13, -12, -11].map((reputation) => judge({ reputation, failuresInRow: 0 }, "DELIVERED", 0).frozen)).toEqual([
    true,
    true,
    false,
  ]);
});

test("time-outs count as finished, and who is never wrong is Gold at the least it takes", () => {
  expect(successPercent({ settled: 6, failed: 1, timedOut: 3, counterparties: 0, honeypots: 0 })).toBe(60);
  const bad = { settled: 30, failed: 90, timedOut: 90, counterparties: 5, honeypots: 1 };
  expect(ratingOf(bad).name).toBe("Gold");
});

test("a split takes a bid of 1 to the budget, and a budget of 2", () => {
  expect(split(credits(2), credits(1))).toEqual({ payout: 1, fee: 1, refund: 0 });
  expect(split(credits(2), credits(2))).toEqual({ payout: 1, fee: 1, refund: 0 });
  expect(() => split(credits(2), credits(0))).toThrow("no split of 2 at a bid of 0");
  expect(() => split(credits(1), credits(1))).toThrow("no split of 1 at a bid of 1");
});

test.each([
  ["STRASSE i", "straße I", false],
  [[1], [1, 2], false],
  [{ 0: 1, length: 1 }, [1], false],
  [[1, 5], [1, 2], false],
  [[1, 2], [1, 2], true],
  [{ a: 1, b: 5 }, { a: 1, b: 2 }, false],
  [[], { length: 0 }, false],
  [null, { a: 1 }, false],
  ["a", { a: 1 }, false],
])("the result %j says the known answer %j: %s", (result, known, expected) => {
  expect(isKnownAnswer(result, known)).toBe(expected);
});

test("ids are UUIDs in lower case and nothing else", () => {
  for (const wrong of [`x${id(1)}`, `${id(1)}x`, id(10).toUpperCase(), ""]) {
    expect(() => taskId(wrong)).toThrow(RangeError);
    expect(() => accountId(wrong)).toThrow(RangeError);
  }
  expect(() => credits(1.5)).toThrow(RangeError);
});
