import type { Unmatched } from "../../../machines/market/unmatched.ts";
import type { PlacedBid, TaskFact, TaskSpec } from "../../../machines/task/events.ts";
import type { TaskRow } from "../../../machines/task/row.ts";
import type { AccountId, Millis } from "../../../machines/vocabulary.ts";
import type { Surroundings } from "../../adapters/postgres/inspect.ts";
import type { Tally } from "./reasons.ts";

export type Attempt = Extract<TaskFact, { readonly type: "WebhookAttempted" }>;
type Decline = Pick<Extract<TaskFact, { readonly type: "OfferDeclined" }>, "worker" | "reason" | "at">;

/** Who could take a task that takes bids, of all that have a capability for its type. */
export interface Workers {
  readonly capable: number;
  readonly judged: number;
  /** At their posted prices. */
  readonly offers: Tally;
  /** The cheapest of those who may. */
  readonly atTheirPrice: readonly AccountId[];
  /** By bids of their own. */
  readonly bids: Tally;
}

export interface TaskReport {
  readonly task: Omit<TaskRow, "result" | "marks">;
  readonly spec: Pick<TaskSpec, "maxSeconds" | "quality" | "poolHours" | "autoRetry" | "batch"> & {
    readonly hasWebhook: boolean;
    readonly isHoneypot: boolean;
  };
  readonly award: (PlacedBid & { readonly at: Millis; readonly deadline: Millis }) | null;
  readonly bids: readonly PlacedBid[];
  readonly failures: readonly { readonly worker: AccountId; readonly code: string }[];
  /**
   * Who declined, and of a task that an older version posted: workers that were online with a posted price then, and how many were
   * asked in this round.
   */
  readonly offers: { readonly workers: number; readonly asked: number; readonly declined: readonly Decline[] };
  /** What its matcher said last about why nobody takes it from the pool; null if it said nothing, or somebody did. */
  readonly unmatched: { readonly why: Unmatched; readonly present: number; readonly at: Millis } | null;
  /** null where it takes no bids. */
  readonly workers: Workers | null;
  /** null where no webhook is wanted. */
  readonly webhook: { readonly attempts: readonly Attempt[]; readonly done: boolean } | null;
  /** What is held for it now, in NC. */
  readonly held: number;
  /** How it ended, where nobody did it. */
  readonly ended: Extract<TaskFact, { readonly type: "Expired" | "Cancelled" }> | null;
  readonly surroundings: Surroundings;
  readonly sentences: readonly string[];
}
