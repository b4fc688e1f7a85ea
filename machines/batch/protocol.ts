import { WAITS_FOR, type WaitsFor } from "../account/waiting.ts";
import type { RefusalCode } from "../refusal.ts";
import type { TaskSpec } from "../task/events.ts";
import type { TimerFired } from "../timer.ts";
import type { AccountId, Millis, TaskId, TerminalStatus } from "../vocabulary.ts";
import type { BatchItem } from "./events.ts";

/** An id derived from the request's key and body, so that another body under the same key is detected. */
export interface BatchMade {
  readonly batch: string;
  readonly request: string;
}

/** The status of an item: not requested yet, open, refused, or the final status of its task. */
export type ItemStatus = "WAITING" | "OPEN" | "REFUSED" | TerminalStatus;

export const BATCH_WAITS_FOR = [...WAITS_FOR, "turn"] as const;
/** What a batch waits for. `turn`: for other batches of the account, which are before it in the queue. */
export type BatchWaitsFor = (typeof BATCH_WAITS_FOR)[number];

/** PAUSED: it opens no further items. CANCELLING: cancelled, but items of it are awarded or about to be cancelled. */
export const BATCH_STATUSES = ["RUNNING", "PAUSED", "CANCELLING", "DONE", "CANCELLED"] as const;
export type BatchStatus = (typeof BATCH_STATUSES)[number];

/** The progress of a batch: counts of all items, and a page of them. */
export interface BatchProgress {
  readonly batch: string;
  readonly status: BatchStatus;
  readonly total: number;
  readonly waiting: number;
  readonly open: number;
  readonly settled: number;
  readonly expired: number;
  readonly cancelled: number;
  readonly refused: number;
  readonly waitsFor: BatchWaitsFor | null;
  /** When it goes on (ms), if that is known. */
  readonly nextAt: Millis | null;
  /** When its waiting items are refused (ms), if it waits for something that may never come. */
  readonly givesUpAt: Millis | null;
  readonly items: readonly {
    readonly task: TaskId;
    readonly status: ItemStatus;
    readonly error: { readonly code: RefusalCode; readonly detail: string } | null;
  }[];
  /** The number of the first item after this page. */
  readonly next: number | null;
}

interface Steering {
  readonly command: { readonly requester: AccountId };
  readonly reply: { readonly batch: string };
}

/** The commands of a batch, and its replies. */
export interface BatchProtocol {
  readonly openBatch: {
    readonly command: {
      readonly requester: AccountId;
      readonly request: string;
      readonly template: TaskSpec;
      readonly items: readonly BatchItem[];
      readonly atOnce: number;
      /** How many items of all batches of the requester may open in any 60 s; 0 or absent: no limit. */
      readonly perMinute?: number;
    };
    readonly reply: BatchMade;
  };
  /** From the requester's account and from the tasks; never refused. */
  readonly itemRefused: {
    readonly command: { readonly item: number; readonly code: RefusalCode; readonly detail: string };
    readonly reply: null;
  };
  /** The item (null: none that was requested) waits in the account's queue, until `until` (ms) if it waits for the rate limit. */
  readonly itemPostponed: {
    readonly command: { readonly item: number | null; readonly reason: WaitsFor | null; readonly until: Millis | null };
    readonly reply: null;
  };
  /** The batch may request so many items now, and has left the queue. */
  readonly turns: { readonly command: { readonly count: number }; readonly reply: null };
  readonly itemEnded: { readonly command: { readonly item: number; readonly status: TerminalStatus }; readonly reply: null };
  /**
   * By the requester, and each may come again: pause keeps further items from opening, resume lets them open, cancel ends what is
   * not awarded. What was requested before a pause opens, if it can at once, else it waits with the others.
   */
  readonly pause: Steering;
  readonly resume: Steering;
  readonly cancel: Steering;
  /** From the requester's account: the batch, which is paused, has left its queue. */
  readonly queueLeft: { readonly command: { readonly [field in never]: never }; readonly reply: null };
  /** Asks for its progress and a page of items; without a page, for all items. */
  readonly show: {
    readonly command: { readonly requester: AccountId; readonly from?: number; readonly limit?: number };
    readonly reply: BatchProgress;
  };
  /** Does nothing. Under the id of an earlier command, it gets that command's reply; null if there was none. */
  readonly recall: { readonly command: { readonly [field in never]: never }; readonly reply: BatchMade | null };
  readonly timer: TimerFired;
}
