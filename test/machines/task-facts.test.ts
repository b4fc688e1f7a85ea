/** What each command of a task leads to, whole: its facts with their ids, times and amounts, and what it sets off. */
import { expect, test } from "vitest";
import { award as pick } from "../../machines/market/auction.ts";
import { task as entity } from "../../machines/task/index.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { forget, Life, remind, tell } from "../support/life.ts";
import { id, order, person } from "../support/world.ts";

const TASK = taskId(id(99));
const [REQUESTER, WORKER, OTHER] = [person(1), person(2), person(3)];
const CREATED = 1_000_000;
const OPENED = CREATED + 7;
const BID = CREATED + 500;
const AWARDED = CREATED + 3_011;
const SPEC = order({ callbackUrl: "https://example.com/hook", maxSeconds: 90, windowMs: 3_000, poolHours: 2 });

type Command = Parameters<typeof entity.decide>[1];
const standing = (marks: readonly string[] = [], quality = 0.5) =>
  ({ status: "ACTIVE", cooldownUntil: null, tier: 1, quality, marks }) as const;
const open = (changes: object = {}): Command => ({
  type: "open",
  task: TASK,
  requester: REQUESTER,
  marks: ["mail:b", "mail:a"],
  order: { ...SPEC, ...changes },
  offers: [],
  createdAt: CREATED,
});
const bid = (worker = WORKER, amount: number | null = 12, n = 50): Command => ({
  type: "bid",
  bid: id(n),
  worker,
  credits: amount === null ? null : credits(amount),
  standing: standing(["mail:z", "github:y"]),
  online: null,
});
const placed = (worker = WORKER, amount = 12, n = 50) => ({
  id: id(n),
  worker,
  credits: amount,
  quality: 0.5,
  identity: "github:y",
});
const timer = (name: string, due = 0): Command => ({ type: "timer", name, due });
const good: Command = {
  type: "submit",
  submission: id(60),
  worker: WORKER,
  result: { name: "Ada" },
  verdict: { code: null, errors: [] },
};
const errors = [{ field: "name", message: "must be string", more: "inside" }];
const bad: Command = {
  type: "submit",
  submission: id(61),
  worker: WORKER,
  result: {},
  verdict: { code: "SCHEMA_MISMATCH", errors },
};

const opened = (changes: object = {}) => new Life(entity, TASK).through([[open(changes), OPENED]]);
const awarded = (changes: object = {}) =>
  opened(changes).through([
    [bid(), BID],
    [timer("routing"), AWARDED],
  ]);
const settled = (changes: object = {}) =>
  awarded(changes).through([
    [good, AWARDED + 40],
    [{ type: "settled", payout: credits(12), fee: credits(1), refund: credits(7) }, AWARDED + 60],
  ]);
/** Effects of every end: nothing of the task is left to be timed, and its requester has the budget back. */
const released = [
  forget("execution"),
  forget("routing"),
  forget("pool"),
  tell("account", REQUESTER, { type: "release", task: TASK, budget: 20 }),
];

test("open: the window counts from the creation, and everything that was asked for is kept", () => {
  const { facts, effects } = new Life(entity, TASK).do(open(), OPENED);
  expect(facts).toEqual([
    {
      type: "Opened",
      task: TASK,
      requester: REQUESTER,
      marks: ["mail:b", "mail:a"],
      order: SPEC,
      offers: [],
      createdAt: CREATED,
      at: OPENED,
    },
    { type: "RoutingStarted", until: CREATED + 3_000, at: OPENED },
  ]);
  expect(effects).toEqual([remind("routing", CREATED + 3_000)]);
});

test("bid: who, for how much, how good, known by what; without a price it is the budget", () => {
  const step = opened().do(bid(), BID);
  expect(step.facts).toEqual([{ type: "BidPlaced", bid: placed(), at: BID }]);
  expect(step.effects).toEqual([]);
  expect(opened().do(bid(WORKER, null), BID).facts).toEqual([{ type: "BidPlaced", bid: placed(WORKER, 20), at: BID }]);
});

