/** What Stripe's words for a dispute come to in credits: a warning takes nothing. */
import { Stripe } from "stripe";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { PaymentEvent } from "../../gateway/ports/payments.ts";
import { account as entity } from "../../machines/account/index.ts";
import { credits } from "../../machines/vocabulary.ts";
import { StripePayments } from "../../src/adapters/stripe/payments.ts";
import { Life } from "../support/life.ts";
import { SECRET_KEY, StripeServer, WEBHOOK_SECRET } from "../support/stripe.ts";
import { person } from "../support/world.ts";

const ME = person(1);
let server: StripeServer;
let payments: StripePayments;
beforeAll(async () => {
  server = new StripeServer();
  const apiBase = await server.start();
  payments = new StripePayments({ secretKey: SECRET_KEY, webhookSecret: WEBHOOK_SECRET, apiBase });
  const urls = { successUrl: "https://a.example", cancelUrl: "https://b.example" };
  await payments.open({ account: ME, email: "a@b.example", customer: null, amount: 100, ...urls, key: "k" });
});
afterAll(() => server.stop());

async function told(type: string, object: object): Promise<PaymentEvent | null> {
  const payload = JSON.stringify({ id: "evt", object: "event", type, data: { object } });
  const header = new Stripe(SECRET_KEY).webhooks.generateTestHeaderString({ payload, secret: WEBHOOK_SECRET });
  const read = await payments.read(payload, header);
  if (read === undefined) throw new Error("the signature is right");
  return read;
}

/** The balance after these words of a dispute of 100 NC that were bought, beside the 50 NC that were there. */
async function balanceAfter(...statuses: readonly string[]): Promise<number | undefined> {
  const [bought] = server.sessions;
  if (bought === undefined) throw new Error("the session must be there");
  const life = new Life(entity, ME);
  const grant = credits(50);
  life.do({ type: "register", account: ME, email: "a@b.example", source: null, keyHash: "h", grant, marks: [] }, 1);
  const words = [
    await told("checkout.session.completed", server.paid(bought)),
    ...(await Promise.all(
      statuses.map((status, n) => told(`charge.dispute.${n === 0 ? "created" : "updated"}`, server.disputed(bought, 30, status))),
    )),
  ];
  for (const word of words) {
    if (word !== null) life.do({ type: "payment", payment: word.payment, news: word.update, customer: word.customer }, 2);
  }
  return entity.row(ME, life.state)?.available;
}

test.each<[string, readonly string[], number]>([
  ["none", [], 150],
  ["a warning that needs an answer", ["warning_needs_response"], 150],
  ["a warning that is looked at", ["warning_needs_response", "warning_under_review"], 150],
  ["a warning that is closed", ["warning_needs_response", "warning_closed"], 150],
  ["a dispute", ["needs_response"], 120],
  ["a dispute that is looked at", ["needs_response", "under_review"], 120],
  ["a warning that becomes a dispute", ["warning_needs_response", "needs_response"], 120],
  ["a dispute that is won", ["needs_response", "won"], 150],
  ["a dispute that is lost", ["needs_response", "lost"], 120],
  ["a lost dispute of which an old word comes late", ["lost", "needs_response"], 120],
  ["a won one of which an old word comes late", ["won", "under_review"], 150],
])("after %s", async (_about, statuses, expected) => {
  expect(await balanceAfter(...statuses)).toBe(expected);
});
