/** What each fact changes in a batch. The statechart says in which states a fact may come. */
import type { BatchFact } from "./events.ts";
import { type BatchContext, waitingItems } from "./state.ts";

type Of<T extends BatchFact["type"]> = Extract<BatchFact, { readonly type: T }>;
type Change = Partial<BatchContext>;

export function afterOpening(_: BatchContext, fact: Of<"BatchOpened">): Change {
  const { requester, template, items, atOnce, perMinute = 0 } = fact;
  return { requester, template, items, atOnce, perMinute, states: {} };
}

export function afterStarting({ states }: BatchContext, { items, want = 0 }: Of<"ItemsStarted">): Change {
  const open = Object.fromEntries(items.map((item) => [item, { state: "OPEN" } as const]));
  return { states: { ...states, ...open }, queued: want > 0, waits: null };
}

export function afterPostponing({ states, waits, leaving }: BatchContext, fact: Of<"ItemPostponed">): Change {
  const { item, reason, until, at } = fact;
  const postponed = item ?? -1;
  const { [postponed]: _waits, ...others } = states;
  // The account put it into the queue before it was asked to take it out.
  if (leaving) return { states: others };
  // What the batches before it will leave is not known yet, and there is no message if they leave nothing.
  if (reason === null) return { states: others, queued: true, waits: waits ?? { reason: "turn", until, since: at } };
  return { states: others, queued: true, waits: { reason, until, since: reason === "pace" ? null : (waits?.since ?? at) } };
}

export function afterRefusingWaiting(context: BatchContext, { code, detail }: Of<"WaitingRefused">): Change {
  const refused = waitingItems(context).map((item) => [item, { state: "REFUSED", code, detail } as const]);
  return { states: { ...context.states, ...Object.fromEntries(refused) }, queued: false, waits: null };
}

export function afterPausing(): Change {
  return { leaving: true, queued: false, waits: null };
}

export function afterLeaving(): Change {
  return { leaving: false };
}

export function afterCancelling(context: BatchContext): Change {
  const ended = waitingItems(context).map((item) => [item, { state: "ENDED", status: "CANCELLED" } as const]);
  return { states: { ...context.states, ...Object.fromEntries(ended) }, queued: false, waits: null };
}

/** An item is done: refused, or its task has ended. */
export function afterItem({ states }: BatchContext, fact: Of<"ItemRefused" | "ItemEnded">): Change {
  const { item } = fact;
  if (fact.type === "ItemEnded") return { states: { ...states, [item]: { state: "ENDED", status: fact.status } } };
  return { states: { ...states, [item]: { state: "REFUSED", code: fact.code, detail: fact.detail } } };
}
