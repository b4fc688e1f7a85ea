/** Pulls at a gateway whose tasks are not told, or whose answer does not arrive: what is looked for, and what is given back. */
import { beforeEach, describe, expect, test } from "vitest";
import { showTask } from "../../gateway/show/task.ts";
import { got, ids, idsOf, inDatabase, NOTHING, PullWorld, stored, TYPE, worker } from "../support/pulling.ts";

const PAUSE_MS = 250;
const LOOK_AGAIN_MS = 8_000;

let world: PullWorld;
beforeEach(() => {
  world = new PullWorld();
});

describe("what a matcher does not tell", () => {
  test("because it has died, is read; and if there is nothing, the next one is asked", async () => {
    const pull = world.ask();
    await world.pass(0);
    await world.answers(undefined);
    expect(world.reads).toBe(1);
    await world.pass(PAUSE_MS);
    expect(world.queues.pulls).toHaveLength(2);
    world.won = [inDatabase(1)];
    await world.answers(NOTHING);
    expect(idsOf(pull.answer)).toEqual(ids(1));
  });

  test("because a task's answer was lost, is read, too", async () => {
    world.won = [inDatabase(1), inDatabase(2)];
    const pull = world.ask({ most: 2 });
    await world.pass(0);
    await world.answers({ ...got(1), missing: 1 });
    expect(idsOf(pull.answer)).toEqual(ids(1, 2));
  });

  test("and cannot be read either: it has what was told, or the error if that is nothing", async () => {
    world.away = true;
    const [some, none] = [world.ask({ most: 2 }), world.ask()];
    await world.pass(0);
    world.queues.pulls[0]?.answer({ ...got(1), missing: 1 });
    world.queues.pulls[1]?.answer(undefined);
    await world.pass(0);
    expect(idsOf(some.answer)).toEqual(ids(1));
    expect([none.answer, none.error]).toMatchObject([undefined, { message: "the database is away" }]);
  });

  test("and may have been won for the same pull elsewhere, is told to the other gateways if it has a key", async () => {
    const [keyed, other] = [world.ask({ again: true }), world.ask()];
    await world.pass(0);
    world.won = [inDatabase(1)];
    for (const { answer } of world.queues.pulls) answer({ ...got(), missing: 1 });
    await world.pass(0);
    expect([idsOf(keyed.answer), idsOf(other.answer), world.repeated]).toEqual([ids(1), ids(1), ["key.terms"]]);
  });

  test("and is won after the answer, is given back when it is looked for once more", async () => {
    const pull = world.ask({ waitMs: 1_000 });
    await world.pass(1_000);
    await world.answers(undefined);
    expect(pull.answer).toEqual({ tasks: [], limited: null });
    world.won = [inDatabase(1), inDatabase(2, "key.other")];
    await world.pass(LOOK_AGAIN_MS - 1);
    expect(world.returned).toEqual([]);
    await world.pass(1);
    expect(world.returned).toEqual([["key.terms", ids(1)]]);
    expect(world.clock.next).toBeNull();
  });

  test("and is won after the answer of a pull with a key, is given back unless another gateway keeps it", async () => {
    world.ask({ waitMs: 1_000, again: true });
    await world.pass(1_000);
    await world.answers(undefined);
    world.won = [inDatabase(1)];
    await world.pass(LOOK_AGAIN_MS);
    expect([world.returned, world.unkept, world.clock.next]).toEqual([[], [["key.terms", ids(1)]], null]);
  });

  test("and cannot be read, then or later, is looked for again until it can, so often and no more", async () => {
    world.away = true;
    const pull = world.ask({ waitMs: 1_000 });
    await world.pass(1_000);
    await world.answers(undefined);
    expect(pull.error).toMatchObject({ message: "the database is away" });
    await world.pass(2 * LOOK_AGAIN_MS);
    [world.away, world.won] = [false, [inDatabase(1)]];
    await world.pass(LOOK_AGAIN_MS);
    expect([world.returned, world.clock.next]).toEqual([[["key.terms", ids(1)]], null]);
    world.away = true;
    world.ask({ waitMs: 0 });
    await world.pass(0);
    await world.answers(undefined);
    await world.pass(5 * LOOK_AGAIN_MS);
    expect(world.clock.next).toBeNull();
  });

  test("is looked for by the pull itself when it is asked again here, and after that pull's answer, too", async () => {
    world.ask({ waitMs: 0, again: true });
    await world.pass(0);
    await world.answers(undefined);
    const again = world.ask({ waitMs: 0, again: true });
    await world.pass(LOOK_AGAIN_MS);
    expect(world.returned).toEqual([]);
    world.won = [inDatabase(1)];
    await world.answers(NOTHING);
    expect(idsOf(again.answer)).toEqual(ids(1));
    world.won = [inDatabase(1), inDatabase(2)];
    await world.pass(LOOK_AGAIN_MS);
    expect([world.returned, world.unkept]).toEqual([[], [["key.terms", ids(2)]]]);
  });

  test("is not looked for where every matcher has answered, and at once when the gateway closes", async () => {
    world.ask({ waitMs: 0 });
    await world.pass(0);
    await world.answers(NOTHING);
    expect(world.clock.next).toBeNull();
    world.ask({ waitMs: 0 });
    await world.pass(0);
    await world.answers(undefined);
    expect(world.clock.next).not.toBeNull();
    world.won = [inDatabase(1)];
    await world.pulls.close();
    expect([world.clock.next, world.returned]).toEqual([null, [["key.terms", ids(1)]]]);
  });
});

