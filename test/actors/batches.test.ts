/** Batches of an account: at which pace their items open, and what becomes of them while there are no credits. */
import { describe, expect, test } from "vitest";
import { RUNNING_BATCHES_MAX } from "../../machines/account/batches.ts";
import { WAIT_MAX_MS } from "../../machines/batch/machine.ts";
import { credits, type TaskId } from "../../machines/vocabulary.ts";
import { id, order, person, World } from "../support/world.ts";

const MINUTE_MS = 60_000;
const PACE = 60;

interface Made {
  readonly batch: string;
  readonly tasks: readonly TaskId[];
}

interface Sizes {
  readonly items: number;
  readonly atOnce?: number;
  readonly perMinute?: number;
  readonly budget?: number;
}

async function ready(grant = 1_000_000): Promise<World> {
  const world = new World();
  await world.host.start();
  await world.answer(world.register(1, grant));
  return world;
}

async function start(world: World, { items: count, atOnce = 100, perMinute = PACE, budget = 5 }: Sizes): Promise<Made> {
  const batch = world.nextId();
  const items = Array.from({ length: count }, (_, n) => ({ task: world.newTask(), inputData: `text ${n}` }));
  const template = order({ inputData: "", budget: credits(budget), poolHours: 72 });
  const command = { type: "startBatch", batch, request: batch, template, items, atOnce, perMinute, fresh: true } as const;
  expect(await world.answer(world.ask("account", person(1), command))).toMatchObject({ ok: true, value: { batch } });
  return { batch, tasks: items.map(({ task }) => task) };
}

const opened = (world: World, { tasks }: Made) => tasks.filter((task) => world.row("task", task)["status"] !== undefined).length;

async function show(world: World, { batch }: Made): Promise<{ readonly [field: string]: unknown }> {
  const answer = await world.answer(world.ask("batch", batch, { type: "show", requester: person(1) }));
  return answer.ok ? (answer.value as { readonly [field: string]: unknown }) : { refused: answer.refusal.refused };
}

/** When items opened, by the account's own facts; tasks that are created one by one count against no pace. */
function openings(world: World): readonly number[] {
  const { facts = [] } = world.journal.actors.get(`account:${person(1)}`) ?? {};
  return facts.flatMap(({ type, body }) => {
    const { at, perMinute = 0 } = body as { readonly at: number; readonly perMinute?: number };
    return type === "Held" && perMinute > 0 ? [at] : [];
  });
}

/** The most that opened in any 60 s. */
function busiest(times: readonly number[]): number {
  return Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + MINUTE_MS).length));
}

const factsOf = (world: World, kind: string, of: string) => world.journal.actors.get(`${kind}:${of}`)?.facts.length ?? 0;
const OPEN: ReadonlySet<unknown> = new Set(["ROUTING", "PENDING_POOL"]);
const openOf = (world: World, made: readonly Made[]) =>
  made.flatMap(({ tasks }) => tasks).filter((task) => OPEN.has(world.row("task", task)["status"]));
const cancel = (world: World, task: TaskId | undefined) =>
  world.answer(world.ask("task", task ?? "", { type: "cancel", requester: person(1) }));
const topUp = (world: World, amount: number) =>
  world.answer(world.ask("account", person(1), { type: "topUp", topup: world.nextId(), amount: credits(amount) }));

