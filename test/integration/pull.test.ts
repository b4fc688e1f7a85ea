/** Work that finds workers at once, over HTTP: whoever comes first, the worker or the task, and however the task comes. */
import { randomUUID } from "node:crypto";
import { request } from "node:http";
import { json } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BAD, eventually, GOOD, Market, ORDER, type Party } from "../support/market.ts";

let market: Market;
let requester: Party;

beforeAll(async () => {
  market = await Market.start({ AWARDS_BY_TIER: "3,10,30,100,1000" });
  requester = await market.register();
  await market.ok("POST", "/credits/topup", { amount_credits: 10_000 }, requester);
});

afterAll(async () => {
  expect((await market.audit()).flatMap(({ wrong }) => wrong)).toEqual([]);
  await market.stop();
});

/** A task type of its own for each test, so that workers of others do not take its tasks. */
const TYPES = ["translation", "text_classification", "text_generation", "data_transformation", "analysis", "json_extraction"];
let types = 0;
function nextType(): string {
  types += 1;
  return TYPES[types % TYPES.length] ?? "analysis";
}

interface Got {
  readonly tasks: readonly { readonly id: string; readonly [field: string]: unknown }[];
  readonly limited: { readonly reason: string } | null;
}

/** Waits long enough for what is there to be heard of, unless it is said how long. */
const pull = (worker: Party, body: object, options: object = {}): Promise<Got> =>
  market.ok("POST", "/work/pull", { wait_ms: 20_000, ...body }, { ...worker, ...options });
const post = async (type: string, more: object = {}): Promise<string> =>
  (await market.ok("POST", "/tasks", { ...ORDER, task_type: type, ...more }, requester)).id;
const cancel = (id: string) => market.ok("DELETE", `/tasks/${id}`, undefined, requester);

/** Waits until this worker waits for tasks of a type. */
const isOnline = (type: string, workers = 1) =>
  eventually(async () => {
    const { workers_online: online } = await market.ok("POST", "/tasks/validate", { ...ORDER, task_type: type }, requester);
    return online >= workers ? true : undefined;
  }, "the worker to be online");

