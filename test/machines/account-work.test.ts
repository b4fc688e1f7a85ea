/** What an account counts of its work, and what its places, capabilities, batches and timers bound. */
import { describe, expect, test } from "vitest";
import { account as entity } from "../../machines/account/index.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { Life, tell } from "../support/life.ts";
import { id, order, person } from "../support/world.ts";

const [ME, OTHER] = [person(1), person(2)];
const AT = 1_000_000;
const TASK = taskId(id(90));
type Command = Parameters<typeof entity.decide>[1];
const me = (grant = 50) =>
  new Life(entity, ME).through([
    [{ type: "register", account: ME, email: "a@b.example", source: null, keyHash: "k", grant: credits(grant), marks: [] }, AT],
  ]);
const row = (life: ReturnType<typeof me>) => entity.row(ME, life.state);
const timer = (name: string): Command => ({ type: "timer", name, due: AT });
const capability = (n: number, changes: object = {}) => ({
  ...{ id: id(300 + n), taskType: `t${n}`, description: "", tags: [], price: credits(8), concurrency: 1, available: true },
  ...changes,
});

test("honeypots that were passed and failed are counted apart", () => {
  const life = me();
  const judged = (passed: boolean) => life.do({ type: "honeypot", task: TASK, passed }, AT + 1).facts;
  expect(judged(true)).toEqual([{ type: "HoneypotJudged", task: TASK, passed: true, at: AT + 1 }]);
  judged(true);
  expect(judged(false)).toEqual([{ type: "HoneypotJudged", task: TASK, passed: false, at: AT + 1 }]);
  expect(row(life)?.tally).toMatchObject({ honeypotsPassed: 2, honeypotsFailed: 1 });
});

test("ratings are counted and added up in their type, and leave the rest of its record", () => {
  const life = me();
  const rated = (taskType: string, stars: number) => life.do({ type: "rated", task: TASK, taskType, stars }, AT + 1).facts;
  expect(rated("x", 5)).toEqual([{ type: "Rated", task: TASK, taskType: "x", stars: 5, at: AT + 1 }]);
  rated("x", 2);
  rated("y", 1);
  expect(row(life)?.records).toMatchObject({
    x: { ratings: 2, ratingSum: 7, finished: 0 },
    y: { ratings: 1, ratingSum: 1, finished: 0 },
  });
});

describe("capabilities", () => {
  test("are 50 at most; a known type can still be changed", () => {
    const life = me();
    for (let n = 0; n < 50; n += 1) life.do({ type: "registerCapability", capability: capability(n) }, AT);
    expect(life.tries({ type: "registerCapability", capability: capability(50) }, AT)).toBe("TOO_MANY_CAPABILITIES");
    expect(life.tries({ type: "registerCapability", capability: capability(3, { price: null }) }, AT)).toBe(
      "CapabilityRegistered",
    );
    expect(entity.parts(life.state, life.state, [])).toHaveLength(50);
  });

  test("are switched one by one, and only one's own", () => {
    const life = me();
    for (const n of [1, 2]) life.do({ type: "registerCapability", capability: capability(n) }, AT);
    life.do({ type: "setAvailability", capability: id(301), available: false }, AT);
    expect(entity.parts(life.state, life.state, [])).toMatchObject([{ available: false }, { available: true }]);
    expect(life.tries({ type: "setAvailability", capability: id(999), available: false }, AT)).toBe("CAPABILITY_UNKNOWN");
  });

  test("with a price keep places of their own: one that is full does not close another", () => {
    const life = me();
    for (const n of [1, 2]) life.do({ type: "registerCapability", capability: capability(n) }, AT);
    const offer = (n: number, task: number): Command => ({
      ...{
        type: "offer",
        task: taskId(id(task)),
        bid: id(task + 500),
        taskType: `t${n}`,
        budget: credits(20),
        minSkill: 0,
        marks: [],
      },
    });
    expect(life.do(offer(1, 200), AT).types).toBe("OfferTaken");
    expect([life.tries(offer(1, 201), AT), life.tries(offer(2, 201), AT)]).toEqual(["OfferDeclined", "OfferTaken"]);
    expect(life.do({ type: "freed", task: taskId(id(200)) }, AT).facts).toEqual([{ type: "OfferFreed", task: id(200), at: AT }]);
    expect(life.tries(offer(1, 201), AT)).toBe("OfferTaken");
    const off = me().through([
      [{ type: "registerCapability", capability: capability(1, { price: null }) }, AT],
      [{ type: "registerCapability", capability: capability(2, { available: false }) }, AT],
    ]);
    expect([1, 2, 3].map((n) => off.tries(offer(n, 200), AT))).toEqual(Array(3).fill("OfferDeclined"));
  });
});

