/** Which of several gateways listens for a fleet: the one that was asked last, whatever their clocks say and whatever signals get lost. */
import { describe, expect, test } from "vitest";
import { ACCOUNTS_MAX, AskedTimes } from "../../gateway/live/asked-times.ts";
import { ManualClock } from "../support/clock.ts";
import { Gateway, Gateways } from "../support/gateways.ts";
import { id, person } from "../support/world.ts";

const WORKER = 2;
const HOUR_MS = 3_600_000;

describe.each([-HOUR_MS, 0, HOUR_MS])("with a second clock %i ms ahead", (ahead) => {
  test("the gateway that was asked last listens, from the same moment on", async () => {
    const world = new Gateways(ahead);
    for (let n = 0; n < 3; n += 1) {
      await world.listen(world.first, WORKER);
      expect(world.listeners()).toEqual([1, 0]);
      await world.listen(world.second, WORKER);
      expect(world.listeners()).toEqual([0, 1]);
    }
    await world.award(100);
    expect(world.fleet.take()).toEqual([[1, id(100)]]);
  });

  test("an end counts wherever it is asked for, from the same moment on", async () => {
    const world = new Gateways(ahead);
    for (const [one, other] of [
      [world.first, world.second],
      [world.second, world.first],
    ] as const) {
      await world.listen(one, WORKER);
      await world.listen(other, WORKER, { ms: 0 });
      expect(world.listeners()).toEqual([0, 0]);
    }
  });

  test("the time that was asked for before is handed over as it is", async () => {
    const world = new Gateways(ahead);
    await world.listen(world.first, WORKER, { ms: 100_000 });
    await world.pass(10_000);
    await world.listen(world.second, WORKER, { ms: 1_000 });
    await world.pass(89_999);
    expect(world.listeners()).toEqual([0, 1]);
    await world.pass(1);
    expect(world.listeners()).toEqual([0, 0]);
  });
});

describe("a gateway that has just begun", () => {
  test.each(["g0", "g9"])("as %s, listens when it is asked, though it has not heard how often others were", async (name) => {
    const world = new Gateways();
    for (let n = 0; n < 3; n += 1) await world.listen(world.second, WORKER);
    const third = new Gateway(name, world);
    await world.listen(third, WORKER);
    expect([...world.listeners(), third.listenings.size]).toEqual([0, 0, 1]);
    await world.listen(world.first, WORKER);
    expect([...world.listeners(), third.listenings.size]).toEqual([1, 0, 0]);
  });

  test("ends what there is, when it is asked to", async () => {
    const world = new Gateways();
    for (let n = 0; n < 3; n += 1) await world.listen(world.first, WORKER);
    await world.listen(new Gateway("g0", world), WORKER, { ms: 0 });
    expect(world.listeners()).toEqual([0, 0]);
  });
});

describe("a signal that comes late", () => {
  test("does not end what was asked for later at a gateway that had heard of the time before", async () => {
    const world = new Gateways();
    await world.listen(world.first, WORKER);
    await world.second.listenings.listen(world.asks(WORKER, { ms: 0 }));
    const release = world.signals.hold();
    await world.listen(world.first, WORKER);
    release();
    world.signals.pass();
    expect(world.listeners()).toEqual([1, 0]);
  });

  test("about a listening that is over changes nothing", async () => {
    const world = new Gateways();
    await world.second.listenings.listen(world.asks(WORKER));
    const release = world.signals.hold();
    for (let n = 0; n < 3; n += 1) await world.listen(world.first, WORKER);
    expect(world.listeners()).toEqual([1, 0]);
    release();
    world.signals.pass();
    expect(world.listeners()).toEqual([1, 0]);
  });

  test.each([1, 2, 3, 4])("%i times asked at each before either hears of the other, one goes on", async (times) => {
    const world = new Gateways();
    for (let n = 0; n < times; n += 1) {
      await world.first.listenings.listen(world.asks(WORKER));
      await world.second.listenings.listen(world.asks(WORKER));
    }
    await world.first.listenings.listen(world.asks(WORKER));
    world.signals.pass();
    expect(world.listeners().toSorted()).toEqual([0, 1]);
  });
});

describe("a signal that is lost", () => {
  test("of an end leaves what it was to end until its time is over; asked for again, it counts", async () => {
    const world = new Gateways();
    await world.listen(world.first, WORKER);
    await world.listen(world.second, WORKER, { ms: 0 }, "lose");
    expect(world.listeners()).toEqual([1, 0]);
    await world.listen(world.second, WORKER, { ms: 0 });
    expect(world.listeners()).toEqual([0, 0]);
    await world.listen(world.first, WORKER);
    await world.listen(world.second, WORKER, { ms: 0 }, "lose");
    await world.pass(60_000);
    expect(world.listeners()).toEqual([0, 0]);
  });

  test("of a time makes the end that does not know of it count for nothing, until the time is over", async () => {
    const world = new Gateways();
    await world.listen(world.first, WORKER);
    await world.listen(world.first, WORKER, {}, "lose");
    await world.listen(world.second, WORKER, { ms: 0 });
    expect(world.listeners()).toEqual([1, 0]);
    await world.pass(60_000);
    expect(world.listeners()).toEqual([0, 0]);
  });
});

test("how many times is remembered for so long, the highest of them, and of so many accounts", () => {
  const clock = new ManualClock();
  const asked = new AskedTimes(clock, 1_000);
  asked.note(person(1), 3);
  asked.note(person(1), 2);
  clock.to(clock.now() + 999);
  expect([asked.of(person(1)), asked.of(person(2))]).toEqual([3, null]);
  clock.to(clock.now() + 1);
  expect(asked.of(person(1))).toBeNull();
  for (let n = 1; n <= ACCOUNTS_MAX; n += 1) asked.note(person(n), 1);
  expect([asked.size, asked.of(person(1))]).toEqual([ACCOUNTS_MAX, 1]);
  asked.note(person(1), 1);
  asked.note(person(ACCOUNTS_MAX + 1), 1);
  expect([asked.size, asked.of(person(1)), asked.of(person(2))]).toEqual([ACCOUNTS_MAX, 1, null]);
  clock.to(clock.now() + 1_000);
  asked.note(person(1), 1);
  expect(asked.size).toBe(1);
});
