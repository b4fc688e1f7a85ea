/** What each command of an account leads to, whole: its facts with their ids, times and amounts, and what it sets off. */
import { describe, expect, test } from "vitest";
import { account as entity } from "../../machines/account/index.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { forget, Life, remind, tell } from "../support/life.ts";
import { id, order, person } from "../support/world.ts";

const [ME, OTHER, THIRD] = [person(1), person(2), person(3)];
const [HELD, NEXT] = [taskId(id(90)), taskId(id(91))];
const REGISTERED = 1_000_000;
const AT = REGISTERED + 5_000;
const DAY_MS = 24 * 3_600_000;
type Command = Parameters<typeof entity.decide>[1];

const register = (changes: object = {}): Command => ({
  ...{ type: "register", account: ME, email: "a@b.example", source: "cli", keyHash: "old", grant: credits(50), marks: [] },
  ...changes,
});
const hold = (task = HELD, changes: object = {}): Command => ({
  type: "hold",
  task,
  order: order(changes),
  offers: [],
  fresh: true,
});
const work = { task: HELD, taskType: "x", firstTry: true, durationMs: 1_000, allowedMs: 120_000 };
const division = { payout: credits(12), fee: credits(1), refund: credits(7) };
const settle: Command = { type: "settle", ...work, budget: credits(20), ...division, worker: OTHER, workerIdentity: "mail:w" };
const earn = (changes: object = {}): Command => ({
  ...{ type: "earn", ...work, requester: OTHER, requesterIdentity: "mail:r", payout: credits(12) },
  ...changes,
});
const fail = (outcome: "FAILED_VALIDATION" | "TIMED_OUT", task = NEXT): Command => ({
  type: "fail",
  task,
  taskType: "x",
  outcome,
});
const me = (changes: object = {}) => new Life(entity, ME).through([[register(changes), REGISTERED]]);
const row = (life: ReturnType<typeof me>) => entity.row(ME, life.state);

test("register: the grant, the key's hash and where it came from; marks once each", () => {
  const registered = { type: "Registered", account: ME, email: "a@b.example", source: "cli", keyHash: "old", grant: 50, at: 5 };
  expect(new Life(entity, ME).do(register(), 5).facts).toEqual([registered]);
  const marked = new Life(entity, ME).do(register({ marks: ["mail:a", "mail:a", "github:b"] }), 5);
  expect(marked.facts).toEqual([registered, { type: "Marked", marks: ["mail:a", "github:b"], kin: [], at: 5 }]);
  expect(row(me())).toMatchObject({
    available: 50,
    held: 0,
    createdAt: REGISTERED,
    updatedAt: REGISTERED,
    email: "a@b.example",
  });
});

test("keys: a rotation and a recovery name the one that they replace", () => {
  const life = me();
  expect(life.do({ type: "rotateKey", presented: "old", keyHash: "new" }, AT).facts).toEqual([
    { type: "KeyRotated", keyHash: "new", before: "old", at: AT },
  ]);
  expect(life.do({ type: "requestRecovery", codeHash: "c" }, AT).facts).toEqual([
    { type: "RecoveryRequested", codeHash: "c", until: AT + 300_000, at: AT },
  ]);
  expect(life.do({ type: "recover", codeHash: "c", keyHash: "third" }, AT + 1).facts).toEqual([
    { type: "KeyRecovered", keyHash: "third", before: "new", at: AT + 1 },
  ]);
  expect(row(life)?.keyHash).toBe("third");
  expect(life.do({ type: "startOAuth", stateHash: "s" }, AT).facts).toEqual([
    { type: "OAuthStarted", stateHash: "s", until: AT + 600_000, at: AT },
  ]);
});