test("the end of the window: the award has its deadline from the award on, and all that were weighed", () => {
  const life = opened().through([
    [bid(), BID],
    [bid(OTHER, 9, 51), BID + 1],
  ]);
  const { facts, effects } = life.do(timer("routing"), AWARDED);
  const candidates = [placed(), placed(OTHER, 9, 51)];
  const winner = candidates[1];
  expect(facts).toEqual([
    {
      ...{ type: "Awarded", bid: winner, deadline: AWARDED + 90_000, explored: expect.any(Boolean), candidates },
      ...{ slot: true, at: AWARDED },
    },
  ]);
  expect(effects).toEqual([forget("routing"), forget("pool"), remind("execution", AWARDED + 90_000)]);
  expect(entity.row(TASK, life.state)).toMatchObject({ expiresAt: AWARDED + 90_000, awardedPrice: 9, worker: OTHER });
});

test("an award that ends the window early, and one from the pool, have their deadline from then on as well", () => {
  const early = opened().do({ ...bid(), online: [WORKER, REQUESTER] } as Command, BID);
  expect(early.types).toBe("BidPlaced+Awarded");
  expect(early.facts[1]).toMatchObject({ bid: placed(), deadline: BID + 90_000, candidates: [placed()], at: BID });
  const late = opened().through([[timer("routing"), AWARDED]]);
  const step = late.do(bid(), AWARDED + 9_000);
  expect(step.facts[1]).toMatchObject({ bid: placed(), deadline: AWARDED + 99_000, candidates: [placed()], at: AWARDED + 9_000 });
  const untilAwarded = remind("routing", AWARDED + 11_000);
  expect(step.effects).toEqual([untilAwarded, forget("routing"), forget("pool"), remind("execution", AWARDED + 99_000)]);
});

test("explored says whether the price alone has decided", () => {
  for (let n = 0; n < 40; n += 1) {
    const one = taskId(id(7_919 * n));
    const life = new Life(entity, one).through([[{ ...open({ quality: "best" }), task: one } as Command, OPENED]]);
    life.do(bid(), BID);
    const [fact] = life.do(timer("routing"), AWARDED).facts;
    expect(fact).toMatchObject({ explored: pick(one, "best", life.state.context.bids)?.explored });
  }
});

test("a window without a bid: the pool lasts its hours from then on, and its end gives the budget back", () => {
  const life = opened();
  const pooled = life.do(timer("routing"), AWARDED);
  const until = AWARDED + 2 * 3_600_000;
  expect(pooled.facts).toEqual([{ type: "PoolEntered", until, at: AWARDED }]);
  expect(pooled.effects).toEqual([forget("routing"), remind("pool", until)]);
  expect(entity.row(TASK, life.state)?.expiresAt).toBe(until);
  const { facts, effects } = life.do(timer("pool"), until + 3);
  expect(facts).toEqual([{ type: "Expired", at: until + 3 }]);
  expect(effects).toEqual([...released, remind("webhook", until + 3)]);
  expect(entity.row(TASK, life.state)?.expiresAt).toBeNull();
});

test("start: once, by the worker", () => {
  const { facts, effects } = awarded().do({ type: "start", worker: WORKER }, AWARDED + 20);
  expect(facts).toEqual([{ type: "ExecutionStarted", worker: WORKER, at: AWARDED + 20 }]);
  expect(effects).toEqual([]);
});

test("a right result: it is kept as it is, and the requester's account is told how to divide the money, and how long it took", () => {
  const life = awarded();
  const { facts, effects } = life.do(good, AWARDED + 40);
  expect(facts).toEqual([
    { type: "ExecutionStarted", worker: WORKER, at: AWARDED + 40 },
    { type: "ResultAccepted", submission: id(60), result: { name: "Ada" }, firstTry: true, at: AWARDED + 40 },
  ]);
  expect(effects).toEqual([
    forget("execution"),
    tell("account", REQUESTER, {
      type: "settle",
      task: TASK,
      taskType: SPEC.taskType,
      budget: 20,
      payout: 12,
      fee: 1,
      refund: 7,
      worker: WORKER,
      workerIdentity: "github:y",
      firstTry: true,
      durationMs: 40,
      allowedMs: 90_000,
    }),
  ]);
  expect(entity.row(TASK, life.state)).toMatchObject({ result: { name: "Ada" }, errorCode: null, expiresAt: null });
});

