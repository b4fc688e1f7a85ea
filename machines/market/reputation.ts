import type { Millis } from "../vocabulary.ts";

/** guide: Reputation System. */
export const REPUTATION = {
  delivered: 1,
  failedValidation: -2,
  timedOut: -3,
  /** Below this the account is frozen. */
  frozenBelow: -10,
  /** How many failures in a row lead to a cooldown. */
  failuresBeforeCooldown: 3,
  cooldownMs: 3_600_000,
} as const;

export type Outcome = "DELIVERED" | "FAILED_VALIDATION" | "TIMED_OUT";

/** What an outcome changes. */
export interface Conduct {
  readonly reputation: number;
  readonly failuresInRow: number;
}

export interface Judged extends Conduct {
  readonly frozen: boolean;
  /** When the cooldown that this outcome starts is over (ms), or null. */
  readonly cooldownUntil: Millis | null;
}

/** Gives a worker's reputation after one more outcome at `at` (ms). A cooldown resets the count of failures. */
export function judge(before: Conduct, outcome: Outcome, at: Millis): Judged {
  if (outcome === "DELIVERED") {
    const reputation = before.reputation + REPUTATION.delivered;
    return { reputation, failuresInRow: 0, frozen: reputation < REPUTATION.frozenBelow, cooldownUntil: null };
  }
  const change = outcome === "TIMED_OUT" ? REPUTATION.timedOut : REPUTATION.failedValidation;
  const reputation = before.reputation + change;
  const failures = before.failuresInRow + 1;
  const cooling = failures >= REPUTATION.failuresBeforeCooldown;
  return {
    reputation,
    failuresInRow: cooling ? 0 : failures,
    frozen: reputation < REPUTATION.frozenBelow,
    cooldownUntil: cooling ? at + REPUTATION.cooldownMs : null,
  };
}
