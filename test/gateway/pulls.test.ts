/** Pulls at a gateway: what they get, and when they end. */
import { beforeEach, describe, expect, test } from "vitest";
import { CHECK_MS } from "../../gateway/live/open-asks.ts";
import { PULLS_MAX, PULLS_OF_ACCOUNT_MAX } from "../../gateway/live/pulls.ts";
import { LATE_MS } from "../../gateway/live/queues.ts";
import { showTask } from "../../gateway/show/task.ts";
import { got, ids, idsOf, inDatabase, NOTHING, PullWorld, row, stored, TYPE, worker } from "../support/pulling.ts";
import { person } from "../support/world.ts";

const PAUSE_MS = 250;

let world: PullWorld;
beforeEach(() => {
  world = new PullWorld();
});

describe("a pull", () => {
  test("waits with the terms of its worker: the posted price of each type, else the lowest budget that it takes", async () => {
    world.ask({ taskTypes: [TYPE, "analysis"], most: 4, minPrice: 9, bytesMost: 1_000 });
    await world.pass(0);
    const common = {
      kind: "pull",
      id: "key.terms",
      worker,
      gateway: "g1",
      minPrice: 9,
      most: 4,
      bytesMost: 1_000,
      bytesShare: 500,
      since: world.clock.now(),
    };
    expect(world.queues.pulls.map(({ taskType, wait }) => [taskType, wait])).toMatchObject([
      [TYPE, { ...common, price: null }],
      ["analysis", { ...common, price: 7 }],
    ]);
  });

  test("gets what a matcher has for it, as soon as it has it", async () => {
    const pull = world.ask();
    await world.pass(100);
    expect([pull.answer, world.pulls.size]).toEqual([undefined, 1]);
    await world.answers(got(1));
    expect([idsOf(pull.answer), world.pulls.size, world.reads]).toEqual([ids(1), 0, 0]);
  });

  test("waits at the matcher to its end, and is asked for again, from when it first came, once that does not know of it", async () => {
    const { queues, clock } = world;
    const pull = world.ask({ waitMs: 12_000 });
    const began = clock.now();
    await world.pass(2 * CHECK_MS - 1);
    expect([queues.pulls.length, queues.checks]).toEqual([1, 1]);
    queues.forgotten.add("key.terms");
    await world.pass(1 + PAUSE_MS);
    expect(queues.pulls.map(({ wait }) => [wait.since - began, (wait.asked ?? 0) - began, wait.until - began])).toEqual([
      [0, 0, 12_000],
      [0, 2 * CHECK_MS + PAUSE_MS, 12_000],
    ]);
    // What the matcher that has gone had told, the database is asked for.
    expect(world.reads).toBe(1);
    await world.pass(12_000 - 2 * CHECK_MS - PAUSE_MS);
    await world.answers(NOTHING);
    expect(pull.answer).toEqual({ tasks: [], limited: null });
  });

  test("is checked with all others of its type at once, but not before it must have arrived", async () => {
    const { queues } = world;
    for (let n = 0; n < 10; n += 1) world.ask();
    await world.pass(CHECK_MS - 1);
    queues.forgotten.add("key.terms");
    // It has not arrived yet when the others are asked about.
    world.ask({ key: "late", taskTypes: ["analysis"] });
    queues.forgotten.add("late.terms");
    await world.pass(1);
    expect([queues.checks, queues.pulls.length]).toEqual([1, 11]);
    await world.pass(PAUSE_MS);
    expect(queues.pulls.length).toBe(21);
  });

  test("that does not wait takes what is there, or nothing", async () => {
    const pull = world.ask({ waitMs: 0 });
    await world.pass(0);
    expect(world.queues.pulls).toHaveLength(1);
    await world.answers(NOTHING);
    expect(pull.answer).toEqual({ tasks: [], limited: null });
  });

  test("makes a pause before it asks a matcher again that answered before its time", async () => {
    world.ask();
    await world.pass(0);
    for (let times = 1; times <= 4; times += 1) {
      expect(world.queues.pulls).toHaveLength(times);
      await world.answers(NOTHING);
      await world.pass(PAUSE_MS - 1);
      expect(world.queues.pulls).toHaveLength(times);
      await world.pass(1);
    }
  });

  test("is told why it got fewer tasks than it asked for, and nothing where it got all", async () => {
    const limited = { why: "AWARDS_FULL", tier: 1, most: 3 } as const;
    const [few, all] = [world.ask({ most: 2 }), world.ask({ most: 1 })];
    await world.pass(0);
    for (const { answer } of world.queues.pulls) answer({ ...got(1), limited });
    await world.pass(0);
    expect([few.answer, all.answer]).toMatchObject([{ limited }, { limited: null }]);
  });
});

