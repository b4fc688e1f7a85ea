/** Batches that are cancelled, paused and resumed in a market: what becomes of their tasks, their budgets and their turns. */
import { beforeEach, describe, expect, test } from "vitest";
import { BASE_FORMATS, FORMATS } from "../../machines/formats.ts";
import { credits, type TaskId } from "../../machines/vocabulary.ts";
import { order, person, World } from "../support/world.ts";

const MINUTE_MS = 60_000;
const BUDGET = 20;

interface Made {
  readonly batch: string;
  readonly tasks: readonly TaskId[];
}

let world: World;
beforeEach(async () => {
  world = new World();
  await world.host.start();
  await world.answer(world.register(2));
});

async function start(items: number, atOnce: number, more: { budget?: number; autoRetry?: number } = {}): Promise<Made> {
  const batch = world.nextId();
  const { budget = BUDGET, autoRetry = 1 } = more;
  const template = order({ inputData: "", budget: credits(budget), poolHours: 72, maxSeconds: 60, autoRetry });
  const all = Array.from({ length: items }, (_, n) => ({ task: world.newTask(), inputData: `text ${n}` }));
  const what = { batch, request: batch, template, items: all, atOnce, perMinute: 0, fresh: true };
  const command = { type: "startBatch", ...what } as const;
  expect(await world.answer(world.ask("account", person(1), command))).toMatchObject({ ok: true });
  return { batch, tasks: all.map(({ task }) => task) };
}

const steer = (type: "pause" | "resume" | "cancel", { batch }: Made, commandId?: string) =>
  world.ask("batch", batch, { type, requester: person(1) }, commandId);
const steered = (type: "pause" | "resume" | "cancel", made: Made) => world.answer(steer(type, made));

async function show({ batch }: Made): Promise<{ readonly [field: string]: unknown }> {
  const answer = await world.answer(world.ask("batch", batch, { type: "show", requester: person(1) }));
  return answer.ok ? (answer.value as { readonly [field: string]: unknown }) : { refused: answer.refusal.refused };
}

const balance = () => {
  const { available, held } = world.row("account", person(1));
  return { available, held };
};
const accountFacts = () => world.journal.actors.get(`account:${person(1)}`)?.facts ?? [];
/** Which batches the account has called, as often as it did. */
const called = () =>
  accountFacts().flatMap(({ type, body }) => {
    return type === "BatchesCalled" ? ((body as { calls?: readonly { readonly batch: string }[] }).calls ?? []) : [];
  });
const topUp = (amount: number) =>
  world.answer(world.ask("account", person(1), { type: "topUp", topup: world.nextId(), amount: credits(amount) }));
const statuses = ({ tasks }: Made) => tasks.map((task) => world.row("task", task)["status"] ?? null);

/** A task that is awarded to the worker: to a bid, when its window is over. */
async function award(task: TaskId | undefined): Promise<TaskId> {
  if (task === undefined) throw new Error("there is such an item");
  await world.answer(world.bid(2, task, 5));
  await world.pass(3_000);
  expect(world.row("task", task)["status"]).toBe("AWARDED");
  return task;
}