describe("a pull", () => {
  test("of a worker who was first gets the task when it is posted, whole, and its result is paid", async () => {
    const [worker, type] = [await market.register(), nextType()];
    const waiting = pull(worker, { task_types: [type] });
    await isOnline(type);
    const id = await post(type);
    const { tasks, limited } = await waiting;
    expect(tasks).toMatchObject([
      {
        id,
        status: "AWARDED",
        awarded_to: worker.id,
        awarded_price: 20,
        input_data: ORDER.input_data,
        validation_schema: ORDER.schema,
      },
    ]);
    expect(limited).toBeNull();
    expect(await market.submit(id, worker, GOOD)).toMatchObject({ status: "COMPLETED" });
    await market.until(id, requester, "SETTLED");
  });

  test("of a worker who is second gets the task that is there; one that does not wait gets nothing where nothing is", async () => {
    const [worker, type] = [await market.register(), nextType()];
    const id = await post(type);
    expect((await pull(worker, { task_types: [type] })).tasks).toMatchObject([{ id }]);
    expect(await pull(worker, { task_types: [type], max_tasks: 2, wait_ms: 0 })).toEqual({ tasks: [], limited: null });
  });

  test("is at the posted price, else at the budget, if that is as much as was asked for", async () => {
    const [priced, picky, type] = [await market.register(), await market.register(), nextType()];
    await market.ok("POST", "/capabilities", { task_type: type, description: "d", price: 9 }, priced);
    const id = await post(type);
    expect((await pull(picky, { task_types: [type], min_price: 21, wait_ms: 100 })).tasks).toEqual([]);
    expect((await pull(priced, { task_types: [type] })).tasks).toMatchObject([{ id, awarded_price: 9 }]);
  });

  test("is at the price of when its body was there, however long after its head that came", async () => {
    const [worker, type] = [await market.register(), nextType()];
    const headers = { "Content-Type": "application/json", "X-API-Key": worker.key };
    const asking = request({ port: market.port, host: "127.0.0.1", path: "/api/v1/work/pull", method: "POST", headers });
    const answered = new Promise<unknown>((resolve, reject) => {
      asking.on("error", reject).on("response", (response) => json(response).then(resolve, reject));
    });
    // Its key is read now, and its account with it.
    asking.flushHeaders();
    await sleep(200);
    await market.ok("POST", "/capabilities", { task_type: type, description: "d", price: 9 }, worker);
    await sleep(2_000);
    asking.end(JSON.stringify({ task_types: [type], wait_ms: 20_000 }));
    const id = await post(type);
    expect(await answered).toMatchObject({ tasks: [{ id, awarded_price: 9 }] });
  });

  test("is at the price that was posted since the pull before, though the key of its worker is known", async () => {
    const [worker, type] = [await market.register(), nextType()];
    expect((await pull(worker, { task_types: [type], wait_ms: 0 })).tasks).toEqual([]);
    await market.ok("POST", "/capabilities", { task_type: type, description: "d", price: 8 }, worker);
    const id = await post(type);
    expect((await pull(worker, { task_types: [type] })).tasks).toMatchObject([{ id, awarded_price: 8 }]);
  });

  test("waits for all types if none is named, and gets one of any", async () => {
    const worker = await market.register();
    const waiting = pull(worker, { wait_ms: 20_000 });
    await isOnline("analysis");
    const id = await post("analysis");
    expect((await waiting).tasks).toMatchObject([{ id, task_type: "analysis" }]);
  });

  test("gets a task that another worker failed, and an item of a batch, and one from the pool", async () => {
    const [first, second, type] = [await market.register(), await market.register(), nextType()];
    const id = await post(type);
    await pull(first, { task_types: [type] });
    for (let tries = 0; tries < 3; tries += 1) await market.submit(id, first, BAD);
    expect((await pull(second, { task_types: [type] })).tasks).toMatchObject([{ id }]);
    const waiting = pull(second, { task_types: [type] });
    await isOnline(type);
    const { input_data: _, ...template } = { ...ORDER, task_type: type };
    await market.ok("POST", "/tasks/batch", { template, items: [{ input_data: ORDER.input_data }] }, requester);
    expect((await waiting).tasks).toHaveLength(1);
    const pooled = await post(type);
    await market.until(pooled, requester, "PENDING_POOL");
    expect((await pull(second, { task_types: [type] })).tasks).toMatchObject([{ id: pooled }]);
  });

  test("gets as many as it asks for and its worker may have, says why not more, and the rest when one is done", async () => {
    const [worker, type] = [await market.register(), nextType()];
    const ids = [];
    for (let n = 0; n < 5; n += 1) ids.push(await post(type));
    const { tasks, limited } = await pull(worker, { task_types: [type], max_tasks: 5 });
    expect(tasks.length).toBe(3);
    expect(limited).toMatchObject({ reason: "AWARDS_FULL" });
    const full = await pull(worker, { task_types: [type], wait_ms: 500 });
    expect(full).toMatchObject({ tasks: [], limited: { reason: "AWARDS_FULL" } });
    const waiting = pull(worker, { task_types: [type] });
    await market.submit(tasks[0]?.id ?? "", worker, GOOD);
    expect((await waiting).tasks).toHaveLength(1);
    for (const id of ids) await market.call("DELETE", `/tasks/${id}`, undefined, requester);
  });

  test("never shares a task with another one", async () => {
    const type = nextType();
    const workers = await Promise.all(Array.from({ length: 8 }, () => market.register()));
    const waiting = workers.map((worker) => pull(worker, { task_types: [type], max_tasks: 3, wait_ms: 3_000 }));
    await isOnline(type, 8);
    const ids = await Promise.all(Array.from({ length: 12 }, () => post(type)));
    const got = (await Promise.all(waiting)).flatMap(({ tasks }) => tasks.map(({ id }) => id));
    expect(new Set(got).size).toBe(got.length);
    expect(got.length).toBeGreaterThanOrEqual(8);
    for (const id of ids.filter((one) => !got.includes(one))) await market.call("DELETE", `/tasks/${id}`, undefined, requester);
  });
});