describe("the pace", () => {
  test("lets three batches of a hundred open 60 together, and the 61st when the first has been open for 60 s", async () => {
    const world = await ready();
    const batches: Made[] = [];
    for (let n = 0; n < 3; n += 1) batches.push(await start(world, { items: 100 }));
    const count = () => batches.reduce((sum, one) => sum + opened(world, one), 0);
    await world.pass(1_000);
    expect(count()).toBe(PACE);
    const [first = 0] = openings(world);
    await world.pass(first + MINUTE_MS - 1 - world.clock.now());
    expect(count()).toBe(PACE);
    await world.pass(1);
    expect(count()).toBeGreaterThan(PACE);
    await world.pass(5 * MINUTE_MS);
    expect(count()).toBe(300);
    expect(busiest(openings(world))).toBe(PACE);
    expect(await world.broken()).toEqual([]);
  });

  test("is shared by all of them, and those that wait ask for nothing", async () => {
    const world = await ready();
    const batches: Made[] = [];
    for (let n = 0; n < RUNNING_BATCHES_MAX; n += 1) batches.push(await start(world, { items: 100 }));
    await world.pass(5_000);
    const before = [factsOf(world, "account", person(1)), ...batches.map(({ batch }) => factsOf(world, "batch", batch))];
    await world.pass(MINUTE_MS - 10_000);
    expect([factsOf(world, "account", person(1)), ...batches.map(({ batch }) => factsOf(world, "batch", batch))]).toEqual(before);
    await world.pass(10 * MINUTE_MS);
    const counts = batches.map((one) => opened(world, one));
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(15);
    expect(busiest(openings(world))).toBeLessThanOrEqual(PACE);
    // A hold for each item, and little more for those that were put off.
    const held = openings(world).length;
    expect(held).toBeGreaterThanOrEqual(10 * PACE);
    expect(factsOf(world, "account", person(1))).toBeLessThan(4 * held);
  });

  test("holds for tasks that end at once too, and after a crash in between", async () => {
    const world = await ready();
    const made = await start(world, { items: 12, atOnce: 2, perMinute: 4 });
    for (let step = 0; step < 400 && (await show(world, made))["status"] === "RUNNING"; step += 1) {
      await world.pass(1_000);
      if (step % 50 === 10) await world.crash();
      for (const task of made.tasks) if (world.row("task", task)["status"] === "ROUTING") await cancel(world, task);
    }
    expect(await show(world, made)).toMatchObject({ status: "DONE", cancelled: 12 });
    expect(busiest(openings(world))).toBe(4);
    expect(await world.broken()).toEqual([]);
  });

  test("says why the others wait and until when", async () => {
    const world = await ready();
    const made = await start(world, { items: 10, perMinute: 3 });
    await world.pass(500);
    const [first = 0] = openings(world);
    expect(await show(world, made)).toMatchObject({
      ...{ open: 3, waiting: 7, waitsFor: "pace", nextAt: first + MINUTE_MS, givesUpAt: null },
    });
  });

  test("is none where it is 0", async () => {
    const world = await ready();
    const made = await start(world, { items: 200, perMinute: 0 });
    await world.pass(1_000);
    expect([opened(world, made), (await show(world, made))["waitsFor"]]).toEqual([100, null]);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])("is kept in any 60 s, whatever comes in between (%i)", async (seed) => {
    let state = seed * 7_919;
    const dice = (below: number) => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((state / 2_147_483_648) * below);
    };
    const world = await ready(200);
    const perMinute = 1 + dice(9);
    const made: Made[] = [];
    for (let step = 0; step < 60; step += 1) {
      const what = dice(7);
      if (what === 0 && made.length < 6) {
        made.push(await start(world, { items: 1 + dice(20), atOnce: 1 + dice(8), perMinute, budget: 5 + dice(60) }));
      } else if (what === 1) await topUp(world, 1 + dice(100));
      else if (what === 2) await world.crash();
      else if (what === 3) {
        const open = openOf(world, made);
        if (open.length > 0) await cancel(world, open[dice(open.length)]);
      } else if (what === 4) await world.answer(world.post(1, world.newTask(), { budget: credits(5 + dice(30)) }));
      else await world.pass(dice(30_000));
    }
    expect(busiest(openings(world))).toBeLessThanOrEqual(perMinute);
    expect(openings(world).length).toBeGreaterThan(0);
    expect(await world.broken()).toEqual([]);
    // With credits for all of them every item opens, and no batch stands still.
    await topUp(world, 100_000);
    for (let minute = 0; minute < 100; minute += 1) {
      await world.pass(MINUTE_MS);
      for (const task of openOf(world, made)) await cancel(world, task);
    }
    for (const one of made) expect(await show(world, one)).toMatchObject({ status: "DONE", refused: 0 });
    expect(busiest(openings(world))).toBeLessThanOrEqual(perMinute);
    expect(await world.broken()).toEqual([]);
  });
});

