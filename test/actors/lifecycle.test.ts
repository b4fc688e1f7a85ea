import { describe, expect, test } from "vitest";
import { LIMITS } from "../../actors/limits.ts";
import { JUDGING_MS_MAX } from "../../machines/task/decide.ts";
import { person, World } from "../support/world.ts";

async function opened(): Promise<{ world: World; task: ReturnType<World["newTask"]> }> {
  const world = new World();
  await world.host.start();
  for (const n of [1, 2, 3]) await world.answer(world.register(n));
  const task = world.newTask();
  expect(await world.answer(world.post(1, task))).toMatchObject({ ok: true, value: { id: task } });
  return { world, task };
}

describe("the life of a task in a host", () => {
  test("the best bid wins when the window ends, the result is paid, and the rest comes back", async () => {
    const { world, task } = await opened();
    await world.answer(world.bid(2, task, 12));
    await world.answer(world.bid(3, task, 15));
    expect(world.row("task", task)["status"]).toBe("ROUTING");
    await world.pass(3_000);
    expect(world.row("task", task)).toMatchObject({ status: "AWARDED", worker: person(2), awardedPrice: 12 });
    expect(await world.answer(world.submit(2, task, true))).toMatchObject({ ok: true, value: { status: "COMPLETED" } });
    await world.settle();
    expect(world.row("task", task)["status"]).toBe("SETTLED");
    expect(world.row("account", person(1))).toMatchObject({ available: 37, held: 0 });
    expect(world.row("account", person(2))).toMatchObject({ available: 62, reputation: 1 });
    expect(await world.broken()).toEqual([]);
  });

  test("the window ends early once every worker online has answered", async () => {
    const { world, task } = await opened();
    const online = [person(2), person(3)];
    expect(await world.answer(world.bid(2, task, 12, online))).toMatchObject({ value: { status: "PENDING" } });
    expect(await world.answer(world.bid(3, task, 9, online))).toMatchObject({ value: { status: "AWARDED" } });
    expect(world.row("task", task)).toMatchObject({ status: "AWARDED", worker: person(3) });
  });

  test("three wrong results end the award, others get the task, and it expires when nobody is left", async () => {
    const { world, task } = await opened();
    await world.answer(world.bid(2, task, 12));
    await world.pass(3_000);
    for (const status of ["REJECTED", "REJECTED", "FAILED"]) {
      expect(await world.answer(world.submit(2, task, false))).toMatchObject({ value: { status } });
    }
    await world.settle();
    expect(world.row("task", task)).toMatchObject({ status: "ROUTING", autoRetriesLeft: 0 });
    expect(world.row("account", person(2))).toMatchObject({ reputation: -2 });
    expect(await world.answer(world.bid(2, task, 12))).toMatchObject({ ok: false, refusal: { refused: "FAILED_THIS_TASK" } });
    await world.pass(3_000);
    expect(world.row("task", task)["status"]).toBe("PENDING_POOL");
    await world.pass(3_600_000);
    expect(world.row("task", task)["status"]).toBe("EXPIRED");
    expect(world.row("account", person(1))).toMatchObject({ available: 50, held: 0 });
    expect(await world.broken()).toEqual([]);
  });

  test("a worker that lets its time run out loses reputation, and a late result is refused with TIMEOUT", async () => {
    const { world, task } = await opened();
    await world.answer(world.bid(2, task, 12));
    await world.pass(3_000);
    await world.pass(120_000 + JUDGING_MS_MAX);
    expect(world.row("account", person(2))).toMatchObject({ reputation: -3 });
    expect(await world.answer(world.submit(2, task, true))).toMatchObject({ ok: false, refusal: { refused: "TIMEOUT" } });
  });

  test("a task in the pool goes to the first bid", async () => {
    const { world, task } = await opened();
    await world.pass(3_000);
    expect(world.row("task", task)["status"]).toBe("PENDING_POOL");
    expect(await world.answer(world.bid(2, task, null))).toMatchObject({ value: { status: "AWARDED" } });
    expect(world.row("task", task)).toMatchObject({ awardedPrice: 20 });
    await world.answer(world.submit(2, task, true));
    await world.settle();
    expect(world.row("account", person(1))).toMatchObject({ available: 30, held: 0 });
    expect(world.row("account", person(2))).toMatchObject({ available: 69 });
  });

  test("a webhook for which there is no room is sent once there is; that it waited is no attempt", async () => {
    const { world } = await opened();
    const asked: number[] = [];
    let room = false;
    world.deliver = async ({ attempt }) => {
      asked.push(attempt);
      return room ? { id: world.nextId(), ms: 1, result: "delivered", status: 200 } : null;
    };
    const task = world.newTask();
    await world.answer(world.post(1, task, { callbackUrl: "https://example.com/hook" }));
    await world.answer(world.ask("task", task, { type: "cancel", requester: person(1) }));
    await world.pass(3 * LIMITS.retryMaxMs);
    expect(asked.length).toBeGreaterThan(1);
    expect(new Set(asked)).toEqual(new Set([1]));
    room = true;
    await world.pass(LIMITS.retryMaxMs);
    const sent = asked.length;
    await world.pass(3_600_000);
    expect([asked.length, world.host.stats.timers, world.journal.dues.size]).toEqual([sent, 0, 0]);
    const last = world.journal.actors.get(`task:${task}`)?.facts.at(-1);
    expect(last?.body).toMatchObject({ type: "WebhookAttempted", attempt: 1, outcome: { result: "delivered" } });
  });

  test("a webhook that fails is tried four times, after 1, 3 and 10 s, and then no more", async () => {
    const { world } = await opened();
    const attempts: number[] = [];
    world.deliver = async ({ attempt }) => {
      attempts.push(attempt);
      return { id: world.nextId(), ms: 1, result: "failed", status: 500, error: "answered 500" };
    };
    const task = world.newTask();
    await world.answer(world.post(1, task, { callbackUrl: "https://example.com/hook" }));
    await world.answer(world.ask("task", task, { type: "cancel", requester: person(1) }));
    await world.settle();
    expect(attempts).toEqual([1]);
    await world.pass(999);
    expect(attempts).toEqual([1]);
    await world.pass(1);
    expect(attempts).toEqual([1, 2]);
    await world.pass(3_000);
    await world.pass(10_000);
    expect(attempts).toEqual([1, 2, 3, 4]);
    await world.pass(3_600_000);
    expect(attempts).toEqual([1, 2, 3, 4]);
    expect(await world.broken()).toEqual([]);
  });
});
