/** Accounts and their keys, over real HTTP on a real PostgreSQL. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Market } from "../support/market.ts";

let market: Market;

beforeAll(async () => {
  market = await Market.start();
});

afterAll(async () => {
  expect((await market.audit()).flatMap(({ wrong }) => wrong)).toEqual([]);
  await market.stop();
});

describe("an account", () => {
  test("is given an API key of 64 hex digits, a webhook secret and 50 NC", async () => {
    const { status, body } = await market.call("POST", "/auth/register", { email: "carol@test.example", source: "github" });
    expect(status).toBe(201);
    expect(body.api_key).toMatch(/^[0-9a-f]{64}$/);
    expect(body.webhook_secret).toMatch(/^whsec_/);
    const balance = await market.ok("GET", "/credits/balance", undefined, { key: body.api_key });
    expect(balance).toEqual({
      credits_balance: 50,
      credits_frozen: 0,
      purchasing_power: 50,
      debt: 0,
      credit_line: 0,
      credit_line_limit: null,
    });
  });

  test("is the only one of its address, however that is written", async () => {
    await market.register("ann");
    const again = await market.call("POST", "/auth/register", { email: "Ann@Test.example" });
    expect([again.status, again.body.code]).toEqual([409, "ACCOUNT_EXISTS"]);
  });

  test("twenty registrations of one address at once make one account", async () => {
    const all = await Promise.all(
      Array.from({ length: 20 }, () => market.call("POST", "/auth/register", { email: "race@test.example" })),
    );
    expect(all.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(409)]);
  });

  test("a registration whose answer was lost is repeated with its Idempotency-Key, until the key is rotated", async () => {
    const idempotencyKey = randomUUID();
    const once = await market.call("POST", "/auth/register", { email: "dave@test.example" }, { idempotencyKey });
    const again = await market.call("POST", "/auth/register", { email: "dave@test.example" }, { idempotencyKey });
    expect(again.body).toEqual(once.body);
    const other = await market.call("POST", "/auth/register", { email: "dave@test.example" }, { idempotencyKey: randomUUID() });
    expect(other.status).toBe(409);
    const guess = await market.call("POST", "/auth/register", { email: "dave@test.example" }, { idempotencyKey: "1" });
    expect(guess.status).toBe(422);
    await market.ok("POST", "/auth/rotate-key", undefined, { key: once.body.api_key });
    const late = await market.call("POST", "/auth/register", { email: "dave@test.example" }, { idempotencyKey });
    expect(late.status).toBe(409);
  });

  test("an old key is dead at once after a rotation, for requests that raced with it too", async () => {
    const party = await market.register();
    for (let round = 0, key = party.key; round < 5; round += 1) {
      const reading = Array.from({ length: 10 }, () => market.call("GET", "/credits/balance", undefined, { key }));
      const { api_key: next } = await market.ok("POST", "/auth/rotate-key", undefined, { key });
      await Promise.all(reading);
      const old = await Promise.all(Array.from({ length: 5 }, () => market.call("GET", "/credits/balance", undefined, { key })));
      expect(old.map(({ status, body }) => [status, body.code])).toEqual(Array(5).fill([401, "API_KEY_INVALID"]));
      expect((await market.call("GET", "/credits/balance", undefined, { key: next })).status).toBe(200);
      key = next;
    }
  });

  test("of two rotations at once with one key, one wins", async () => {
    const party = await market.register();
    const both = await Promise.all([1, 2].map(() => market.call("POST", "/auth/rotate-key", undefined, party)));
    expect(both.map(({ status }) => status).sort()).toEqual([200, 401]);
  });

  test("every operation wants a key, but those for who has none and for who looks after the process", async () => {
    const document = (await market.call("GET", "//openapi.json")).body;
    const auth = ["register", "recover", "verify-recover"].map((name) => `/api/v1/auth/${name}`);
    const free = [
      ...auth,
      "/api/v1/credits/stripe/webhook",
      "/api/v1/oauth/github/callback",
      "/api/v1/heartbeat",
      "/health",
      "/health/live",
      "/health/ready",
    ];
    for (const [path, methods] of Object.entries<Record<string, unknown>>(document.paths)) {
      if (free.includes(path) || path.startsWith("/api/v1/admin/")) continue;
      for (const method of Object.keys(methods)) {
        const at = `/${path.replace("{id}", randomUUID())}`;
        const none = await market.call(method.toUpperCase(), at);
        expect([path, none.status, none.body.code]).toEqual([path, 401, "API_KEY_MISSING"]);
        const wrong = await market.call(method.toUpperCase(), at, undefined, { key: "f".repeat(64) });
        expect([path, wrong.status, wrong.body.code]).toEqual([path, 401, "API_KEY_INVALID"]);
      }
    }
  });
});