describe("a pull with a key that comes again", () => {
  test("gets what it has won and its worker still has, and asks no matcher", async () => {
    world.won = [inDatabase(1), inDatabase(2)];
    const pull = world.ask({ again: true });
    await world.pass(0);
    expect([idsOf(pull.answer), world.queues.pulls, world.repeated]).toEqual([ids(1, 2), [], ["key.terms"]]);
  });

  test("gets no more than its answer holds; the rest is given back unless another gateway keeps it", async () => {
    world.won = [inDatabase(1), inDatabase(2)];
    const pull = world.ask({ again: true, bytesMost: JSON.stringify(showTask(stored(1), worker)).length + 10 });
    await world.pass(0);
    expect([idsOf(pull.answer), world.returned, world.unkept]).toEqual([ids(1), [], [["key.terms", ids(2)]]]);
    pull.client.answered();
    expect(world.delivered).toEqual([["key.terms", ids(1)]]);
  });

  test("for something else is refused while the first has tasks, and waits like a new one if it has none", async () => {
    world.won = [inDatabase(1, "key.other")];
    const refused = world.ask({ again: true });
    await world.pass(0);
    expect(refused.answer).toBe("mismatch");
    world.won = [];
    world.ask({ again: true });
    await world.pass(0);
    expect([world.queues.pulls.length, world.repeated]).toEqual([1, []]);
  });
});

describe("a pull that is told that it may have won something", () => {
  test("waits no longer, and gets what it has won", async () => {
    const pull = world.ask({ again: true });
    await world.pass(0);
    world.won = [inDatabase(1)];
    world.looks.get("key.terms")?.();
    expect(world.queues.left).toEqual([{ taskType: TYPE, id: "key.terms" }]);
    await world.answers(NOTHING);
    expect([idsOf(pull.answer), world.repeated, world.looks.size]).toEqual([ids(1), ["key.terms"], 0]);
  });

  test("looks later if it cannot now, or if it ends meanwhile, and goes on waiting if there is nothing", async () => {
    const [first, second] = [world.ask({ again: true, key: "one" }), world.ask({ again: true, key: "two", waitMs: 60_000 })];
    await world.pass(0);
    first.client.left();
    for (const look of world.looks.values()) look();
    for (const { answer } of world.queues.pulls) answer(NOTHING);
    await world.pass(PAUSE_MS);
    expect([first.answer, second.answer, world.queues.pulls.length]).toEqual([{ tasks: [], limited: null }, undefined, 3]);
    world.won = [inDatabase(1, "one.terms")];
    await world.pass(LOOK_AGAIN_MS);
    expect(world.unkept).toEqual([["one.terms", ids(1)]]);
  });
});

describe("a client that has gone", () => {
  test("before there is a task: the wait is over", async () => {
    const pull = world.ask();
    await world.pass(0);
    pull.client.left();
    await world.pass(0);
    expect(world.queues.left).toEqual([{ taskType: TYPE, id: "key.terms" }]);
    await world.answers(NOTHING);
    expect([pull.answer, world.pulls.size]).toEqual([{ tasks: [], limited: null }, 0]);
    expect(world.queues.pulls).toHaveLength(1);
  });

  test("while it wins one, or before it has read its answer, gives the task back, once", async () => {
    const [early, late] = [world.ask(), world.ask()];
    await world.pass(0);
    early.client.left();
    world.queues.pulls[0]?.answer(got(1));
    world.queues.pulls[1]?.answer(got(2));
    await world.pass(0);
    expect(world.returned).toEqual([["key.terms", ids(1)]]);
    late.client.left();
    late.client.left();
    expect(world.returned).toEqual([
      ["key.terms", ids(1)],
      ["key.terms", ids(2)],
    ]);
    expect(world.later).toEqual([]);
  });

  test("and has a key, may ask again before the task is given back", async () => {
    const pull = world.ask({ again: true });
    await world.pass(0);
    await world.answers(got(1));
    pull.client.left();
    expect([world.returned, world.later]).toEqual([[], [["key.terms", ids(1)]]]);
  });
});
