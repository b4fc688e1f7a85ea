/** The port of an identity provider (GitHub). */
import type { GitHubProfile } from "../../machines/market/github.ts";

/** Thrown if the identity provider does not accept a code or token. */
export class IdentityRefused extends Error {}

/** Thrown if the identity provider does not answer or limits our requests. */
export class IdentityUnavailable extends Error {
  readonly retryAfterS: number;

  constructor(message: string, retryAfterS: number, options?: ErrorOptions) {
    super(message, options);
    this.retryAfterS = retryAfterS;
  }
}

export interface IdentityProfile extends GitHubProfile {
  readonly id: string;
  readonly login: string;
}

/** An OAuth provider. exchange() and profile() throw IdentityRefused and IdentityUnavailable. */
export interface Identity {
  authorizeUrl(state: string, challenge: string): string;
  /** Exchanges a code for a token. */
  exchange(code: string, verifier: string): Promise<string>;
  profile(token: string): Promise<IdentityProfile>;
}
