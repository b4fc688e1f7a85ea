/**
 * Requests made from the OpenAPI document and bent in every way: none may end in a 5xx or a bug, none may show what is
 * somebody else's, and afterwards the books are clean.
 */
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Random } from "../simulation/random.ts";
import type { Reply } from "../support/client.mjs";
import { CLIENT_ID, CLIENT_SECRET, GitHubServer } from "../support/github.ts";
import { Market, ORDER, type Party } from "../support/market.ts";
import { SECRET_KEY, StripeServer, WEBHOOK_SECRET } from "../support/stripe.ts";

const REQUESTS = 20_000;
const AT_ONCE = 64;
const SEED = 20_261_124;
/** These end the key that asks, or never end. */
const LEFT_OUT = new Set(["rotateKey", "eventStream"]);

const HOSTILE: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1,
  1.5,
  1e308,
  -1e308,
  2 ** 53,
  "",
  " ",
  "a",
  "0",
  "-1",
  "NaN",
  "null",
  "' or 1=1 --",
  '"; drop table accounts; --',
  "#{7*7}{{7*7}}",
  "<script>alert(1)</script>",
  "../../../etc/passwd",
  "%00%0a%0d",
  "\u202e\ufeff\u0000",
  "\ud800",
  "💥".repeat(200),
  "x".repeat(5_000),
  [],
  [null],
  [[[[[[[[[[]]]]]]]]]],
  {},
  { constructor: { prototype: {} } },
  { $ref: "#" },
  { toString: 1 },
  { length: 1e9 },
];

interface Shape {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly operation: Reply["body"];
}

let market: Market;
let stripe: StripeServer;
let github: GitHubServer;
let shapes: readonly Shape[];
const random = new Random(SEED);

beforeAll(async () => {
  [stripe, github] = [new StripeServer(), new GitHubServer()];
  const githubUrl = await github.start();
  market = await Market.start({
    STRIPE_API_BASE: await stripe.start(),
    STRIPE_SECRET_KEY: SECRET_KEY,
    STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRET,
    GITHUB_BASE_URL: githubUrl,
    GITHUB_API_URL: githubUrl,
    GITHUB_CLIENT_ID: CLIENT_ID,
    GITHUB_CLIENT_SECRET: CLIENT_SECRET,
    ADMIN_TOKEN: "operators-secret-of-this-test",
  });
  const document = (await market.client.call("GET", "//openapi.json")).body;
  shapes = Object.entries<Record<string, Reply["body"]>>(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .map(([method, operation]) => ({ id: operation.operationId, method: method.toUpperCase(), path, operation }))
      .filter(({ id }) => !LEFT_OUT.has(id)),
  );
});
afterAll(async () => {
  await market.stop();
  stripe.stop();
  github.stop();
});

/** A value with some of it made hostile. */
function bent(value: unknown): unknown {
  if (random.chance(0.15)) return random.pick(HOSTILE);
  if (Array.isArray(value)) return random.chance(0.2) ? Array(random.int(0, 60)).fill(value[0] ?? 1) : value.map(bent);
  if (typeof value !== "object" || value === null) return random.chance(0.2) ? random.pick(HOSTILE) : value;
  const entries = Object.entries(value)
    .filter(() => !random.chance(0.1))
    .map(([name, one]) => [name, bent(one)]);
  if (random.chance(0.1))
    entries.push([random.pick(["__proto__", "constructor", "id", "$schema", "x".repeat(300)]), random.pick(HOSTILE)]);
  return Object.fromEntries(entries);
}

function text(body: unknown): string {
  const json = JSON.stringify(body) ?? "";
  const way = random.int(0, 60);
  if (way === 0) return json.slice(0, random.int(0, json.length));
  if (way === 1) return `${json}}`;
  if (way === 2) return "[".repeat(random.int(1, 5_000));
  return json;
}

function pathOf({ path, operation }: Shape, ids: readonly string[]): string {
  const filled =
    path.replace("{id}", () => (random.chance(0.7) ? random.pick(ids) : encodeURIComponent(wellFormed(random.pick(HOSTILE))))) ||
    "/";
  const names: string[] = (operation.parameters ?? [])
    .filter((one: { in: string }) => one.in === "query")
    .map((one: { name: string }) => one.name);
  const query = names
    .filter(() => random.chance(0.5))
    .map((name) => `${name}=${encodeURIComponent(wellFormed(random.pick([...HOSTILE, ...ids])))}`);
  return `/${filled}${query.length === 0 ? "" : `?${query.join("&")}`}`;
}

/** Half of a surrogate pair is no part of a URL. */
function wellFormed(value: unknown): string {
  return String(typeof value === "object" ? JSON.stringify(value) : value).toWellFormed();
}

