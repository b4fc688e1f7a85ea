/** What a worker offers: one capability for each task type. With a price that stands, it bids by itself. */
import type { Credits, Millis } from "../vocabulary.ts";

/** The most capabilities of one account; each is an entry of its state. */
export const CAPABILITIES_MAX = 50;

export interface Capability {
  readonly id: string;
  readonly taskType: string;
  readonly description: string;
  readonly tags: readonly string[];
  /** What a task costs (NC) without asking; null when the worker bids for each. */
  readonly price: Credits | null;
  /** How many tasks that it won by its price it works on at once. */
  readonly concurrency: number;
  readonly available: boolean;
  readonly createdAt: Millis;
}

/** A worker that is offered a task, and the id that its bid is to have. */
export interface Offer {
  readonly worker: string;
  readonly bid: string;
}
