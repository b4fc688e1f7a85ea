/** Listenings of fleets: what is pushed, that nothing is lost, and that one gateway pushes, whichever is asked. */
import { beforeEach, describe, expect, test } from "vitest";
import { ROUND_MS, STREAMS_PER_ACCOUNT } from "../../gateway/live/feed.ts";
import type { Listen } from "../../gateway/live/listenings.ts";
import { LONG_FIELDS } from "../../gateway/live/push.ts";
import { TOPICS } from "../../gateway/live/stream.ts";
import { type Gateway, Gateways, HearingFleet, TYPE } from "../support/gateways.ts";
import { hear, member, openSse, openTask } from "../support/journals.ts";
import { id, person } from "../support/world.ts";

const [REQUESTER, WORKER] = [1, 2];

let world: Gateways;
let fleet: HearingFleet;
beforeEach(() => {
  world = new Gateways();
  fleet = new HearingFleet();
});

/** Asks a gateway, and lets the others hear of it unless that is lost. */
async function listen(gateway: Gateway, n: number, changes: Partial<Listen> = {}, signals: "pass" | "lose" = "pass") {
  const listening = await gateway.listenings.listen(world.asks(n, fleet, changes));
  world.signals[signals]();
  await world.turns();
  if (typeof listening === "string") throw new Error(listening);
  return listening;
}

async function award(task: number): Promise<void> {
  world.journals.add(WORKER, "OfferTaken", task);
  world.journals.put(task, { status: "AWARDED", worker: person(WORKER) });
  await world.wake(WORKER);
}

async function end(task: number): Promise<void> {
  world.journals.end(task);
  await world.wake(REQUESTER);
}

const listeners = () => [world.first, world.second].map(({ listenings }) => listenings.size);
const online = () => [world.first, world.second].map((gateway) => gateway.online.length);

describe("what is pushed", () => {
  test("is what a stream sends, each event with its id and the one of the event before", async () => {
    world.journals.open = [openTask(200)];
    const common = { account: person(WORKER), keyHash: "key 2", address: "a", topics: TOPICS, taskTypes: null };
    const out = await openSse(world.first.feed, { ...common, last: null, works: true });
    if (typeof out === "string") throw new Error(out);
    const stream = hear(out);
    await listen(world.first, WORKER);
    await award(100);
    world.first.feed.hearNew(openTask(201), [person(WORKER)]);
    await award(101);
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
    await listen(world.first, WORKER, { topics: ["task.new"], taskTypes: ["analysis"] });
    expect(world.first.online).toEqual([{ worker: person(WORKER), taskTypes: ["analysis"], announce: true }]);
    world.first.feed.hearNew(openTask(201), [person(WORKER)]);
    await award(100);
    expect(fleet.heard).toEqual([]);
    await listen(world.first, WORKER, { topics: ["task.awarded"], taskTypes: null });
    expect(world.first.online).toEqual([{ worker: person(WORKER), taskTypes: [TYPE, "analysis"], announce: false }]);
    await award(101);
    expect(fleet.heard.map(({ type, task }) => [type, task?.id])).toEqual([
      ["task.awarded", id(100)],
      ["task.awarded", id(101)],
    ]);
  });

  test("begins after the id that is answered, and goes on after the last one that was heard, however long ago", async () => {
    for (const n of [100, 101, 102]) world.journals.end(n);
    expect((await listen(world.first, REQUESTER)).after).toBe(3);
    expect(fleet.take()).toEqual([]);
    await listen(world.first, REQUESTER, { ms: 0 });
    expect((await listen(world.first, REQUESTER, { last: 1 })).after).toBe(1);
    expect(fleet.take()).toEqual([
      [2, id(101)],
      [3, id(102)],
    ]);
  });

  test("too long for the bus goes without its long fields, and says so; the short ones are all there", async () => {
    fleet.most = 1_000;
    await listen(world.first, REQUESTER, { last: 0 });
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
    await listen(world.first, WORKER);
    fleet.isUp = false;
    await award(100);
    await award(101);
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
    await listen(world.first, WORKER);
    fleet.isUp = false;
    await world.pass(ROUND_MS);
    expect([listeners(), online()]).toEqual([
      [1, 0],
      [0, 0],
    ]);
    fleet.isUp = true;
    await world.pass(ROUND_MS);
    expect(online()).toEqual([1, 0]);
  });

  test("a listening ends at its time, and one that goes on elsewhere has all", async () => {
    await listen(world.first, WORKER);
    fleet.isUp = false;
    await award(100);
    await world.pass(60_000);
    expect([listeners(), online()]).toEqual([
      [0, 0],
      [0, 0],
    ]);
    fleet.isUp = true;
    await listen(world.second, WORKER, { last: 0 });
    expect(fleet.take()).toEqual([[1, id(100)]]);
  });
});

