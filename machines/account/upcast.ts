import type { StoredFact } from "../entity.ts";
import type { AccountFact, AccountFactType } from "./facts.ts";

const TYPES: { readonly [T in AccountFactType]: true } = {
  Registered: true,
  Marked: true,
  KeyRotated: true,
  RecoveryRequested: true,
  RecoveryFailed: true,
  KeyRecovered: true,
  ToppedUp: true,
  PaymentChanged: true,
  Repaid: true,
  Held: true,
  ItemHoldRefused: true,
  BatchStarted: true,
  BatchEnded: true,
  BatchWaits: true,
  BatchesCalled: true,
  Released: true,
  Settled: true,
  Earned: true,
  Failed: true,
  OAuthStarted: true,
  OAuthUsed: true,
  GitHubLinked: true,
  CapabilityRegistered: true,
  AvailabilityChanged: true,
  OfferTaken: true,
  OfferDeclined: true,
  OfferFreed: true,
  HoneypotJudged: true,
  Rated: true,
  CooldownStarted: true,
  CooldownEnded: true,
  Frozen: true,
  Unfrozen: true,
  Adjusted: true,
  Suspended: true,
};

/**
 * Reads an account's fact of any version that was ever written; version 1 is the only one so far. The journal is our
 * own writing, so a body's shape is trusted once its type and version are known. Throws on one it cannot know.
 */
export function upcastAccountFact(stored: StoredFact): AccountFact {
  if (stored.version !== 1 || !Object.hasOwn(TYPES, stored.type)) {
    throw new Error(`a newer NexusToken wrote ${stored.type} v${stored.version}; start that one`);
  }
  return stored.body as AccountFact;
}
