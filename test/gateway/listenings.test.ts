/** Listenings of fleets: what is pushed, that nothing is lost, and that one gateway pushes, whichever is asked. */
import { beforeEach, describe, expect, test } from "vitest";
import { ROUND_MS } from "../../gateway/live/feed.ts";
import { LONG_FIELDS } from "../../gateway/live/push.ts";
import { TOPICS } from "../../gateway/live/stream.ts";
import { Gateways, HearingFleet, TYPE } from "../support/gateways.ts";
import { hear, openSse, openTask } from "../support/journals.ts";
import { id, person } from "../support/world.ts";

const [REQUESTER, WORKER] = [1, 2];

let world: Gateways;
let fleet: HearingFleet;
beforeEach(() => {
  world = new Gateways();
  fleet = world.fleet;
});

describe("what is pushed", () => {
  test("is what a stream sends, each event with its id and the one of the event before", async () => {
    world.journals.open = [openTask(200)];
    const common = { account: person(WORKER), keyHash: "key 2", address: "a", topics: TOPICS, taskTypes: null };
    const out = await openSse(world.first.feed, { ...common, last: null, works: true });
    if (typeof out === "string") throw new Error(out);
    const stream = hear(out);
    await world.listen(world.first, WORKER);
    await world.award(100);
    world.first.feed.hearNew(openTask(201), [person(WORKER)]);
    await world.award(101);
    await world.turns();
    const sent = [...stream.text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? ""));
    expect(fleet.heard.map(({ id: _, after: __, ...event }) => event)).toEqual(sent);
    expect(fleet.heard.map(({ id: at, after, type }) => [at, after, type])).toEqual([
      [0, 0, "task.new"],
      [1, 0, "task.awarded"],
      [1, 1, "task.new"],
      [2, 1, "task.awarded"],
    ]);
  });

  test("is for the topics and types that were asked for, and makes a worker present for them", async () => {
    await world.listen(world.first, WORKER, { topics: ["task.new"], taskTypes: ["analysis"] });
    expect(world.first.online).toEqual([{ worker: person(WORKER), taskTypes: ["analysis"], announce: true }]);
    world.first.feed.hearNew(openTask(201), [person(WORKER)]);
    await world.award(100);
    expect(fleet.heard).toEqual([]);
    await world.listen(world.first, WORKER, { topics: ["task.awarded"], taskTypes: null });
    expect(world.first.online).toEqual([{ worker: person(WORKER), taskTypes: [TYPE, "analysis"], announce: false }]);
    await world.award(101);
    expect(fleet.heard.map(({ type, task }) => [type, task?.id])).toEqual([
      ["task.awarded", id(100)],
      ["task.awarded", id(101)],
    ]);
  });

  test("begins after the id that is answered, and goes on after the last one that was heard, however long ago", async () => {
    for (const n of [100, 101, 102]) world.journals.end(n);
    expect((await world.listen(world.first, REQUESTER)).after).toBe(3);
    expect(fleet.take()).toEqual([]);
    await world.listen(world.first, REQUESTER, { ms: 0 });
    expect((await world.listen(world.first, REQUESTER, { last: 1 })).after).toBe(1);
    expect(fleet.take()).toEqual([
      [2, id(101)],
      [3, id(102)],
    ]);
  });

  test("too long for the bus goes without its long fields, and says so; the short ones are all there", async () => {
    fleet.most = 1_000;
    await world.listen(world.first, REQUESTER, { last: 0 });
    world.journals.end(100);
    world.journals.tasks.set(id(100), openTask(100, { status: "CANCELLED", result: { text: "x".repeat(2_000) } }));
    await world.wake(REQUESTER);
    const [{ task = {}, ...event } = {}] = fleet.heard;
    expect(event).toEqual({ id: 1, after: 0, type: "task.terminal", left_out: LONG_FIELDS });
    expect(task).toMatchObject({ id: id(100), status: "CANCELLED", task_type: TYPE, awarded_price: null });
    expect(Object.keys(task).filter((field) => LONG_FIELDS.some((long) => long === field))).toEqual([]);
  });
});