async function ask(shape: Shape, attacker: Party, ids: readonly string[]): Promise<Reply> {
  const example = shape.operation.requestBody?.content["application/json"].example;
  const body = example === undefined ? undefined : text(bent(example));
  const headers: Record<string, string> = {};
  if (random.chance(0.05))
    headers["Content-Type"] = random.pick(["text/plain", "application/xml", "application/json; charset=utf-16"]);
  if (random.chance(0.1)) headers["X-Admin-Token"] = random.pick(["", "x", "operators-secret-of-this-tesu"]);
  const idempotencyKey = random.chance(0.1) ? random.pick(["k", "y".repeat(200), "z".repeat(201)]) : undefined;
  const key = random.chance(0.9) ? attacker.key : random.pick(["", "f".repeat(64), "x"]);
  const options = { headers, key, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) };
  return market.client.call(shape.method, pathOf(shape, ids), body, options);
}

/** Somebody who has much that is nobody else's business. */
async function victim(): Promise<{ secrets: readonly string[]; ids: readonly string[]; closed: readonly string[] }> {
  const [ann, bob] = [await market.register("victim"), await market.register()];
  await market.ok("POST", "/credits/topup", { amount_credits: 1_000 }, ann);
  const secretText = `${"p".repeat(250)} the-secret-text`;
  const done = await market.awarded(
    ann,
    bob,
    { input_data: secretText, callback_url: "https://hook.example.com/secret-hook" },
    { bid_credits: 7 },
  );
  await market.submit(done, bob, { company: "the-secret-result" });
  await market.until(done, ann, "SETTLED");
  const awarded = await market.awarded(ann, bob, { input_data: secretText });
  const open = await market.post(ann, { input_data: secretText, min_skill_rating: 5 });
  const { input_data: _text, ...template } = ORDER;
  const batch = await market.ok(
    "POST",
    "/tasks/batch",
    { template, items: [{ input_data: secretText }], max_concurrent: 1 },
    ann,
  );
  const capability = await market.ok("POST", "/capabilities", { task_type: "translation" }, bob);
  return {
    secrets: [
      "the-secret-text",
      "the-secret-result",
      "secret-hook",
      ann.email,
      ann.key,
      ann.webhookSecret,
      bob.key,
      bob.webhookSecret,
    ],
    ids: [done, awarded, open, batch.batch_id, capability.id, ann.id, bob.id],
    closed: [done, awarded],
  };
}

test(`${REQUESTS} bent requests give no 5xx and show nothing of anybody else; every id of another account gives 404 or 403`, async () => {
  const { secrets, ids, closed } = await victim();
  const attacker = await market.register("attacker");
  await market.ok("POST", "/credits/topup", { amount_credits: 100_000 }, attacker);
  const own = await market.post(attacker);
  const all = [...ids, own, "00000000-0000-4000-8000-000000000000"];
  const wrong: string[] = [];
  const statuses = new Map<number, number>();
  let sent = 0;
  const look = (shape: Shape, { status, body }: Reply, path: string) => {
    const shown = JSON.stringify(body) ?? "";
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    if (status >= 500) wrong.push(`${shape.method} ${path}: ${status} ${shown.slice(0, 200)}`);
    for (const secret of secrets) if (shown.includes(secret)) wrong.push(`${shape.method} ${path} shows ${secret}`);
  };
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (sent < REQUESTS) {
        const shape = shapes[sent % shapes.length];
        sent += 1;
        if (shape !== undefined) look(shape, await ask(shape, attacker, all), shape.path);
      }
    }),
  );
  expect(wrong.slice(0, 20)).toEqual([]);
  expect(sent).toBeGreaterThanOrEqual(REQUESTS);
  // Many were refused, and many were not: both ways were taken.
  expect(statuses.get(200)).toBeGreaterThan(REQUESTS / 50);
  expect(statuses.get(422)).toBeGreaterThan(REQUESTS / 20);

  for (const shape of shapes.filter(({ path }) => path.includes("{id}") && !path.includes("/admin/"))) {
    const body = shape.operation.requestBody?.content["application/json"].example;
    for (const id of closed) {
      const { status } = await market.client.call(shape.method, `/${shape.path.replace("{id}", id)}`, body, attacker);
      // Whoever saw a task open and is a moment late with a bid is told so; that is all.
      const allowed = shape.id === "bid" ? [409] : [403, 404];
      expect([shape.id, allowed.includes(status)], `${shape.method} ${shape.path}: ${status}`).toEqual([shape.id, true]);
    }
  }
  expect((await market.call("GET", "//health")).status).toBe(200);
  expect(market.log()).not.toMatch(/a bug|"level":60/);
  expect((await market.audit()).flatMap((finding) => finding.wrong)).toEqual([]);
}, 180_000);

test("a hundred bodies that never end hold nobody up, and end with their connections", async () => {
  const party = await market.register();
  const head = `POST /api/v1/auth/register HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`;
  const sockets = Array.from({ length: 100 }, () =>
    connect(market.port, "127.0.0.1", function (this: Socket) {
      this.write(head);
    }).on("error", () => {}),
  );
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once("connect", resolve))));
  const replies = await Promise.all(Array.from({ length: 100 }, () => market.call("GET", "/credits/balance", undefined, party)));
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
  for (const socket of sockets) socket.destroy();
  expect((await market.balance(party)).credits_balance).toBe(50);
  expect(market.log()).not.toMatch(/a bug|"level":60/);
});
