/** Capabilities, prices that stand, skill and ratings over HTTP. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, GOOD, Market, type Party } from "../support/market.ts";

let market: Market;
beforeAll(async () => {
  market = await Market.start({ ROUTING_WINDOW_MS: "1000" });
});
afterAll(() => market.stop());

const offer = (party: Party, changes: object = {}) =>
  market.ok("POST", "/capabilities", { task_type: "analysis", price: 8, max_concurrent: 1, ...changes }, party);
/** Polls, so that the worker is online for the type. */
const online = (party: Party, type = "analysis") => market.ok("GET", `/tasks/available?task_type=${type}`, undefined, party);

async function requester(): Promise<Party> {
  const party = await market.register();
  await market.ok("POST", "/credits/topup", { amount_credits: 1_000 }, party);
  return party;
}

test("a capability is registered, listed, changed, browsed, and switched off and on", async () => {
  const [worker, other] = [await market.register(), await market.register()];
  const tag = `t${randomUUID()}`;
  const made = await offer(worker, {
    task_type: "translation",
    description: "German to English",
    tags: [tag, "legal"],
    price: 12,
  });
  expect(made).toMatchObject({ worker_id: worker.id, price: 12, available: true, tier: 1, tier_name: "Unrated", tasks: 0 });
  const changed = await offer(worker, { task_type: "translation", tags: [tag], price: null });
  expect(changed).toMatchObject({ id: made.id, description: "", price: null });
  await offer(other, { task_type: "translation", tags: [tag], price: 5 });
  expect((await market.ok("GET", "/capabilities", undefined, worker)).items).toEqual([changed]);

  const browse = async (query: string) =>
    (await market.ok("GET", `/capabilities/browse?tag=${tag}${query}`, undefined, worker)).items;
  const owners = async (query: string) => (await browse(query)).map(({ worker_id }: { worker_id: string }) => worker_id);
  expect(await owners("&sort=price")).toEqual([other.id, worker.id]);
  expect(await owners("&max_price=5")).toEqual([other.id]);
  expect(await owners("&min_tier=2")).toEqual([]);
  expect(await owners("&task_type=analysis")).toEqual([]);
  const path = `/capabilities/${made.id}/availability`;
  expect(await market.ok("PATCH", path, { available: false }, worker)).toMatchObject({ available: false });
  expect(await owners("&available=true")).toEqual([other.id]);
  expect(await market.ok("PATCH", path, { available: true }, worker)).toMatchObject({ available: true });
  const stranger = await market.call("PATCH", path, { available: false }, other);
  expect([stranger.status, stranger.body.code]).toEqual([404, "CAPABILITY_UNKNOWN"]);

  const first = await market.ok("GET", `/capabilities/browse?tag=${tag}&sort=price&limit=1`, undefined, worker);
  const second = await market.ok(
    "GET",
    `/capabilities/browse?tag=${tag}&sort=price&limit=1&cursor=${first.next_cursor}`,
    undefined,
    worker,
  );
  expect([first.items[0].worker_id, second.items[0].worker_id, second.next_cursor]).toEqual([other.id, worker.id, null]);
  expect((await market.call("GET", "/capabilities/browse?cursor=rubbish", undefined, worker)).status).toBe(422);
  expect((await market.call("POST", "/capabilities", { task_type: "nothing" }, worker)).body.errors[0].field).toBe("task_type");
});

test("a worker that is online gets a task at its standing price without a bid, as many as it takes at once", async () => {
  const [ann, worker] = [await requester(), await market.register()];
  await offer(worker);
  await online(worker);
  const tasks = [await market.post(ann, { task_type: "analysis" }), await market.post(ann, { task_type: "analysis" })];
  const [won = "", waits = ""] = tasks;
  expect(await market.until(won, ann, "AWARDED")).toMatchObject({ awarded_to: worker.id, awarded_price: 8 });
  expect((await market.task(waits, ann)).status).not.toBe("AWARDED");
  await market.submit(won, worker, GOOD);
  await market.until(won, ann, "SETTLED");
  expect(await market.until(waits, ann, "AWARDED")).toMatchObject({ awarded_to: worker.id });
  const { items } = await market.ok("GET", `/tasks/${won}/events`, undefined, ann);
  const { data } = items.find(({ event }: { event: string }) => event === "Awarded");
  expect(data).toMatchObject({ awarded_price: 8, bids: [{ worker: worker.id, bid_credits: 8, standing_price: true }] });
  expect(data.why).toBe("The only one there was.");
  expect((await market.audit()).flatMap(({ wrong }) => wrong)).toEqual([]);
});

