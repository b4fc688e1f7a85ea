/** The port of a payment service (Stripe). */
import type { PaymentUpdate } from "../../machines/account/payments.ts";
import type { AccountId } from "../../machines/vocabulary.ts";

/** An event of the payment service about a payment of an account. */
export interface PaymentEvent {
  readonly account: AccountId;
  /** The payment service's id of the payment. */
  readonly payment: string;
  readonly customer: string | null;
  readonly update: PaymentUpdate;
}

/** Thrown if the payment service does not answer or refuses. */
export class PaymentsUnavailable extends Error {}

/** Thrown if a key comes again for another purchase. */
export class OtherPurchase extends Error {}

export interface Payments {
  /** Opens a checkout page for an account; the same key gives the same page. Throws PaymentsUnavailable, OtherPurchase. */
  open(purchase: {
    readonly account: AccountId;
    readonly email: string;
    readonly customer: string | null;
    /** NC; 1 NC is 1 US cent. */
    readonly amount: number;
    readonly successUrl: string;
    readonly cancelUrl: string;
    readonly key: string;
  }): Promise<{ readonly id: string; readonly url: string }>;
  /**
   * Reads an event that the service sent: null if it is about no payment of ours, undefined if its signature is wrong. Throws
   * PaymentsUnavailable.
   */
  read(body: string, signature: string): Promise<PaymentEvent | null | undefined>;
}
