/** Who somebody is elsewhere. */
import type { GitHubProfile } from "../../machines/market/github.ts";

/** Thrown by an identity provider that does not accept a code or a token. */
export class IdentityRefused extends Error {}

/** Thrown by an identity provider that does not answer, or wants to be left alone for a while. */
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

/** Says who somebody is elsewhere. exchange() and profile() throw IdentityRefused and IdentityUnavailable. */
export interface Identity {
  authorizeUrl(state: string, challenge: string): string;
  /** Gives a token for a code. */
  exchange(code: string, verifier: string): Promise<string>;
  profile(token: string): Promise<IdentityProfile>;
}
