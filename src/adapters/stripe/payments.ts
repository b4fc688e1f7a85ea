/** Payments through Stripe: Checkout sessions, and its signed events. 1 NC is 1 US cent. */
import { Stripe } from "stripe";
import { OtherPurchase, type PaymentEvent, type Payments, PaymentsUnavailable } from "../../../gateway/ports/payments.ts";
import { type AccountId, accountId, isUuid } from "../../../machines/vocabulary.ts";

export interface StripeSettings {
  readonly secretKey: string;
  readonly webhookSecret: string;
  /** https://api.stripe.com, or a compatible server. */
  readonly apiBase: string;
}

const TIMEOUT_MS = 10_000;
const RETRIES = 2;
/** Metadata of every payment that we open, so that its events name the account. */
const ACCOUNT = "nexus_account";

type Id = string | { readonly id: string } | null | undefined;

function idOf(value: Id): string | null {
  return typeof value === "string" ? value : (value?.id ?? null);
}

function accountOf(metadata: { readonly [name: string]: string } | null | undefined): AccountId | undefined {
  const id = metadata?.[ACCOUNT];
  return id !== undefined && isUuid(id) ? accountId(id) : undefined;
}

export class StripePayments implements Payments {
  readonly #stripe: Stripe;
  readonly #webhookSecret: string;

  constructor({ secretKey, webhookSecret, apiBase }: StripeSettings) {
    const { protocol, hostname, port } = new URL(apiBase);
    this.#webhookSecret = webhookSecret;
    this.#stripe = new Stripe(secretKey, {
      protocol: protocol === "http:" ? "http" : "https",
      host: hostname,
      ...(port === "" ? {} : { port }),
      timeout: TIMEOUT_MS,
      maxNetworkRetries: RETRIES,
      telemetry: false,
    });
  }

  async open(purchase: Parameters<Payments["open"]>[0]): Promise<{ id: string; url: string }> {
    const { account, email, customer, amount, successUrl, cancelUrl, key } = purchase;
    const metadata = { [ACCOUNT]: account };
    const price = { currency: "usd", unit_amount: 1, product_data: { name: "NexusToken credits (NC)" } };
    const { id, url } = await this.#asking(
      this.#stripe.checkout.sessions.create(
        {
          mode: "payment",
          line_items: [{ quantity: amount, price_data: price }],
          metadata,
          payment_intent_data: { metadata },
          client_reference_id: account,
          ...(customer === null ? { customer_email: email, customer_creation: "always" } : { customer }),
          success_url: successUrl,
          cancel_url: cancelUrl,
        },
        { idempotencyKey: key },
      ),
    );
    if (url === null) throw new PaymentsUnavailable("the session has no URL");
    return { id, url };
  }

  async read(body: string, signature: string): Promise<PaymentEvent | null | undefined> {
    const event = this.#verified(body, signature);
    if (event === undefined) return undefined;
    switch (event.type) {
      case "checkout.session.completed":
      case "checkout.session.async_payment_succeeded":
        return this.#paid(event.data.object);
      case "charge.refunded":
        return this.#refunded(event.data.object);
      case "charge.dispute.created":
      case "charge.dispute.updated":
      case "charge.dispute.closed":
        return this.#disputed(event.data.object);
      default:
        return null;
    }
  }

  #verified(body: string, signature: string): Stripe.Event | undefined {
    try {
      return this.#stripe.webhooks.constructEvent(body, signature, this.#webhookSecret);
    } catch {
      return undefined;
    }
  }

  #paid(session: Stripe.Checkout.Session): PaymentEvent | null {
    const account = accountOf(session.metadata);
    const payment = idOf(session.payment_intent);
    const amount = session.amount_total ?? 0;
    // Some payment methods take days; another event follows then.
    if (account === undefined || payment === null || session.payment_status !== "paid" || amount <= 0) return null;
    return { account, payment, customer: idOf(session.customer), update: { type: "paid", amount } };
  }

  #refunded(charge: Stripe.Charge): PaymentEvent | null {
    const account = accountOf(charge.metadata);
    const payment = idOf(charge.payment_intent);
    if (account === undefined || payment === null) return null;
    return { account, payment, customer: null, update: { type: "refunded", total: charge.amount_refunded } };
  }

  /** A dispute does not name the account; its payment does. */
  async #disputed({ id, amount, status, payment_intent }: Stripe.Dispute): Promise<PaymentEvent | null> {
    const payment = idOf(payment_intent);
    if (payment === null) return null;
    const { metadata } = await this.#asking(this.#stripe.paymentIntents.retrieve(payment));
    const account = accountOf(metadata);
    if (account === undefined) return null;
    const state = status === "won" || status === "warning_closed" ? "won" : status === "lost" ? "lost" : "open";
    // A warning does not take money.
    if (status.startsWith("warning") && state === "open") return null;
    return { account, payment, customer: null, update: { type: "disputed", dispute: id, amount, state } };
  }

  async #asking<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      // 409: the same request is under way.
      if (error instanceof Stripe.errors.StripeIdempotencyError && error.statusCode === 400) {
        throw new OtherPurchase("the payment service knows this key from another purchase", { cause: error });
      }
      throw new PaymentsUnavailable("the payment service refused or did not answer", { cause: error });
    }
  }
}
