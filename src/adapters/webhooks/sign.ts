import { createHmac } from "node:crypto";

export interface Signing {
  /** `whsec_` and 32 bytes in base64, as given at registration. */
  readonly secret: string;
  /** The same on every attempt. */
  readonly message: string;
  /** Time of this attempt (s since 1970). */
  readonly timestamp: number;
  readonly body: string;
}

/**
 * Gives the signature headers of a webhook: X-Nexus-Signature over the raw body, keyed with the whole secret as text, and the
 * three of the Standard Webhooks specification, keyed with the secret's bytes, which also prevent replays.
 */
export function signatureHeaders({ secret, message, timestamp, body }: Signing): { readonly [name: string]: string } {
  const bytes = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const standard = createHmac("sha256", bytes).update(`${message}.${timestamp}.${body}`).digest("base64");
  return {
    "X-Nexus-Signature": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
    "webhook-id": message,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": `v1,${standard}`,
  };
}
