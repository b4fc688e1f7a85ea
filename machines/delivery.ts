/** The webhook of a finished task, and how an attempt to deliver it ended. */
import type { JsonValue, Millis } from "./vocabulary.ts";

/** One attempt to deliver the webhook of a finished task. */
export interface Delivery {
  readonly task: string;
  /** The account whose webhook secret signs it. */
  readonly account: string;
  /** The same on every attempt (Standard Webhooks: webhook-id). */
  readonly message: string;
  readonly attempt: number;
  readonly url: string;
  readonly body: JsonValue;
}

/** How one attempt at a webhook ended. `id` names the attempt to its receiver, `ms` is how long it took. */
export type DeliveryOutcome = { readonly id: string; readonly ms: Millis } & (
  | { readonly result: "delivered"; readonly status: number }
  | { readonly result: "gone"; readonly status: number }
  | { readonly result: "failed"; readonly status: number | null; readonly error: string }
);
