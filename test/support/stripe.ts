/** A local server that speaks the part of Stripe's API that we use, and signs events as Stripe does. */
import { createServer } from "node:http";
import { Stripe } from "stripe";
import type { Market } from "./market.ts";

export const SECRET_KEY = "sk_test_local";
export const WEBHOOK_SECRET = "whsec_local";

export interface FakeSession {
  readonly id: string;
  readonly payment: string;
  readonly form: URLSearchParams;
  readonly account: string;
  readonly amount: number;
}

export class StripeServer {
  readonly sessions: FakeSession[] = [];
  readonly requests: {
    readonly path: string;
    readonly authorization: string | undefined;
    readonly idempotencyKey: string | undefined;
  }[] = [];
  /** What it answers instead, while it is set. */
  failing: number | null = null;
  readonly #byKey = new Map<string, FakeSession>();
  readonly #stripe = new Stripe(SECRET_KEY);
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { authorization, "idempotency-key": key } = request.headers;
      this.requests.push({ path: request.url ?? "", authorization, idempotencyKey: typeof key === "string" ? key : undefined });
      const [status, body] = this.#answer(request.method ?? "", request.url ?? "", Buffer.concat(chunks).toString(), String(key));
      response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
    });
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer(method: string, url: string, text: string, key: string): [number, object] {
    if (this.failing !== null) return [this.failing, { error: { type: "api_error", message: "out of order" } }];
    if (method === "POST" && url === "/v1/checkout/sessions") {
      const known = this.#byKey.get(key);
      if (known !== undefined && known.form.toString() !== new URLSearchParams(text).toString()) {
        const message = "Keys for idempotent requests can only be used with the same parameters they were first used with.";
        return [400, { error: { type: "idempotency_error", message } }];
      }
      const session = known ?? this.#session(new URLSearchParams(text));
      if (known === undefined) {
        this.#byKey.set(key, session);
        this.sessions.push(session);
      }
      return [200, { id: session.id, object: "checkout.session", url: `https://checkout.stripe.test/${session.id}` }];
    }
    const intent = /^\/v1\/payment_intents\/(\w+)$/.exec(url)?.[1];
    const session = this.sessions.find(({ payment }) => payment === intent);
    if (method === "GET" && session !== undefined) {
      return [200, { id: intent, object: "payment_intent", metadata: { nexus_account: session.account } }];
    }
    return [404, { error: { type: "invalid_request_error", message: `no such thing: ${url}` } }];
  }

  #session(form: URLSearchParams): FakeSession {
    const number = this.sessions.length + 1;
    const amount = Number(form.get("line_items[0][quantity]")) * Number(form.get("line_items[0][price_data][unit_amount]"));
    return { id: `cs_${number}`, payment: `pi_${number}`, form, account: form.get("metadata[nexus_account]") ?? "", amount };
  }

  /** Sends an event with a signature; gives the platform's status. */
  async send(market: Market, type: string, object: object, secret = WEBHOOK_SECRET): Promise<number> {
    const payload = JSON.stringify({ id: `evt_${Math.random()}`, object: "event", type, data: { object } });
    const header = this.#stripe.webhooks.generateTestHeaderString({ payload, secret });
    const reply = await market.client.call("POST", "/credits/stripe/webhook", payload, {
      headers: { "Stripe-Signature": header },
    });
    return reply.status;
  }

  paid({ id, payment, account, amount }: FakeSession, changes: object = {}): object {
    const metadata = { nexus_account: account };
    const rest = { payment_intent: payment, amount_total: amount, payment_status: "paid", customer: `cus_${id}` };
    return { id, object: "checkout.session", metadata, ...rest, ...changes };
  }

  refunded({ payment, account }: FakeSession, total: number): object {
    return {
      id: `ch_${payment}`,
      object: "charge",
      metadata: { nexus_account: account },
      payment_intent: payment,
      amount_refunded: total,
    };
  }

  disputed({ payment }: FakeSession, amount: number, status: string): object {
    return { id: `dp_${payment}`, object: "dispute", payment_intent: payment, charge: `ch_${payment}`, amount, status };
  }
}