test("credits that come and go: by how much, and what is there after it", () => {
  const life = me();
  expect(life.do({ type: "topUp", topup: id(7), amount: credits(5) }, AT).facts).toEqual([
    { type: "ToppedUp", topup: id(7), amount: 5, available: 55, at: AT },
  ]);
  expect(life.do({ type: "adjust", adjustment: id(8), amount: credits(-95), reason: "fraud" }, AT).facts).toEqual([
    { type: "Adjusted", adjustment: id(8), amount: -95, reason: "fraud", at: AT },
  ]);
  expect(row(life)).toMatchObject({ available: -40, debtSince: AT });
  expect(life.do({ type: "repay", repayment: id(9), amount: credits(15) }, AT + 3).facts).toEqual([
    { type: "Repaid", repayment: id(9), amount: 15, available: -25, debt: 25, at: AT + 3 },
  ]);
});

test("hold: the budget, and the task opened with all that was asked for, at the moment of the hold", () => {
  const life = me({ marks: ["mail:a"] });
  const offers = [{ worker: OTHER, bid: id(80) }];
  const { facts, decision, effects } = life.do({ ...hold(), offers } as Command, AT);
  expect(facts).toEqual([{ type: "Held", task: HELD, budget: 20, score: 0.9, at: AT }]);
  expect(effects).toEqual([]);
  expect(decision.afterDelivery).toBe(true);
  const rest = { order: order(), offers, requesterScore: 0.9, createdAt: AT };
  const open = { type: "open", task: HELD, requester: ME, marks: ["mail:a"], ...rest };
  expect(decision.carry).toEqual([{ type: "tell", to: { kind: "task", id: HELD }, command: open, fresh: true }]);
  expect(row(life)).toMatchObject({ available: 30, held: 20, tally: { created: 1 } });
});

test("release: all of it comes back, for the task that it was held for", () => {
  const life = me().through([
    [hold(), AT],
    [hold(NEXT, { budget: credits(9) }), AT],
  ]);
  expect(life.tries({ type: "release", task: NEXT, budget: credits(20) }, AT)).toBe("HOLD_UNKNOWN");
  const { facts, effects } = life.do({ type: "release", task: NEXT, budget: credits(9) }, AT + 1);
  expect([facts, effects]).toEqual([[{ type: "Released", task: NEXT, budget: 9, at: AT + 1 }], []]);
  expect(row(life)).toMatchObject({ available: 30, held: 20 });
  expect(life.tries({ type: "release", task: HELD, budget: credits(20) }, AT)).toBe("Released");
});

test("settle: the division, who has earned it and is known by what; the task and the worker's account are told", () => {
  const life = me({ marks: ["mail:b", "mail:a"] }).through([[hold(), AT]]);
  const { facts, effects } = life.do(settle, AT + 1);
  const { task, taskType, firstTry, durationMs, allowedMs } = work;
  const how = { taskType, firstTry, durationMs, allowedMs };
  expect(facts).toEqual([{ type: "Settled", task, worker: OTHER, counterparty: "mail:w", ...division, ...how, at: AT + 1 }]);
  expect(effects).toEqual([
    tell("task", HELD, { type: "settled", ...division }),
    tell("account", OTHER, { type: "earn", task, ...how, requester: ME, requesterIdentity: "mail:a", payout: 12 }),
  ]);
  expect(row(life)).toMatchObject({ available: 37, held: 0, counterparties: 1, tally: { paid: 1, earned: 0 } });
});

test("earn: what was paid, by whom, and how it was done; a record of each type", () => {
  const life = me();
  const { facts, effects } = life.do(earn(), AT);
  const { task, taskType, firstTry, durationMs, allowedMs } = work;
  const how = { taskType, firstTry, durationMs, allowedMs };
  expect(facts).toEqual([
    { type: "Earned", task, requester: OTHER, counterparty: "mail:r", payout: 12, ...how, clears: "ALL", at: AT },
  ]);
  expect(effects).toEqual([]);
  life.do(earn({ task: NEXT, firstTry: false, durationMs: 130_000, taskType: "y" }), AT + 1);
  life.do(fail("TIMED_OUT", taskId(id(92))), AT + 2);
  expect(row(life)).toMatchObject({
    available: 74,
    reputation: -1,
    tally: { earned: 2, firstTry: 1, durationMs: 131_000, failed: 0, timedOut: 1 },
    records: {
      x: { finished: 2, settled: 1, firstTry: 1, timeShare: 1_000 / 120_000 },
      // No more than all of the time counts.
      y: { finished: 1, settled: 1, firstTry: 0, timeShare: 1 },
    },
  });
});