describe("without credits", () => {
  test("a batch waits, asks for nothing, and goes on soon after a top-up", async () => {
    const world = await ready(12);
    const made = await start(world, { items: 4 });
    await world.pass(1_000);
    const waits = await show(world, made);
    expect(waits).toMatchObject({ open: 2, waiting: 2, refused: 0, waitsFor: "credits", nextAt: null });
    const before = factsOf(world, "batch", made.batch);
    await world.pass(MINUTE_MS * 60);
    expect(factsOf(world, "batch", made.batch)).toBe(before);
    await topUp(world, 7);
    await world.pass(500);
    expect(await show(world, made)).toMatchObject({ open: 3, waiting: 1, waitsFor: "credits" });
    await world.crash();
    await topUp(world, 5);
    await world.pass(500);
    expect(await show(world, made)).toMatchObject({ open: 4, waiting: 0, waitsFor: null, givesUpAt: null });
    expect(await world.broken()).toEqual([]);
  });

  test("a task that ends gives its credits to the next item", async () => {
    const world = await ready(10);
    const made = await start(world, { items: 3, budget: 10 });
    await world.pass(500);
    expect(opened(world, made)).toBe(1);
    await cancel(world, made.tasks[0]);
    await world.pass(500);
    expect(await show(world, made)).toMatchObject({ open: 1, cancelled: 1, waiting: 1 });
  });

  test("two batches take turns when there are credits for one item at a time", async () => {
    const world = await ready(20);
    const [first, second] = [await start(world, { items: 6, budget: 20 }), await start(world, { items: 6, budget: 20 })];
    for (let turn = 0; turn < 6; turn += 1) {
      await world.pass(1_000);
      const open = openOf(world, [first, second]);
      expect(open).toHaveLength(1);
      await cancel(world, open[0]);
    }
    // The first one has two turns before the second is there, and from then on they alternate.
    expect([(await show(world, first))["cancelled"], (await show(world, second))["cancelled"]]).toEqual([4, 2]);
  });

  test("those that still wait after 7 days are refused, so that a batch ends", async () => {
    const world = await ready(4);
    const made = await start(world, { items: 3 });
    await world.pass(100);
    const givesUp = (await show(world, made))["givesUpAt"] as number;
    expect(givesUp - world.clock.now()).toBeGreaterThan(WAIT_MAX_MS - 1_000);
    await world.jump(givesUp - 1 - world.clock.now());
    expect(await show(world, made)).toMatchObject({ waiting: 3, refused: 0, waitsFor: "credits" });
    await world.crash();
    await world.pass(1_000);
    const end = await show(world, made);
    expect(end).toMatchObject({ status: "DONE", waiting: 0, refused: 3, waitsFor: null });
    expect((end["items"] as readonly unknown[])[2]).toMatchObject({
      error: { code: "INSUFFICIENT_CREDITS", detail: expect.stringContaining("7 days") },
    });
    expect(await world.broken()).toEqual([]);
  });

  test("one that is frozen while it waits is refused what has not opened", async () => {
    const world = await ready(5);
    const made = await start(world, { items: 30 });
    await world.pass(500);
    await world.answer(world.ask("account", person(1), { type: "freeze", reason: "abuse" }));
    await world.pass(500);
    expect(await show(world, made)).toMatchObject({ status: "RUNNING", open: 1, waiting: 0, refused: 29 });
    await cancel(world, made.tasks[0]);
    await world.pass(500);
    expect((await show(world, made))["status"]).toBe("DONE");
  });
});

describe("how many run", () => {
  test("is bounded, and one that has ended makes room", async () => {
    const world = await ready();
    const made: Made[] = [];
    for (let n = 0; n < RUNNING_BATCHES_MAX; n += 1) made.push(await start(world, { items: 1 }));
    const [first] = made;
    const template = order({ inputData: "", budget: credits(5) });
    const items = [{ task: world.newTask(), inputData: "x" }];
    const another = () => {
      const [batch, request] = [world.nextId(), world.nextId()];
      const command = { type: "startBatch", batch, request, template, items, atOnce: 1, perMinute: PACE, fresh: true } as const;
      return world.answer(world.ask("account", person(1), command));
    };
    expect(await another()).toMatchObject({ refusal: { refused: "TOO_MANY_BATCHES" } });
    await world.pass(1_000);
    await cancel(world, first?.tasks[0]);
    await world.pass(500);
    expect(await another()).toMatchObject({ ok: true });
    expect(await another()).toMatchObject({ refusal: { refused: "TOO_MANY_BATCHES" } });
  });

  test("a batch that was opened before accounts knew of theirs goes on, and ends, without a pace", async () => {
    const world = await ready();
    const batch = id(77);
    const items = Array.from({ length: 3 }, () => ({ task: world.newTask(), inputData: "x" }));
    const template = order({ inputData: "", budget: credits(5), poolHours: 72 });
    const command = { type: "openBatch", requester: person(1), request: batch, template, items, atOnce: 3 } as const;
    await world.answer(world.ask("batch", batch, command));
    const made = { batch, tasks: items.map(({ task }) => task) };
    await world.pass(500);
    expect(opened(world, made)).toBe(3);
    for (const task of made.tasks) await cancel(world, task);
    await world.pass(500);
    expect((await show(world, made))["status"]).toBe("DONE");
    expect(await world.broken()).toEqual([]);
  });
});
