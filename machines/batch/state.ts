/** What a batch is, folded from its facts. */
import type { WaitsFor } from "../account/turns.ts";
import type { RefusalCode } from "../refusal.ts";
import type { TaskSpec } from "../task/events.ts";
import type { AccountId, Millis, TerminalStatus } from "../vocabulary.ts";
import type { BatchItem } from "./events.ts";

/** What became of an item so far. */
export type ItemState =
  | { readonly state: "OPEN" }
  | { readonly state: "ENDED"; readonly status: TerminalStatus }
  | { readonly state: "REFUSED"; readonly code: RefusalCode; readonly detail: string };

/** Why a batch waits for its turn. */
export interface Waits {
  /** `turn`: other batches of the account stand before it. */
  readonly reason: WaitsFor | "turn";
  /** Until when (ms), where that is known. */
  readonly until: Millis | null;
  /** Since when it waits for something that may never come (ms); null while that is not so. */
  readonly since: Millis | null;
}

export interface BatchContext {
  readonly id: string;
  readonly requester: AccountId | null;
  readonly template: TaskSpec | null;
  readonly items: readonly BatchItem[];
  readonly atOnce: number;
  readonly perMinute: number;
  /** By number; those that are not here wait. */
  readonly states: { readonly [item: number]: ItemState };
  /** Whether it stands in the account's queue: then it asks for nothing until it is called. */
  readonly queued: boolean;
  readonly waits: Waits | null;
}

/** Before anything has happened; also what a snapshot lacks that was written before a field was there. */
export const NEW: Omit<BatchContext, "id"> = {
  requester: null,
  template: null,
  items: [],
  atOnce: 0,
  perMinute: 0,
  states: {},
  queued: false,
  waits: null,
};

/** The items that were not asked for yet, or are to be asked for again. */
export function waitingItems({ items, states }: Pick<BatchContext, "items" | "states">): readonly number[] {
  return items.flatMap((_, number) => (states[number] === undefined ? [number] : []));
}

/** How many more may be open. */
export function capacityLeft({ atOnce, states }: BatchContext): number {
  return atOnce - Object.values(states).filter(({ state }) => state === "OPEN").length;
}

/** Whether no item waits or is open. */
export function isDone({ items, states }: BatchContext): boolean {
  return Object.keys(states).length === items.length && Object.values(states).every(({ state }) => state !== "OPEN");
}
