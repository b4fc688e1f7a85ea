/** Credit lines, debt and suspension over HTTP (guide: Credit Rating System). */
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, GOOD, Market, ORDER, type Party } from "../support/market.ts";

const DAY_MS = 24 * 3_600_000;

let market: Market;
beforeAll(async () => {
  market = await Market.start();
});
afterAll(() => market.stop());

const info = (party: Party) => market.ok("GET", "/credits/credit-info", undefined, party);

/** A worker of Silver: 10 tasks, 3 counterparties. */
async function silver(): Promise<Party> {
  const worker = await market.register();
  const requesters = await Promise.all([1, 2, 3].map(() => market.register()));
  for (const requester of requesters) await market.ok("POST", "/credits/topup", { amount_credits: 100 }, requester);
  const work = async (requester: Party) => {
    const id = await market.awarded(requester, worker, { budget: 10 }, { bid_credits: 5 });
    await market.submit(id, worker, GOOD);
    await market.until(id, requester, "SETTLED");
  };
  for (let n = 0; n < 9; n += 1) await work(requesters[n % 3] as Party);
  // A worker's account counts a task a moment after it is SETTLED: the two may be on different nodes.
  const isCounted = async () => (await info(worker)).next.requires.some(({ have }: { have: number }) => have === 9);
  await eventually(async () => ((await isCounted()) ? true : undefined), "the ninth task to be counted");
  expect(await info(worker)).toMatchObject({
    rating: "Newcomer",
    credit_line: 0,
    next: { rating: "Bronze", requires: [{ what: "tasks", have: 9, need: 10 }] },
  });
  await work(requesters[0] as Party);
  return worker;
}

test("ten tasks for three others give Silver: a credit line that buys, debt that is paid back, suspension after 7 days", async () => {
  const party = await silver();
  await eventually(async () => ((await info(party)).rating === "Silver" ? true : undefined), "the rating");
  expect(await info(party)).toMatchObject({
    stars: 2,
    credit_line: 5_000,
    debt: 0,
    debt_since: null,
    suspension_at: null,
    is_suspended: false,
    success_percent: 100,
    next: {
      rating: "Gold",
      credit_line: 20_000,
      requires: [
        { what: "tasks", have: 10, need: 30 },
        { what: "counterparties", have: 3, need: 5 },
        { what: "honeypots", have: 0, need: 1 },
      ],
    },
  });
  expect(await market.balance(party)).toMatchObject({
    credits_balance: 100,
    purchasing_power: 5_100,
    debt: 0,
    credit_line: 5_000,
  });

  await market.post(party, { budget: 500 });
  expect(await market.balance(party)).toEqual({
    credits_balance: -400,
    credits_frozen: 500,
    purchasing_power: 4_600,
    debt: 400,
    credit_line: 5_000,
    credit_line_limit: null,
  });
  const tooMuch = await market.call("POST", "/credits/repay", { amount_credits: 401 }, party);
  expect([tooMuch.status, tooMuch.body.code]).toEqual([422, "REPAYMENT_TOO_LARGE"]);
  const options = { ...party, idempotencyKey: "repay-1" };
  for (let n = 0; n < 2; n += 1) {
    expect(await market.ok("POST", "/credits/repay", { amount_credits: 100 }, options)).toEqual({
      credits_balance: -300,
      debt: 300,
    });
  }
  const { items } = await market.ok("GET", "/credits/transactions?limit=1", undefined, party);
  expect(items[0]).toMatchObject({ reason: "REPAY", available: 100, held: 0 });

  await ageDebt(party, 7 * DAY_MS + 1_000);
  await eventually(async () => ((await info(party)).is_suspended ? true : undefined), "the suspension");
  const { debt_since, suspension_at } = await info(party);
  expect(Date.parse(suspension_at) - Date.parse(debt_since)).toBe(7 * DAY_MS);
  const other = await market.register();
  const open = await market.post(other);
  for (const [method, path, body] of [
    ["POST", "/tasks", ORDER],
    ["POST", `/tasks/${open}/bid`, {}],
    ["POST", "/tasks/batch", { template: ORDER, items: [{ input_data: "x" }] }],
    ["POST", "/capabilities", { task_type: "analysis" }],
    ["POST", "/oauth/github/refresh", undefined],
    ["POST", `/tasks/${open}/rating`, { rating: 5 }],
  ] as const) {
    const { status, body: problem } = await market.call(method, path, body, party);
    expect([status, problem.code]).toEqual([403, "ACCOUNT_SUSPENDED"]);
  }
  expect(await market.ok("GET", "/tasks/available", undefined, party)).toEqual([]);
  expect((await market.ok("POST", "/tasks/validate", ORDER, party)).errors).toContainEqual(
    expect.objectContaining({ code: "ACCOUNT_SUSPENDED" }),
  );
  expect(await market.ok("POST", "/credits/repay", { amount_credits: 300 }, party)).toEqual({ credits_balance: 0, debt: 0 });
  expect(await info(party)).toMatchObject({ is_suspended: false, debt: 0, debt_since: null });
  const nothing = await market.call("POST", "/credits/repay", { amount_credits: 1 }, party);
  expect([nothing.status, nothing.body.code]).toEqual([409, "NO_DEBT"]);
  await market.ok("POST", "/tasks", ORDER, party);
  expect((await market.audit()).flatMap(({ wrong }) => wrong)).toEqual([]);
}, 60_000);

/** Lets the debt of an account have begun earlier, in the journal of a platform that is stopped meanwhile. */
async function ageDebt({ id }: Party, ms: number): Promise<void> {
  await market.halt("SIGTERM");
  await market.database`delete from snapshots where entity = ${id}`;
  await market.database`
    update journal set at = at - ${ms}, body = jsonb_set(body::jsonb, '{at}', to_jsonb((body->>'at')::bigint - ${ms}::bigint))::json
    where entity = ${id}`;
  await market.database`update timers set at = at - ${ms} where entity = ${id} and name = 'debt'`;
  await market.restart();
}
