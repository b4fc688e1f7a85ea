/** The service that takes money from people. */
import type { PaymentNews } from "../../machines/account/payments.ts";
import type { AccountId } from "../../machines/vocabulary.ts";

/** What the payment service tells of a payment of an account. */
export interface PaymentTold {
  readonly account: AccountId;
  /** The payment's id there. */
  readonly payment: string;
  readonly customer: string | null;
  readonly news: PaymentNews;
}

/** Thrown by payments that cannot be reached, or refuse. */
export class PaymentsUnavailable extends Error {}

export interface Payments {
  /** Opens a page on which an account can buy; the same key opens the same page. Throws PaymentsUnavailable. */
  open(purchase: {
    readonly account: AccountId;
    readonly email: string;
    readonly customer: string | null;
    /** NC; as many US cents. */
    readonly amount: number;
    readonly successUrl: string;
    readonly cancelUrl: string;
    readonly key: string;
  }): Promise<{ readonly id: string; readonly url: string }>;
  /**
   * Reads what the service has sent: null when it concerns no payment of ours, undefined when the signature is not the
   * service's. Throws PaymentsUnavailable.
   */
  read(body: string, signature: string): Promise<PaymentTold | null | undefined>;
}
