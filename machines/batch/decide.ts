import type { Decision } from "../entity.ts";
import { type Refusal, refuse } from "../refusal.ts";
import type { JsonValue, Millis } from "../vocabulary.ts";
import type { BatchCommand } from "./commands.ts";
import type { BatchFact } from "./facts.ts";
import type { BatchContext, BatchSnapshot } from "./machine.ts";

/** The most items of a batch, and the most that may be open at once. */
export const BATCH_ITEMS_MAX = 1_000;
export const BATCH_AT_ONCE_MAX = 100;

type Result = Decision<BatchFact> | Refusal;

const UNKNOWN = refuse(
  "BATCH_UNKNOWN",
  "There is no batch of yours with this id; check the batch_id that POST /tasks/batch gave you.",
);

/** Decides a command at the time `at` (ms). Pure. */
export function decideBatch({ value, context }: BatchSnapshot, command: BatchCommand, at: Millis): Result {
  switch (command.type) {
    case "openBatch": {
      if (value !== "NEW") return refuse("BATCH_EXISTS", "This batch is open already.");
      const { requester, request, template, items, atOnce } = command;
      const first = items.slice(0, atOnce).map((_, number) => number);
      const opened = { type: "BatchOpened", requester, request, template, items, atOnce, at } as const;
      return { facts: [opened, { type: "ItemsStarted", items: first, at }], reply: { batch: context.id, request } };
    }
    case "itemRefused": {
      const { item, code, detail } = command;
      return over(context, item, { type: "ItemRefused", item, code, detail, at }, at);
    }
    case "itemEnded":
      return over(context, command.item, { type: "ItemEnded", item: command.item, status: command.status, at }, at);
    case "show":
      return value === "NEW" || context.requester !== command.requester
        ? UNKNOWN
        : { facts: [], reply: progress(value, context) };
    case "timer":
      return refuse("TIMER_STALE", `The timer ${command.name} means nothing to a batch.`);
    default:
      return command satisfies never;
  }
}

/** One is over, and the next one begins. */
function over({ items, states }: BatchContext, item: number, fact: BatchFact, at: Millis): Result {
  if (states[item]?.state !== "OPEN") return { facts: [], reply: null };
  const next = items.findIndex((_, number) => states[number] === undefined);
  return { facts: next === -1 ? [fact] : [fact, { type: "ItemsStarted", items: [next], at }], reply: null };
}

function progress(value: string, { id, items, states }: BatchContext): JsonValue {
  return {
    batch_id: id,
    status: value,
    items: items.map(({ task }, number) => {
      const known = states[number];
      const refused = known?.state === "REFUSED" ? { code: known.code, detail: known.detail } : null;
      return { task_id: task, status: known?.state === "ENDED" ? known.status : (known?.state ?? "WAITING"), error: refused };
    }),
  };
}