test("a wrong result: what is wrong with it and how many tries are left; the next right one is no first try", () => {
  const life = awarded();
  const first = life.do(bad, AWARDED + 10);
  expect(first.facts.slice(1)).toEqual([
    { type: "ResultRejected", submission: id(61), code: "SCHEMA_MISMATCH", errors, left: 2, at: AWARDED + 10 },
  ]);
  expect(first.effects).toEqual([]);
  const second = life.do(bad, AWARDED + 20);
  expect(second.facts).toMatchObject([{ type: "ResultRejected", left: 1 }]);
  expect(entity.row(TASK, life.state)).toMatchObject({ errorCode: "SCHEMA_MISMATCH", retriesLeft: 0 });
  const accepted = life.fork().do(good, AWARDED + 30);
  expect(accepted.facts).toEqual([
    { type: "ResultAccepted", submission: id(60), result: { name: "Ada" }, firstTry: false, at: AWARDED + 30 },
  ]);
  const third = life.do(bad, AWARDED + 40);
  expect(third.facts).toEqual([
    { type: "ResultRejected", submission: id(61), code: "SCHEMA_MISMATCH", errors, left: 0, at: AWARDED + 40 },
    { type: "AwardFailed", code: "SCHEMA_MISMATCH", at: AWARDED + 40 },
    { type: "Reopened", until: AWARDED + 3_040, at: AWARDED + 40 },
  ]);
  const failing = {
    type: "fail",
    task: TASK,
    taskType: SPEC.taskType,
    outcome: "FAILED_VALIDATION",
    requesterIdentity: "mail:a",
  };
  expect(third.effects).toEqual([forget("execution"), tell("account", WORKER, failing), remind("routing", AWARDED + 3_040)]);
  expect(entity.row(TASK, life.state)).toMatchObject({
    status: "ROUTING",
    worker: null,
    awardedPrice: null,
    autoRetriesLeft: 0,
    closedTo: [WORKER],
    expiresAt: AWARDED + 3_040,
  });
});

test("a time-out: the worker's account is told, and the next window counts from then on; after the last one the task expires", () => {
  const late = AWARDED + 93_000;
  const life = awarded();
  const { facts, effects } = life.do(timer("execution"), late);
  expect(facts).toEqual([
    { type: "AwardTimedOut", at: late },
    { type: "Reopened", until: late + 3_000, at: late },
  ]);
  const failing = { type: "fail", task: TASK, taskType: SPEC.taskType, outcome: "TIMED_OUT", requesterIdentity: "mail:a" };
  expect(effects).toEqual([forget("execution"), tell("account", WORKER, failing), remind("routing", late + 3_000)]);
  expect(entity.row(TASK, life.state)).toMatchObject({ errorCode: "TIMEOUT" });
  const last = awarded({ autoRetry: 0 }).do(timer("execution"), late);
  expect(last.facts).toEqual([
    { type: "AwardTimedOut", at: late },
    { type: "Expired", at: late },
  ]);
  const release = { type: "release", task: TASK, budget: 20, awarded: true };
  const counted = [...released.slice(0, -1), tell("account", REQUESTER, release)];
  expect(last.effects).toEqual([forget("execution"), tell("account", WORKER, failing), ...counted, remind("webhook", late)]);
});

