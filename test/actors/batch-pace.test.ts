/** Batches under the limit of tasks that may be created in a minute, over all batches of an account. */
import { expect, test } from "vitest";
import { credits, type TaskId } from "../../machines/vocabulary.ts";
import { order, person, World } from "../support/world.ts";

const PER_MINUTE = 60;

async function ready(grant = 1_000_000): Promise<World> {
  const world = new World();
  await world.host.start();
  await world.answer(world.register(1, grant));
  return world;
}

/** Opens a batch; gives the ids of its tasks. */
async function openBatch(world: World, size: number, atOnce: number, perMinute = PER_MINUTE): Promise<readonly TaskId[]> {
  const items = Array.from({ length: size }, () => ({ task: world.newTask(), inputData: "x" }));
  const template = order({ inputData: "", budget: credits(5), poolHours: 1 });
  const request = world.nextId();
  const answer = world.host.request({
    to: { kind: "batch", id: world.nextId() },
    command: { type: "openBatch", requester: person(1), request, template, items, atOnce, perMinute },
    commandId: request,
    origin: "client",
    delivery: "first",
    deadline: world.clock.now() + 10_000,
  });
  expect(await world.answer(answer)).toMatchObject({ ok: true });
  return items.map(({ task }) => task);
}

const created = (world: World, tasks: readonly TaskId[]) =>
  tasks.filter((task) => world.row("task", task)["status"] !== undefined).length;

test("a minute's worth opens at once, then one a second, however many batches there are", async () => {
  const world = await ready();
  const batches = [await openBatch(world, 100, 100), await openBatch(world, 1_000, 100), await openBatch(world, 40, 10)];
  const all = batches.flat();
  await world.pass(500);
  expect(created(world, all)).toBe(PER_MINUTE);
  await world.pass(10_000);
  expect(created(world, all)).toBe(PER_MINUTE + 10);
  // None of them waits for another one to end.
  const [first = [], second = [], third = []] = batches;
  await world.pass(60_000);
  expect(created(world, all)).toBe(2 * PER_MINUTE + 10);
  for (const tasks of [first, second, third]) expect(created(world, tasks)).toBeGreaterThanOrEqual(10);
  expect(await world.broken()).toEqual([]);
});

test("what was put off is asked for at its time after a crash too, and a batch ends", async () => {
  const world = await ready();
  const tasks = await openBatch(world, 6, 6, 2);
  await world.pass(500);
  expect(created(world, tasks)).toBe(2);
  await world.crash();
  await world.pass(29_000);
  expect(created(world, tasks)).toBe(2);
  await world.pass(2_000);
  expect(created(world, tasks)).toBe(3);
  await world.crash();
  await world.pass(3 * 30_000);
  expect(created(world, tasks)).toBe(6);
  expect(await world.broken()).toEqual([]);
});

test("items that are refused keep the pace too", async () => {
  const world = await ready(10);
  const tasks = await openBatch(world, 100, 100);
  await world.pass(500);
  expect(created(world, tasks)).toBe(2);
  const facts = world.journal.actors.get(`account:${person(1)}`)?.facts.filter(({ type }) => type === "ItemHoldRefused");
  expect(facts?.length).toBe(PER_MINUTE - 2);
});

test("no more are open than allowed, whatever the pace", async () => {
  const world = await ready();
  const few = await openBatch(world, 10, 3);
  await world.pass(500);
  expect(created(world, few)).toBe(3);
  await world.pass(60_000);
  expect(created(world, few)).toBe(3);
  for (const task of few.slice(0, 2)) await world.answer(world.ask("task", task, { type: "cancel", requester: person(1) }));
  await world.pass(500);
  expect(created(world, few)).toBe(5);
});

test("without a limit as many as allowed open at once", async () => {
  const world = await ready();
  const tasks = await openBatch(world, 100, 90, 0);
  await world.pass(500);
  expect(created(world, tasks)).toBe(90);
});