describe("asked again", () => {
  test("the same gateway goes on, reads nothing, and sends nothing twice", async () => {
    world.journals.open = [openTask(200)];
    const first = await listen(world.first, WORKER);
    await award(100);
    await world.pass(30_000);
    fleet.take();
    world.journals.asked = [];
    const again = await listen(world.first, WORKER, { last: 1 });
    expect(again).toEqual({ until: first.until + 30_000, after: 1 });
    expect([world.journals.asked, world.first.feed.size, fleet.take()]).toEqual([[], 1, []]);
    await award(101);
    expect(fleet.take()).toEqual([[2, id(101)]]);
  });

  test("a gateway sends again what was not heard, from there", async () => {
    await listen(world.first, WORKER);
    for (const n of [100, 101, 102]) await award(n);
    fleet.take();
    expect((await listen(world.first, WORKER, { last: 1 })).after).toBe(1);
    expect(fleet.heard.map(({ id: at, after }) => [at, after])).toEqual([
      [2, 1],
      [3, 2],
    ]);
    expect(world.first.feed.size).toBe(1);
  });

  test("a gateway that does not hear what its fleet has heard goes on where it is, with other types too", async () => {
    world.journals.open = [openTask(200)];
    await listen(world.first, WORKER);
    expect(fleet.take()).toEqual([[0, id(200)]]);
    await award(100);
    world.journals.add(WORKER, "OfferTaken", 101);
    world.journals.put(101, { status: "AWARDED", worker: person(WORKER) });
    await listen(world.first, WORKER, { taskTypes: [TYPE] });
    await world.pass(10_000);
    expect(fleet.take()).toEqual([
      [1, id(100)],
      [2, id(101)],
    ]);
  });

  test("an event that went under the id of an earlier one is sent again, because an id cannot say that it was heard", async () => {
    await listen(world.first, REQUESTER);
    await end(100);
    world.journals.add(REQUESTER, "Settled", 101);
    world.journals.put(101, { status: "COMPLETED" });
    world.journals.end(102);
    await world.wake(REQUESTER);
    await world.pass(12_000);
    expect(fleet.take()).toEqual([
      [1, id(100)],
      [1, id(102)],
    ]);
    await listen(world.first, REQUESTER, { last: 1 });
    await world.pass(12_000);
    expect(fleet.take()).toEqual([[1, id(102)]]);
    world.journals.put(101, { status: "SETTLED" });
    await world.wake(REQUESTER);
    await world.pass(12_000);
    expect(fleet.take()).toContainEqual([2, id(101)]);
  });

  test("never shortens the time, and a listening lasts no longer than 300 s without it", async () => {
    const { until } = await listen(world.first, WORKER, { ms: 300_000 });
    expect((await listen(world.first, WORKER, { ms: 1_000 })).until).toBe(until);
    expect((await listen(world.first, WORKER, { ms: 1_000, taskTypes: ["analysis"] })).until).toBe(until);
    await world.pass(299_999);
    expect(listeners()).toEqual([1, 0]);
    await world.pass(1);
    expect([listeners(), online(), fleet.take()]).toEqual([[0, 0], [0, 0], []]);
    await award(100);
    expect(fleet.take()).toEqual([]);
  });

  test("several times at once, a gateway listens once", async () => {
    const all = await Promise.all(
      [1, 2, 3, 4].map((n) => world.first.listenings.listen(world.asks(WORKER, fleet, { ms: n * 10_000 }))),
    );
    expect(all.map((one) => typeof one === "object" && one.until)).toEqual(
      [1, 2, 3, 4].map((n) => world.clock.now() + n * 10_000),
    );
    expect([world.first.feed.size, world.first.listenings.size, online()]).toEqual([1, 1, [1, 0]]);
    await award(100);
    expect(fleet.take()).toEqual([[1, id(100)]]);
  });
});

