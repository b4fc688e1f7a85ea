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
    }
  /** From the requester's account and from the tasks; never refused. */
  | { readonly type: "itemRefused"; readonly item: number; readonly code: RefusalCode; readonly detail: string }
  | { readonly type: "itemEnded"; readonly item: number; readonly status: TerminalStatus }
  /** Asks how far it is. */
  | { readonly type: "show"; readonly requester: AccountId }
  | { readonly type: "timer"; readonly name: string; readonly due: Millis };
