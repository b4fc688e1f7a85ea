/** Many tasks from one template, some at a time. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, GOOD, Market, ORDER, type Party } from "../support/market.ts";

let market: Market;
beforeAll(async () => {
  market = await Market.start();
});
afterAll(async () => {
  const wrong = (await market.audit()).flatMap((finding) => finding.wrong);
  await market.stop();
  expect(wrong).toEqual([]);
});

const { input_data: _text, ...TEMPLATE } = ORDER;
const texts = (count: number) => Array.from({ length: count }, (_, n) => ({ input_data: `Text number ${n}` }));
const progress = (id: string, party: Party) => market.ok("GET", `/batches/${id}`, undefined, party);

test("as many tasks as allowed are open, only their budgets are held, and each that ends makes room for the next", async () => {
  const [ann, bob] = [await market.register(), await market.register()];
  await market.ok("POST", "/credits/topup", { amount_credits: 100 }, ann);
  const { batch_id: id } = await market.ok(
    "POST",
    "/tasks/batch",
    { template: TEMPLATE, items: texts(5), max_concurrent: 2 },
    ann,
  );
  await eventually(async () => ((await market.balance(ann)).credits_frozen === 40 ? true : undefined), "two budgets to be held");
  expect(await progress(id, ann)).toMatchObject({ status: "RUNNING", total: 5, waiting: 3, open: 2, settled: 0 });
  const seen = new Set<string>();
  for (let n = 0; n < 5; n += 1) {
    const task = await eventually(async () => {
      const { items } = await progress(id, ann);
      const open = items.find(
        ({ task_id, status }: { task_id: string; status: string }) => status === "OPEN" && !seen.has(task_id),
      );
      return open !== undefined && (await market.call("GET", `/tasks/${open.task_id}`, undefined, ann)).status === 200
        ? open.task_id
        : undefined;
    }, "another one to be open");
    seen.add(task);
    expect((await market.balance(ann)).credits_frozen).toBeLessThanOrEqual(40);
    expect((await market.task(task, ann)).input_data).toBe(`Text number ${n}`);
    await market.ok("POST", `/tasks/${task}/bid`, { bid_credits: 5 }, bob);
    await market.until(task, bob, "AWARDED");
    await market.submit(task, bob, GOOD);
    await market.until(task, ann, "SETTLED");
  }
  const done = await eventually(async () => {
    const body = await progress(id, ann);
    return body.status === "DONE" ? body : undefined;
  }, "the batch to be done");
  expect(done).toMatchObject({ settled: 5, waiting: 0, open: 0, refused: 0 });
  expect((await market.balance(ann)).credits_frozen).toBe(0);
});

test("an item whose budget cannot be held is refused by itself, and says why; a cancelled one is over too", async () => {
  const ann = await market.register();
  const { batch_id: id } = await market.ok(
    "POST",
    "/tasks/batch",
    { template: TEMPLATE, items: texts(4), max_concurrent: 4 },
    ann,
  );
  const body = await eventually(async () => {
    const seen = await progress(id, ann);
    return seen.refused === 2 ? seen : undefined;
  }, "two to be refused");
  expect(body.items[3]).toMatchObject({ status: "REFUSED", error: { code: "INSUFFICIENT_CREDITS" } });
  for (const { task_id, status } of body.items) {
    if (status === "OPEN")
      await eventually(
        async () => ((await market.call("DELETE", `/tasks/${task_id}`, undefined, ann)).status === 200 ? true : undefined),
        "the cancellation",
      );
  }
  const done = await eventually(async () => {
    const seen = await progress(id, ann);
    return seen.status === "DONE" ? seen : undefined;
  }, "the batch to be done");
  expect(done).toMatchObject({ cancelled: 2, refused: 2 });
});

test("goes on after a kill, and is the same for the same Idempotency-Key", async () => {
  const [ann, bob] = [await market.register(), await market.register()];
  const body = { template: { ...TEMPLATE, budget: 5 }, items: texts(3), max_concurrent: 1 };
  const options = { ...ann, idempotencyKey: randomUUID() };
  const first = await market.ok("POST", "/tasks/batch", body, options);
  expect(await market.ok("POST", "/tasks/batch", body, options)).toEqual(first);
  const other = await market.call("POST", "/tasks/batch", { ...body, max_concurrent: 2 }, options);
  expect([other.status, other.body.code]).toEqual([422, "IDEMPOTENCY_MISMATCH"]);
  expect((await market.balance(ann)).credits_frozen).toBeLessThanOrEqual(5);
  await market.halt("SIGKILL");
  await market.restart();
  expect(await market.ok("POST", "/tasks/batch", body, options)).toEqual(first);
  for (let n = 0; n < 3; n += 1) {
    await eventually(async () => {
      const { items } = await progress(first.batch_id, ann);
      const open = items.find(({ status }: { status: string }) => status === "OPEN");
      return open !== undefined && (await market.call("DELETE", `/tasks/${open.task_id}`, undefined, ann)).status === 200
        ? true
        : undefined;
    }, "the next one to be open");
  }
  await eventually(
    async () => ((await progress(first.batch_id, ann)).status === "DONE" ? true : undefined),
    "the batch to be done",
  );
  const stranger = await market.call("GET", `/batches/${first.batch_id}`, undefined, bob);
  expect([stranger.status, stranger.body.code]).toEqual([404, "BATCH_UNKNOWN"]);
});

test("a template that is wrong is refused whole, and so is one item too many", async () => {
  const ann = await market.register();
  const post = async (body: object) => {
    const { status, body: problem } = await market.call("POST", "/tasks/batch", body, ann);
    return [status, problem.errors?.[0]?.field];
  };
  expect(await post({ template: { ...TEMPLATE, budget: 1 }, items: texts(1) })).toEqual([422, "template.budget"]);
  expect(await post({ template: TEMPLATE, items: [] })).toEqual([422, "items"]);
  expect(await post({ template: TEMPLATE, items: texts(1_001) })).toEqual([422, "items"]);
  expect(await post({ template: TEMPLATE, items: [{ input_data: "" }] })).toEqual([422, "items.0.input_data"]);
  expect(await post({ template: TEMPLATE, items: texts(1), max_concurrent: 101 })).toEqual([422, "max_concurrent"]);
  expect((await market.balance(ann)).credits_frozen).toBe(0);
});