describe("while the line is away", () => {
  test("awards and ends wait in their order, and new tasks are not kept", async () => {
    await world.listen(world.first, WORKER);
    fleet.isUp = false;
    await world.award(100);
    await world.award(101);
    world.first.feed.hearNew(openTask(201), [person(WORKER)]);
    await world.pass(10_000);
    expect(fleet.heard).toEqual([]);
    fleet.isUp = true;
    await world.pass(1_000);
    expect(fleet.take()).toEqual([
      [1, id(100)],
      [2, id(101)],
    ]);
    // It was not told, so it may still be.
    world.first.feed.hearNew(openTask(201), [person(WORKER)]);
    expect(fleet.take()).toEqual([[2, id(201)]]);
  });

  test("the worker is not online, from the next round on, and is again when it is back", async () => {
    await world.listen(world.first, WORKER);
    fleet.isUp = false;
    await world.pass(ROUND_MS);
    expect([world.listeners(), world.online()]).toEqual([
      [1, 0],
      [0, 0],
    ]);
    fleet.isUp = true;
    await world.pass(ROUND_MS);
    expect(world.online()).toEqual([1, 0]);
  });

  test("a listening ends at its time, and one that goes on elsewhere has all", async () => {
    await world.listen(world.first, WORKER);
    fleet.isUp = false;
    await world.award(100);
    await world.pass(60_000);
    expect([world.listeners(), world.online()]).toEqual([
      [0, 0],
      [0, 0],
    ]);
    fleet.isUp = true;
    await world.listen(world.second, WORKER, { last: 0 });
    expect(fleet.take()).toEqual([[1, id(100)]]);
  });
});

describe("asked again", () => {
  test("the same gateway goes on, reads nothing, and sends nothing twice", async () => {
    world.journals.open = [openTask(200)];
    const first = await world.listen(world.first, WORKER);
    await world.award(100);
    await world.pass(30_000);
    fleet.take();
    world.journals.asked = [];
    const again = await world.listen(world.first, WORKER, { last: 1 });
    expect(again).toEqual({ until: first.until + 30_000, after: 1 });
    expect([world.journals.asked, world.first.feed.size, fleet.take()]).toEqual([[], 1, []]);
    await world.award(101);
    expect(fleet.take()).toEqual([[2, id(101)]]);
  });

  test("a gateway sends again what was not heard, from there", async () => {
    await world.listen(world.first, WORKER);
    for (const n of [100, 101, 102]) await world.award(n);
    fleet.take();
    expect((await world.listen(world.first, WORKER, { last: 1 })).after).toBe(1);
    expect(fleet.heard.map(({ id: at, after }) => [at, after])).toEqual([
      [2, 1],
      [3, 2],
    ]);
    expect(world.first.feed.size).toBe(1);
  });

  test("a gateway that does not hear what its fleet has heard goes on where it is, with other types too", async () => {
    world.journals.open = [openTask(200)];
    await world.listen(world.first, WORKER);
    expect(fleet.take()).toEqual([[0, id(200)]]);
    await world.award(100);
    world.journals.add(WORKER, "OfferTaken", 101);
    world.journals.put(101, { status: "AWARDED", worker: person(WORKER) });
    await world.listen(world.first, WORKER, { taskTypes: [TYPE] });
    await world.pass(10_000);
    expect(fleet.take()).toEqual([
      [1, id(100)],
      [2, id(101)],
    ]);
  });

  test("an event that went under the id of an earlier one is sent again, because an id cannot say that it was heard", async () => {
    await world.listen(world.first, REQUESTER);
    await world.end(100);
    world.journals.add(REQUESTER, "Settled", 101);
    world.journals.put(101, { status: "COMPLETED" });
    world.journals.end(102);
    await world.wake(REQUESTER);
    await world.pass(12_000);
    expect(fleet.take()).toEqual([
      [1, id(100)],
      [1, id(102)],
    ]);
    await world.listen(world.first, REQUESTER, { last: 1 });
    await world.pass(12_000);
    expect(fleet.take()).toEqual([[1, id(102)]]);
    world.journals.put(101, { status: "SETTLED" });
    await world.wake(REQUESTER);
    await world.pass(12_000);
    expect(fleet.take()).toContainEqual([2, id(101)]);
  });

  test("never shortens the time, and a listening lasts no longer than 300 s without it", async () => {
    const { until } = await world.listen(world.first, WORKER, { ms: 300_000 });
    expect((await world.listen(world.first, WORKER, { ms: 1_000 })).until).toBe(until);
    expect((await world.listen(world.first, WORKER, { ms: 1_000, taskTypes: ["analysis"] })).until).toBe(until);
    await world.pass(299_999);
    expect(world.listeners()).toEqual([1, 0]);
    await world.pass(1);
    expect([world.listeners(), world.online(), fleet.take()]).toEqual([[0, 0], [0, 0], []]);
    await world.award(100);
    expect(fleet.take()).toEqual([]);
  });

  test("several times at once, a gateway listens once", async () => {
    const all = await Promise.all([1, 2, 3, 4].map((n) => world.first.listenings.listen(world.asks(WORKER, { ms: n * 10_000 }))));
    expect(all.map((one) => typeof one === "object" && one.until)).toEqual(
      [1, 2, 3, 4].map((n) => world.clock.now() + n * 10_000),
    );
    expect([world.first.feed.size, world.first.listenings.size, world.online()]).toEqual([1, 1, [1, 0]]);
    await world.award(100);
    expect(fleet.take()).toEqual([[1, id(100)]]);
  });
});

