/** The state of a batch, folded from its facts. */
import type { RefusalCode } from "../refusal.ts";
import type { TaskSpec } from "../task/events.ts";
import type { AccountId, Millis, TerminalStatus } from "../vocabulary.ts";
import type { BatchItem } from "./events.ts";
import type { BatchWaitsFor } from "./protocol.ts";

/** The state of an item. */
export type ItemState =
  | { readonly state: "OPEN" }
  | { readonly state: "ENDED"; readonly status: TerminalStatus }
  | { readonly state: "REFUSED"; readonly code: RefusalCode; readonly detail: string };

/** Why a batch waits for its turn. */
export interface Waits {
  readonly reason: BatchWaitsFor;
  /** Until when (ms), if that is known. */
  readonly until: Millis | null;
  /** Since when it has been waiting for something that may never come (ms), or null. */
  readonly since: Millis | null;
}

export interface BatchContext {
  readonly id: string;
  readonly requester: AccountId | null;
  readonly template: TaskSpec | null;
  readonly items: readonly BatchItem[];
  readonly atOnce: number;
  readonly perMinute: number;
  /** By item number; items without an entry are waiting. */
  readonly states: { readonly [item: number]: ItemState };
  /** Whether it is in the account's queue: then it requests nothing until it is called. */
  readonly queued: boolean;
  /** Whether the account has been asked to take it out of its queue and has not answered: it requests nothing until then. */
  readonly leaving: boolean;
  readonly waits: Waits | null;
}

/** The initial state; also the defaults of fields that older snapshots lack. */
export const NEW: Omit<BatchContext, "id"> = {
  requester: null,
  template: null,
  items: [],
  atOnce: 0,
  perMinute: 0,
  states: {},
  queued: false,
  leaving: false,
  waits: null,
};

/** The items that have not been requested yet, or must be requested again. */
export function waitingItems({ items, states }: Pick<BatchContext, "items" | "states">): readonly number[] {
  return items.flatMap((_, number) => (states[number] === undefined ? [number] : []));
}

/** The items whose budgets are requested or held. */
export function openItems({ items, states }: Pick<BatchContext, "items" | "states">): readonly BatchItem[] {
  return items.filter((_, number) => states[number]?.state === "OPEN");
}

/** How many more items may be open. */
export function capacityLeft(context: BatchContext): number {
  return context.atOnce - openItems(context).length;
}

/** Whether no item waits or is open. */
export function isDone({ items, states }: BatchContext): boolean {
  return Object.keys(states).length === items.length && Object.values(states).every(({ state }) => state !== "OPEN");
}