describe("a cancelled batch", () => {
  test("ends what is open and waits, gives the budgets back, and lets the awarded item be paid", async () => {
    await world.answer(world.register(1, 60));
    const made = await start(5, 4);
    await world.pass(500);
    expect([await show(made), balance()]).toMatchObject([{ open: 3, waiting: 2, waitsFor: "credits" }, { held: 60 }]);
    const awarded = await award(made.tasks[1]);
    await steered("cancel", made);
    await world.pass(100);
    expect(await show(made)).toMatchObject({ status: "CANCELLING", open: 1, waiting: 0, cancelled: 4, waitsFor: null });
    expect([statuses(made), balance()]).toEqual([["CANCELLED", "AWARDED", "CANCELLED", null, null], { available: 40, held: 20 }]);
    await topUp(100);
    await world.crash();
    await world.answer(world.submit(2, awarded, true));
    await world.pass(MINUTE_MS);
    expect(await show(made)).toMatchObject({ status: "CANCELLED", open: 0, settled: 1, cancelled: 4, refused: 0 });
    expect(statuses(made).slice(3)).toEqual([null, null]);
    expect(await world.broken()).toEqual([]);
  });

  test("does not give an item that was awarded to anybody else when its award fails", async () => {
    await world.answer(world.register(1, 60));
    const made = await start(1, 1, { autoRetry: 10 });
    await world.pass(100);
    await award(made.tasks[0]);
    await steered("cancel", made);
    expect(await show(made)).toMatchObject({ status: "CANCELLING", open: 1 });
    await world.pass(2 * MINUTE_MS);
    expect([statuses(made), balance(), await show(made)]).toMatchObject([
      ["EXPIRED"],
      { available: 60, held: 0 },
      { status: "CANCELLED", expired: 1 },
    ]);
  });

  test("runs no more for its account, which may start another one at once and calls it no more", async () => {
    await world.answer(world.register(1, 20));
    const many: Made[] = [];
    for (let n = 0; n < 20; n += 1) many.push(await start(1, 1));
    const [first, second] = many as [Made, Made];
    await world.pass(500);
    await award(first.tasks[0]);
    await steered("cancel", first);
    await steered("cancel", second);
    await start(1, 1);
    await topUp(1_000);
    await world.pass(1_000);
    expect([statuses(second), await show(second)]).toMatchObject([[null], { status: "CANCELLED", cancelled: 1 }]);
    expect(called().length).toBeGreaterThan(10);
    expect(called().filter(({ batch }) => batch === first.batch || batch === second.batch)).toEqual([]);
    expect(await world.broken()).toEqual([]);
  });

  test("before any answer about its items leaves none of them open, whenever the cancellation comes", async () => {
    for (let turns = 0; turns < 30; turns += 1) {
      world = new World();
      await world.host.start();
      await world.answer(world.register(1, 70));
      const made = await start(6, 5);
      for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      const asked = steer("cancel", made);
      // A second client, and the first one again after its answer was lost.
      const again = [steer("cancel", made), steer("cancel", made)];
      expect(await Promise.all([asked, ...again].map((one) => world.answer(one)))).toEqual(
        Array.from({ length: 3 }, () => ({ ok: true, value: { batch: made.batch } })),
      );
      await world.pass(1_000);
      expect(await show(made)).toMatchObject({ status: "CANCELLED", cancelled: 6, open: 0, waiting: 0 });
      expect(balance()).toEqual({ available: 70, held: 0 });
      expect([...world.journal.messages.values()]).toEqual([]);
      expect(await world.broken()).toEqual([]);
    }
  });

  test("is answered alike when its answer is lost, and after a crash", async () => {
    await world.answer(world.register(1, 60));
    const made = await start(3, 1);
    const commandId = world.nextId();
    const lost = steer("cancel", made, commandId);
    await world.settle();
    await world.crash();
    expect(await world.answer(steer("cancel", made, commandId))).toEqual({ ok: true, value: { batch: made.batch } });
    void lost;
    await world.pass(1_000);
    expect(await show(made)).toMatchObject({ status: "CANCELLED", cancelled: 3 });
    expect(balance()).toEqual({ available: 60, held: 0 });
  });

  test("of a frozen account gives its budgets back too", async () => {
    await world.answer(world.register(1, 40));
    const made = await start(2, 2);
    await world.pass(500);
    await world.answer(world.ask("account", person(1), { type: "freeze", reason: "abuse" }));
    await steered("cancel", made);
    await world.pass(500);
    expect([await show(made), balance()]).toMatchObject([
      { status: "CANCELLED", cancelled: 2 },
      { available: 40, held: 0 },
    ]);
  });
});