describe("an Idempotency-Key", () => {
  test("gives what the pull has won as long as it is AWARDED, then waits anew; for other terms it is refused", async () => {
    const [worker, type, idempotencyKey] = [await market.register(), nextType(), randomUUID()];
    const id = await post(type);
    const body = { task_types: [type], max_tasks: 2 };
    const first = await pull(worker, body, { idempotencyKey });
    expect(first.tasks).toMatchObject([{ id }]);
    // How long one waits is no part of what one asks for.
    expect(await pull(worker, { ...body, wait_ms: 100 }, { idempotencyKey })).toEqual(first);
    const other = await market.call("POST", "/work/pull", { ...body, max_tasks: 3 }, { ...worker, idempotencyKey });
    expect([other.status, other.body.code]).toEqual([422, "IDEMPOTENCY_MISMATCH"]);
    await market.submit(id, worker, GOOD);
    expect(await pull(worker, { ...body, wait_ms: 0 }, { idempotencyKey })).toEqual({ tasks: [], limited: null });
    const next = await post(type);
    expect((await pull(worker, body, { idempotencyKey })).tasks).toMatchObject([{ id: next }]);
  });
});

describe("what is refused", () => {
  const nobody = "ein Typ";
  test.each([
    [{ task_types: [nobody] }, "task_types"],
    [{ task_types: [] }, "task_types"],
    [{ max_tasks: 0 }, "max_tasks"],
    [{ max_tasks: 101 }, "max_tasks"],
    [{ wait_ms: 30_001 }, "wait_ms"],
    [{ wait_ms: -1 }, "wait_ms"],
    [{ min_price: 0 }, "min_price"],
    [{ waitMs: 5 }, "waitMs"],
  ])("%j", async (body, field) => {
    const worker = await market.register();
    const { status, body: problem } = await market.call("POST", "/work/pull", body, worker);
    expect([status, problem.errors[0].field]).toEqual([422, field]);
  });

  test("a type that is named twice is waited for once", async () => {
    const [worker, type] = [await market.register(), nextType()];
    const id = await post(type);
    expect((await pull(worker, { task_types: [type, type], max_tasks: 2 })).tasks.map((one) => one.id)).toEqual([id]);
  });
});

describe("a task that nobody takes", () => {
  test("says why in its history, to its requester; and validate says it beforehand", async () => {
    const [worker, type] = [await market.register(), nextType()];
    const id = await post(type, { budget: 10 });
    const reasonOf = () =>
      eventually(async () => {
        const { items } = await market.ok("GET", `/tasks/${id}/events`, undefined, requester);
        return items.findLast((one: { readonly event: string }) => one.event === "PoolExplained");
      }, "a reason");
    expect(await reasonOf()).toMatchObject({ by: "platform", data: { reason: "NOBODY_PRESENT", workers_online: 0 } });
    expect(await market.ok("POST", "/tasks/validate", { ...ORDER, task_type: type }, requester)).toMatchObject({
      valid: true,
      workers_online: 0,
      workers_eligible: 0,
      unmatched: { reason: "NOBODY_PRESENT" },
    });
    await market.ok("POST", "/capabilities", { task_type: type, description: "d", price: 11 }, worker);
    const waiting = pull(worker, { task_types: [type], wait_ms: 3_000 });
    await isOnline(type);
    const dry = await market.ok("POST", "/tasks/validate", { ...ORDER, budget: 10, task_type: type }, requester);
    expect(dry).toMatchObject({ workers_online: 1, workers_eligible: 0, unmatched: { reason: "ALL_TOO_DEAR" } });
    const fits = await market.ok("POST", "/tasks/validate", { ...ORDER, budget: 11, task_type: type }, requester);
    expect(fits).toMatchObject({ workers_eligible: 1, unmatched: null });
    await market.ok("POST", `/tasks/${id}/bid`, { bid_credits: 10 }, worker);
    await market.until(id, worker, "AWARDED");
    const { items } = await market.ok("GET", `/tasks/${id}/events`, undefined, worker);
    expect(items.map((one: { readonly event: string }) => one.event)).not.toContain("PoolExplained");
    expect((await waiting).tasks).toEqual([]);
  });
});

test("a client that has gone waits no longer, and its worker is offline", async () => {
  const [worker, type] = [await market.register(), nextType()];
  const gone = new AbortController();
  const left = fetch(`http://127.0.0.1:${market.port}/api/v1/work/pull`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-API-Key": worker.key },
    body: JSON.stringify({ task_types: [type], wait_ms: 20_000 }),
    signal: gone.signal,
  });
  await isOnline(type);
  gone.abort();
  await expect(left).rejects.toThrow();
  const id = await post(type);
  await market.until(id, requester, "PENDING_POOL");
  await cancel(id);
});
