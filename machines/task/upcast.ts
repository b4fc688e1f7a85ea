import type { StoredFact } from "../entity.ts";
import type { TaskFact, TaskFactType } from "./facts.ts";

const TYPES: { readonly [T in TaskFactType]: true } = {
  Opened: true,
  RoutingStarted: true,
  BidPlaced: true,
  OfferDeclined: true,
  StandingBidDropped: true,
  PoolEntered: true,
  Awarded: true,
  ExecutionStarted: true,
  ResultAccepted: true,
  ResultRejected: true,
  AwardFailed: true,
  AwardTimedOut: true,
  Reopened: true,
  Settled: true,
  Rated: true,
  Expired: true,
  Cancelled: true,
  WebhookAttempted: true,
  WebhookRequested: true,
};

/**
 * Reads a task's fact of any version that was ever written; version 1 is the only one so far. The journal is our own
 * writing, so a body's shape is trusted once its type and version are known. Throws on one that this code cannot know.
 */
export function upcastTaskFact(stored: StoredFact): TaskFact {
  if (stored.version !== 1 || !Object.hasOwn(TYPES, stored.type)) {
    throw new Error(`a newer NexusToken wrote ${stored.type} v${stored.version}; start that one`);
  }
  return stored.body as TaskFact;
}