describe("a paused batch", () => {
  test("opens nothing while others of the account do, however long, and goes on when it is resumed", async () => {
    await world.answer(world.register(1, 40));
    const [made, other] = [await start(4, 4), await start(4, 4)];
    await world.pass(1_000);
    expect(await show(made)).toMatchObject({ open: 2, waiting: 2, waitsFor: "credits" });
    expect(await steered("pause", made)).toEqual({ ok: true, value: { batch: made.batch } });
    await topUp(60);
    await world.pass(1_000);
    expect(await show(made)).toMatchObject({ status: "PAUSED", open: 2, waiting: 2, waitsFor: null, givesUpAt: null });
    expect(await show(other)).toMatchObject({ status: "RUNNING", open: 3, waiting: 1, waitsFor: "credits" });
    await world.crash();
    await world.jump(30 * 86_400_000);
    await world.pass(1_000);
    expect(await show(made)).toMatchObject({ status: "PAUSED", waiting: 2, refused: 0 });
    await topUp(200);
    await steered("resume", made);
    await world.pass(1_000);
    expect(await show(made)).toMatchObject({ status: "RUNNING", open: 4, waiting: 0, waitsFor: null });
    expect(await world.broken()).toEqual([]);
  });

  test("that holds credits up keeps nobody from them: with the queue empty, no timer of its account is left", async () => {
    await world.answer(world.register(1, 0));
    const made = await start(2, 2);
    await world.pass(500);
    await steered("pause", made);
    await topUp(1_000);
    await world.pass(1_000);
    expect(called()).toEqual([]);
    expect([...world.journal.dues.values()].map(({ name }) => name)).toEqual([]);
    await steered("resume", made);
    await world.pass(500);
    expect(await show(made)).toMatchObject({ open: 2, waiting: 0 });
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])("comes to its end whatever is done to it in between (%i)", async (seed) => {
    let state = seed * 7_919;
    const dice = (below: number) => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((state / 2_147_483_648) * below);
    };
    await world.answer(world.register(1, 100));
    const made: Made[] = [];
    for (let n = 0; n < 3; n += 1) made.push(await start(8, 1 + dice(4)));
    for (let step = 0; step < 80; step += 1) {
      const one = made[dice(3)] as Made;
      const what = dice(8);
      if (what < 4) void steer(what < 2 ? "pause" : "resume", one);
      else if (what === 4) await topUp(1 + dice(60));
      else if (what === 5) await world.crash();
      else if (what === 6) {
        const open = one.tasks.find((task) => world.row("task", task)["status"] === "ROUTING");
        if (open !== undefined) await world.answer(world.ask("task", open, { type: "cancel", requester: person(1) }));
      } else await world.pass(dice(400));
      for (let turn = dice(6); turn > 0; turn -= 1) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await world.broken()).toEqual([]);
    const [cancelled, ...others] = made as [Made, Made, Made];
    await steered("cancel", cancelled);
    for (const one of others) await steered("resume", one);
    await topUp(100_000);
    for (let round = 0; round < 40; round += 1) {
      await world.pass(500);
      for (const task of others.flatMap(({ tasks }) => tasks)) {
        if (world.row("task", task)["status"] === "ROUTING") {
          await world.answer(world.ask("task", task, { type: "cancel", requester: person(1) }));
        }
      }
    }
    expect(await show(cancelled)).toMatchObject({ waiting: 0, open: 0, cancelled: 8 });
    for (const one of others) expect(await show(one)).toMatchObject({ status: "DONE", cancelled: 8, refused: 0 });
    expect(balance()).toMatchObject({ held: 0 });
    expect([...world.journal.messages.values()]).toEqual([]);
    expect(await world.broken()).toEqual([]);
  });
});

test("nothing of this is done before every member of the cluster can read it; then it is", async () => {
  await world.answer(world.register(1, 40));
  const made = await start(3, 2);
  await world.pass(500);
  world.formats = () => BASE_FORMATS;
  await world.crash();
  const before = world.journal.actors.get(`batch:${made.batch}`)?.facts.length;
  for (const type of ["pause", "resume", "cancel"] as const) {
    const refusal = { refused: "UNAVAILABLE", detail: expect.stringContaining("is being updated") };
    expect(await steered(type, made)).toMatchObject({ ok: false, refusal });
  }
  expect(world.journal.actors.get(`batch:${made.batch}`)?.facts.length).toBe(before);
  // As while members agree, one entity after the other: its messages wait.
  let agreed = { ...FORMATS, account: BASE_FORMATS.account };
  world.formats = () => agreed;
  await world.crash();
  void steer("cancel", made);
  await world.pass(2_000);
  expect([await show(made), balance()]).toMatchObject([{ status: "CANCELLING", open: 2 }, { held: 40 }]);
  agreed = { ...FORMATS, task: BASE_FORMATS.task };
  await world.pass(MINUTE_MS);
  expect(balance()).toMatchObject({ held: 40 });
  agreed = FORMATS;
  await world.pass(MINUTE_MS);
  expect([await show(made), balance()]).toMatchObject([{ status: "CANCELLED" }, { available: 40, held: 0 }]);
});
