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

export const FAILINGS = ["FAILED_VALIDATION", "TIMED_OUT"] as const;
/** How an award fails. */
export type Failing = (typeof FAILINGS)[number];
export type Outcome = "DELIVERED" | Failing;

/** What an outcome changes. */
export interface Counts {
  readonly reputation: number;
  readonly failuresInRow: number;
}

export interface Judged extends Counts {
  readonly frozen: boolean;
  /** When the cooldown that this outcome starts is over (ms), or null. */
  readonly cooldownUntil: Millis | null;
}

/** How an outcome changes the reputation. */
export function pointsOf(outcome: Outcome): number {
  switch (outcome) {
    case "DELIVERED":
      return REPUTATION.delivered;
    case "TIMED_OUT":
      return REPUTATION.timedOut;
    case "FAILED_VALIDATION":
      return REPUTATION.failedValidation;
    default:
      return outcome satisfies never;
  }
}

/** Gives a worker's reputation after one more outcome at `at` (ms). A cooldown resets the count of failures. */
export function judge(before: Counts, outcome: Outcome, at: Millis): Judged {
  const reputation = before.reputation + pointsOf(outcome);
  if (outcome === "DELIVERED") {
    return { reputation, failuresInRow: 0, frozen: reputation < REPUTATION.frozenBelow, cooldownUntil: null };
  }
  const failures = before.failuresInRow + 1;
  const cooling = failures >= REPUTATION.failuresBeforeCooldown;
  return {
    reputation,
    failuresInRow: cooling ? 0 : failures,
    frozen: reputation < REPUTATION.frozenBelow,
    cooldownUntil: cooling ? at + REPUTATION.cooldownMs : null,
  };
}
