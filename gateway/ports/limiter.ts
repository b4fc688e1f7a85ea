/**
 * What is limited: requests and tasks of an account; visits (requests without a key), registrations and failures (wrong
 * secrets) of an address; recoveries of both.
 */
export type LimitName = "requests" | "tasks" | "visits" | "registrations" | "failures" | "recoveries";

/** What came of taking from a limit. */
export interface Allowance {
  readonly name: LimitName;
  /** How many are allowed in a window; 0 when the limit is off. */
  readonly limit: number;
  readonly windowS: number;
  readonly left: number;
  /** Ms until the window ends. */
  readonly resetMs: number;
  readonly allowed: boolean;
}

/** Counts; no call rejects because a server is away. */
export interface Limiter {
  /** Takes `points` (1) from what this key may have. */
  take(name: LimitName, key: string, points?: number): Promise<Allowance>;
  /** What `take` would say, but takes nothing. */
  look(name: LimitName, key: string): Promise<Allowance>;
  /** Gives one back. */
  give(name: LimitName, key: string): Promise<void>;
  readonly familiar: Familiar;
}

/** Pairs of an address and a secret that was good from it within the hour. No call rejects because a server is away. */
export interface Familiar {
  has(pair: string): Promise<boolean>;
  add(pair: string): void;
  drop(pair: string): void;
}
