/** Why a worker may not take a task, in a sentence; what this gateway does not know is told as the node told it. */
import { expect, test } from "vitest";
import { problemOf } from "../../gateway/http/problems.ts";
import { ineligibilitySentence } from "../../gateway/show/ineligibility.ts";
import type { Ineligibility } from "../../machines/ineligibility.ts";

const REASONS: readonly Ineligibility[] = [
  { why: "OWN_TASK" },
  { why: "ONE_IDENTITY" },
  { why: "TASK_NOT_OPEN", status: "SETTLED" },
  { why: "FROZEN" },
  { why: "SUSPENDED" },
  { why: "COOLING", until: 1_800_000_000_000 },
  { why: "COOLING", until: null },
  { why: "FAILED_BEFORE" },
  { why: "ALREADY_BID" },
  { why: "BIDS_FULL", most: 100 },
  { why: "OVER_BUDGET", price: 21, budget: 20 },
  { why: "TIER_TOO_LOW", tier: 1, wanted: 3 },
  { why: "NO_CAPABILITY" },
  { why: "CAPABILITY_AWAY" },
  { why: "NO_POSTED_PRICE" },
  { why: "SLOT_RESERVED" },
  { why: "NO_SLOT", slots: 2 },
  { why: "AWARDS_FULL", tier: 2, most: 10 },
  { why: "PULL_FULL", most: 7 },
  { why: "PASSED" },
];

test("each reason has a sentence of its own, which tells its numbers", () => {
  const sentences = REASONS.map(ineligibilitySentence);
  expect(new Set(sentences).size).toBe(REASONS.length);
  expect(ineligibilitySentence({ why: "COOLING", until: 1_800_000_000_000 })).toContain("2027-01-15T08:00:00.000Z");
  expect(ineligibilitySentence({ why: "OVER_BUDGET", price: 21, budget: 20 })).toMatch(/20 NC.*21 NC/);
  expect(ineligibilitySentence({ why: "AWARDS_FULL", tier: 2, most: 10 })).toMatch(/10 tasks.*2 \(Bronze\)/);
  expect(ineligibilitySentence({ why: "PULL_FULL", most: 7 })).toContain("7 tasks");
  expect(ineligibilitySentence({ why: "TIER_TOO_LOW", tier: 1, wanted: 3 })).toMatch(/3 \(Silver\).*1 \(Unrated\)/);
});

test("a refused bid tells its reason, also of the field that is wrong", () => {
  const reason = { why: "OVER_BUDGET", price: 21, budget: 20 } as const;
  const problem = problemOf({ refused: "BID_OVER_BUDGET", detail: "told by the node", reason });
  const detail = "bid_credits must be at most the budget, 20 NC; you bid 21 NC.";
  expect(problem).toMatchObject({ status: 422, code: "BID_OVER_BUDGET", message: detail });
  expect(problem.errors).toEqual([{ field: "bid_credits", message: detail }]);
});

test("a bid of who has as many tasks as it may is not possible now, and says so", () => {
  const reason = { why: "AWARDS_FULL", tier: 1, most: 3 } as const;
  const detail = "You have 3 tasks in progress, as many as skill tier 1 (Unrated) allows at a time; finish one, and bid again.";
  const problem = problemOf({ refused: "TOO_MANY_AWARDS", detail: "told by the node", reason });
  expect(problem).toMatchObject({ status: 409, code: "TOO_MANY_AWARDS", message: detail });
});

test("a node of a version before gives no reason, one of a newer version one that is not known: its own sentence is told", () => {
  const detail = "This worker may not bid on this task: MOON_TOO_FULL.";
  expect(problemOf({ refused: "SKILL_TOO_LOW", detail }).message).toBe(detail);
  const newer = JSON.parse(JSON.stringify({ refused: "SKILL_TOO_LOW", detail, reason: { why: "MOON_TOO_FULL" } }));
  expect(problemOf(newer).message).toBe(detail);
});
