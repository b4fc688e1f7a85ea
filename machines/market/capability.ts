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
  readonly available: boolean;
  readonly createdAt: Millis;
}

/** A worker that is offered a task, and the id that its bid is to have. */
export interface Offer {
  readonly worker: string;
  readonly bid: string;
}