describe("asked at another gateway", () => {
  test("the one before stops, nothing comes twice or is lost, and the worker is present throughout", async () => {
    world.journals.open = [openTask(200)];
    const { until } = await world.listen(world.first, WORKER, { ms: 300_000 });
    await world.award(100);
    expect(fleet.take()).toEqual([
      [0, id(200)],
      [1, id(100)],
    ]);
    const moved = await world.second.listenings.listen(world.asks(WORKER, { last: 1 }));
    // The word between gateways is slower than the look at what is open.
    await world.turns();
    expect([moved, world.online()]).toEqual([{ until: world.clock.now() + 60_000, after: 1 }, [1, 1]]);
    world.signals.pass();
    expect([world.listeners(), world.online()]).toEqual([
      [0, 1],
      [0, 1],
    ]);
    await world.award(101);
    await world.pass(10_000);
    expect(fleet.take()).toEqual([[2, id(101)]]);
    // The time that it had was handed over, too.
    await world.pass(until - world.clock.now() - 1);
    expect(world.listeners()).toEqual([0, 1]);
    await world.pass(1);
    expect(world.listeners()).toEqual([0, 0]);
  });

  test("back and forth ten times, each event comes once", async () => {
    world.journals.open = [openTask(200)];
    await world.listen(world.first, WORKER);
    for (let n = 1; n <= 10; n += 1) {
      await world.award(100 + n);
      await world.pass(20_000);
      await world.listen(n % 2 === 0 ? world.first : world.second, WORKER, { last: n });
    }
    expect(fleet.take()).toEqual([[0, id(200)], ...Array.from({ length: 10 }, (_, n) => [n + 1, id(101 + n)])]);
  });

  test("what is open for long is told once, however many new tasks come meanwhile", async () => {
    world.journals.open = [openTask(200)];
    await world.listen(world.first, WORKER);
    for (let n = 1; n <= 6; n += 1) {
      const [one, other] = n % 2 === 0 ? [world.second, world.first] : [world.first, world.second];
      for (let m = 0; m < 100; m += 1) one.feed.hearNew(openTask(1_000 * n + m), [person(WORKER)]);
      await world.pass(20_000);
      await world.listen(other, WORKER, { last: 0 });
    }
    await world.pass(20_000);
    expect(fleet.heard.filter(({ task }) => task?.id === id(200))).toHaveLength(1);
    expect(fleet.heard).toHaveLength(601);
  });

  test("where that word is lost, both push until the older one's time is over, and no longer", async () => {
    await world.listen(world.first, WORKER);
    await world.pass(30_000);
    await world.listen(world.second, WORKER, { last: 0 }, "lose");
    await world.award(100);
    expect(fleet.take()).toEqual([
      [1, id(100)],
      [1, id(100)],
    ]);
    await world.pass(30_000);
    expect(world.listeners()).toEqual([0, 1]);
    await world.award(101);
    expect(fleet.take()).toEqual([[2, id(101)]]);
  });

  test("the next renewal repairs that, at either of them", async () => {
    await world.listen(world.first, WORKER);
    await world.pass(1_000);
    await world.listen(world.second, WORKER, {}, "lose");
    await world.pass(1_000);
    await world.listen(world.second, WORKER);
    expect(world.listeners()).toEqual([0, 1]);
    await world.pass(1_000);
    await world.listen(world.first, WORKER, {}, "lose");
    await world.pass(1_000);
    await world.listen(world.first, WORKER);
    expect(world.listeners()).toEqual([1, 0]);
  });

  test.each([0, 5])("of two that were asked %i ms apart, before either hears of the other, one goes on", async (ms) => {
    const [one, other] = [world.first, world.second];
    await one.listenings.listen(world.asks(WORKER));
    await world.pass(ms);
    await other.listenings.listen(world.asks(WORKER));
    world.signals.pass();
    expect([world.listeners(), world.online()]).toEqual([
      [0, 1],
      [0, 1],
    ]);
  });

  test("a gateway that has died is not missed: what it had not sent comes from the next one", async () => {
    await world.listen(world.first, WORKER);
    await world.award(100);
    expect(fleet.take()).toEqual([[1, id(100)]]);
    fleet.isUp = false;
    await world.award(101);
    world.signals.gateways.shift();
    const next = new HearingFleet();
    await world.second.listenings.listen({ ...world.asks(WORKER, { last: 1 }), line: next.line });
    world.signals.pass();
    await world.turns();
    expect(next.take()).toEqual([[2, id(101)]]);
  });
});
