/** Tasks whose answers are known: posted like any other, counted for Gold. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, Market, ORDER, type Party } from "../support/market.ts";

const headers = { "X-Admin-Token": "operators-secret-of-this-test" };
const HONEYPOT = {
  ...ORDER,
  input_data: "Initech reported revenue of $5 million.",
  expected: { company: "Initech", revenue: "$5  Million" },
};

let market: Market;
let ann: Party;
beforeAll(async () => {
  market = await Market.start({ ADMIN_TOKEN: headers["X-Admin-Token"], HONEYPOT_RATE: "1" });
  ann = await market.register();
  await market.ok("POST", "/credits/topup", { amount_credits: 1_000 }, ann);
});
afterAll(async () => {
  const wrong = (await market.audit()).flatMap((finding) => finding.wrong);
  await market.stop();
  expect(wrong).toEqual([]);
});

const admin = (method: string, path: string, body?: unknown) => market.call(method, `/admin/honeypots${path}`, body, { headers });
const available = (worker: Party): Promise<Record<string, unknown>[]> => market.ok("GET", "/tasks/available", undefined, worker);

/** Posts a task, and gives the honeypot that follows it, as a worker sees it. */
async function followed(worker: Party): Promise<Record<string, unknown>> {
  const before = new Set((await available(worker)).map(({ id }) => id));
  const mine = await market.post(ann);
  return eventually(
    async () => (await available(worker)).find(({ id }) => id !== mine && !before.has(id)),
    "a honeypot to be posted",
  );
}

async function work(worker: Party, task: string, result: unknown): Promise<void> {
  await market.ok("POST", `/tasks/${task}/bid`, { bid_credits: 5 }, worker);
  await market.until(task, worker, "AWARDED");
  await market.submit(task, worker, result);
  await market.until(task, worker, "SETTLED");
}

const passed = async (worker: Party) => {
  const { next } = await market.ok("GET", "/credits/credit-info", undefined, worker);
  return next;
};

test("is stored only if its answer passes its own schema, and its example does not give the answer away", async () => {
  expect((await admin("POST", "", { ...HONEYPOT, expected: { company: 7 } })).body.errors[0].field).toBe("expected");
  expect((await admin("POST", "", { ...HONEYPOT, example_output: HONEYPOT.expected })).body.errors[0].field).toBe(
    "example_output",
  );
  expect((await admin("POST", "", { ...HONEYPOT, budget: 1 })).body.errors[0].field).toBe("budget");
  const made = await admin("POST", "", HONEYPOT);
  expect([made.status, made.body.expected]).toEqual([201, HONEYPOT.expected]);
  expect((await admin("GET", "")).body.items).toEqual([made.body]);
});

test("is stored once under an Idempotency-Key, which is refused for another one", async () => {
  const keyed = { headers: { ...headers, "Idempotency-Key": "honeypot-1" } };
  const store = (body: object) => market.call("POST", "/admin/honeypots", body, keyed);
  const body = { ...HONEYPOT, input_data: "Initech reported revenue of $6 million." };
  const made = await store(body);
  expect((await store(body)).body).toEqual(made.body);
  const other = await store({ ...body, budget: 30 });
  expect([other.status, other.body.code]).toEqual([422, "IDEMPOTENCY_MISMATCH"]);
  const items: { readonly input_data: string }[] = (await admin("GET", "")).body.items;
  expect(items.filter(({ input_data }) => input_data === body.input_data)).toEqual([made.body]);
  await admin("DELETE", `/${made.body.id}`);
});

test("looks like any other task, is paid like any other, and counts whether the answer is the known one", async () => {
  const [good, bad] = [await market.register(), await market.register()];
  const ordinary = (await available(good))[0] ?? {};
  const task = await followed(good);
  expect(Object.keys(task)).toEqual(Object.keys(ordinary.id === undefined ? task : ordinary));
  expect(JSON.stringify(task)).not.toMatch(/known|expected|honeypot/i);
  await work(good, String(task["id"]), { company: " initech", revenue: "$5 million" });
  const seen = await market.task(String(task["id"]), good);
  expect(JSON.stringify(seen)).not.toMatch(/known|expected|honeypot/i);
  expect((await market.balance(good)).credits_balance).toBe(55);
  const other = await followed(bad);
  await work(bad, String(other["id"]), { company: "Apple" });
  const tallies = await eventually(async () => {
    const rows = await market.database<{ id: string; tally: Record<string, number> }[]>`
      select id, tally from accounts where id in ${market.database([good.id, bad.id])}`;
    const of = (party: Party) => rows.find(({ id }) => id === party.id)?.tally ?? {};
    return (of(good)["honeypotsPassed"] ?? 0) + (of(bad)["honeypotsFailed"] ?? 0) === 2 ? [of(good), of(bad)] : undefined;
  }, "both to be counted");
  expect(tallies).toMatchObject([
    { honeypotsPassed: 1, honeypotsFailed: 0 },
    { honeypotsPassed: 0, honeypotsFailed: 1 },
  ]);
  expect(await passed(good)).toMatchObject({ rating: "Bronze" });
});

test("is posted no more once it is removed", async () => {
  const { items } = (await admin("GET", "")).body;
  for (const { id } of items) expect((await admin("DELETE", `/${id}`)).status).toBe(200);
  expect((await admin("DELETE", `/${items[0].id}`)).status).toBe(404);
  expect((await admin("GET", "")).body.items).toEqual([]);
  const log = await market.call("GET", "/admin/log?limit=2", undefined, { headers });
  const done = log.body.items.map(({ action, target, outcome }: Record<string, string>) => [action, target, outcome]);
  expect(new Set(done)).toEqual(
    new Set([
      ["honeypot.remove", items[0].id, "HONEYPOT_UNKNOWN"],
      ["honeypot.remove", items[0].id, "done"],
    ]),
  );
});
