/** What operators do by hand. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Market, ORDER, type Party } from "../support/market.ts";

const TOKEN = "operators-secret-of-this-test";

let market: Market;
let ann: Party;
beforeAll(async () => {
  market = await Market.start({ ADMIN_TOKEN: TOKEN });
  ann = await market.register();
});
afterAll(async () => {
  const wrong = (await market.audit()).flatMap((finding) => finding.wrong);
  await market.stop();
  expect(wrong).toEqual([]);
});

const headers = { "X-Admin-Token": TOKEN };
const admin = (method: string, path: string, body?: unknown, more: object = {}) =>
  market.call(method, `/admin${path}`, body, { headers, ...more });

test("who has no token, or a wrong one, or no operator's API at all, gets nowhere", async () => {
  for (const wrong of [{}, { "X-Admin-Token": "wrong" }, { "X-Admin-Token": `${TOKEN}x` }]) {
    const reply = await market.call("GET", `/admin/accounts?id=${ann.id}`, undefined, { ...ann, headers: wrong });
    expect([reply.status, reply.body.code]).toEqual([401, "ADMIN_TOKEN_INVALID"]);
  }
  const bare = await Market.start();
  expect((await bare.call("GET", `/admin/log`, undefined, { headers })).status).toBe(404);
  await bare.stop();
});

test("an account is found, frozen and released; each action is logged with its reason and its outcome", async () => {
  const party = await market.register();
  expect((await admin("GET", `/accounts?email=${party.email}`)).body).toMatchObject({ id: party.id, status: "ACTIVE" });
  expect((await admin("GET", "/accounts?email=nobody@test.example")).status).toBe(404);
  expect((await admin("GET", "/accounts")).status).toBe(422);
  const path = `/accounts/${party.id}`;
  expect((await admin("POST", `${path}/freeze`, { reason: "abuse" })).body).toMatchObject({ status: "FROZEN" });
  expect((await market.call("POST", "/tasks", ORDER, party)).body.code).toBe("ACCOUNT_FROZEN");
  expect((await admin("POST", `${path}/freeze`, { reason: "again" })).body.code).toBe("NOTHING_TO_DO");
  expect((await admin("POST", `${path}/release`, { reason: "sorry" })).body).toMatchObject({ status: "ACTIVE" });
  await market.post(party);
  const { items } = (await admin("GET", "/log?limit=3")).body;
  expect(
    items.map(({ action, outcome, detail }: { action: string; outcome: string; detail: object }) => [action, outcome, detail]),
  ).toEqual([
    ["account.unfreeze", "done", { reason: "sorry" }],
    ["account.freeze", "NOTHING_TO_DO", { reason: "again" }],
    ["account.freeze", "done", { reason: "abuse" }],
  ]);
  const first = (await admin("GET", "/log?limit=1")).body;
  expect((await admin("GET", `/log?limit=1&cursor=${first.next_cursor}`)).body.items[0].id).toBe(items[1].id);
});

test("credits are given and taken as transfers with a reason, once for each Idempotency-Key", async () => {
  const party = await market.register();
  const path = `/accounts/${party.id}/adjust`;
  const options = { idempotencyKey: randomUUID() };
  for (let n = 0; n < 2; n += 1) {
    const { body } = await admin("POST", path, { amount_credits: 25, reason: "goodwill" }, options);
    expect(body.credits_balance).toBe(75);
  }
  const other = await admin("POST", path, { amount_credits: 26, reason: "goodwill" }, options);
  expect([other.status, other.body.code]).toEqual([422, "IDEMPOTENCY_MISMATCH"]);
  expect((await admin("POST", path, { amount_credits: -100, reason: "fraud" })).body.credits_balance).toBe(-25);
  expect(await market.balance(party)).toMatchObject({ credits_balance: -25, debt: 25 });
  const { items } = await market.ok("GET", "/credits/transactions?limit=2", undefined, party);
  expect(items.map(({ reason, available }: { reason: string; available: number }) => [reason, available])).toEqual([
    ["ADJUSTMENT", -100],
    ["ADJUSTMENT", 25],
  ]);
  for (const wrong of [{ amount_credits: 0, reason: "x" }, { amount_credits: 1.5, reason: "x" }, { amount_credits: 5 }]) {
    expect((await admin("POST", path, wrong)).status).toBe(422);
  }
});

test("a task is inspected whole, and ended with all of its budget given back, whoever works on it", async () => {
  const [requester, worker] = [await market.register(), await market.register()];
  const open = await market.post(requester);
  const awarded = await market.awarded(requester, worker);
  const seen = (await admin("GET", `/tasks/${awarded}`)).body;
  expect(seen).toMatchObject({ task: { id: awarded, status: "AWARDED", input_data: ORDER.input_data } });
  expect(seen.events.map(({ event }: { event: string }) => event)).toContain("BidPlaced");
  expect(seen.ledger.reduce((sum: number, { amount }: { amount: number }) => sum + amount, 0)).toBe(0);
  for (const task of [open, awarded]) {
    expect((await admin("POST", `/tasks/${task}/expire`, { reason: "by request" })).status).toBe(200);
    await market.until(task, requester, "EXPIRED");
    expect((await admin("POST", `/tasks/${task}/expire`, { reason: "again" })).body.code).toBe("TASK_ENDED");
  }
  const late = await market.call("POST", `/tasks/${awarded}/submit`, { result_data: {} }, worker);
  expect(late.status).toBe(409);
  expect(await market.holds(requester, 0)).toMatchObject({ credits_balance: 50 });
  expect((await admin("POST", `/tasks/${open}/resend`, { reason: "lost" })).body.code).toBe("NO_CALLBACK");
  expect((await admin("GET", `/tasks/${randomUUID()}`)).status).toBe(404);
});