describe("a timer", () => {
  test("means nothing where nothing is to be timed, and one does not stand for another", () => {
    for (const name of ["cooldown", "debt", "turns", "nothing"]) expect(me().tries(timer(name), AT)).toBe("TIMER_STALE");
    const cooling = me();
    for (let n = 0; n < 3; n += 1) cooling.do({ type: "fail", task: TASK, taskType: "x", outcome: "TIMED_OUT" }, AT);
    const late = AT + 3_600_000;
    expect(["debt", "turns", "cooldown"].map((name) => cooling.tries(timer(name), late))).toEqual([
      "TIMER_STALE",
      "TIMER_STALE",
      "CooldownEnded",
    ]);
    const owing = me().through([[{ type: "adjust", adjustment: id(8), amount: credits(-60), reason: "r" }, AT]]);
    const week = AT + 7 * 24 * 3_600_000;
    expect(["cooldown", "turns", "debt"].map((name) => owing.tries(timer(name), week))).toEqual([
      "TIMER_STALE",
      "TIMER_STALE",
      "Suspended",
    ]);
  });
});

describe("batches", () => {
  const batch = (n: number) => id(600 + n);
  const start = (n: number): Command =>
    ({
      ...{ type: "startBatch", batch: batch(n), request: batch(n), template: order(), fresh: true },
      ...{ items: [{ inputData: "a" }], atOnce: 2, perMinute: 60 },
    }) as unknown as Command;
  const item = (n: number, task: number, ask: object): Command => ({
    ...{ type: "holdItem", task: taskId(id(task)), order: order({ batch: { id: batch(n), item: 0 } }) },
    ask: { perMinute: 0, want: 0, called: false, ...ask },
  });

  test("that run are twenty at most, and each opens with all that was asked for", () => {
    const life = me();
    const { facts, decision } = life.do(start(0), AT + 1);
    expect(facts).toEqual([{ type: "BatchStarted", batch: batch(0), request: batch(0), at: AT + 1 }]);
    expect(decision).toMatchObject({
      reply: { batch: batch(0), request: batch(0) },
      afterDelivery: true,
      carry: [
        {
          to: { kind: "batch", id: batch(0) },
          command: { type: "openBatch", requester: ME, request: batch(0), atOnce: 2, perMinute: 60, template: order() },
          fresh: true,
        },
      ],
    });
    for (let n = 1; n < 20; n += 1) life.do(start(n), AT);
    expect(life.tries(start(20), AT)).toBe("TOO_MANY_BATCHES");
    expect(life.do({ type: "batchEnded", batch: batch(7) }, AT + 2).facts).toEqual([
      { type: "BatchEnded", batch: batch(7), at: AT + 2 },
    ]);
    expect([life.tries({ type: "batchEnded", batch: batch(7) }, AT), life.tries(start(20), AT)]).toEqual(["", "BatchStarted"]);
  });

  test("that wait for credits are called when there are some, no more items than can be paid", () => {
    const life = me(30).through([[start(1), AT]]);
    const held = life.do(item(1, 200, { want: 3 }), AT);
    expect(held.facts).toEqual([
      { type: "Held", task: id(200), budget: 20, perMinute: 0, score: 0.9, at: AT },
      {
        type: "BatchWaits",
        batch: batch(1),
        item: null,
        reason: "credits",
        want: 3,
        budget: 20,
        perMinute: 0,
        until: null,
        at: AT,
      },
    ]);
    const paid = life.do({ type: "topUp", topup: id(7), amount: credits(35) }, AT + 10);
    expect(paid.effects).toMatchObject([{ type: "remind", name: "turns" }]);
    const { facts, effects } = life.do(timer("turns"), AT + 400);
    expect(facts).toEqual([{ type: "BatchesCalled", calls: [{ batch: batch(1), count: 2 }], at: AT + 400 }]);
    expect(effects).toContainEqual(tell("batch", batch(1), { type: "turns", count: 2 }));
    expect(life.tries(timer("turns"), AT + 800)).toBe("TIMER_STALE");
  });

  test("that ended wait for nothing any more, and others wait on", () => {
    const life = me(5).through([
      [start(1), AT],
      [start(2), AT],
      [item(1, 200, {}), AT],
      [item(2, 201, {}), AT],
      [{ type: "batchEnded", batch: batch(1) }, AT],
      [{ type: "topUp", topup: id(7), amount: credits(500) }, AT],
    ]);
    expect(life.do(timer("turns"), AT + 400).facts).toMatchObject([{ calls: [{ batch: batch(2), count: 1 }] }]);
  });

  test("open items at a pace: as many in any 60 s, to the millisecond", () => {
    const life = me(500).through([[start(1), AT]]);
    const paced = (task: number, at: number) => life.do(item(1, task, { perMinute: 2, called: true }), at).facts;
    expect(paced(200, AT)).toMatchObject([{ type: "Held" }]);
    expect(paced(201, AT + 10)).toMatchObject([{ type: "Held" }]);
    const waits = life.fork().do(item(1, 202, { perMinute: 2, called: true }), AT + 59_999);
    expect(waits.facts).toMatchObject([{ type: "BatchWaits", item: 0, reason: "pace", want: 1, until: AT + 60_000 }]);
    expect(waits.effects).toContainEqual(
      tell("batch", batch(1), { type: "itemPostponed", item: 0, reason: "pace", until: AT + 60_000 }),
    );
    expect(paced(202, AT + 60_000)).toMatchObject([{ type: "Held" }]);
    expect(life.do(item(1, 203, { perMinute: 2, called: true }), AT + 60_009).facts).toMatchObject([
      { reason: "pace", until: AT + 60_010 },
    ]);
  });

  test("wait behind those that wait already, unless it is their turn", () => {
    const life = me(50).through([
      [start(1), AT],
      [start(2), AT],
      [{ ...item(1, 200, {}), order: order({ budget: credits(60), batch: { id: batch(1), item: 0 } }) } as Command, AT],
    ]);
    expect(life.do(item(2, 201, {}), AT).facts).toMatchObject([{ type: "BatchWaits", reason: null, want: 1 }]);
    expect(life.fork().do(item(2, 202, { called: true }), AT).types).toBe("Held");
  });

  test("of a frozen account are all called, to be told so; and are told that they may open nothing", () => {
    const life = me(5).through([
      [start(1), AT],
      [item(1, 200, { want: 4 }), AT],
      [{ type: "freeze", reason: "abuse" }, AT],
    ]);
    expect(life.do(timer("turns"), AT + 400).facts).toMatchObject([{ calls: [{ batch: batch(1), count: 1 }] }]);
    const refused = life.do(item(1, 201, { want: 4, called: true }), AT + 500);
    expect(refused.facts).toMatchObject([{ type: "ItemHoldRefused", batch: batch(1), item: 0, code: "ACCOUNT_FROZEN" }]);
    expect(refused.effects).toMatchObject([{ to: { id: batch(1) }, command: { type: "itemRefused", code: "ACCOUNT_FROZEN" } }]);
    expect(life.tries(start(2), AT)).toBe("ACCOUNT_FROZEN");
  });
});

test("marks come once each, a hundred at most, and who shares one is told of all of them", () => {
  const life = me();
  const marks = Array.from({ length: 99 }, (_, n) => `mail:${n}`);
  life.do({ type: "mark", marks, kin: [] }, AT);
  const { facts } = life.do({ type: "mark", marks: ["mail:5", "github:a", "github:a", "github:b"], kin: [OTHER] }, AT + 1);
  expect(facts).toEqual([{ type: "Marked", marks: ["github:a"], kin: [OTHER], at: AT + 1 }]);
  expect(row(life)?.marks).toHaveLength(100);
  expect(life.tries({ type: "mark", marks: ["github:c"], kin: [] }, AT)).toBe("");
});
