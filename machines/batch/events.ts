import type { WaitsFor } from "../account/turns.ts";
import type { StoredFact } from "../entity.ts";
import { FORMATS } from "../formats.ts";
import type { RefusalCode } from "../refusal.ts";
import type { TaskSpec } from "../task/events.ts";
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
        /** See protocol.ts; those that were opened before there was a pace have none. */
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

const TYPES: { readonly [T in BatchFact["type"]]: true } = {
  BatchOpened: true,
  ItemsStarted: true,
  ItemPostponed: true,
  WaitingRefused: true,
  ItemRefused: true,
  ItemEnded: true,
};

/** Reads a fact of any format; so far they are alike. Throws on one that this code cannot know. */
export function upcastBatchFact({ type, version, body }: StoredFact): BatchFact {
  if (version > FORMATS.batch || !Object.hasOwn(TYPES, type)) throw new Error(`a newer NexusToken wrote ${type} v${version}`);
  // The journal is our own writing, so a body's shape is trusted once its type and version are known.
  return body as BatchFact;
}