describe("of several task types", () => {
  test("the first matcher with a task ends the wait at the others, which may have given one meanwhile", async () => {
    const pull = world.ask({ taskTypes: [TYPE, "analysis"], most: 2 });
    await world.pass(0);
    await world.answers(got(1));
    expect([pull.answer, world.queues.left]).toMatchObject([undefined, [{ taskType: TYPE }, { taskType: "analysis" }]]);
    await world.answers(got(2), "analysis");
    expect(idsOf(pull.answer)).toEqual(ids(1, 2));
    expect(world.reads).toBe(0);
  });

  test("one that then does not answer is given up, and the database says what was won", async () => {
    const pull = world.ask({ taskTypes: [TYPE, "analysis"], most: 2 });
    await world.pass(0);
    await world.answers(got(1));
    world.won = [inDatabase(1), inDatabase(2)];
    await world.pass(LATE_MS - 1);
    expect(pull.answer).toBeUndefined();
    await world.pass(1);
    expect(idsOf(pull.answer)).toEqual(ids(1, 2));
  });

  test("what is more than the answer holds is given back", async () => {
    const bytesMost = JSON.stringify(showTask(stored(1), worker)).length + 10;
    const pull = world.ask({ taskTypes: [TYPE, "analysis"], most: 2, bytesMost });
    await world.pass(0);
    await world.answers(got(1));
    await world.answers(got(2), "analysis");
    expect([idsOf(pull.answer), world.returned]).toEqual([ids(1), [["key.terms", ids(2)]]]);
  });
});

describe("a gateway", () => {
  test("that drains answers all that wait, and what comes then at once", async () => {
    const waiting = [world.ask(), world.ask({ taskTypes: [TYPE, "analysis"] })];
    await world.pass(0);
    world.pulls.drain();
    expect(world.queues.left).toHaveLength(3);
    for (const { answer } of world.queues.pulls) answer(NOTHING);
    await world.pass(0);
    const last = world.ask();
    await world.pass(0);
    for (const { answer } of [...waiting, last]) expect(answer).toEqual({ tasks: [], limited: null });
    expect([world.queues.pulls.length, world.pulls.size]).toEqual([3, 0]);
  });

  test("that drains gives a matcher up that does not answer", async () => {
    const pull = world.ask();
    await world.pass(0);
    world.pulls.drain();
    await world.pass(LATE_MS);
    expect(pull.answer).toEqual({ tasks: [], limited: null });
  });

  test("takes so many pulls of one account, and so many in all; one that ends makes room", async () => {
    for (let n = 0; n < PULLS_OF_ACCOUNT_MAX; n += 1) world.ask();
    await world.pass(0);
    const over = world.ask();
    await world.pass(0);
    expect([over.answer, world.queues.pulls.length]).toEqual(["account", PULLS_OF_ACCOUNT_MAX]);
    await world.answers(got(1));
    expect(world.ask().answer).toBeUndefined();
    for (let n = 0; n < PULLS_MAX - PULLS_OF_ACCOUNT_MAX; n += 1) world.ask({ row: { ...row, id: person(100 + n) } });
    await world.pass(0);
    const full = world.ask({ row: { ...row, id: person(99) } });
    await world.pass(0);
    expect(full.answer).toBe("gateway");
  });

  test("keeps nothing of a thousand pulls that are over", async () => {
    for (let n = 0; n < 1_000; n += 1) {
      const pull = world.ask({ waitMs: 0 });
      await world.pass(0);
      await world.answers(n % 2 === 0 ? got(n) : NOTHING);
      if (n % 3 === 0) pull.client.left();
    }
    expect([world.pulls.size, world.clock.next]).toEqual([0, null]);
  });
});
