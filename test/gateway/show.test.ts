/** What each of the people around a task is shown of it, whole: so that what is not for them cannot be among it. */
import { describe, expect, test } from "vitest";
import { showHistory } from "../../gateway/show/history.ts";
import { isParty, isVisible, showTask } from "../../gateway/show/task.ts";
import { task as entity } from "../../machines/task/index.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { Life } from "../support/life.ts";
import { id, order, person } from "../support/world.ts";

const TASK = taskId(id(99));
const [REQUESTER, WORKER, LOSER, STRANGER] = [person(1), person(2), person(3), person(4)];
const AT = 1_700_000_000_000;
const at = (ms: number) => new Date(AT + ms).toISOString();
const TEXT = `${"😀".repeat(199)}ab and what only its two parties read`;
const SPEC = order({ inputData: TEXT, callbackUrl: "https://requester.example/hook", quality: "best", autoRetry: 2 });
type Command = Parameters<typeof entity.decide>[1];

const standing = { status: "ACTIVE", cooldownUntil: null, tier: 1, quality: 0.5, marks: [] } as const;
const bid = (worker = WORKER, amount = 12, n = 50, quality = 0.75): Command => ({
  ...{ type: "bid", bid: id(n), worker, credits: credits(amount), online: null },
  standing: { ...standing, quality },
});
const timer = (name: string): Command => ({ type: "timer", name, due: AT });
const open: Command = { type: "open", task: TASK, requester: REQUESTER, marks: ["m"], order: SPEC, offers: [], createdAt: AT };
const submit = (good: boolean): Command => ({
  ...{ type: "submit", submission: id(60), worker: WORKER, result: { name: "Ada" } },
  verdict: good ? { code: null, errors: [] } : { code: "RULE_VIOLATION", errors: [{ field: "name", message: "is secret" }] },
});
const settled: Command = { type: "settled", payout: credits(12), fee: credits(1), refund: credits(7) };

const STEPS: readonly (readonly [Command, number])[] = [
  [open, AT + 1],
  [bid(LOSER, 19, 51, 0.25), AT + 2],
  [bid(), AT + 3],
  [timer("routing"), AT + 3_000],
  [submit(false), AT + 4_000],
  [submit(true), AT + 5_000],
  [settled, AT + 6_000],
  [{ type: "rate", requester: REQUESTER, stars: 5 }, AT + 7_000],
  [
    { type: "webhook.attempted", attempt: 1, outcome: { id: id(70), ms: 3, result: "failed", status: 500, error: "x" } },
    AT + 8_000,
  ],
  [{ type: "webhook.resend", requester: REQUESTER }, AT + 9_000],
];

function rowAfter(steps: number) {
  const life = new Life(entity, TASK).through(STEPS.slice(0, steps));
  const row = entity.row(TASK, life.state);
  if (row === undefined) throw new Error("an opened task has a row");
  return { row, order: SPEC };
}

describe("a task", () => {
  const demanded = {
    task_type: SPEC.taskType,
    validation_schema: SPEC.schema,
    validation_rules: [],
    example_output: SPEC.exampleOutput,
    max_budget_credits: 20,
    max_execution_seconds: 120,
    max_extension_seconds: 0,
    quality_preference: "best",
    min_skill_rating: 0,
    requester_score: 0.9,
  };
  const progress = { retries_left: 2, auto_retries_left: 2, created_at: at(0) };
  const nothing = {
    input_data: null,
    input_data_preview: `${"😀".repeat(199)}a`,
    callback_url: null,
    requester_id: null,
    awarded_to: null,
    awarded_price: null,
    result_data: null,
    error_code: null,
  };
  const all = { input_data: TEXT, input_data_preview: TEXT, requester_id: REQUESTER };

  test("that takes bids: the requester sees all of it, everybody else what they need to bid", () => {
    const row = rowAfter(1);
    const open = { id: TASK, status: "ROUTING", ...demanded, ...progress, updated_at: at(1), expires_at: at(3_000) };
    expect(showTask(row, REQUESTER)).toEqual({ ...open, ...nothing, ...all, callback_url: SPEC.callbackUrl });
    expect(showTask(row, WORKER)).toEqual({ ...open, ...nothing });
  });

  test("that is done: its worker sees all but where its webhook goes; who lost and who has nothing to do with it, nothing", () => {
    const row = rowAfter(7);
    const done = {
      id: TASK,
      status: "SETTLED",
      ...demanded,
      ...progress,
      retries_left: 0,
      updated_at: at(6_000),
      expires_at: null,
    };
    const outcome = { awarded_to: WORKER, awarded_price: 12, result_data: { name: "Ada" } };
    expect(showTask(row, REQUESTER)).toEqual({ ...done, ...nothing, ...all, ...outcome, callback_url: SPEC.callbackUrl });
    expect(showTask(row, WORKER)).toEqual({ ...done, ...nothing, ...all, ...outcome });
    for (const other of [LOSER, STRANGER]) expect(showTask(row, other)).toEqual({ ...done, ...nothing });
  });

  test("that went wrong says so to its parties", () => {
    const row = rowAfter(5);
    expect(showTask(row, WORKER)).toMatchObject({ status: "REJECTED", error_code: "RULE_VIOLATION", retries_left: 1 });
    expect(showTask(row, LOSER)).toMatchObject({ error_code: null, awarded_to: null });
  });

  test("is there for whom it concerns: everybody while it takes bids, its parties and bidders after that, its parties at the end", () => {
    const seenBy = (steps: number) => [REQUESTER, WORKER, LOSER, STRANGER].map((who) => isVisible(rowAfter(steps), who));
    expect(seenBy(1)).toEqual([true, true, true, true]);
    expect(seenBy(3)).toEqual([true, true, true, true]);
    expect(seenBy(4)).toEqual([true, true, true, false]);
    expect(seenBy(6)).toEqual([true, true, true, false]);
    expect(seenBy(7)).toEqual([true, true, false, false]);
    expect([REQUESTER, WORKER, LOSER, STRANGER].map((who) => isParty(rowAfter(7), who))).toEqual([true, true, false, false]);
    expect([REQUESTER, WORKER, LOSER].map((who) => isParty(rowAfter(3), who))).toEqual([true, false, false]);
  });
});

