/** Keeps the honeypots that operators store, and how much was minted for those that were posted. */
import type { TaskSpec } from "../../machines/task/events.ts";
import type { Millis } from "../../machines/vocabulary.ts";
import type { Template } from "../honeypots/template.ts";
import type { Page } from "./read-model.ts";

/** What an operator stores: a task with a known answer, or a template of such. */
export type StoredHoneypot = { readonly id: string; readonly at: Millis } & (
  | { readonly kind: "task"; readonly order: TaskSpec }
  | { readonly kind: "template"; readonly template: Template }
);

/** Every call may reject with StoreUnavailable. */
export interface HoneypotStore {
  /** Stores it unless there is one of its kind with its id; gives the one that there is. */
  add(honeypot: StoredHoneypot): Promise<StoredHoneypot>;
  /** All of them, the oldest first. */
  all(): Promise<readonly StoredHoneypot[]>;
  /** A page of them, the oldest first; undefined for an invalid cursor. */
  list(limit: number, cursor: string | null): Promise<Page<StoredHoneypot> | undefined>;
  /** Gives whether it existed. */
  remove(id: string): Promise<boolean>;
  /**
   * Takes this amount (NC) out of the budget of a day (`2026-01-31`, UTC), which is one for all gateways; false, and nothing
   * taken, if less than that is left.
   */
  take(day: string, amount: number, budget: number): Promise<boolean>;
}
