import type { WaitsFor } from "../account/turns.ts";
import type { RefusalCode } from "../refusal.ts";
import type { TaskSpec } from "../task/events.ts";
import type { AccountId, Millis, TerminalStatus } from "../vocabulary.ts";
import type { BatchItem } from "./events.ts";

export type BatchCommand =
  | {
      readonly type: "openBatch";
      readonly requester: AccountId;
      readonly request: string;
      readonly template: TaskSpec;
      readonly items: readonly BatchItem[];
      readonly atOnce: number;
      /** How many items of all batches of the requester may open in any 60 s; left out or 0: as many as there are. */
      readonly perMinute?: number;
    }
  /** From the requester's account and from the tasks; never refused. */
  | { readonly type: "itemRefused"; readonly item: number; readonly code: RefusalCode; readonly detail: string }
  /** The item (null: none that was asked for) waits in the account's queue; `until` (ms) is known where the pace is why. */
  | {
      readonly type: "itemPostponed";
      readonly item: number | null;
      readonly reason: WaitsFor | null;
      readonly until: Millis | null;
    }
  /** So many items may be asked for now; the batch is in the queue no more. */
  | { readonly type: "turns"; readonly count: number }
  | { readonly type: "itemEnded"; readonly item: number; readonly status: TerminalStatus }
  /** Asks how far it is, and for the items of a page; left out: for all. */
  | { readonly type: "show"; readonly requester: AccountId; readonly from?: number; readonly limit?: number }
  /** Does nothing: under the id of an earlier command it is answered as that one was. */
  | { readonly type: "recall" }
  | { readonly type: "timer"; readonly name: string; readonly due: Millis };