test("a second round: tries and bids begin anew, and what is left of the retries is counted", () => {
  const life = awarded({ autoRetry: 2 }).through([
    [bad, AWARDED + 10],
    [timer("execution"), AWARDED + 93_000],
  ]);
  expect(entity.row(TASK, life.state)).toMatchObject({ autoRetriesLeft: 1, retriesLeft: 2, closedTo: [WORKER] });
  const again = AWARDED + 94_000;
  life.do(bid(OTHER, 15, 52), again);
  const [fact] = life.do(timer("routing"), again + 3_000).facts;
  expect(fact).toMatchObject({ bid: placed(OTHER, 15, 52), candidates: [placed(OTHER, 15, 52)], deadline: again + 93_000 });
  expect(entity.row(TASK, life.state)).toMatchObject({ errorCode: null, worker: OTHER, awardedPrice: 15 });
  const step = life.do({ ...good, worker: OTHER } as Command, again + 3_005);
  expect(step.facts.at(-1)).toMatchObject({ firstTry: true });
  expect(step.effects.at(-1)).toMatchObject({ command: { worker: OTHER, durationMs: 5, payout: 15 } });
});

test("settled: what each has got; the webhook is due at once, and a batch hears of it", () => {
  const life = awarded({ batch: { id: id(77), item: 3 } }).through([[good, AWARDED + 40]]);
  const division = { payout: credits(12), fee: credits(1), refund: credits(7) };
  const { facts, effects } = life.do({ type: "settled", ...division }, AWARDED + 60);
  expect(facts).toEqual([{ type: "Settled", ...division, at: AWARDED + 60 }]);
  expect(effects).toEqual([
    remind("webhook", AWARDED + 60),
    tell("batch", id(77), { type: "itemEnded", item: 3, status: "SETTLED" }),
  ]);
});

test("cancelled, or ended by an operator: the budget goes back, timers are forgotten, and a batch hears which it was", () => {
  const batch = { batch: { id: id(77), item: 3 }, callbackUrl: null };
  const cancelled = opened(batch).do({ type: "cancel", requester: REQUESTER }, BID);
  expect(cancelled.facts).toEqual([{ type: "Cancelled", at: BID }]);
  expect(cancelled.decision.afterDelivery).toBe(true);
  const ended = (status: string) => tell("batch", id(77), { type: "itemEnded", item: 3, status });
  expect(cancelled.effects).toEqual([...released, ended("CANCELLED")]);
  const expired = awarded(batch).do({ type: "expire", reason: "by request" }, AWARDED + 1);
  expect(expired.facts).toEqual([{ type: "Expired", reason: "by request", at: AWARDED + 1 }]);
  expect(expired.effects).toEqual([...released, tell("account", WORKER, { type: "freed", task: TASK }), ended("EXPIRED")]);
});

test("rated: the worker's account is told how, and in which type", () => {
  const { facts, effects } = settled().do({ type: "rate", requester: REQUESTER, stars: 4 }, AWARDED + 90);
  expect(facts).toEqual([{ type: "Rated", stars: 4, at: AWARDED + 90 }]);
  expect(effects).toEqual([tell("account", WORKER, { type: "rated", task: TASK, taskType: SPEC.taskType, stars: 4 })]);
});

test("a task with a known answer says how it was done, and when that counts, with the message that ends it in any way", () => {
  const known = { known: { name: "ada" }, tellAfter: 700 };
  const right = awarded(known).do(good, AWARDED + 40);
  expect(right.facts.at(-1)).toMatchObject({ type: "ResultAccepted", isKnown: true });
  expect(right.effects.at(-1)).toMatchObject({ command: { type: "settle", honeypot: { passed: true, due: AWARDED + 740 } } });
  const other = awarded(known).do({ ...good, result: { name: "Bob" } } as Command, AWARDED + 40);
  expect(other.facts.at(-1)).toMatchObject({ isKnown: false });
  expect(other.effects.at(-1)).toMatchObject({ command: { type: "settle", honeypot: { passed: false, due: AWARDED + 740 } } });
  const late = { type: "fail", task: TASK, taskType: SPEC.taskType, outcome: "TIMED_OUT", requesterIdentity: "mail:a" } as const;
  const timed = awarded(known).do(timer("execution"), AWARDED + 93_000);
  const honeypot = { passed: false, due: AWARDED + 93_700 };
  expect(timed.effects).toContainEqual(tell("account", WORKER, { ...late, honeypot }));
  // Those of before are told at once, and other tasks say nothing of it.
  const before = awarded({ known: { name: "ada" } }).do(good, AWARDED + 40);
  expect(before.effects.at(-1)).toMatchObject({ command: { honeypot: { passed: true, due: AWARDED + 40 } } });
  expect(JSON.stringify(awarded().do(good, AWARDED + 40).effects)).not.toContain("honeypot");
  expect(awarded().do(timer("execution"), AWARDED + 93_000).effects).toContainEqual(tell("account", WORKER, late));
});

