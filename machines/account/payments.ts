/**
 * Purchases at the payment service, with their refunds and disputes, in whatever order and however often they are reported.
 * What counts is the net amount of each payment; the balance changes by as much as that does.
 */

import type { Purchase } from "../market/credit-line.ts";
import type { Millis } from "../vocabulary.ts";

export interface Dispute {
  /** NC. */
  readonly amount: number;
  /** Once it is won or lost, later reports change nothing. */
  readonly state: "open" | "won" | "lost";
}

/** One payment. Amounts in NC. */
export interface Payment {
  readonly bought: number;
  /** When we heard that it was paid (ms); absent before that, and in facts from before this was kept. */
  readonly paidAt?: Millis;
  /** In total, so far. */
  readonly refunded: number;
  readonly disputes: { readonly [id: string]: Dispute };
}

/** What the payment service reports about a payment. */
export type PaymentUpdate =
  | { readonly type: "paid"; readonly amount: number }
  | { readonly type: "refunded"; readonly total: number }
  | { readonly type: "disputed"; readonly dispute: string; readonly amount: number; readonly state: Dispute["state"] };

const UNKNOWN: Payment = { bought: 0, refunded: 0, disputes: {} };

/** Gives the payment after an update that is heard of at `at` (ms); the same object if that says nothing new. */
export function applyUpdate(payment: Payment = UNKNOWN, news: PaymentUpdate, at: Millis): Payment {
  switch (news.type) {
    case "paid":
      return payment.bought === 0 ? { ...payment, bought: news.amount, paidAt: at } : payment;
    case "refunded":
      return news.total > payment.refunded ? { ...payment, refunded: news.total } : payment;
    case "disputed": {
      const { dispute, amount, state } = news;
      const known = payment.disputes[dispute];
      if (known !== undefined && (known.state !== "open" || state === "open")) return payment;
      return { ...payment, disputes: { ...payment.disputes, [dispute]: { amount, state } } };
    }
    default:
      return news satisfies never;
  }
}

/** The net amount of a payment (NC): what was bought, less what was refunded and what is disputed or lost. */
export function netAmount({ bought, refunded, disputes }: Payment = UNKNOWN): number {
  const disputed = Object.values(disputes).reduce((sum, { amount, state }) => sum + (state === "won" ? 0 : amount), 0);
  return Math.max(0, bought - refunded - disputed);
}

/** The purchases as they count for a credit line; those whose time is not known are from before it was kept, so they are old. */
export function purchasesOf(payments: { readonly [payment: string]: Payment }): readonly Purchase[] {
  return Object.values(payments)
    .map((payment) => ({ at: payment.paidAt ?? 0, net: netAmount(payment) }))
    .filter(({ net }) => net > 0);
}