test("cheapest waits for its window and compares standing prices and bids; who loses is free for the next task", async () => {
  const [ann, dear, cheap] = [await requester(), await market.register(), await market.register()];
  const type = { task_type: "text_generation" };
  await offer(dear, { ...type, price: 9 });
  await offer(cheap, { ...type, price: 7 });
  await online(dear, "text_generation");
  await online(cheap, "text_generation");
  const order = { ...type, quality_preference: "cheapest" };
  const task = await market.post(ann, order);
  expect(await market.until(task, ann, "AWARDED")).toMatchObject({ awarded_to: cheap.id, awarded_price: 7 });
  const next = await market.post(ann, order);
  expect(await market.until(next, ann, "AWARDED")).toMatchObject({ awarded_to: dear.id, awarded_price: 9 });
});

test("who is not online, asks too much, has switched off, is of the same identity or has failed it is not given it", async () => {
  const name = randomUUID();
  const ann = await market.register(name);
  await market.ok("POST", "/credits/topup", { amount_credits: 1_000 }, ann);
  const type = { task_type: "data_transformation" };
  const [away, dear, off, twin] = [
    await market.register(),
    await market.register(),
    await market.register(),
    await market.register(`${name}+twin`),
  ];
  await offer(away, type);
  await offer(dear, { ...type, price: 21 });
  await offer(off, { ...type, available: false });
  await offer(twin, type);
  for (const party of [dear, off, twin]) await online(party, type.task_type);
  const task = await market.post(ann, type);
  expect((await market.until(task, ann, "PENDING_POOL")).awarded_to).toBeNull();
  await market.ok("DELETE", `/tasks/${task}`, undefined, ann);
  const worker = await market.register();
  await offer(worker, type);
  await online(worker, type.task_type);
  const failing = await market.post(ann, { ...type, auto_retry: 1 });
  await market.until(failing, ann, "AWARDED");
  for (let n = 0; n < 3; n += 1) await market.submit(failing, worker, { company: 7 });
  expect((await market.until(failing, ann, "PENDING_POOL")).awarded_to).toBeNull();
});

test("a settled task can be rated once, by its requester; the rating is a part of the skill", async () => {
  const [ann, worker] = [await requester(), await market.register()];
  const capability = await offer(worker, { task_type: "text_classification", price: null });
  const stats = () => market.ok("GET", `/capabilities/${capability.id}/stats`, undefined, ann);
  expect(await stats()).toMatchObject({ score: 0, tier: 1, parts: { rating: 0.5, volume: 0 }, mean_rating: null });
  const id = await market.post(ann, { task_type: "text_classification" });
  await market.ok("POST", `/tasks/${id}/bid`, { bid_credits: 10 }, worker);
  const rate = (party: Party, rating: unknown) => market.call("POST", `/tasks/${id}/rating`, { rating }, party);
  await market.until(id, ann, "AWARDED");
  expect((await rate(ann, 5)).body.code).toBe("NOT_ENDED");
  await market.submit(id, worker, GOOD);
  await market.until(id, ann, "SETTLED");
  expect((await rate(worker, 5)).body.code).toBe("NOT_YOUR_TASK");
  for (const wrong of [0, 6, 4.5, "5", null]) expect((await rate(ann, wrong)).status).toBe(422);
  expect((await rate(ann, 4)).body).toEqual({ id, rating: 4 });
  expect((await rate(ann, 5)).body.code).toBe("ALREADY_RATED");
  const seen = await eventually(async () => {
    const body = await stats();
    return body.ratings === 1 ? body : undefined;
  }, "the rating to arrive");
  expect(seen).toMatchObject({ mean_rating: 4, tasks_settled: 1, tasks_failed: 0, first_try: 1 });
  expect(seen.parts).toMatchObject({ success_rate: 0.1, first_try_rate: 0.1, volume: 0.01, rating: 0.75 });
  // One task proves little, however well it was done.
  expect([seen.score, seen.proven_tasks, seen.tier, seen.tier_name]).toEqual([10, 1, 1, "Unrated"]);
  expect(seen.last_30_days).toMatchObject({ tasks_settled: 1, tasks_failed: 0, earned_credits: 10 });
  expect(seen.last_30_days.p95_duration_ms).toBe(seen.last_30_days.median_duration_ms);
});

test("results that are the example again are counted, for all to see", async () => {
  const [ann, worker] = [await requester(), await market.register()];
  const capability = await offer(worker, { task_type: "analysis", price: null });
  const echoes = async () => (await market.ok("GET", `/capabilities/${capability.id}/stats`, undefined, ann)).echoes;
  const deliver = async (result: object) => {
    const order = { task_type: "analysis", input_data: "Initech earned $3 million.", example_output: { company: "Apple Inc" } };
    const id = await market.awarded(ann, worker, order);
    await market.submit(id, worker, result);
    await market.until(id, ann, "SETTLED");
  };
  expect(await echoes()).toBe(0);
  await deliver({ company: "Apple Inc" });
  await eventually(async () => ((await echoes()) === 1 ? true : undefined), "the echo to be counted");
  await deliver({ company: "Initech" });
  expect(await echoes()).toBe(1);
});
