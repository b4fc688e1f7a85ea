/** A refused bid keeps its code and status, and its sentence tells the reason and what to do, across processes too. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Market, type Party } from "../support/market.ts";

const TOKEN = "operators-secret-of-this-test";

let market: Market;
beforeAll(async () => {
  market = await Market.start({ ROUTING_WINDOW_MS: "60000", ADMIN_TOKEN: TOKEN }, "cluster");
});
afterAll(() => market.stop());

test("of a worker who may not take the task", async () => {
  const name = randomUUID();
  const ann = await market.register(name);
  const [twin, bob, cyd] = [await market.register(`${name}+twin`), await market.register(), await market.register()];
  const task = await market.post(ann, { min_skill_rating: 1 });
  const able = await market.post(ann, { min_skill_rating: 3 });
  const gone = await market.post(bob);
  await market.ok("DELETE", `/tasks/${gone}`, undefined, bob);
  const frozen = await market.register();
  const headers = { "X-Admin-Token": TOKEN };
  await market.ok("POST", `/admin/accounts/${frozen.id}/freeze`, { reason: "test" }, { headers });
  // While somebody else is online, the bids of the task are collected.
  await market.ok("GET", "/tasks/available", undefined, bob);
  // A tier of exactly the one that is wanted and a price of exactly the budget will do.
  await market.ok("POST", `/tasks/${task}/bid`, { bid_credits: 20 }, cyd);
  const wrong: [Party, string, object, number, string, RegExp][] = [
    [ann, task, {}, 403, "OWN_TASK", /^This is your own task; another account must do it\.$/],
    [twin, task, {}, 403, "OWN_TASK", /posted by another account of yours; somebody else must do it/],
    [bob, task, { bid_credits: 21 }, 422, "BID_OVER_BUDGET", /at most the budget, 20 NC; you bid 21 NC/],
    [bob, able, {}, 403, "SKILL_TOO_LOW", /wants skill tier 3 \(Silver\) and yours is 1 \(Unrated\)/],
    [cyd, task, {}, 409, "ALREADY_BID", /wait for the award/],
    [cyd, gone, {}, 409, "TASK_NOT_OPEN", /is CANCELLED and takes no bids/],
    [frozen, task, {}, 403, "ACCOUNT_FROZEN", /ask the operator to release it/],
  ];
  for (const [party, id, bid, status, code, detail] of wrong) {
    const { status: got, body } = await market.call("POST", `/tasks/${id}/bid`, bid, party);
    expect([got, body.code, body.detail]).toEqual([status, code, expect.stringMatching(detail)]);
  }
});
