/** The replies of a batch: rebuilt from facts when a command comes again, and checked when they arrive. */
import type { CommandOf, CommandType, ReplyOf } from "../protocols.ts";
import { changedForm, factOf, form, NO_REPLY, NOTHING, type Recalls, type ReplyForms } from "../replies.ts";
import { isListOf, isNumber, isOneOf, isRecord, isRefusalCode, isTaskId, isText, orNull } from "../shape.ts";
import { TERMINAL_STATUSES } from "../task/tags.ts";
import type { TaskId } from "../vocabulary.ts";
import type { BatchFact } from "./events.ts";
import type { BatchSnapshot } from "./machine.ts";
import { BATCH_STATUSES, BATCH_WAITS_FOR, type BatchMade, type BatchProgress } from "./protocol.ts";

function made([first]: readonly BatchFact[], { context }: BatchSnapshot): BatchMade | null {
  return first?.type === "BatchOpened" ? { batch: context.id, request: first.request } : null;
}

function steered(_facts: readonly BatchFact[], { context }: BatchSnapshot): { readonly batch: string } {
  return { batch: context.id };
}

const RECALLS: Recalls<"batch", BatchSnapshot, BatchFact> = {
  openBatch: (facts, { context }) => ({ batch: context.id, request: factOf(facts, "BatchOpened").request }),
  itemRefused: NO_REPLY,
  itemPostponed: NO_REPLY,
  turns: NO_REPLY,
  itemEnded: NO_REPLY,
  pause: steered,
  resume: steered,
  cancel: steered,
  queueLeft: NO_REPLY,
  show: () => {
    throw new Error("showing a batch leaves no fact");
  },
  recall: made,
  timer: NO_REPLY,
};

/** Rebuilds the reply to a command from its facts; throws if they are another command's. */
export function recallBatch<T extends CommandType<"batch">>(
  command: CommandOf<"batch", T>,
  facts: readonly BatchFact[],
  state: BatchSnapshot,
): ReplyOf<"batch", T> {
  return RECALLS[command.type](facts, state);
}

export const isMade = isRecord<BatchMade>({ batch: isText, request: isText });

export const ITEM_STATUSES = ["WAITING", "OPEN", "REFUSED", ...TERMINAL_STATUSES] as const;

type Item = BatchProgress["items"][number];
const ITEM = {
  status: isOneOf(ITEM_STATUSES),
  error: orNull(isRecord<NonNullable<Item["error"]>>({ code: isRefusalCode, detail: isText })),
};
const COUNTS = {
  status: isOneOf(BATCH_STATUSES),
  total: isNumber,
  waiting: isNumber,
  open: isNumber,
  settled: isNumber,
  expired: isNumber,
  cancelled: isNumber,
  refused: isNumber,
  next: orNull(isNumber),
};
const isWaitsFor = orNull(isOneOf(BATCH_WAITS_FOR));

const isProgress = isRecord<BatchProgress>({
  ...COUNTS,
  batch: isText,
  waitsFor: isWaitsFor,
  nextAt: orNull(isNumber),
  givesUpAt: orNull(isNumber),
  items: isListOf(isRecord<Item>({ ...ITEM, task: isTaskId })),
});

/** The form before, with the field names of the HTTP API. */
type ProgressBefore = Omit<BatchProgress, "batch" | "waitsFor" | "nextAt" | "givesUpAt" | "items"> & {
  readonly batch_id: string;
  readonly waiting_for: BatchProgress["waitsFor"];
  readonly next_at: number | null;
  readonly gives_up_at: number | null;
  readonly items: readonly (Omit<Item, "task"> & { readonly task_id: TaskId })[];
};
const isProgressBefore = isRecord<ProgressBefore>({
  ...COUNTS,
  batch_id: isText,
  waiting_for: isWaitsFor,
  next_at: orNull(isNumber),
  gives_up_at: orNull(isNumber),
  items: isListOf(isRecord<ProgressBefore["items"][number]>({ ...ITEM, task_id: isTaskId })),
});

const STEERED = form(isRecord<{ readonly batch: string }>({ batch: isText }));

export const BATCH_REPLIES: ReplyForms<"batch"> = {
  openBatch: form(isMade),
  itemRefused: NOTHING,
  itemPostponed: NOTHING,
  turns: NOTHING,
  itemEnded: NOTHING,
  pause: STEERED,
  resume: STEERED,
  cancel: STEERED,
  queueLeft: NOTHING,
  show: changedForm(isProgress, {
    check: isProgressBefore,
    up: ({ batch_id: batch, waiting_for: waitsFor, next_at: nextAt, gives_up_at: givesUpAt, items, ...counts }) => ({
      ...counts,
      batch,
      waitsFor,
      nextAt,
      givesUpAt,
      items: items.map(({ task_id: task, ...rest }) => ({ ...rest, task })),
    }),
    down: ({ batch, waitsFor, nextAt, givesUpAt, items, ...counts }) => ({
      ...counts,
      batch_id: batch,
      waiting_for: waitsFor,
      next_at: nextAt,
      gives_up_at: givesUpAt,
      items: items.map(({ task, ...rest }) => ({ ...rest, task_id: task })),
    }),
  }),
  recall: form(orNull(isMade)),
  timer: NOTHING,
};
