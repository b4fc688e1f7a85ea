import type { RefusalCode } from "../refusal.ts";
import type { Order } from "../task/facts.ts";
import type { AccountId, Millis, TerminalStatus } from "../vocabulary.ts";
import type { BatchItem } from "./facts.ts";

export type BatchCommand =
  | {
      readonly type: "openBatch";
      readonly requester: AccountId;
      readonly request: string;
      readonly template: Order;
      readonly items: readonly BatchItem[];
      readonly atOnce: number;
      /** Tasks that the requester may create in a minute; 0 or left out is no limit. */
      readonly perMinute?: number;
    }
  /** From the requester's account and from the tasks; never refused. */
  | { readonly type: "itemRefused"; readonly item: number; readonly code: RefusalCode; readonly detail: string }
  /** From the requester's account: the item has had its turn, or waits till its slot (ms). */
  | { readonly type: "itemPaced"; readonly item: number; readonly slot: Millis | null }
  | { readonly type: "itemEnded"; readonly item: number; readonly status: TerminalStatus }
  /** Asks how far it is. */
  | { readonly type: "show"; readonly requester: AccountId }
  | { readonly type: "timer"; readonly name: string; readonly due: Millis };
