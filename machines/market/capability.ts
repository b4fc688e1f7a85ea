/** What a worker offers: one capability for each task type. With a posted price, it bids automatically. */
import type { Credits, Millis } from "../vocabulary.ts";

/** The most capabilities of one account; each is an entry of its state. */
export const CAPABILITIES_MAX = 50;

export interface Capability {
  readonly id: string;
  readonly taskType: string;
  readonly description: string;
  readonly tags: readonly string[];
  /** The posted price (NC); null if the worker bids for each task. */
  readonly price: Credits | null;
  /** The slots: how many tasks that it won by its posted price it takes at a time. */
  readonly concurrency: number;
  /** What it takes at least without a bid by hand; absent: DEFAULT_TERMS. */
  readonly minSeconds?: number;
  readonly minRequesterScore?: number;
  readonly available: boolean;
  readonly createdAt: Millis;
}

/** What a worker takes that has not seen the task: at its posted price, or by a pull. */
export interface Terms {
  /** The least time for a task (s). */
  readonly minSeconds: number;
  /** The least score of its requester, 0..1; see requester-score.ts. */
  readonly minRequesterScore: number;
}

export const DEFAULT_TERMS: Terms = { minSeconds: 10, minRequesterScore: 0 };

/** The terms of a capability; without one those that hold unless they are set. */
export function termsOf(capability: Partial<Terms> | undefined): Terms {
  const { minSeconds = DEFAULT_TERMS.minSeconds, minRequesterScore = DEFAULT_TERMS.minRequesterScore } = capability ?? {};
  return { minSeconds, minRequesterScore };
}

/** A worker that is offered a task, and the id that its bid is to have. */
export interface Offer {
  readonly worker: string;
  readonly bid: string;
}