test("fail: the third in a row cools down for an hour; a delivery in between begins the count anew", () => {
  const life = me();
  expect(life.do(fail("FAILED_VALIDATION"), AT).facts).toEqual([
    { type: "Failed", task: NEXT, taskType: "x", outcome: "FAILED_VALIDATION", at: AT },
  ]);
  expect(life.do(fail("FAILED_VALIDATION"), AT).types).toBe("Failed");
  life.do(earn(), AT);
  expect(life.do(fail("FAILED_VALIDATION"), AT).types).toBe("Failed");
  expect(life.do(fail("FAILED_VALIDATION"), AT).types).toBe("Failed");
  const third = life.do(fail("FAILED_VALIDATION"), AT + 9);
  expect(third.facts).toEqual([
    { type: "Failed", task: NEXT, taskType: "x", outcome: "FAILED_VALIDATION", at: AT + 9 },
    { type: "CooldownStarted", until: AT + 9 + 3_600_000, at: AT + 9 },
  ]);
  expect(third.effects).toEqual([remind("cooldown", AT + 9 + 3_600_000)]);
  expect(row(life)).toMatchObject({ status: "COOLING", cooldownUntil: AT + 9 + 3_600_000, tally: { failed: 5, timedOut: 0 } });
  const timer: Command = { type: "timer", name: "cooldown", due: AT };
  expect(life.tries(timer, AT + 9 + 3_599_999)).toBe("TIMER_STALE");
  const over = life.do(timer, AT + 9 + 3_600_000);
  expect([over.facts, over.effects]).toEqual([[{ type: "CooldownEnded", at: AT + 9 + 3_600_000 }], [forget("cooldown")]]);
  expect(row(life)).toMatchObject({ status: "ACTIVE", cooldownUntil: null });
});

test("freeze and release: with the operator's reason; who cooled down goes on cooling down", () => {
  const life = me().through([
    [fail("TIMED_OUT"), AT],
    [fail("TIMED_OUT"), AT],
    [fail("TIMED_OUT"), AT],
  ]);
  expect(life.do({ type: "freeze", reason: "abuse" }, AT + 1).facts).toEqual([{ type: "Frozen", reason: "abuse", at: AT + 1 }]);
  expect(row(life)?.status).toBe("FROZEN");
  expect(life.do({ type: "unfreeze", reason: "sorry" }, AT + 2).facts).toEqual([
    { type: "Unfrozen", reason: "sorry", at: AT + 2 },
  ]);
  expect(row(life)?.status).toBe("COOLING");
  const other = me().through([
    [{ type: "freeze", reason: "abuse" }, AT],
    [{ type: "unfreeze", reason: "sorry" }, AT],
  ]);
  expect(row(other)?.status).toBe("ACTIVE");
});

