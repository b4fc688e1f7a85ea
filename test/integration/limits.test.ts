/** Rate limits over HTTP (guide: Rate Limits). */
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Reply } from "../support/client.mjs";
import { eventually, Market, ORDER } from "../support/market.ts";

let market: Market;
beforeAll(async () => {
  market = await Market.start({
    RATE_LIMIT_PER_SECOND: "10",
    RATE_LIMIT_TASKS_PER_MINUTE: "3",
    RATE_LIMIT_AUTH_FAILURES_PER_MINUTE: "5",
    RATE_LIMIT_VISITS_PER_SECOND: "8",
    RATE_LIMIT_REGISTRATIONS_PER_HOUR: "3",
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
  const right = (address: string) => market.call("GET", "/credits/balance", undefined, { ...from(address), key: party.key });
  // A right key waits too where it was never seen before, as nobody has looked whether it is right.
  expect((await right("198.51.100.7")).status).toBe(429);
  expect((await right("198.51.100.9")).status).toBe(200);
  for (let n = 0; n < 7; n += 1) await market.call("GET", "/credits/balance", undefined, from("198.51.100.9"));
  expect((await market.call("GET", "/credits/balance", undefined, from("198.51.100.9"))).status).toBe(429);
  expect((await right("198.51.100.9")).status).toBe(200);
});

test("the fourth registration from an address in an hour gets 429; other addresses and this machine do not", async () => {
  const from = (address: string) =>
    market.call(
      "POST",
      "/auth/register",
      { email: `${randomBytes(8).toString("hex")}@test.example` },
      { headers: { "X-Forwarded-For": address } },
    );
  const replies: Reply[] = [];
  for (let n = 0; n < 4; n += 1) replies.push(await from("198.51.100.20"));
  expect(replies.map(({ status }) => status)).toEqual([201, 201, 201, 429]);
  expect(replies[3]?.body).toMatchObject({ code: "RATE_LIMITED", detail: expect.stringMatching(/More than 3 registrations/) });
  expect(Number(replies[3]?.headers["retry-after"])).toBeGreaterThan(3_500);
  expect(replies[0]?.headers["ratelimit-policy"]).toBe('"visits";q=8;w=1, "registrations";q=3;w=3600');
  expect((await from("198.51.100.21")).status).toBe(201);
  for (let n = 0; n < 4; n += 1) await market.register();
});

test("a registration that is refused counts too, and one that is one too many is refused before its body has come", async () => {
  const address = "198.51.100.30";
  const headers = { "X-Forwarded-For": address };
  for (let n = 0; n < 3; n += 1) {
    expect((await market.call("POST", "/auth/register", { email: "no address" }, { headers })).status).toBe(422);
  }
  const head = [
    "POST /api/v1/auth/register HTTP/1.1",
    "Host: test",
    `X-Forwarded-For: ${address}`,
    "Content-Type: application/json",
  ];
  expect(await answerWithoutBody([...head, "Content-Length: 100"])).toMatch(/^HTTP\/1.1 429 /);
});

test("a key's limit is counted before the body, too", async () => {
  const party = await market.register();
  const head = ["POST /api/v1/tasks HTTP/1.1", "Host: test", `X-API-Key: ${party.key}`, "Content-Type: application/json"];
  for (let n = 0; n < 3; n += 1) await market.call("POST", "/tasks", {}, { key: party.key });
  expect(await answerWithoutBody([...head, "Content-Length: 100000"])).toMatch(/^HTTP\/1.1 429 /);
});

/** Sends a request's head and never its body; gives what is answered. */
function answerWithoutBody(head: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(market.port, "127.0.0.1", () => socket.write(`${head.join("\r\n")}\r\n\r\n`));
    socket.once("data", (data) => {
      socket.destroy();
      resolve(data.toString());
    });
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("closed without an answer")));
  });
}

test.each([
  ["an open operation", "GET", "/heartbeat", 200],
  ["the documents", "GET", "//openapi.json", 200],
  ["the page", "GET", "//docs", 200],
  ["what is not there", "GET", "/nothing", 404],
  ["a method that is not taken", "POST", "//docs", 405],
  ["a missing key", "GET", "/credits/balance", 401],
  ["a missing token of operators", "GET", "/admin/log", 404],
])("%s counts as a visit of its address, of which the ninth in a second gets 429", async (about, method, path, status) => {
  const address = `2001:db8:${about.length}:${status}::1`;
  const visits = () =>
    Promise.all(
      Array.from({ length: 18 }, () =>
        market.client.call(method, path, undefined, { headers: { "X-Forwarded-For": address } }).then((reply) => reply.status),
      ),
    );
  const statuses = await visits();
  const passed = statuses.filter((one) => one === status).length;
  // All of them fall into one second, or, if it turns in between, into two.
  expect([8, 16]).toContain(passed);
  expect(statuses.filter((one) => one === 429)).toHaveLength(18 - passed);
});

test("checks of health are answered however many come", async () => {
  const replies = Array.from({ length: 40 }, () =>
    market.client.call("GET", "//health", undefined, { headers: { "X-Forwarded-For": "198.51.100.40" } }),
  );
  expect(new Set((await Promise.all(replies)).map(({ status }) => status))).toEqual(new Set([200]));
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

test("a batch is taken whole, and its items open at the pace of the task limit, over all batches of an account", async () => {
  const party = { key: (await market.register()).key };
  const { input_data: _text, ...template } = ORDER;
  const items = Array.from({ length: 5 }, (_, n) => ({ input_data: `${n}` }));
  const post = () => market.ok("POST", "/tasks/batch", { template, items, max_concurrent: 5 }, party);
  const [{ batch_id: first }, { batch_id: second }] = [await post(), await post()];
  const both = () => Promise.all([first, second].map((id: string) => market.ok("GET", `/batches/${id}`, undefined, party)));
  const seen = await eventually(async () => {
    // Two requests each time, of the ten in a second.
    await new Promise((resolve) => setTimeout(resolve, 250));
    const shown = await both();
    const [opened, kinds] = [shown[0].open + shown[1].open, shown.map(({ waiting_for }) => waiting_for)];
    return opened === 3 && kinds.every((kind) => kind !== null) ? shown : undefined;
  }, "both to wait");
  expect(seen[0].open + seen[1].open).toBe(3);
  expect([seen[0].refused, seen[1].refused]).toEqual([0, 0]);
  // Whoever took the last of the minute knows until when; the other waits for the same, or for its turn behind it.
  expect(seen.map(({ waiting_for }) => waiting_for).filter((kind) => kind !== "turn")).toContain("pace");
  for (const { next_at } of seen.filter(({ waiting_for }) => waiting_for === "pace")) {
    expect(Date.parse(next_at)).toBeGreaterThan(Date.now());
    expect(Date.parse(next_at)).toBeLessThanOrEqual(Date.now() + 60_000);
  }
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const later = await both();
  expect(later[0].open + later[1].open).toBe(3);
  expect((await market.ok("GET", "/credits/balance", undefined, party)).credits_frozen).toBe(60);
});
