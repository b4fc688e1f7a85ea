/** What a worker is told of what it failed and what that cost, and an account of why its credit line is not whole. */
import { describe, expect, test } from "vitest";
import { limitSentence } from "../../gateway/show/credit-line.ts";
import { showHistory } from "../../gateway/show/history.ts";
import { refusalSentence } from "../../gateway/show/refusal.ts";
import { EXCUSES, showReputationChange } from "../../gateway/show/reputation.ts";
import type { LineLimit } from "../../machines/market/credit-line.ts";
import type { TaskFact } from "../../machines/task/events.ts";
import { taskId } from "../../machines/vocabulary.ts";
import { id, person } from "../support/world.ts";

const [REQUESTER, WORKER, OTHER] = [person(1), person(2), person(3)];
const AT = 1_700_000_000_000;
const NOW = new Date(AT).toISOString();

/** `party` false: somebody who has only bid on the task, or had it before. */
const seen = (fact: TaskFact, account = WORKER, party = true, worker = WORKER) =>
  showHistory(
    { items: [{ seq: 1, fact }], worker, next: null },
    { account, requester: REQUESTER, party, preference: "cheapest", budget: 20 },
  )[0];
const dataOf = (fact: TaskFact, account = WORKER, party = true) => seen(fact, account, party)?.data;

const rejected = {
  ...{ type: "ResultRejected", submission: id(9), code: "SCHEMA_MISMATCH", left: 2, at: AT },
  errors: [{ field: "/name", message: "is missing" }],
} as unknown as TaskFact;
const failed = { type: "AwardFailed", code: "SCHEMA_MISMATCH", at: AT } as unknown as TaskFact;
const timedOut = { type: "AwardTimedOut", at: AT } as unknown as TaskFact;
const returned = (how: string) => ({ type: "AwardReturned", how, at: AT }) as unknown as TaskFact;
const excused = [{ worker: WORKER, outcome: "TIMED_OUT", reason: "UNSOLVED" }];
const expired = { type: "Expired", code: "SCHEMA_MISMATCH", excused, at: AT } as unknown as TaskFact;

describe("the history of a failed award", () => {
  test("tells what was wrong with a result to who sent it, and to nobody else", () => {
    const common = { submission_id: id(9), error_code: "SCHEMA_MISMATCH", retries_left: 2 };
    expect(dataOf(rejected)).toEqual({ ...common, errors: [{ field: "/name", message: "is missing" }] });
    expect(dataOf(rejected, REQUESTER)).toEqual(common);
    expect(seen(rejected, OTHER, false)).toBeUndefined();
    expect(dataOf(rejected, WORKER, false)).toMatchObject({ errors: [{ field: "/name" }] });
  });

  test("tells its worker what that cost, and nobody else", () => {
    expect(dataOf(failed)).toEqual({ awarded_to: WORKER, error_code: "SCHEMA_MISMATCH", reputation_change: -2 });
    expect(dataOf(timedOut)).toEqual({ awarded_to: WORKER, error_code: "TIMEOUT", reputation_change: -3 });
    expect(dataOf(failed, REQUESTER)).toEqual({ awarded_to: WORKER, error_code: "SCHEMA_MISMATCH" });
    expect(dataOf(timedOut, REQUESTER)).toEqual({ awarded_to: WORKER, error_code: "TIMEOUT" });
    expect(seen(timedOut)?.by).toBe("platform");
  });

  test("tells of an award that was given back what that cost, where it did", () => {
    expect(dataOf(returned("FREE"))).toEqual({ awarded_to: WORKER, how: "FREE", reason: null });
    expect(dataOf(returned("LATE"))).toEqual({ awarded_to: WORKER, how: "LATE", reason: null, reputation_change: -2 });
    expect([returned("FREE"), returned("UNDELIVERED")].map((fact) => seen(fact)?.by)).toEqual([WORKER, "platform"]);
  });

  test("tells whose penalty the end has taken back, and why", () => {
    const mine = { penalty_taken_back: "UNSOLVED", reputation_change: 3, detail: EXCUSES.UNSOLVED };
    expect(dataOf(expired)).toEqual({ error_code: "SCHEMA_MISMATCH", ...mine });
    expect(dataOf(expired, OTHER, false)).toEqual({ error_code: "SCHEMA_MISMATCH" });
    expect(dataOf({ type: "Expired", at: AT } as unknown as TaskFact)).toEqual({});
    const cancelled = { type: "Cancelled", excused, at: AT } as unknown as TaskFact;
    expect([dataOf(cancelled), seen(cancelled, REQUESTER)?.by]).toEqual([mine, REQUESTER]);
  });

  test("tells that judging was stopped", () => {
    const killed = { type: "JudgingKilled", submission: id(9), at: AT } as unknown as TaskFact;
    expect(dataOf(killed)).toEqual({ submission_id: id(9), error_code: "VALIDATION_TOO_EXPENSIVE" });
    expect(seen(killed, OTHER, false)).toBeUndefined();
  });
});

