import type { Static } from "typebox";
import type { BatchProgress } from "../../machines/batch/protocol.ts";
import { cursorAt } from "../http/offset.ts";
import type { BatchProgress as Shown } from "../schemas/batch.ts";
import { timeOrNull } from "./task.ts";

/** How far a batch is, in the words of the API. */
export function showBatch(progress: BatchProgress): Static<typeof Shown> {
  const { batch, waitsFor, nextAt, givesUpAt, items, next, ...counts } = progress;
  return {
    batch_id: batch,
    ...counts,
    waiting_for: waitsFor,
    next_at: timeOrNull(nextAt),
    gives_up_at: timeOrNull(givesUpAt),
    items: items.map(({ task, status, error }) => ({ task_id: task, status, error })),
    next_cursor: cursorAt(next),
  };
}