describe("a price that stands", () => {
  const capability = {
    id: id(70),
    taskType: "x",
    description: "d",
    tags: ["t"],
    price: credits(8),
    concurrency: 1,
    available: true,
  };
  const able = () => me({ marks: ["mail:a"] }).through([[{ type: "registerCapability", capability }, AT]]);
  const offer = (changes: object = {}): Command => ({
    ...{ type: "offer", task: HELD, bid: id(50), taskType: "x", budget: credits(8), minSkill: 1, marks: [] },
    ...changes,
  });

  test("is noted whole, and keeps its id and its beginning when it is changed", () => {
    expect(me().do({ type: "registerCapability", capability }, AT).facts).toEqual([
      { type: "CapabilityRegistered", capability: { ...capability, createdAt: AT }, request: id(70), at: AT },
    ]);
    const again = { ...capability, id: id(71), price: credits(9) };
    expect(able().do({ type: "registerCapability", capability: again }, AT + 5).facts).toEqual([
      {
        type: "CapabilityRegistered",
        capability: { ...again, id: id(70), createdAt: AT },
        request: id(71),
        at: AT + 5,
      },
    ]);
    const off = able().do({ type: "setAvailability", capability: id(70), available: false }, AT + 6);
    expect(off.facts).toEqual([{ type: "AvailabilityChanged", capability: id(70), available: false, at: AT + 6 }]);
  });

  test("bids at exactly the budget and exactly the tier, with what is known of its worker at that moment", () => {
    const { facts, effects } = able().do(offer(), AT + 1);
    const standing = { status: "ACTIVE", cooldownUntil: null, tier: 1, quality: 0.5, marks: ["mail:a"] };
    expect(facts).toEqual([{ type: "OfferTaken", task: HELD, bid: id(50), capability: id(70), price: 8, standing, at: AT + 1 }]);
    expect(effects).toEqual([tell("task", HELD, { type: "standingBid", bid: id(50), worker: ME, credits: 8, standing })]);
    for (const changes of [{ budget: credits(7) }, { minSkill: 2 }, { taskType: "y" }, { marks: ["mail:a"] }]) {
      const declined = able().do(offer(changes), AT + 1);
      expect(declined.facts).toMatchObject([{ type: "OfferDeclined", task: HELD, at: AT + 1 }]);
      expect(declined.effects).toMatchObject([{ to: { kind: "task", id: HELD }, command: { type: "declined", worker: ME } }]);
    }
  });

  test("takes as many at once as it can, and no task twice", () => {
    for (const concurrency of [1, 2]) {
      const life = me().through([[{ type: "registerCapability", capability: { ...capability, concurrency } }, AT]]);
      for (let n = 0; n < concurrency; n += 1) expect(life.do(offer({ task: taskId(id(200 + n)) }), AT).types).toBe("OfferTaken");
      expect(life.tries(offer({ task: taskId(id(300)) }), AT)).toBe("OfferDeclined");
    }
    const two = me().through([[{ type: "registerCapability", capability: { ...capability, concurrency: 2 } }, AT]]);
    expect(two.do(offer(), AT).types).toBe("OfferTaken");
    expect(two.tries(offer(), AT)).toBe("OfferDeclined");
  });
});

describe("a payment", () => {
  const news = (what: object, customer: string | null = null): Command =>
    ({ type: "payment", payment: "pi_1", news: what, customer }) as Command;
  const disputed = (state: string, dispute = "dp_1", amount = 30) => news({ type: "disputed", dispute, amount, state });

  test("is noted with all that is known of it by now, and what the balance gains by that", () => {
    const life = me();
    expect(life.do(news({ type: "paid", amount: 100 }, "cus_1"), AT).facts).toEqual([
      {
        type: "PaymentChanged",
        payment: "pi_1",
        after: { bought: 100, refunded: 0, disputes: {}, paidAt: AT },
        change: 1,
        amount: 100,
        customer: "cus_1",
        at: AT,
      },
    ]);
    const refunded = life.do(news({ type: "refunded", total: 40 }), AT + 1);
    expect(refunded.facts).toMatchObject([{ after: { bought: 100, refunded: 40 }, change: 2, amount: -40, customer: null }]);
    expect(row(life)).toMatchObject({ available: 110, customer: "cus_1" });
    expect(life.tries(news({ type: "refunded", total: 40 }), AT + 2)).toBe("");
    expect(life.tries(news({ type: "paid", amount: 100 }), AT + 2)).toBe("");
  });

  test("takes credits back while it is disputed, and gives them again when that is won", () => {
    const life = me().through([[news({ type: "paid", amount: 100 }), AT]]);
    expect(life.do(disputed("open"), AT).facts).toMatchObject([
      { amount: -30, after: { disputes: { dp_1: { amount: 30, state: "open" } } } },
    ]);
    expect(life.tries(disputed("open"), AT)).toBe("");
    expect(life.fork().do(disputed("won"), AT).facts).toMatchObject([{ amount: 30, change: 3 }]);
    expect(life.fork().do(disputed("lost"), AT).facts).toMatchObject([{ amount: 0, change: 3 }]);
    const lost = life.fork().through([[disputed("lost"), AT]]);
    for (const late of ["open", "won", "lost"]) expect(lost.tries(disputed(late), AT)).toBe("");
    expect(life.do(disputed("open", "dp_2", 90), AT).facts).toMatchObject([{ amount: -70 }]);
  });
});

