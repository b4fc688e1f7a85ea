/**
 * Requests made from the OpenAPI document and bent in every way: none may end in a 5xx or a bug, none may show what is
 * somebody else's, and afterwards the books are clean.
 */
import { Agent } from "node:http";
import { connect, type Socket } from "node:net";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BOUNDS } from "../../machines/vocabulary.ts";
import { type BentRequest, bendRequest, bodyOf, type Heard, type Shape, send, shapesOf } from "../support/bent-request.ts";
import { Dice } from "../support/dice.mjs";
import { CLIENT_ID, CLIENT_SECRET, GitHubServer } from "../support/github.ts";
import { Market, ORDER } from "../support/market.ts";
import { SECRET_KEY, StripeServer, WEBHOOK_SECRET } from "../support/stripe.ts";

const REQUESTS = 30_000;
const AT_ONCE = 64;
/** Request n is made from SEED + n, so that one can be made alone. */
const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_124);
/** These end the key that asks, or never end. */
const LEFT_OUT = new Set(["rotateApiKey", "streamEvents"]);

let market: Market;
let stripe: StripeServer;
let github: GitHubServer;
let shapes: readonly Shape[];
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
  shapes = shapesOf((await market.client.call("GET", "//openapi.json")).body).filter(({ id }) => !LEFT_OUT.has(id));
});
afterAll(async () => {
  await market.stop();
  stripe.stop();
  github.stop();
});

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
  // For longer than this test takes: once the award has timed out, the attacker may bid on the task and see its text.
  const awarded = await market.awarded(ann, bob, { input_data: secretText, max_seconds: BOUNDS.executionSecondsMax });
  const open = await market.post(ann, { input_data: secretText, min_skill_rating: 5 });
  const { input_data: _text, ...template } = ORDER;
  const batch = await market.ok(
    "POST",
    "/tasks/batch",
    // Whoever pulls gets any open task that it may take, and then sees its text.
    { template: { ...template, min_skill_rating: 5 }, items: [{ input_data: secretText }], max_concurrent: 1 },
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

/** What is wrong with an answer, whatever was asked. */
function faults(asked: BentRequest, { status, text }: Heard, secrets: readonly string[]): readonly string[] {
  const what = `${asked.method} ${asked.path.slice(0, 120)} ${JSON.stringify(asked.headers).slice(0, 300)}: ${status}`;
  return [
    ...(status >= 500 ? [`${what} ${text.slice(-300)}`] : []),
    ...secrets.filter((secret) => text.includes(secret)).map((secret) => `${what} shows ${secret}`),
    ...(/node_modules|\bat .*\.(js|ts):\d/.test(text) && !asked.path.startsWith("/docs") ? [`${what} shows our insides`] : []),
  ];
}

/** Sends it, and what repeats it: who is answered with success is answered the same again. */
async function ask(agent: Agent, asked: BentRequest, secrets: readonly string[]): Promise<readonly [number, readonly string[]]> {
  const first = await send(market.port, agent, asked);
  const wrong = faults(asked, first, secrets);
  if (asked.again === undefined) return [first.status, wrong];
  const second = await send(market.port, agent, asked.again);
  const same = first.status === second.status && isDeepStrictEqual(bodyOf(first), bodyOf(second));
  const differs = first.status >= 200 && first.status < 300 && !same;
  const told = `${asked.method} ${asked.path.slice(0, 120)}: ${first.status} ${first.text.slice(-300)}, and again ${second.status} ${second.text.slice(-300)}`;
  return [first.status, [...wrong, ...faults(asked.again, second, secrets), ...(differs ? [told] : [])]];
}

test(`${REQUESTS} bent requests give no 5xx and show nothing of anybody else; every id of another account gives 404 or 403`, async () => {
  const { secrets, ids, closed } = await victim();
  const attacker = await market.register("attacker");
  await market.ok("POST", "/credits/topup", { amount_credits: 100_000 }, attacker);
  const own = await market.post(attacker);
  const all = [...ids, own, "00000000-0000-4000-8000-000000000000"];
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const wrong: string[] = [];
  const statuses = new Map<number, number>();
  let sent = 0;
  const lane = async () => {
    while (sent < REQUESTS) {
      const number = sent;
      sent += 1;
      const shape = shapes[number % shapes.length];
      if (shape === undefined) throw new Error("the document has operations");
      const asked = bendRequest(new Dice(SEED + number), shape, attacker.key, all, `twice${SEED}${number}`.padEnd(40, "0"));
      const [status, found] = await ask(agent, asked, secrets);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      wrong.push(...found.map((one) => `${number}: ${one}`));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  agent.destroy();
  console.log(
    `seed ${SEED}: ${[...statuses]
      .sort()
      .map(([status, times]) => `${status}: ${times}`)
      .join(", ")}`,
  );
  expect(wrong.slice(0, 20)).toEqual([]);
  expect(sent).toBe(REQUESTS);
  // What is not HTTP may be hung up on before its answer is read; nothing else is.
  expect(statuses.get(0) ?? 0).toBeLessThan(REQUESTS / 1_000);
  // Many were refused, and many were not: both ways were taken.
  expect(statuses.get(200)).toBeGreaterThan(REQUESTS / 50);
  // An account may have a bounded number of batches under way, so fewer are taken than are posted.
  expect(statuses.get(201)).toBeGreaterThan(REQUESTS / 300);
  expect(statuses.get(422)).toBeGreaterThan(REQUESTS / 20);

  for (const shape of shapes.filter(({ path }) => path.includes("{id}") && !path.includes("/admin/"))) {
    for (const id of closed) {
      const { status } = await market.client.call(shape.method, `/${shape.path.replace("{id}", id)}`, shape.example, attacker);
      // Whoever saw a task open and is a moment late with a bid, or passes on it, is told so; that is all.
      const allowed = ["placeBid", "passTask"].includes(shape.id) ? [409] : [403, 404];
      expect([shape.id, allowed.includes(status)], `${shape.method} ${shape.path}: ${status}`).toEqual([shape.id, true]);
    }
  }
  expect((await market.call("GET", "//health")).status).toBe(200);
  expect(market.alarms()).toEqual([]);
  for (const secret of secrets) expect(market.log()).not.toContain(secret);
  expect((await market.audit()).flatMap((finding) => finding.wrong)).toEqual([]);
}, 280_000);

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
  expect(market.alarms()).toEqual([]);
});
