/** Credits for money, against a server that speaks Stripe's API, with real signatures. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { eventually, Market, ORDER, type Party } from "../support/market.ts";
import { type FakeSession, SECRET_KEY, StripeServer, WEBHOOK_SECRET } from "../support/stripe.ts";

let stripe: StripeServer;
let market: Market;
let ann: Party;
beforeAll(async () => {
  stripe = new StripeServer();
  market = await Market.start({
    STRIPE_API_BASE: await stripe.start(),
    STRIPE_SECRET_KEY: SECRET_KEY,
    STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRET,
    PUBLIC_URL: "https://nexus.test.example/",
    NODE_ENV: "production",
  });
});
afterAll(async () => {
  const wrong = (await market.audit()).flatMap((finding) => finding.wrong);
  await market.stop();
  stripe.stop();
  expect(wrong).toEqual([]);
});
beforeEach(async () => {
  ann = await market.register();
});

const balance = async () => (await market.balance(ann)).credits_balance;

async function session(body: object = { amount_credits: 1_000 }): Promise<FakeSession> {
  const { session_id } = await market.ok("POST", "/credits/stripe/create-session", body, ann);
  const found = stripe.sessions.find(({ id }) => id === session_id);
  if (found === undefined) throw new Error("the session must be there");
  return found;
}

test("a session asks Stripe for the amount in cents, for this account, and is the same for the same Idempotency-Key", async () => {
  const reply = await market.ok(
    "POST",
    "/credits/stripe/create-session",
    { pack: "medium" },
    { ...ann, idempotencyKey: "buy-1" },
  );
  expect(reply).toMatchObject({ amount_credits: 2_000, url: `https://checkout.stripe.test/${reply.session_id}` });
  const again = await market.ok(
    "POST",
    "/credits/stripe/create-session",
    { pack: "medium" },
    { ...ann, idempotencyKey: "buy-1" },
  );
  expect(again).toEqual(reply);
  const other = await market.call(
    "POST",
    "/credits/stripe/create-session",
    { pack: "small" },
    { ...ann, idempotencyKey: "buy-1" },
  );
  expect([other.status, other.body.code]).toEqual([422, "IDEMPOTENCY_MISMATCH"]);
  const { form, account, amount } = stripe.sessions.find(({ id }) => id === reply.session_id) ?? (await session());
  expect([account, amount]).toEqual([ann.id, 2_000]);
  expect(Object.fromEntries(form)).toMatchObject({
    mode: "payment",
    "line_items[0][price_data][currency]": "usd",
    "payment_intent_data[metadata][nexus_account]": ann.id,
    customer_email: ann.email,
    success_url: "https://nexus.test.example/docs",
  });
  expect(stripe.requests.at(-1)?.authorization).toBe(`Bearer ${SECRET_KEY}`);
  expect(await balance()).toBe(50);
  for (const wrong of [
    {},
    { amount_credits: 49 },
    { amount_credits: 60.5 },
    { pack: "huge" },
    { pack: "small", amount_credits: 60 },
  ]) {
    expect((await market.call("POST", "/credits/stripe/create-session", wrong, ann)).status).toBe(422);
  }
});

test("a payment is credited once, however often and through whichever event it is told; an unpaid one is not", async () => {
  const bought = await session();
  expect(await stripe.send(market, "checkout.session.completed", stripe.paid(bought, { payment_status: "unpaid" }))).toBe(200);
  expect(await balance()).toBe(50);
  const events = ["checkout.session.completed", "checkout.session.async_payment_succeeded", "checkout.session.completed"];
  const statuses = await Promise.all(events.map((type) => stripe.send(market, type, stripe.paid(bought))));
  expect(statuses).toEqual([200, 200, 200]);
  expect(await balance()).toBe(1_050);
  const { items } = await market.ok("GET", "/credits/transactions?limit=1", undefined, ann);
  expect(items[0]).toMatchObject({ reason: "PURCHASE", available: 1_000 });
  const { form } = await session();
  expect([form.get("customer"), form.get("customer_email")]).toEqual([`cus_${bought.id}`, null]);
});

test("refunds and disputes take credits back, also those that are spent; what is won comes back", async () => {
  const bought = await session({ amount_credits: 500 });
  await stripe.send(market, "checkout.session.completed", stripe.paid(bought));
  await market.post(ann, { budget: 400 });
  expect(await balance()).toBe(150);
  await stripe.send(market, "charge.refunded", stripe.refunded(bought, 100));
  await stripe.send(market, "charge.refunded", stripe.refunded(bought, 100));
  expect(await balance()).toBe(50);
  await stripe.send(market, "charge.dispute.created", stripe.disputed(bought, 400, "needs_response"));
  expect(await market.balance(ann)).toMatchObject({ credits_balance: -350, debt: 350 });
  expect((await market.call("POST", "/tasks", { ...ORDER, budget: 5 }, ann)).status).toBe(402);
  await stripe.send(market, "charge.dispute.closed", stripe.disputed(bought, 400, "won"));
  await stripe.send(market, "charge.dispute.created", stripe.disputed(bought, 400, "needs_response"));
  expect(await balance()).toBe(50);
  const { items } = await market.ok("GET", "/credits/transactions?limit=3", undefined, ann);
  expect(items.map(({ reason, available }: { reason: string; available: number }) => [reason, available])).toEqual([
    ["PURCHASE", 400],
    ["CHARGEBACK", -400],
    ["CHARGEBACK", -100],
  ]);
});

test("out of order: a refund that comes before its payment counts when that comes", async () => {
  const bought = await session({ amount_credits: 300 });
  await stripe.send(market, "charge.refunded", stripe.refunded(bought, 200));
  expect(await balance()).toBe(50);
  await stripe.send(market, "checkout.session.completed", stripe.paid(bought));
  expect(await balance()).toBe(150);
  await stripe.send(market, "charge.refunded", stripe.refunded(bought, 50));
  expect(await balance()).toBe(150);
});

test("what Stripe has not signed is refused and changes nothing; what is not about us is heard and forgotten", async () => {
  const bought = await session();
  expect(await stripe.send(market, "checkout.session.completed", stripe.paid(bought), "whsec_other")).toBe(400);
  const reply = await market.client.call(
    "POST",
    "/credits/stripe/webhook",
    JSON.stringify({ type: "checkout.session.completed" }),
  );
  expect([reply.status, reply.body.code]).toEqual([400, "SIGNATURE_INVALID"]);
  expect(await stripe.send(market, "customer.created", { id: "cus_1", object: "customer" })).toBe(200);
  expect(await stripe.send(market, "checkout.session.completed", stripe.paid(bought, { metadata: {} }))).toBe(200);
  expect(await balance()).toBe(50);
});

test("accounts with the same Stripe customer are one identity", async () => {
  const bob = await market.register();
  const mine = await session();
  await stripe.send(market, "checkout.session.completed", stripe.paid(mine, { customer: "cus_shared" }));
  const { session_id } = await market.ok("POST", "/credits/stripe/create-session", { amount_credits: 100 }, bob);
  const his = stripe.sessions.find(({ id }) => id === session_id) ?? mine;
  await stripe.send(market, "checkout.session.completed", stripe.paid(his, { customer: "cus_shared" }));
  const task = await market.post(ann);
  const refused = await eventually(async () => {
    const reply = await market.call("POST", `/tasks/${task}/bid`, {}, bob);
    return reply.status === 403 ? reply.body.code : undefined;
  }, "the two to be known as one");
  expect(refused).toBe("OWN_TASK");
});

test("while Stripe is away: 503, and nothing is lost; where it is not set up: 503 that says so", async () => {
  const bought = await session();
  stripe.failing = 500;
  const away = await market.call("POST", "/credits/stripe/create-session", { pack: "small" }, ann);
  expect([away.status, away.body.code, away.headers["retry-after"]]).toEqual([503, "PAYMENTS_UNAVAILABLE", "5"]);
  expect(await stripe.send(market, "charge.dispute.created", stripe.disputed(bought, 10, "needs_response"))).toBe(503);
  stripe.failing = null;
  const topup = await market.call("POST", "/credits/topup", { amount_credits: 5 }, ann);
  expect([topup.status, topup.body.code]).toEqual([403, "TOPUP_DISABLED"]);
  const bare = await Market.start();
  const bob = await bare.register();
  const none = await bare.call("POST", "/credits/stripe/create-session", { pack: "small" }, bob);
  expect([none.status, none.body.code]).toEqual([503, "PAYMENTS_NOT_CONFIGURED"]);
  expect(none.body.detail).toMatch(/STRIPE_SECRET_KEY/);
  await bare.stop();
}, 60_000);