describe("debt", () => {
  test("has a timer from the day on which it begins, and none when it is over", () => {
    const life = me();
    const owe = (amount: number, at: number): Command => ({
      ...{ type: "adjust", adjustment: id(at), amount: credits(amount), reason: "r" },
    });
    const adjust = (amount: number, at: number) => life.do(owe(amount, at), at);
    expect(adjust(-50, AT).effects).toEqual([]);
    expect(adjust(-1, AT + 1).effects).toEqual([remind("debt", AT + 1 + 7 * DAY_MS)]);
    expect(adjust(-1, AT + 2).effects).toEqual([]);
    expect(adjust(1, AT + 3).effects).toEqual([]);
    expect(row(life)?.debtSince).toBe(AT + 1);
    expect(adjust(1, AT + 4).effects).toEqual([forget("debt")]);
    expect(row(life)?.debtSince).toBeNull();
    // What is drawn within a day of a repayment is as old as what was repaid; a day after, it is not.
    expect(life.fork().do(owe(-3, AT + 5), AT + 5).effects).toEqual([remind("debt", AT + 1 + 7 * DAY_MS)]);
    const later = AT + 4 + DAY_MS;
    expect(adjust(-3, later).effects).toEqual([remind("debt", later + 7 * DAY_MS)]);
    const due = life.do({ type: "timer", name: "debt", due: AT }, later + 7 * DAY_MS);
    expect(due.facts).toEqual([{ type: "Suspended", at: later + 7 * DAY_MS }]);
    expect(due.effects).toEqual([forget("debt")]);
    // A suspension ends with its debt, and what is owed after that counts from then on.
    expect(adjust(3, AT + 9 * DAY_MS).effects).toEqual([]);
    expect(row(life)?.status).toBe("ACTIVE");
  });
});

describe("the most that an account may hold", () => {
  const MOST = 1_000_000_000_000;
  test.each([
    ["topUp", (amount: number): Command => ({ type: "topUp", topup: id(7), amount: credits(amount) })],
    ["adjust", (amount: number): Command => ({ type: "adjust", adjustment: id(7), amount: credits(amount), reason: "r" })],
  ])("is reached exactly by %s, what is held included", (_name, command) => {
    const life = me().through([[hold(), AT]]);
    expect(life.tries(command(MOST - 49), AT)).toBe("BALANCE_TOO_LARGE");
    expect(life.tries(command(MOST - 50), AT)).not.toBe("BALANCE_TOO_LARGE");
  });
  test("goes for what is taken as well", () => {
    const command = (amount: number): Command => ({ type: "adjust", adjustment: id(7), amount: credits(amount), reason: "r" });
    expect(me().tries(command(-MOST - 51), AT)).toBe("BALANCE_TOO_LARGE");
    expect(me().tries(command(-MOST - 50), AT)).toBe("Adjusted");
  });
});

test("counterparties are counted once each, on either side, and up to a hundred", () => {
  const life = me();
  for (let n = 0; n < 120; n += 1) {
    life.do(earn({ task: taskId(id(1_000 + n)), requesterIdentity: `mail:${n % 110}` }), AT);
    expect(row(life)?.counterparties).toBe(Math.min(100, n + 1));
  }
  const one = me().through([
    [hold(), AT],
    [settle, AT],
    [earn({ task: NEXT, requesterIdentity: "mail:w", requester: THIRD }), AT],
  ]);
  expect(row(one)?.counterparties).toBe(1);
});
