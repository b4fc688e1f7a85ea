/** What a host has after hundreds of rounds is what it had after one. */
import { expect, test } from "vitest";
import { LIMITS } from "../../actors/limits.ts";
import { credits } from "../../machines/vocabulary.ts";
import { id, person, World } from "../support/world.ts";

const ROUNDS = 500;

async function started(grant: number): Promise<World> {
  const world = new World();
  await world.host.start();
  for (const n of [1, 2]) await world.answer(world.register(n, grant));
  return world;
}

test("tasks that ended, in whichever way, leave no actor, timer, message or job of the clock", async () => {
  const world = await started(50_000);
  let attempts = 0;
  world.deliver = async () => {
    attempts += 1;
    return attempts % 2 === 0
      ? { id: id(1), ms: 1, result: "delivered", status: 200 }
      : { id: id(1), ms: 1, result: "failed", status: 500, error: "answered 500" };
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    const task = world.newTask();
    await world.answer(world.post(1, task, { callbackUrl: round % 3 === 0 ? "https://example.com/hook" : null }));
    if (round % 2 === 0) {
      await world.answer(world.bid(2, task, 10, [person(2)]));
      await world.answer(world.submit(2, task, true));
    } else await world.answer(world.ask("task", task, { type: "cancel", requester: person(1) }));
  }
  await world.pass(60_000);
  expect(world.host.stats).toMatchObject({ inFlight: 0, timers: 0 });
  expect(world.host.stats.actors).toBeLessThanOrEqual(2);
  expect([world.journal.messages.size, world.journal.dues.size]).toEqual([0, 0]);
  expect(await world.broken()).toEqual([]);
  await world.pass(LIMITS.idleMs + 2 * LIMITS.sweepMs);
  expect(world.host.stats.actors).toBe(0);
});

test("commands that were refused leave nothing, whatever they were refused for", async () => {
  const world = await started(50);
  for (let round = 0; round < ROUNDS; round += 1) {
    const dear = world.post(1, world.newTask(), { budget: credits(1_000) });
    const unknown = world.ask("task", world.nextId(), { type: "cancel", requester: person(1) });
    expect((await world.answer(dear)).ok || (await world.answer(unknown)).ok).toBe(false);
  }
  await world.settle();
  expect(world.host.stats).toMatchObject({ inFlight: 0, timers: 0 });
  expect(world.host.stats.actors).toBeLessThanOrEqual(2);
});

test("a shard that is opened and closed again and again keeps nothing of what it was", async () => {
  const world = await started(50);
  const shards = [world.host.shardOf(person(1)), world.host.shardOf(person(2))];
  for (let round = 0; round < 50; round += 1) {
    await world.answer(world.ask("account", person(1), { type: "topUp", topup: world.nextId(), amount: credits(1) }));
    for (const shard of new Set(shards)) {
      const closed = world.host.close(shard, 1_000);
      await world.pass(50);
      await closed;
      expect(world.host.owns(shard)).toBe(false);
    }
    expect(world.host.stats).toMatchObject({ actors: 0, inFlight: 0 });
    await world.host.open(shards);
  }
  expect(world.row("account", person(1))["available"]).toBe(100);
});

test("a shard that is closed leaves no timer behind; the next owner of it has them, and one that is overdue fires at once", async () => {
  const world = await started(50);
  const task = world.newTask();
  await world.answer(world.post(1, task, { poolHours: 1 }));
  const shard = world.host.shardOf(task);
  expect([world.host.stats.timers, world.row("task", task)["status"]]).toEqual([1, "ROUTING"]);
  const closed = world.host.close(shard, 1_000);
  await world.pass(50);
  await closed;
  expect([world.host.stats.timers, world.journal.dues.size]).toEqual([0, 1]);
  await world.pass(10_000);
  expect(world.row("task", task)["status"]).toBe("ROUTING");
  await world.host.open([shard]);
  await world.settle();
  expect(world.row("task", task)["status"]).toBe("PENDING_POOL");
});
