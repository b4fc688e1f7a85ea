/** Delivers webhooks: signed, to public addresses only, without following redirects, in bounded time. */
import { type ClientRequest, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from "request-filtering-agent";
import type { Clock } from "../../../actors/ports/clock.ts";
import type { Ids } from "../../../actors/ports/ids.ts";
import type { OutboundCalls } from "../../../actors/ports/outbound-call.ts";
import type { Delivery, DeliveryOutcome } from "../../../machines/delivery.ts";
import type { OutboundCall } from "../../../machines/entity.ts";
import { signatureHeaders } from "./sign.ts";

export interface CourierOptions {
  readonly allowPrivate: boolean;
  /** Gives the webhook secret of an account. */
  readonly secretOf: (account: string) => string;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** Timeout of a receiver (contract: Webhook) (ms). */
const TIMEOUT_MS = 15_000;
const ATTEMPTS_AT_ONCE = 256;
const ATTEMPTS_PER_HOST = 16;
const HTTP_GONE = 410;

export class WebhookCourier implements OutboundCalls {
  readonly #options: CourierOptions;
  readonly #http: RequestFilteringHttpAgent;
  readonly #https: RequestFilteringHttpsAgent;
  readonly #perHost = new Map<string, number>();
  #total = 0;

  constructor(options: CourierOptions) {
    this.#options = options;
    // The agent checks the address that is actually connected to, so names that resolve to private addresses are caught too.
    const guard = { allowPrivateIPAddress: options.allowPrivate, allowMetaIPAddress: options.allowPrivate, keepAlive: false };
    this.#http = new RequestFilteringHttpAgent(guard);
    this.#https = new RequestFilteringHttpsAgent(guard);
  }

  make({ request }: OutboundCall): Promise<DeliveryOutcome | null> {
    return this.deliver(request);
  }

  /** Makes one attempt; null if too many are running. Never rejects. */
  async deliver(delivery: Delivery): Promise<DeliveryOutcome | null> {
    const url = URL.canParse(delivery.url) ? new URL(delivery.url) : undefined;
    const id = this.#options.ids.next();
    if (url === undefined) return { id, ms: 0, result: "failed", status: null, error: "the callback_url is not a URL" };
    const underWay = this.#perHost.get(url.host) ?? 0;
    if (this.#total >= ATTEMPTS_AT_ONCE || underWay >= ATTEMPTS_PER_HOST) return null;
    this.#total += 1;
    this.#perHost.set(url.host, underWay + 1);
    const started = this.#options.clock.now();
    try {
      const outcome = await this.#attempt(url, delivery, id);
      return { id, ms: this.#options.clock.now() - started, ...outcome };
    } finally {
      this.#total -= 1;
      const left = (this.#perHost.get(url.host) ?? 1) - 1;
      if (left === 0) this.#perHost.delete(url.host);
      else this.#perHost.set(url.host, left);
    }
  }

  #attempt(url: URL, delivery: Delivery, id: string): Promise<Outcome> {
    const body = JSON.stringify(delivery.body);
    const timestamp = Math.floor(this.#options.clock.now() / 1_000);
    const secret = this.#options.secretOf(delivery.account);
    const headers = {
      "Content-Type": "application/json",
      "Content-Length": String(Buffer.byteLength(body)),
      "User-Agent": "NexusToken-Webhook/1",
      "X-Nexus-Event": "task.terminal",
      "X-Nexus-Task-Id": delivery.task,
      "X-Nexus-Delivery": id,
      ...signatureHeaders({ secret, message: delivery.message, timestamp, body }),
    };
    return new Promise((resolve) => {
      const secure = url.protocol === "https:";
      const options = { method: "POST", headers, agent: secure ? this.#https : this.#http };
      let request: ClientRequest;
      try {
        request = secure ? requestHttps(url, options) : requestHttp(url, options);
      } catch (error) {
        resolve(failed(error));
        return;
      }
      const timer = setTimeout(() => request.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
      request.on("error", (error) => {
        clearTimeout(timer);
        resolve(failed(error));
      });
      request.on("response", (response) => {
        clearTimeout(timer);
        // Only the status counts; the body is not read.
        response.destroy();
        resolve(judge(response.statusCode ?? 0));
      });
      request.end(body);
    });
  }
}

type Outcome = DeliveryOutcome extends infer O ? (O extends unknown ? Omit<O, "id" | "ms"> : never) : never;

function judge(status: number): Outcome {
  if (status >= 200 && status < 300) return { result: "delivered", status };
  if (status === HTTP_GONE) return { result: "gone", status };
  const why = status >= 300 && status < 400 ? "redirects are not followed" : "the receiver did not accept it";
  return { result: "failed", status, error: `answered ${status}: ${why}` };
}

function failed(error: unknown): Outcome {
  const message = error instanceof Error ? error.message.slice(0, 300) : "unknown";
  return { result: "failed", status: null, error: message };
}
