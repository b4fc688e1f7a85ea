/**
 * Purchases that were made elsewhere, refunded and disputed, in whatever order and however often that is told. What counts is
 * what each payment is worth by now; the balance moves by how that has changed.
 */

export interface Dispute {
  /** NC. */
  readonly amount: number;
  /** Once it is decided, nothing that is told later changes it. */
  readonly state: "open" | "won" | "lost";
}

/** One payment. Amounts in NC. */
export interface Payment {
  readonly bought: number;
  /** In all, so far. */
  readonly refunded: number;
  readonly disputes: { readonly [id: string]: Dispute };
}

/** What the payment service tells of a payment. */
export type PaymentUpdate =
  | { readonly type: "paid"; readonly amount: number }
  | { readonly type: "refunded"; readonly total: number }
  | { readonly type: "disputed"; readonly dispute: string; readonly amount: number; readonly state: Dispute["state"] };

const UNKNOWN: Payment = { bought: 0, refunded: 0, disputes: {} };

/** Gives the payment after the news; the same one when they say nothing new. */
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

/** What a payment is worth (NC): what was bought, less what was refunded and what is disputed or lost. */
export function netAmount({ bought, refunded, disputes }: Payment = UNKNOWN): number {
  const disputed = Object.values(disputes).reduce((sum, { amount, state }) => sum + (state === "won" ? 0 : amount), 0);
  return Math.max(0, bought - refunded - disputed);
}
