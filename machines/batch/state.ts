/** What a batch is, folded from its facts, and what each fact changes of it. */
import type { WaitsFor } from "../account/turns.ts";
import type { RefusalCode } from "../refusal.ts";
import type { TaskSpec } from "../task/events.ts";
import type { AccountId, Millis, TerminalStatus } from "../vocabulary.ts";
import type { BatchFact, BatchItem } from "./events.ts";

type Of<T extends BatchFact["type"]> = Extract<BatchFact, { readonly type: T }>;
type Change = Partial<BatchContext>;

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
export function roomOf({ atOnce, states }: BatchContext): number {
  return atOnce - Object.values(states).filter(({ state }) => state === "OPEN").length;
}

/** Whether no item waits or is open. */
export function isDone({ items, states }: BatchContext): boolean {
  return Object.keys(states).length === items.length && Object.values(states).every(({ state }) => state !== "OPEN");
}

export function afterOpening({ requester, template, items, atOnce, perMinute = 0 }: Of<"BatchOpened">): Change {
  return { requester, template, items, atOnce, perMinute, states: {} };
}

export function afterStarting({ states }: BatchContext, { items, want = 0 }: Of<"ItemsStarted">): Change {
  const open = Object.fromEntries(items.map((item) => [item, { state: "OPEN" } as const]));
  return { states: { ...states, ...open }, queued: want > 0, waits: null };
}

export function afterPostponing({ states, waits }: BatchContext, fact: Of<"ItemPostponed">): Change {
  const { item, reason, until, at } = fact;
  const { [item ?? -1]: _waits, ...others } = states;
  // What those before it leave is not known yet, and nobody says so when they leave nothing.
  if (reason === null) return { states: others, queued: true, waits: waits ?? { reason: "turn", until, since: at } };
  return { states: others, queued: true, waits: { reason, until, since: reason === "pace" ? null : (waits?.since ?? at) } };
}

export function afterRefusingWaiting(context: BatchContext, { code, detail }: Of<"WaitingRefused">): Change {
  const refused = waitingItems(context).map((item) => [item, { state: "REFUSED", code, detail } as const]);
  return { states: { ...context.states, ...Object.fromEntries(refused) }, queued: false, waits: null };
}

/** An item that is over: refused, or its task has ended. */
export function afterItem({ states }: BatchContext, fact: Of<"ItemRefused" | "ItemEnded">): Change {
  const { item } = fact;
  if (fact.type === "ItemEnded") return { states: { ...states, [item]: { state: "ENDED", status: fact.status } } };
  return { states: { ...states, [item]: { state: "REFUSED", code: fact.code, detail: fact.detail } } };
}