test("a change of reputation says what it was for, and by how much", () => {
  const task = taskId(id(5));
  const about = { at: AT, task, taskType: "analysis" } as const;
  const shown = (fact: object) => showReputationChange(fact as Parameters<typeof showReputationChange>[0]);
  const line = (event: string, of: string | null, change: number, detail: string | null = null) => {
    return { at: NOW, event, task_id: of, change, detail };
  };
  expect(shown({ type: "Earned", ...about })).toEqual(line("DELIVERED", task, 1));
  expect(shown({ type: "Failed", outcome: "TIMED_OUT", ...about })).toEqual(line("TIMED_OUT", task, -3));
  expect(shown({ type: "Failed", outcome: "FAILED_VALIDATION", ...about })).toEqual(line("FAILED_VALIDATION", task, -2));
  expect(shown({ type: "Excused", outcome: "TIMED_OUT", reason: "TOO_EXPENSIVE", ...about })).toEqual(
    line("PENALTY_TAKEN_BACK", task, 3, EXCUSES.TOO_EXPENSIVE),
  );
  expect(shown({ type: "CooldownStarted", until: AT, at: AT })).toEqual(line("COOLDOWN_STARTED", null, 0, `Until ${NOW}.`));
  expect(shown({ type: "CooldownEnded", at: AT })).toEqual(line("COOLDOWN_ENDED", null, 0));
  expect(shown({ type: "Frozen", at: AT })).toEqual(line("FROZEN", null, 0, "Your reputation went below -10."));
  expect(shown({ type: "Frozen", reason: "fraud", at: AT })).toEqual(line("FROZEN", null, 0, "By an operator."));
  expect(shown({ type: "Unfrozen", reason: "r", at: AT })).toEqual(line("UNFROZEN", null, 0));
});

test("why less than the rating's line can be used says what to do", () => {
  const limits: readonly (readonly [LineLimit, RegExp])[] = [
    [
      { limit: "NOT_VERIFIED", github: "NOT_LINKED" },
      /^buy credits, or link a GitHub account that is 180 days old and has a score of 35/,
    ],
    [{ limit: "NOT_VERIFIED", github: "TOO_YOUNG" }, /wait until your GitHub account is 180 days old$/],
    [{ limit: "NOT_VERIFIED", github: "SCORE_TOO_LOW" }, /once its score is 35/],
    [{ limit: "PURCHASE_TOO_YOUNG", until: AT }, new RegExp(`count from ${NOW}$`)],
    [{ limit: "COUNTED", multiple: 10, counted: 70 }, /^it is 10 times the 70 NC that you have paid in or earned/],
    [{ limit: "PAID_IN", multiple: 10, counted: 70 }, /^it is 10 times the 70 NC that you have paid in; buy credits$/],
  ];
  for (const [limit, sentence] of limits) expect(limitSentence(limit)).toMatch(sentence);
  const limit = { limit: "PAID_IN", multiple: 10, counted: 7 } as const;
  expect(refusalSentence({ why: "LINE_LIMITED", budget: 100, power: 70, line: 70, whole: 5_000, limit })).toBe(
    `The budget is 100 NC and you have 70 NC; top up 30 NC or lower the budget. Of your rating's credit line of 5000 NC you can use 70 NC: ${limitSentence(limit)}.`,
  );
});
