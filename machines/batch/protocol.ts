import type { WaitsFor } from "../account/turns.ts";
import type { TimerFired } from "../protocols.ts";
import type { RefusalCode } from "../refusal.ts";
import type { TaskSpec } from "../task/events.ts";
import type { AccountId, Millis, TaskId, TerminalStatus } from "../vocabulary.ts";
import type { BatchItem } from "./events.ts";

/** Names the request by its body, so that another one under the same Idempotency-Key is known. */
export interface BatchMade {
  readonly batch: string;
  readonly request: string;
}

/** How far an item is: not asked for yet, open, refused, or ended as its task did. */
export type ItemStatus = "WAITING" | "OPEN" | "REFUSED" | TerminalStatus;

/** How far a batch is: counts of all its items, and a page of them. */
export interface BatchProgress {
  readonly batch: string;
  readonly status: "RUNNING" | "DONE";
  readonly total: number;
  readonly waiting: number;
  readonly open: number;
  readonly settled: number;
  readonly expired: number;
  readonly cancelled: number;
  readonly refused: number;
  /** `turn`: for other batches of the account, which stand before it. */
  readonly waitsFor: WaitsFor | "turn" | null;
  /** When it goes on (ms), where that is known. */
  readonly nextAt: Millis | null;
  /** When its waiting items are refused (ms), where it waits for something that may never come. */
  readonly givesUpAt: Millis | null;
  readonly items: readonly {
    readonly task: TaskId;
    readonly status: ItemStatus;
    readonly error: { readonly code: RefusalCode; readonly detail: string } | null;
  }[];
  /** The number of the first item after this page. */
  readonly next: number | null;
}

/** What a batch is asked and told, and what it replies. */
export interface BatchProtocol {
  readonly openBatch: {
    readonly command: {
      readonly requester: AccountId;
      readonly request: string;
      readonly template: TaskSpec;
      readonly items: readonly BatchItem[];
      readonly atOnce: number;
      /** How many items of all batches of the requester may open in any 60 s; left out or 0: as many as there are. */
      readonly perMinute?: number;
    };
    readonly reply: BatchMade;
  };
  /** From the requester's account and from the tasks; never refused. */
  readonly itemRefused: {
    readonly command: { readonly item: number; readonly code: RefusalCode; readonly detail: string };
    readonly reply: null;
  };
  /** The item (null: none that was asked for) waits in the account's queue; `until` (ms) is known where the pace is why. */
  readonly itemPostponed: {
    readonly command: { readonly item: number | null; readonly reason: WaitsFor | null; readonly until: Millis | null };
    readonly reply: null;
  };
  /** So many items may be asked for now; the batch is in the queue no more. */
  readonly turns: { readonly command: { readonly count: number }; readonly reply: null };
  readonly itemEnded: { readonly command: { readonly item: number; readonly status: TerminalStatus }; readonly reply: null };
  /** Asks how far it is, and for the items of a page; left out: for all. */
  readonly show: {
    readonly command: { readonly requester: AccountId; readonly from?: number; readonly limit?: number };
    readonly reply: BatchProgress;
  };
  /** Does nothing: under the id of an earlier command it is answered as that one was; null where there was none. */
  readonly recall: { readonly command: { readonly [field in never]: never }; readonly reply: BatchMade | null };
  readonly timer: TimerFired;
}