describe("asked at another gateway", () => {
  test("the one before stops, nothing comes twice or is lost, and the worker is present throughout", async () => {
    world.journals.open = [openTask(200)];
    const { until } = await listen(world.first, WORKER, { ms: 300_000 });
    await award(100);
    expect(fleet.take()).toEqual([
      [0, id(200)],
      [1, id(100)],
    ]);
    const moved = await world.second.listenings.listen(world.asks(WORKER, fleet, { last: 1 }));
    // The word between gateways is slower than the look at what is open.
    await world.turns();
    expect([moved, online()]).toEqual([{ until: world.clock.now() + 60_000, after: 1 }, [1, 1]]);
    world.signals.pass();
    expect([listeners(), online()]).toEqual([
      [0, 1],
      [0, 1],
    ]);
    await award(101);
    await world.pass(10_000);
    expect(fleet.take()).toEqual([[2, id(101)]]);
    // The time that it had was handed over, too.
    await world.pass(until - world.clock.now() - 1);
    expect(listeners()).toEqual([0, 1]);
    await world.pass(1);
    expect(listeners()).toEqual([0, 0]);
  });

  test("back and forth ten times, each event comes once", async () => {
    world.journals.open = [openTask(200)];
    await listen(world.first, WORKER);
    for (let n = 1; n <= 10; n += 1) {
      await award(100 + n);
      await world.pass(20_000);
      await listen(n % 2 === 0 ? world.first : world.second, WORKER, { last: n });
    }
    expect(fleet.take()).toEqual([[0, id(200)], ...Array.from({ length: 10 }, (_, n) => [n + 1, id(101 + n)])]);
  });

  test("where that word is lost, both push until the older one's time is over, and no longer", async () => {
    await listen(world.first, WORKER);
    await world.pass(30_000);
    await listen(world.second, WORKER, { last: 0 }, "lose");
    await award(100);
    expect(fleet.take()).toEqual([
      [1, id(100)],
      [1, id(100)],
    ]);
    await world.pass(30_000);
    expect(listeners()).toEqual([0, 1]);
    await award(101);
    expect(fleet.take()).toEqual([[2, id(101)]]);
  });

  test("the next renewal repairs that, at either of them", async () => {
    await listen(world.first, WORKER);
    await world.pass(1_000);
    await listen(world.second, WORKER, {}, "lose");
    await world.pass(1_000);
    await listen(world.second, WORKER);
    expect(listeners()).toEqual([0, 1]);
    await world.pass(1_000);
    await listen(world.first, WORKER, {}, "lose");
    await world.pass(1_000);
    await listen(world.first, WORKER);
    expect(listeners()).toEqual([1, 0]);
  });

  test.each([0, 5])("of two that were asked %i ms apart, before either hears of the other, one goes on", async (ms) => {
    const [one, other] = [world.first, world.second];
    await one.listenings.listen(world.asks(WORKER, fleet));
    await world.pass(ms);
    await other.listenings.listen(world.asks(WORKER, fleet));
    world.signals.pass();
    expect([listeners(), online()]).toEqual([
      [0, 1],
      [0, 1],
    ]);
  });

  test("a gateway that has died is not missed: what it had not sent comes from the next one", async () => {
    await listen(world.first, WORKER);
    await award(100);
    expect(fleet.take()).toEqual([[1, id(100)]]);
    fleet.isUp = false;
    await award(101);
    world.signals.gateways.shift();
    const next = new HearingFleet();
    await world.second.listenings.listen(world.asks(WORKER, next, { last: 1 }));
    world.signals.pass();
    await world.turns();
    expect(next.take()).toEqual([[2, id(101)]]);
  });
});

