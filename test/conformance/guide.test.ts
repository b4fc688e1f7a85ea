/** The guide as its readers follow it: its clients' calls, its fields and defaults, its numbers. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
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

async function rich(): Promise<Party> {
  const party = await market.register();
  await market.ok("POST", "/credits/topup", { amount_credits: 1_000 }, party);
  return party;
}

const TEXT = "Apple Inc reported Q3 revenue of $81.8 billion, up 5% year over year.";
const SCHEMA = {
  type: "object",
  properties: {
    company: { type: "string", description: "Full legal company name" },
    revenue: { type: "string", description: "Keep currency symbol and unit, e.g. '$81.8 billion'" },
    growth: { type: "string", description: "Percentage with % sign, e.g. '5%'" },
  },
  required: ["company", "revenue"],
};
const EXAMPLE = { company: "Apple Inc", revenue: "$81.8 billion", growth: "5%" };

test("a client of the guide posts a task and polls until its result is there; a node of the guide takes the task", async () => {
  const [client, node] = [await market.register(), await market.register()];
  expect(await market.ok("POST", "/credits/topup", { amount_credits: 1_000 }, client)).toEqual({ credits_balance: 1_050 });
  const order = { input_data: TEXT, schema: SCHEMA, example_output: EXAMPLE, budget: 20, max_seconds: 120 };
  const { id } = await market.ok("POST", "/tasks", order, client);
  const offered = (await market.ok("GET", "/tasks/available", undefined, node)).find((task: { id: string }) => task.id === id);
  expect(offered).toMatchObject({
    input_data_preview: TEXT,
    validation_schema: SCHEMA,
    example_output: EXAMPLE,
    max_budget_credits: 20,
  });
  // max_bid_ratio=0.8
  expect(await market.ok("POST", `/tasks/${id}/bid`, { bid_credits: Math.floor(20 * 0.8) }, node)).toMatchObject({
    bid_id: expect.any(String),
  });
  expect((await market.until(id, node, "AWARDED")).input_data_preview).toBe(TEXT);
  const verdict = await market.submit(id, node, EXAMPLE);
  expect(verdict).toMatchObject({ submission_id: expect.any(String), status: "COMPLETED", error_code: null });
  expect(await market.until(id, client, "SETTLED")).toMatchObject({ result_data: EXAMPLE, awarded_price: 16 });
});

test("a task shows the states of the lifecycle to who polls it", async () => {
  const [client, node] = [await rich(), await market.register()];
  const id = await market.post(client);
  expect(["CREATED", "ROUTING"]).toContain((await market.task(id, client)).status);
  await market.ok("POST", `/tasks/${id}/bid`, {}, node);
  await market.until(id, client, "AWARDED");
  await market.ok("POST", `/tasks/${id}/start`, undefined, node);
  expect((await market.task(id, client)).status).toBe("EXECUTING");
  await market.submit(id, node, GOOD);
  await market.until(id, client, "SETTLED");
  const { items } = await market.ok("GET", `/tasks/${id}/events`, undefined, client);
  const order = ["Opened", "RoutingStarted", "BidPlaced", "Awarded", "ExecutionStarted", "ResultAccepted", "Settled"];
  const events: string[] = items.map(({ event }: { event: string }) => event);
  // Where the bid comes after the window, the task has been in the pool meanwhile.
  expect(events.filter((event) => event !== "PoolEntered")).toEqual(order);
});

const ENDPOINTS = `POST /auth/register No
POST /auth/rotate-key Yes
POST /auth/recover No
POST /auth/verify-recover No
POST /tasks Yes
GET /tasks/available Yes
GET /tasks/{id} Yes
DELETE /tasks/{id} Yes
POST /tasks/{id}/bid Yes
POST /tasks/{id}/submit Yes
GET /credits/balance Yes
POST /credits/topup Yes
POST /credits/stripe/create-session Yes
GET /credits/credit-info Yes
POST /credits/repay Yes
POST /capabilities Yes
GET /capabilities Yes
GET /capabilities/browse Yes
GET /capabilities/{id}/stats Yes
PATCH /capabilities/{id}/availability Yes
GET /account/reputation Yes
GET /oauth/github/authorize Yes
GET /oauth/github/callback No
POST /oauth/github/link Yes
POST /oauth/github/refresh Yes
GET /heartbeat No`;

test("every endpoint of the reference is there, with or without a key as it says", async () => {
  const { paths } = (await market.client.call("GET", "//openapi.json")).body;
  for (const line of ENDPOINTS.split("\n")) {
    const [method = "", path = "", auth] = line.split(" ");
    const operation = paths[`/api/v1${path}`]?.[method.toLowerCase()];
    expect([line, operation?.security]).toEqual([line, auth === "Yes" ? [{ apiKey: [] }] : []]);
  }
  expect(paths["/health"].get.security).toEqual([]);
});

test("the defaults of a task are the guide's", async () => {
  const { input_data, schema, example_output } = ORDER;
  const task = await market.ok("POST", "/tasks", { input_data, schema, example_output, budget: 5 }, await rich());
  expect(task).toMatchObject({
    max_execution_seconds: 120,
    quality_preference: "balanced",
    min_skill_rating: 0,
    auto_retries_left: 3,
    task_type: "json_extraction",
    validation_rules: [],
    callback_url: null,
  });
});

test.each([
  [{ budget: 4 }, "budget"],
  [{ budget: 1_001 }, "budget"],
  [{ pending_pool_hours: 73 }, "pending_pool_hours"],
  [{ pending_pool_hours: 0 }, "pending_pool_hours"],
  [{ min_skill_rating: 6 }, "min_skill_rating"],
  [{ min_skill_rating: -1 }, "min_skill_rating"],
  [{ max_seconds: 301 }, "max_seconds"],
  [{ auto_retry: 11 }, "auto_retry"],
  [{ quality_preference: "fastest" }, "quality_preference"],
  [{ task_type: "cooking" }, "task_type"],
  [{ input_data: "x".repeat(10_001) }, "input_data"],
])("the bounds of a task: %j is refused for its %s", async (changes, field) => {
  const { status, body } = await market.call("POST", "/tasks", { ...ORDER, ...changes }, await rich());
  expect([status, body.errors[0].field]).toEqual([422, field]);
});

test("a tier that is asked for keeps others out", async () => {
  const [client, node] = [await rich(), await market.register()];
  const id = await market.post(client, { min_skill_rating: 2 });
  const { status, body } = await market.call("POST", `/tasks/${id}/bid`, {}, node);
  expect([status, body.code]).toEqual([403, "SKILL_TOO_LOW"]);
  const offered = await market.ok("GET", "/tasks/available", undefined, node);
  expect(offered.some((task: { id: string }) => task.id === id)).toBe(false);
});

test("a result is held against schema and rules, and told which it breaks", async () => {
  const [client, node] = [await rich(), await market.register()];
  const rules = [{ type: "enum", field: "company", values: ["Apple Inc", "Initech"] }];
  const id = await market.awarded(client, node, { rules });
  const extra = await market.submit(id, node, { ...GOOD, surprise: 1 });
  expect(extra).toMatchObject({ status: "REJECTED", error_code: "SCHEMA_MISMATCH", retries_left: 2 });
  const ruled = await market.submit(id, node, { company: "Banana Inc" });
  expect(ruled).toMatchObject({ status: "REJECTED", error_code: "RULE_VIOLATION", retries_left: 1 });
  expect(await market.submit(id, node, GOOD)).toMatchObject({ status: "COMPLETED", error_code: null });
});

test.each([
  [20, 1, 1, 1],
  [50, 19, 1, 19],
  [50, 20, 1, 20],
  [50, 39, 1, 39],
  [50, 40, 2, 40],
  [20, 20, 1, 19],
])("the fee is 5%% of the winning bid, at least 1 NC: budget %i, bid %i, fee %i, payout %i", async (budget, bid, fee, payout) => {
  const [client, node] = [await rich(), await market.register()];
  const id = await market.awarded(client, node, { budget }, { bid_credits: bid });
  await market.submit(id, node, GOOD);
  await market.until(id, client, "SETTLED");
  expect((await market.balance(client)).credits_balance).toBe(1_050 - payout - fee);
  const paid = await eventually(async () => {
    const { credits_balance } = await market.balance(node);
    return credits_balance > 50 ? credits_balance : undefined;
  }, "the payout");
  expect(paid).toBe(50 + payout);
});

describe("reputation", () => {
  const reputation = (party: Party) => market.ok("GET", "/account/reputation", undefined, party);

  const fail = (client: Party, node: Party, count: number) =>
    Promise.all(Array.from({ length: count }, () => market.awarded(client, node, { auto_retry: 0, max_seconds: 1 })));

  test("reputation goes up by 1 for a delivery, down by 2 for a task failed and by 3 for one that timed out", async () => {
    const [client, node] = [await rich(), await market.register()];
    const good = await market.awarded(client, node);
    await market.submit(good, node, GOOD);
    await eventually(async () => ((await reputation(node)).reputation === 1 ? true : undefined), "+1");
    const bad = await market.awarded(client, node, { auto_retry: 0 });
    for (let n = 0; n < 3; n += 1) await market.submit(bad, node, { company: 7 });
    await eventually(async () => ((await reputation(node)).reputation === -1 ? true : undefined), "-2");
    await market.awarded(client, node, { auto_retry: 0, max_seconds: 1 });
    await eventually(async () => ((await reputation(node)).reputation === -4 ? true : undefined), "-3");
  });

  test("three failures in a row cool down for an hour, and below -10 an account is frozen", async () => {
    const [client, node] = [await rich(), await market.register()];
    await fail(client, node, 3);
    const cool = await eventually(async () => {
      const seen = await reputation(node);
      return seen.cooldown_until === null ? undefined : seen;
    }, "the cooldown");
    expect(cool.reputation).toBe(-9);
    const left = Date.parse(cool.cooldown_until) - Date.now();
    expect(left).toBeGreaterThan(3_590_000);
    expect(left).toBeLessThanOrEqual(3_600_000);
    const id = await market.post(client);
    expect((await market.call("POST", `/tasks/${id}/bid`, {}, node)).body.code).toBe("ACCOUNT_COOLING_DOWN");
    const other = await market.register();
    // Four, of which three at once, as many as a new worker may have: before the third can cool down.
    await fail(client, other, 1);
    await eventually(async () => ((await reputation(other)).reputation === -3 ? true : undefined), "the first");
    await fail(client, other, 3);
    await eventually(async () => ((await reputation(other)).is_frozen ? true : undefined), "the freeze");
    expect((await market.call("POST", "/tasks", ORDER, other)).body.code).toBe("ACCOUNT_FROZEN");
  });
});

test("every test that the table names is there", () => {
  const rows = readFileSync(new URL("README.md", import.meta.url), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .slice(1);
  expect(rows.length).toBeGreaterThan(50);
  for (const row of rows) {
    const [, promise = "", shown = ""] = row.split("|").map((cell) => cell.trim());
    const [suite = "", ...title] = shown.split(": ");
    const file = suite === "guide" ? "guide.test.ts" : `../integration/${suite}.test.ts`;
    const text = readFileSync(new URL(file, import.meta.url), "utf8");
    expect(promise.length, row).toBeGreaterThan(3);
    expect(title.join(": ").length, row).toBeGreaterThan(8);
    expect(text.includes(title.join(": ")), row).toBe(true);
  }
});
