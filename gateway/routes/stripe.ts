/** Buying credits (guide: Credits & Payments): a checkout page, and the events of the payment service. */
import Type from "typebox";
import { SIGNATURE } from "../doors/admit.ts";
import { spend } from "../doors/limit.ts";
import { mismatch } from "../http/idempotency.ts";
import { keyed, open } from "../http/operation.ts";
import { invalid, Problem, problemOf } from "../http/problems.ts";
import { OtherPurchase, type PaymentEvent, PaymentsUnavailable } from "../ports/payments.ts";
import { CreateSession, PACKS, Session } from "../schemas/account.ts";
import type { Services } from "../services.ts";
import { matchIdentity } from "./identity-match.ts";

const RETRY_AFTER_S = 5;

function paymentsOf({ payments }: Services) {
  if (payments !== null) return payments;
  const detail = "Payments are not set up on this platform; the operator must set STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET.";
  throw new Problem(503, "PAYMENTS_NOT_CONFIGURED", detail, { retryAfter: 3_600 });
}

async function reaching<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof OtherPurchase) throw mismatch();
    if (!(error instanceof PaymentsUnavailable)) throw error;
    throw new Problem(503, "PAYMENTS_UNAVAILABLE", "The payment service does not answer; try again shortly.", {
      retryAfter: RETRY_AFTER_S,
    });
  }
}

function amountOf(body: { readonly amount_credits?: number; readonly pack?: string }): number {
  const { amount_credits: amount, pack } = body;
  if ((amount === undefined) === (pack === undefined)) {
    throw invalid([{ field: "amount_credits", message: "give either this or pack" }]);
  }
  const packs: { readonly [name: string]: number } = PACKS;
  return amount ?? packs[pack ?? ""] ?? 0;
}

const create = keyed(
  {
    id: "createStripeSession",
    suspended: "allowed",
    tag: "Credits",
    method: "post",
    path: "/api/v1/credits/stripe/create-session",
    summary: "Buy credits",
    description: "Gives a checkout page of Stripe. You get the credits once Stripe confirms the payment; they repay debt first.",
    body: CreateSession,
    idempotent: true,
    answers: { 200: { about: "The checkout page", schema: Session } },
  },
  async function createStripeSession({ account, body, idempotencyKey, services }) {
    const payments = paymentsOf(services);
    const amount = amountOf(body);
    const row = await services.reads.account(account);
    if (row === undefined) throw new Error("an account with a key has a row");
    const { publicUrl } = services.settings;
    const { secrets, ids } = services;
    // Stripe holds the purchase against the one that it knows under this key.
    const key = idempotencyKey === null ? ids.next() : secrets.commandId(account, "stripe", idempotencyKey);
    const { id, url } = await reaching(
      payments.open({
        account,
        email: row.email,
        customer: row.customer,
        amount,
        successUrl: body.success_url ?? `${publicUrl}/docs`,
        cancelUrl: body.cancel_url ?? `${publicUrl}/docs`,
        key,
      }),
    );
    return { status: 200, body: { session_id: id, url, amount_credits: amount } };
  },
);

const webhook = open(
  {
    id: "receiveStripeEvent",
    tag: "Credits",
    method: "post",
    path: "/api/v1/credits/stripe/webhook",
    summary: "For Stripe: events about payments",
    description: "Signed by Stripe. Each payment counts once, however often and in whatever order events arrive.",
    raw: true,
    door: "signed",
    answers: { 200: { about: "Received", schema: Type.Object({ received: Type.Literal(true) }) } },
  },
  async function receiveStripeEvent({ text, header, address, services }) {
    const event = await reaching(paymentsOf(services).read(text, header("Stripe-Signature")));
    if (event === undefined) {
      await spend(services.limiter, "failures", address);
      throw new Problem(400, "SIGNATURE_INVALID", "The Stripe-Signature header does not match this body.");
    }
    services.guard.vouch(address, SIGNATURE);
    if (event !== null) await take(services, event);
    return { status: 200, body: { received: true } };
  },
);

/** Throws a Problem (503) if the event could not be processed; the service then sends it again. */
async function take(services: Services, { account, payment, customer, update }: PaymentEvent): Promise<void> {
  const to = { kind: "account", id: account } as const;
  const answer = await services.router.ask(to, { type: "payment", payment, news: update, customer });
  if (!answer.ok) {
    if (answer.refusal.refused !== "ACCOUNT_UNKNOWN") throw problemOf(answer.refusal);
    services.log.error({ account, payment }, "a payment was made for an account that does not exist");
    return;
  }
  if (customer === null) return;
  const match = await matchIdentity(services, services.secrets.mark("stripe", customer), account);
  await services.router.ask(to, { type: "mark", ...match });
}

export const stripeRoutes = [create, webhook];
