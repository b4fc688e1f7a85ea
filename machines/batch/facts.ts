import type { WaitsFor } from "../account/turns.ts";
import type { RefusalCode } from "../refusal.ts";
import type { TaskSpec } from "../task/facts.ts";
import type { AccountId, Millis, TaskId, TerminalStatus } from "../vocabulary.ts";

/** One text of a batch, and the task that it becomes. */
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
        /** Names the request by its body, so that another one under the same key is known. */
        readonly request: string;
        /** What all items ask for; its text is empty. */
        readonly template: TaskSpec;
        readonly items: readonly BatchItem[];
        /** How many of them may be open at once. */
        readonly atOnce: number;
        /** See commands.ts; those that were opened before there was a pace have none. */
        readonly perMinute?: number;
      }
    /** Their budgets are asked for; `want` more wait for their turn then, and `called` says whether it was their turn. */
    | {
        readonly type: "ItemsStarted";
        readonly items: readonly number[];
        readonly want?: number;
        readonly called?: boolean;
      }
    /** It waits on (null: others do); until when (ms), where that is known. */
    | {
        readonly type: "ItemPostponed";
        readonly item: number | null;
        readonly reason: WaitsFor | null;
        readonly until: Millis | null;
      }
    /** All that wait are refused. */
    | { readonly type: "WaitingRefused"; readonly code: RefusalCode; readonly detail: string }
    | { readonly type: "ItemRefused"; readonly item: number; readonly code: RefusalCode; readonly detail: string }
    | { readonly type: "ItemEnded"; readonly item: number; readonly status: TerminalStatus }
  );
