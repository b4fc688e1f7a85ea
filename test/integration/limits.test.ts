/** Rate limits over HTTP (guide: Rate Limits). */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Reply } from "../support/client.mjs";
import { Market, ORDER } from "../support/market.ts";

let market: Market;
beforeAll(async () => {
  market = await Market.start({
    RATE_LIMIT_PER_SECOND: "10",
    RATE_LIMIT_TASKS_PER_MINUTE: "3",
    RATE_LIMIT_AUTH_FAILURES_PER_MINUTE: "5",
    TRUST_PROXY: "1",
    SIGNUP_GRANT: "1000",
  });
});
afterAll(() => market.stop());

const wrongKey = () => randomBytes(32).toString("hex");

test("the eleventh request in a second gets 429 with Retry-After, and after that time all is well", async () => {
  const party = await market.register();
  const replies = await Promise.all(
    Array.from({ length: 15 }, () => market.call("GET", "/credits/balance", undefined, { key: party.key })),
  );
  const passed = replies.filter(({ status }) => status === 200);
  const refused = replies.filter(({ status }) => status === 429);
  // All of them fall into one second, or, if it turns in between, into two.
  expect(passed.length).toBeGreaterThanOrEqual(10);
  expect(passed.length + refused.length).toBe(15);
  expect(refused.length).toBeGreaterThan(0);
  for (const { body, headers } of refused) {
    expect(body).toMatchObject({
      code: "RATE_LIMITED",
      detail: expect.stringMatching(/More than 10 requests .* try again in 1 s/),
    });
    expect(headers["retry-after"]).toBe("1");
    expect(headers["ratelimit"]).toMatch(/^"requests";r=0;t=1$/);
  }
  expect(passed[0]?.headers["ratelimit-policy"]).toBe('"requests";q=10;w=1');
  expect(passed[0]?.headers["ratelimit"]).toMatch(/^"requests";r=\d;t=1$/);
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  expect((await market.call("GET", "/credits/balance", undefined, { key: party.key })).status).toBe(200);
});

test("the fourth task in a minute gets 429, other requests go on, and another account is not concerned", async () => {
  const [busy, other] = [await market.register(), await market.register()];
  const replies: Reply[] = [];
  for (let n = 0; n < 4; n += 1) replies.push(await market.call("POST", "/tasks", ORDER, { key: busy.key }));
  expect(replies.map(({ status }) => status)).toEqual([201, 201, 201, 429]);
  expect(replies[0]?.headers["ratelimit"]).toMatch(/^"requests";r=\d;t=1, "tasks";r=2;t=60$/);
  expect(Number(replies[3]?.headers["retry-after"])).toBeGreaterThan(50);
  expect(replies[3]?.body.detail).toMatch(/More than 3 tasks/);
  expect((await market.call("GET", "/credits/balance", undefined, { key: busy.key })).body).toMatchObject({
    credits_frozen: 60,
  });
  expect((await market.call("POST", "/tasks", ORDER, { key: other.key })).status).toBe(201);
});

test("the sixth wrong key from an address in a minute gets 429; other addresses and right keys do not", async () => {
  const party = await market.register();
  const from = (address: string) => ({ key: wrongKey(), headers: { "X-Forwarded-For": `203.0.113.77, ${address}` } });
  const statuses: number[] = [];
  for (let n = 0; n < 7; n += 1)
    statuses.push((await market.call("GET", "/credits/balance", undefined, from("198.51.100.7"))).status);
  expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
  const refused = await market.call("GET", "/credits/balance", undefined, from("198.51.100.7"));
  expect(Number(refused.headers["retry-after"])).toBeGreaterThan(50);
  expect((await market.call("GET", "/credits/balance", undefined, from("198.51.100.8"))).status).toBe(401);
  // What the client itself put in front of the proxy's word is not believed.
  expect((await market.call("GET", "/credits/balance", undefined, from("203.0.113.77"))).status).toBe(401);
  const right = { ...from("198.51.100.7"), key: party.key };
  expect((await market.call("GET", "/credits/balance", undefined, right)).status).toBe(200);
});

test("addresses of one IPv6 network count as one", async () => {
  const from = (address: string) => ({ key: wrongKey(), headers: { "X-Forwarded-For": address } });
  const statuses: number[] = [];
  for (let n = 1; n < 8; n += 1) {
    statuses.push((await market.call("GET", "/credits/balance", undefined, from(`2001:db8:1:2::${n}`))).status);
  }
  expect(statuses.filter((status) => status === 429)).toHaveLength(2);
  expect((await market.call("GET", "/credits/balance", undefined, from("2001:db8:1:3::1"))).status).toBe(401);
});