const VIEWER = { requester: REQUESTER, party: true, preference: "best", budget: 20 } as const;

describe("a history", () => {
  const life = new Life(entity, TASK);
  const items = STEPS.flatMap(([command, when]) => life.do(command, when).facts).map((fact, index) => ({ seq: index + 1, fact }));
  const seenBy = (account: typeof WORKER) => showHistory({ items, worker: null, next: null }, { ...VIEWER, account });
  const deadline = at(123_000);
  const explored = items.some(({ fact }) => fact.type === "Awarded" && fact.explored);

  test("tells the requester all of it: every bid, what each weighed, and why one has won", () => {
    const bids = [
      { bid_id: id(51), worker: LOSER, bid_credits: 19, quality: 0.25, weight: explored ? 19 : 0.25, standing_price: false },
      { bid_id: id(50), worker: WORKER, bid_credits: 12, quality: 0.75, weight: explored ? 12 : 0.75, standing_price: false },
    ];
    const award = { awarded_to: WORKER, deadline, awarded_price: 12, explored, going_price: null, why: expect.any(String), bids };
    const submission = { submission_id: id(60) };
    expect(seenBy(REQUESTER)).toEqual([
      { seq: 1, event: "Opened", at: at(1), by: REQUESTER, data: {} },
      { seq: 2, event: "RoutingStarted", at: at(1), by: "platform", data: { until: at(3_000) } },
      { seq: 3, event: "BidPlaced", at: at(2), by: LOSER, data: { bid_id: id(51), bid_credits: 19 } },
      { seq: 4, event: "BidPlaced", at: at(3), by: WORKER, data: { bid_id: id(50), bid_credits: 12 } },
      { seq: 5, event: "Awarded", at: at(3_000), by: "platform", data: award },
      { seq: 6, event: "ExecutionStarted", at: at(4_000), by: WORKER, data: {} },
      {
        seq: 7,
        event: "ResultRejected",
        at: at(4_000),
        by: WORKER,
        data: { ...submission, error_code: "RULE_VIOLATION", retries_left: 2 },
      },
      { seq: 8, event: "ResultAccepted", at: at(5_000), by: WORKER, data: { ...submission, first_try: false } },
      { seq: 9, event: "Settled", at: at(6_000), by: "platform", data: { payout: 12, fee: 1, refund: 7 } },
      { seq: 10, event: "Rated", at: at(7_000), by: REQUESTER, data: { rating: 5 } },
      {
        seq: 11,
        event: "WebhookAttempted",
        at: at(8_000),
        by: "platform",
        data: { attempt: 1, result: "failed", next_attempt_at: at(9_000) },
      },
      { seq: 12, event: "WebhookRequested", at: at(9_000), by: REQUESTER, data: {} },
    ]);
  });

  test("tells the worker of its own bid and no other, and nothing of the requester's webhook", () => {
    const seen = seenBy(WORKER);
    expect(seen.map(({ seq }) => seq)).toEqual([1, 2, 4, 5, 6, 7, 8, 9, 10]);
    expect(seen[3]).toEqual({ seq: 5, event: "Awarded", at: at(3_000), by: "platform", data: { awarded_to: WORKER, deadline } });
    const text = JSON.stringify(seen);
    for (const hidden of [LOSER, id(51), "19", "explored", "quality", "weight"]) expect(text).not.toContain(hidden);
  });

  test("names neither worker nor bids to anybody else", () => {
    const text = JSON.stringify(seenBy(STRANGER));
    for (const hidden of [LOSER, WORKER, id(50), id(51), "awarded_price"]) expect(text).not.toContain(hidden);
    expect(seenBy(LOSER).filter(({ event }) => event === "BidPlaced")).toMatchObject([{ by: LOSER }]);
  });

  test("says who was in charge when an award ended, also on a page that begins after the award", () => {
    const lost = new Life(entity, TASK).through(STEPS.slice(0, 4));
    const facts = lost.do(timer("execution"), AT + 130_000).facts.map((fact, index) => ({ seq: 20 + index, fact }));
    const page = { items: facts, worker: WORKER, next: null };
    const seen = (account: typeof WORKER) => showHistory(page, { ...VIEWER, account });
    expect(seen(REQUESTER)).toEqual([
      { seq: 20, event: "AwardTimedOut", at: at(130_000), by: "platform", data: { awarded_to: WORKER, error_code: "TIMEOUT" } },
      { seq: 21, event: "Reopened", at: at(130_000), by: "platform", data: { until: at(133_000), costs_retry: true } },
    ]);
    expect(seen(LOSER)[0]).toMatchObject({ data: { awarded_to: null } });
  });
});
