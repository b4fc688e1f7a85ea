/**
 * Purchases at the payment service, with their refunds and disputes, in whatever order and however often they are reported.
 * What counts is the net amount of each payment; the balance changes by as much as that does.
 */

export interface Dispute {
  /** NC. */
  readonly amount: number;
  /** Once it is won or lost, later reports change nothing. */
  readonly state: "open" | "won" | "lost";
}

/** One payment. Amounts in NC. */
export interface Payment {
  readonly bought: number;
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

/** Gives the payment after an update; the same object if that says nothing new. */
export function applyUpdate(payment: Payment = UNKNOWN, news: PaymentUpdate): Payment {
  switch (news.type) {
    case "paid":
      return payment.bought === 0 ? { ...payment, bought: news.amount } : payment;
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
