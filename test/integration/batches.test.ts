/** Many tasks from one template, some at a time. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, GOOD, Market, ORDER, type Party } from "../support/market.ts";

const TOKEN = "operators-secret-of-this-test";

let market: Market;
beforeAll(async () => {
  market = await Market.start({ ADMIN_TOKEN: TOKEN });
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
  await market.holds(ann, 40);
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
  await market.holds(ann, 0);
});

const until = (id: string, party: Party, what: string, fields: { readonly [name: string]: unknown }) =>
  eventually(async () => {
    const body = await progress(id, party);
    return Object.entries(fields).every(([name, value]) => body[name] === value) ? body : undefined;
  }, what);

async function cancelOpen(id: string, party: Party): Promise<void> {
  for (const { task_id, status } of (await progress(id, party)).items) {
    if (status !== "OPEN") continue;
    await eventually(
      async () => ((await market.call("DELETE", `/tasks/${task_id}`, undefined, party)).status === 200 ? true : undefined),
      "the cancellation",
    );
  }
}

test("items without credits wait, through a kill too, and open after a top-up and when others give theirs back", async () => {
  const ann = await market.register();
  const { batch_id: id } = await market.ok(
    "POST",
    "/tasks/batch",
    { template: TEMPLATE, items: texts(6), max_concurrent: 6 },
    ann,
  );
  const waits = await until(id, ann, "two to open", { open: 2, waiting: 4, waiting_for: "credits" });
  expect(waits).toMatchObject({ refused: 0, next_at: null, next_cursor: null });
  expect(Date.parse(waits.gives_up_at) - Date.now()).toBeGreaterThan(6.9 * 86_400_000);
  expect(waits.items[3]).toMatchObject({ status: "WAITING", error: null });
  await market.halt("SIGKILL");
  await market.restart();
  await market.ok("POST", "/credits/topup", { amount_credits: 20 }, ann);
  await until(id, ann, "a third to open", { open: 3, waiting: 3, waiting_for: "credits" });
  await cancelOpen(id, ann);
  await until(id, ann, "the others to open", { open: 3, waiting: 0, cancelled: 3, waiting_for: null, gives_up_at: null });
  await cancelOpen(id, ann);
  expect(await until(id, ann, "the end", { status: "DONE" })).toMatchObject({ cancelled: 6, refused: 0 });
  await market.holds(ann, 0);
});

test("a batch that waits for credits ends when its account is frozen", async () => {
  const ann = await market.register();
  const { batch_id: id } = await market.ok(
    "POST",
    "/tasks/batch",
    { template: TEMPLATE, items: texts(6), max_concurrent: 6 },
    ann,
  );
  await until(id, ann, "two to open", { open: 2, waiting_for: "credits" });
  const headers = { "X-Admin-Token": TOKEN };
  await market.call("POST", `/admin/accounts/${ann.id}/freeze`, { reason: "abuse" }, { headers });
  const body = await until(id, ann, "the others to be refused", { open: 2, refused: 4, waiting: 0 });
  expect(body.items[5]).toMatchObject({ status: "REFUSED", error: { code: "ACCOUNT_FROZEN" } });
  const another = await market.call("POST", "/tasks/batch", { template: TEMPLATE, items: texts(1) }, ann);
  expect([another.status, another.body.code]).toEqual([403, "ACCOUNT_FROZEN"]);
});

test("a batch is paused, resumed and cancelled, each as often as one likes; what is awarded is done and paid", async () => {
  const [ann, bob, eve] = [await market.register(), await market.register(), await market.register()];
  const post = { template: TEMPLATE, items: texts(6), max_concurrent: 6 };
  const { batch_id: id } = await market.ok("POST", "/tasks/batch", post, ann);
  const { items } = await until(id, ann, "two to open", { open: 2, waiting: 4, waiting_for: "credits" });
  const awarded = items[0].task_id;
  await market.ok("POST", `/tasks/${awarded}/bid`, { bid_credits: 5 }, bob);
  await market.until(awarded, bob, "AWARDED");
  const steer = (method: string, path: string, party: Party) => market.call(method, `/batches/${id}${path}`, undefined, party);
  for (let n = 0; n < 2; n += 1) {
    const { status, body } = await steer("POST", "/pause", ann);
    expect([status, body]).toMatchObject([200, { status: "PAUSED", open: 2, waiting: 4, waiting_for: null, gives_up_at: null }]);
  }
  await market.ok("POST", "/credits/topup", { amount_credits: 20 }, ann);
  await market.halt("SIGKILL");
  await market.restart();
  expect(await progress(id, ann)).toMatchObject({ status: "PAUSED", open: 2, waiting: 4 });
  for (let n = 0; n < 2; n += 1) expect(await steer("POST", "/resume", ann)).toMatchObject({ status: 200 });
  await until(id, ann, "a third to open", { status: "RUNNING", open: 3, waiting: 3, waiting_for: "credits" });
  for (const [method, path] of [
    ["DELETE", ""],
    ["POST", "/pause"],
    ["POST", "/resume"],
  ] as const) {
    expect(await steer(method, path, eve)).toMatchObject({ status: 404, body: { code: "BATCH_UNKNOWN" } });
  }
  expect(await steer("DELETE", "", ann)).toMatchObject({ status: 200, body: { status: "CANCELLING", waiting: 0 } });
  const left = await until(id, ann, "the open ones to be cancelled", { open: 1, cancelled: 5 });
  expect([left.status, left.items[5]]).toMatchObject(["CANCELLING", { status: "CANCELLED", error: null }]);
  expect(await steer("DELETE", "", ann)).toMatchObject({ status: 200, body: { status: "CANCELLING" } });
  await market.holds(ann, 20);
  await market.submit(awarded, bob, GOOD);
  await until(id, ann, "the end", { status: "CANCELLED", settled: 1, cancelled: 5, open: 0 });
  expect(await steer("DELETE", "", ann)).toMatchObject({ status: 200, body: { status: "CANCELLED" } });
  for (const path of ["/pause", "/resume"]) {
    const { status, body } = await steer("POST", path, ann);
    expect([status, body.code, body.detail]).toEqual([409, "BATCH_ENDED", expect.stringContaining("This batch is CANCELLED")]);
  }
});

test("items come in pages", async () => {
  const ann = await market.register();
  const { batch_id: id } = await market.ok("POST", "/tasks/batch", { template: TEMPLATE, items: texts(450) }, ann);
  const all = [];
  let cursor: string | null = "0";
  for (const size of [200, 200, 50]) {
    const page: { items: { task_id: string }[]; next_cursor: string | null; total: number } = await market.ok(
      "GET",
      `/batches/${id}?cursor=${cursor}`,
      undefined,
      ann,
    );
    expect([page.items.length, page.total]).toEqual([size, 450]);
    all.push(...page.items.map(({ task_id }) => task_id));
    cursor = page.next_cursor;
  }
  expect([cursor, new Set(all).size]).toEqual([null, 450]);
  expect((await market.call("GET", `/batches/${id}?cursor=x`, undefined, ann)).status).toBe(422);
  expect((await market.call("GET", `/batches/${id}?limit=201`, undefined, ann)).status).toBe(422);
  expect((await market.ok("GET", `/batches/${id}?limit=1`, undefined, ann)).items).toHaveLength(1);
});

test("20 batches of one account run at once, and no more; one that ends makes room", async () => {
  const ann = await market.register();
  await market.ok("POST", "/credits/topup", { amount_credits: 1_000 }, ann);
  const post = (idempotencyKey?: string) =>
    market.call(
      "POST",
      "/tasks/batch",
      { template: TEMPLATE, items: texts(2), max_concurrent: 1 },
      { ...ann, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) },
    );
  // All at once: whoever counts before it opens would let too many in.
  const key = randomUUID();
  const replies = await Promise.all([post(key), ...Array.from({ length: 24 }, () => post())]);
  const made = replies.filter(({ status }) => status === 201);
  expect(made).toHaveLength(20);
  for (const { status, body } of replies) if (status !== 201) expect([status, body.code]).toEqual([409, "TOO_MANY_BATCHES"]);
  const [first] = made;
  const id = first?.body.batch_id;
  await until(id, ann, "its first item to open", { open: 1, waiting: 1 });
  await cancelOpen(id, ann);
  await until(id, ann, "its second item to open", { open: 1, waiting: 0 });
  await cancelOpen(id, ann);
  await until(id, ann, "the end", { status: "DONE" });
  await eventually(async () => ((await post()).status === 201 ? true : undefined), "room for another");
  expect((await post()).status).toBe(409);
});

test("a batch that was opened before accounts opened batches is the same for its Idempotency-Key still", async () => {
  const ann = await market.register();
  const idempotencyKey = randomUUID();
  const body = { template: { ...TEMPLATE, budget: 5 }, items: texts(2), max_concurrent: 1 };
  const first = await market.ok("POST", "/tasks/batch", body, { ...ann, idempotencyKey });
  await until(first.batch_id, ann, "its first item to open", { open: 1 });
  // As it was journaled then: by the request's own command, which the account knows nothing of.
  await market.halt("SIGTERM");
  const sql = market.database;
  await sql`update journal set cause = ${first.batch_id} where entity = ${first.batch_id} and seq = 1`;
  await sql`update journal set cause = null where entity = ${ann.id} and type = 'BatchStarted'`;
  await market.restart();
  expect(await market.ok("POST", "/tasks/batch", body, { ...ann, idempotencyKey })).toEqual(first);
  const other = await market.call("POST", "/tasks/batch", { ...body, max_concurrent: 2 }, { ...ann, idempotencyKey });
  expect([other.status, other.body.code]).toEqual([422, "IDEMPOTENCY_MISMATCH"]);
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
  await market.holds(ann, 0);
});
