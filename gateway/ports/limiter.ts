/**
 * Limits: requests and tasks per account; visits (requests without a key), registrations and failures (wrong secrets) per
 * address; recoveries per account and per address.
 */
export type LimitName = "requests" | "tasks" | "visits" | "registrations" | "failures" | "recoveries";

/** The outcome of taking from a limit. */
export interface Allowance {
  readonly name: LimitName;
  /** How many are allowed per window; 0: the limit is off. */
  readonly limit: number;
  readonly windowS: number;
  readonly left: number;
  /** Time until the window ends (ms). */
  readonly resetMs: number;
  readonly allowed: boolean;
}

/** The rate limiter. No call rejects because a server is down. */
export interface Limiter {
  /** Takes `points` (1) from the limit of this key. */
  take(name: LimitName, key: string, points?: number): Promise<Allowance>;
  /** What `take` would give, without taking. */
  look(name: LimitName, key: string): Promise<Allowance>;
  /** Gives one back. */
  give(name: LimitName, key: string): Promise<void>;
  readonly allowlist: Allowlist;
}

/** Pairs of an address and a secret that was valid from it within the last hour. No call rejects because a server is down. */
export interface Allowlist {
  has(pair: string): Promise<boolean>;
  add(pair: string): void;
  drop(pair: string): void;
}