describe("a listening ends", () => {
  test("with its key at once, and tells so; with the new key it goes on where it was", async () => {
    await listen(world.first, WORKER);
    await award(100);
    fleet.take();
    world.journals.accounts.set(person(WORKER), member(WORKER, "new key"));
    world.first.feed.endKey("key 2");
    expect(fleet.heard.splice(0)).toEqual([{ id: 1, after: 1, type: "listen.ended", reason: "KEY_REPLACED" }]);
    expect([listeners(), online()]).toEqual([
      [0, 0],
      [0, 0],
    ]);
    await award(101);
    expect(fleet.take()).toEqual([]);
    await listen(world.first, WORKER, { keyHash: "new key", last: 1 });
    expect(fleet.take()).toEqual([[2, id(101)]]);
  });

  test.each(["FROZEN", "SUSPENDED"] as const)("when its account is %s, and tells so", async (status) => {
    await listen(world.first, WORKER);
    world.journals.accounts.set(person(WORKER), { ...member(WORKER), status });
    world.first.feed.check(person(WORKER));
    await world.turns();
    expect(fleet.heard).toMatchObject([{ type: "listen.ended", reason: "ACCOUNT_RESTRICTED" }]);
    expect([listeners(), online()]).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  test("with its gateway, which tells so and listens for nobody from then on", async () => {
    await listen(world.first, WORKER);
    const opening = world.first.listenings.listen(world.asks(REQUESTER, new HearingFleet()));
    world.first.listenings.close();
    expect(fleet.heard).toMatchObject([{ type: "listen.ended", reason: "GATEWAY_STOPS" }]);
    expect([await opening, await world.first.listenings.listen(world.asks(WORKER, fleet))]).toEqual(["ended", "ended"]);
    expect([world.first.feed.size, online()]).toEqual([0, [0, 0]]);
  });

  test("when its fleet says so, wherever it is", async () => {
    await listen(world.first, WORKER);
    await world.pass(1_000);
    expect(await listen(world.second, WORKER, { ms: 0 })).toEqual({ until: world.clock.now(), after: null });
    expect([listeners(), online(), fleet.take()]).toEqual([[0, 0], [0, 0], []]);
  });

  test("while it is opened, where its key does, and is not there then", async () => {
    let go = () => {};
    world.journals.before = (read) =>
      read === "factBefore" ? new Promise<void>((resolve) => (go = resolve)) : Promise.resolve();
    const opening = world.first.listenings.listen(world.asks(WORKER, fleet));
    world.first.feed.endKey("key 2");
    go();
    expect(await opening).toBe("ended");
    expect([world.first.feed.size, listeners(), online(), world.clock.next]).toEqual([0, [0, 0], [0, 0], null]);
  });

  test("and leaves nothing behind, a thousand times over", async () => {
    for (let n = 0; n < 500; n += 1) {
      await world.first.listenings.listen(world.asks(WORKER, fleet, { last: n % 2 === 0 ? null : 0 }));
      await world.second.listenings.listen(world.asks(WORKER, fleet, { taskTypes: [TYPE] }));
      world.signals.pass();
    }
    await world.pass(1);
    await listen(world.first, WORKER, { ms: 0 });
    expect([world.first.feed.size, world.second.feed.size, online(), world.clock.next]).toEqual([0, 0, [0, 0], null]);
  });
});

describe("bounds", () => {
  test("a listening is one of an account's streams; renewed where it is full, it counts for nothing", async () => {
    await listen(world.first, WORKER);
    const common = { account: person(WORKER), keyHash: "key 2", address: "a", topics: TOPICS, taskTypes: null };
    const stream = () => openSse(world.first.feed, { ...common, last: null, works: true });
    for (let n = 1; n < STREAMS_PER_ACCOUNT; n += 1) expect(typeof (await stream())).toBe("object");
    expect(await stream()).toBe("account");
    await listen(world.first, WORKER, { taskTypes: ["analysis"] });
    await listen(world.first, WORKER, { ms: 0 });
    expect(typeof (await stream())).toBe("object");
    expect(await world.first.listenings.listen(world.asks(WORKER, fleet))).toBe("account");
    expect(listeners()).toEqual([0, 0]);
  });

  test("a gateway listens for so many fleets, with its streams, and not for one more", async () => {
    for (let n = 10; n < 5_010; n += 1) {
      world.journals.accounts.set(person(WORKER), member(WORKER));
      await world.first.listenings.listen({ ...world.asks(WORKER, fleet), account: person(n), address: String(n) });
    }
    expect(world.first.listenings.size).toBe(5_000);
    expect(await world.first.listenings.listen(world.asks(WORKER, fleet))).toBe("process");
  });

  test("a database that is away leaves no listening behind, and what there was goes on", async () => {
    await listen(world.first, WORKER);
    world.journals.failing.add("factBefore");
    await expect(world.first.listenings.listen(world.asks(WORKER, fleet, { taskTypes: [TYPE] }))).rejects.toThrow("no database");
    expect([world.first.feed.size, listeners(), online()]).toEqual([1, [1, 0], [1, 0]]);
    await award(100);
    expect(fleet.take()).toEqual([[1, id(100)]]);
  });
});
