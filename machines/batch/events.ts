import type { WaitsFor } from "../account/waiting.ts";
import type { StoredFact } from "../fact.ts";
import { FORMATS, NewerFormat } from "../formats.ts";
import type { RefusalCode } from "../refusal.ts";
import type { TaskSpec } from "../task/events.ts";
import type { AccountId, Millis, TaskId, TerminalStatus } from "../vocabulary.ts";

/** An item of a batch: its text, and the id of its task. */
export interface BatchItem {
  readonly task: TaskId;
  readonly inputData: string;
}

interface At {
  readonly at: Millis;
}

export type BatchFact = At &
  (
    | {
        readonly type: "BatchOpened";
        readonly requester: AccountId;
        /** An id derived from the request's key and body, so that another body under the same key is detected. */
        readonly request: string;
        /** The task spec of all items; its text is empty. */
        readonly template: TaskSpec;
        readonly items: readonly BatchItem[];
        /** How many items may be open at once. */
        readonly atOnce: number;
        /** See protocol.ts; absent in batches from before the rate limit existed. */
        readonly perMinute?: number;
      }
    /** The budgets of these items are requested; `want` more are waiting, and `called` says whether it was the batch's turn. */
    | {
        readonly type: "ItemsStarted";
        readonly items: readonly number[];
        readonly want?: number;
        readonly called?: boolean;
      }
    /** The item keeps waiting (null: others do), until `until` (ms) if that is known. */
    | {
        readonly type: "ItemPostponed";
        readonly item: number | null;
        readonly reason: WaitsFor | null;
        readonly until: Millis | null;
      }
    /** No further item is requested; the account is asked to take the batch out of its queue, unless it is asked already. */
    | { readonly type: "BatchPaused" }
    | { readonly type: "BatchResumed" }
    /** The account has taken the batch out of its queue, so that it may ask anew. */
    | { readonly type: "QueueLeft" }
    /** All waiting items are cancelled, and the account is asked to cancel those that are open and not awarded. */
    | { readonly type: "BatchCancelled" }
    /** All waiting items are refused. */
    | { readonly type: "WaitingRefused"; readonly code: RefusalCode; readonly detail: string }
    | { readonly type: "ItemRefused"; readonly item: number; readonly code: RefusalCode; readonly detail: string }
    | { readonly type: "ItemEnded"; readonly item: number; readonly status: TerminalStatus }
  );

/** The types of its facts. */
export const BATCH_FACTS: { readonly [T in BatchFact["type"]]: true } = {
  BatchOpened: true,
  ItemsStarted: true,
  ItemPostponed: true,
  BatchPaused: true,
  BatchResumed: true,
  QueueLeft: true,
  BatchCancelled: true,
  WaitingRefused: true,
  ItemRefused: true,
  ItemEnded: true,
};

/** Reads a batch's fact of any format; so far all are alike. Throws on a newer format. */
export function upcastBatchFact({ type, version, body }: StoredFact): BatchFact {
  if (version > FORMATS.batch || !Object.hasOwn(BATCH_FACTS, type)) {
    throw new NewerFormat(`a newer NexusToken wrote ${type} v${version}`);
  }
  // Only we write the journal, so a body is trusted once its type and version are known.
  return body as BatchFact;
}
