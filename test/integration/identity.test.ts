/** Accounts of one identity: no bids on one's own tasks, counterparties counted once. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { normalAddress } from "../../gateway/routes/identity-match.ts";
import { eventually, GOOD, Market } from "../support/market.ts";

let market: Market;
beforeAll(async () => {
  market = await Market.start();
});
afterAll(() => market.stop());

describe("an address", () => {
  test.each([
    ["Ann@Example.com", "ann@example.com"],
    ["ann+shop@example.com", "ann@example.com"],
    ["a.n.n+x@gmail.com", "ann@gmail.com"],
    ["ann@googlemail.com", "ann@gmail.com"],
    ["a.nn@example.com", "a.nn@example.com"],
    ["+tag@example.com", "+tag@example.com"],
  ])("%s is %s", (address, normal) => {
    expect(normalAddress(address)).toBe(normal);
  });
});

test("an account with the same address cannot bid on one's task, and does not see it", async () => {
  const name = randomUUID();
  const [ann, twin, bob] = [await market.register(name), await market.register(`${name}+two`), await market.register()];
  const task = await market.post(ann);
  const refused = await market.call("POST", `/tasks/${task}/bid`, {}, twin);
  expect([refused.status, refused.body.code]).toEqual([403, "OWN_TASK"]);
  const seen = async (party: typeof ann) =>
    (await market.ok("GET", "/tasks/available", undefined, party)).map(({ id }: { id: string }) => id);
  expect(await seen(twin)).not.toContain(task);
  expect(await seen(bob)).toContain(task);
});

test("two accounts of one identity are one counterparty, on either side", async () => {
  const name = randomUUID();
  const [worker, ...requesters] = [await market.register(), await market.register(name), await market.register(`${name}+b`)];
  for (const requester of requesters) {
    const id = await market.awarded(requester, worker, {}, { bid_credits: 5 });
    await market.submit(id, worker, GOOD);
    await market.until(id, requester, "SETTLED");
  }
  const counted = await eventually(async () => {
    const { tasks_completed, counterparties } = await market.ok("GET", "/account/reputation", undefined, worker);
    return tasks_completed === 2 ? counterparties : undefined;
  }, "both to be paid");
  expect(counted).toBe(1);
});
