/** Listenings of fleets end with the right to them, leave nothing behind, and are bounded. */
import { beforeEach, describe, expect, test } from "vitest";
import { STREAMS_PER_ACCOUNT } from "../../gateway/live/feed.ts";
import { GATHER_MS } from "../../gateway/live/new-tasks.ts";
import { TOPICS } from "../../gateway/live/stream.ts";
import { Gateways, type HearingFleet, TYPE } from "../support/gateways.ts";
import { hear, member, openSse, openTask, readEvents } from "../support/journals.ts";
import { id, person } from "../support/world.ts";

const [REQUESTER, WORKER] = [1, 2];

let world: Gateways;
let fleet: HearingFleet;
beforeEach(() => {
  world = new Gateways();
  fleet = world.fleet;
});

describe("a listening ends", () => {
  test("with its key at once, and tells so; with the new key it goes on where it was", async () => {
    await world.listen(world.first, WORKER);
    await world.award(100);
    fleet.take();
    world.journals.accounts.set(person(WORKER), member(WORKER, "new key"));
    world.first.feed.endKey("key 2");
    expect(fleet.heard.splice(0)).toEqual([{ id: 1, after: 1, type: "listen.ended", reason: "KEY_REPLACED" }]);
    expect([world.listeners(), world.online()]).toEqual([
      [0, 0],
      [0, 0],
    ]);
    await world.award(101);
    expect(fleet.take()).toEqual([]);
    await world.listen(world.first, WORKER, { keyHash: "new key", last: 1 });
    expect(fleet.take()).toEqual([[2, id(101)]]);
  });

  test.each(["FROZEN", "SUSPENDED"] as const)("when its account is %s, and tells so", async (status) => {
    await world.listen(world.first, WORKER);
    world.journals.accounts.set(person(WORKER), { ...member(WORKER), status });
    world.first.feed.check(person(WORKER));
    await world.turns();
    expect(fleet.heard).toMatchObject([{ type: "listen.ended", reason: "ACCOUNT_RESTRICTED" }]);
    expect([world.listeners(), world.online()]).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  test("with its gateway, which tells so and listens for nobody from then on", async () => {
    await world.listen(world.first, WORKER);
    const opening = world.first.listenings.listen(world.asks(REQUESTER));
    world.first.listenings.close();
    expect(fleet.heard).toMatchObject([{ type: "listen.ended", reason: "GATEWAY_STOPS" }]);
    expect([await opening, await world.first.listenings.listen(world.asks(WORKER))]).toEqual(["ended", "ended"]);
    expect([world.first.feed.size, world.online()]).toEqual([0, [0, 0]]);
  });

  test("when its fleet says so, wherever it is", async () => {
    await world.listen(world.first, WORKER);
    await world.pass(1_000);
    expect(await world.listen(world.second, WORKER, { ms: 0 })).toEqual({ until: world.clock.now(), after: null });
    expect([world.listeners(), world.online(), fleet.take()]).toEqual([[0, 0], [0, 0], []]);
  });

  test("while it is opened, where its key does, and is not there then", async () => {
    let go = () => {};
    world.journals.before = (read) =>
      read === "factBefore" ? new Promise<void>((resolve) => (go = resolve)) : Promise.resolve();
    const opening = world.first.listenings.listen(world.asks(WORKER));
    world.first.feed.endKey("key 2");
    go();
    expect(await opening).toBe("ended");
    expect([world.first.feed.size, world.listeners(), world.online(), world.clock.next]).toEqual([0, [0, 0], [0, 0], null]);
  });

  test("and leaves nothing behind, a thousand times over", async () => {
    for (let n = 0; n < 500; n += 1) {
      await world.first.listenings.listen(world.asks(WORKER, { last: n % 2 === 0 ? null : 0 }));
      await world.second.listenings.listen(world.asks(WORKER, { taskTypes: [TYPE] }));
      world.signals.pass();
    }
    await world.pass(1);
    await world.listen(world.first, WORKER, { ms: 0 });
    expect([world.first.feed.size, world.second.feed.size, world.online(), world.clock.next]).toEqual([0, 0, [0, 0], null]);
  });
});

describe("bounds", () => {
  test("a listening is one of an account's streams; renewed where it is full, it counts for nothing", async () => {
    await world.listen(world.first, WORKER);
    const common = { account: person(WORKER), keyHash: "key 2", address: "a", topics: TOPICS, taskTypes: null };
    const stream = () => openSse(world.first.feed, { ...common, last: null, works: true });
    for (let n = 1; n < STREAMS_PER_ACCOUNT; n += 1) expect(typeof (await stream())).toBe("object");
    expect(await stream()).toBe("account");
    await world.listen(world.first, WORKER, { taskTypes: ["analysis"] });
    await world.listen(world.first, WORKER, { ms: 0 });
    expect(typeof (await stream())).toBe("object");
    expect(await world.first.listenings.listen(world.asks(WORKER))).toBe("account");
    expect(world.listeners()).toEqual([0, 0]);
  });

  test("of new tasks a listening hears as one of its account's streams, in turn with the others", async () => {
    await world.listen(world.first, WORKER);
    const common = { account: person(WORKER), keyHash: "key 2", address: "a", topics: TOPICS, taskTypes: null };
    const out = await openSse(world.first.feed, { ...common, last: null, works: true });
    if (typeof out === "string") throw new Error(out);
    const stream = hear(out);
    const tell = async (...tasks: readonly number[]) => {
      for (const n of tasks) {
        world.first.feed.hearNew(openTask(n), [person(WORKER)], 1);
        await world.pass(GATHER_MS);
      }
    };
    const told = () => [fleet.take(), readEvents(stream.text).map(({ task }) => task)];
    await tell(201, 202, 203, 204);
    const pushed = [201, 203].map((n) => [0, id(n)]);
    expect(told()).toEqual([pushed, [202, 204].map((n) => id(n))]);
    fleet.isUp = false;
    await tell(205, 206);
    expect(told()).toEqual([[], [202, 204, 205, 206].map((n) => id(n))]);
  });

  test("while another listening takes its place, one of both hears of a new task, under the id where it is", async () => {
    await world.listen(world.first, WORKER);
    await world.award(100);
    world.first.feed.hearNew(openTask(200), [person(WORKER)], 1);
    fleet.take();
    let go = () => {};
    world.journals.before = (read) =>
      read === "factBefore" ? new Promise<void>((resolve) => (go = resolve)) : Promise.resolve();
    const opening = world.first.listenings.listen(world.asks(WORKER, { taskTypes: [TYPE] }));
    world.first.feed.hearNew(openTask(201), [person(WORKER)], 1);
    go();
    await opening;
    world.first.feed.hearNew(openTask(202), [person(WORKER)], 1);
    expect(fleet.take()).toEqual([
      [1, id(201)],
      [1, id(202)],
    ]);
  });

  test("a gateway listens for so many fleets, with its streams, and not for one more", async () => {
    for (let n = 10; n < 5_010; n += 1) {
      world.journals.accounts.set(person(WORKER), member(WORKER));
      await world.first.listenings.listen({ ...world.asks(WORKER), account: person(n), address: String(n) });
    }
    expect(world.first.listenings.size).toBe(5_000);
    expect(await world.first.listenings.listen(world.asks(WORKER))).toBe("process");
  });

  test("a database that is away leaves no listening behind, and what there was goes on", async () => {
    await world.listen(world.first, WORKER);
    world.journals.failing.add("factBefore");
    await expect(world.first.listenings.listen(world.asks(WORKER, { taskTypes: [TYPE] }))).rejects.toThrow("no database");
    expect([world.first.feed.size, world.listeners(), world.online()]).toEqual([1, [1, 0], [1, 0]]);
    await world.award(100);
    expect(fleet.take()).toEqual([[1, id(100)]]);
  });
});