test("a webhook's attempt: what is sent, whose secret signs it, and when it is tried again", () => {
  const life = settled();
  const ended = AWARDED + 60;
  const { facts, decision } = life.do(timer("webhook", ended), ended + 4);
  expect(facts).toEqual([]);
  const delivery = {
    task: TASK,
    account: REQUESTER,
    message: TASK,
    attempt: 1,
    url: "https://example.com/hook",
    body: {
      event: "task.terminal",
      task_id: TASK,
      status: "SETTLED",
      result_data: { name: "Ada" },
      awarded_price: 12,
      created_at: new Date(CREATED).toISOString(),
      timestamp: new Date(ended).toISOString(),
    },
  };
  expect(decision).toMatchObject({ calls: [{ request: delivery }] });
  const outcome = { id: id(70), ms: 3, result: "failed", status: 500, error: "answered 500" } as const;
  const tried = (attempt: number, at: number) => life.do({ type: "webhook.attempted", attempt, outcome }, at);
  for (const [attempt, wait] of [
    [1, 1_000],
    [2, 3_000],
    [3, 10_000],
  ] as const) {
    const at = ended + 100_000 * attempt;
    const step = tried(attempt, at);
    expect(step.facts).toEqual([{ type: "WebhookAttempted", attempt, outcome, next: at + wait, at }]);
    expect(step.effects).toEqual([remind("webhook", at + wait)]);
    const again = life.do(timer("webhook", at + wait), at + wait).decision;
    expect(again).toMatchObject({ calls: [{ request: { attempt: attempt + 1, message: TASK } }] });
    expect(entity.finished(life.state)).toBe(false);
  }
  const last = tried(4, ended + 500_000);
  expect(last.facts).toEqual([{ type: "WebhookAttempted", attempt: 4, outcome, next: null, at: ended + 500_000 }]);
  expect([last.effects, entity.finished(life.state)]).toEqual([[forget("webhook")], true]);
  expect(life.tries(timer("webhook", ended), ended + 600_000)).toBe("TIMER_STALE");
});

test.each([
  { id: id(70), ms: 3, result: "delivered", status: 204 } as const,
  { id: id(70), ms: 3, result: "gone", status: 410 } as const,
])("a webhook that is $result is not tried again, unless it is asked for: then from the first attempt", (outcome) => {
  const life = settled().through([[{ type: "webhook.attempted", attempt: 1, outcome }, AWARDED + 70]]);
  expect(entity.finished(life.state)).toBe(true);
  expect(life.tries({ type: "webhook.attempted", attempt: 2, outcome }, AWARDED + 71)).toBe("MESSAGE_STALE");
  const { facts, effects } = life.do({ type: "webhook.resend", requester: REQUESTER }, AWARDED + 80);
  expect(facts).toEqual([{ type: "WebhookRequested", at: AWARDED + 80 }]);
  expect(effects).toEqual([remind("webhook", AWARDED + 80)]);
  expect(entity.finished(life.state)).toBe(false);
  expect(life.tries({ type: "webhook.attempted", attempt: 2, outcome }, AWARDED + 81)).toBe("MESSAGE_STALE");
  expect(life.tries({ type: "webhook.attempted", attempt: 1, outcome }, AWARDED + 81)).toBe("WebhookAttempted");
});
