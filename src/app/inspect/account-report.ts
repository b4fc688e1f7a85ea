/** What operators are told about an account. */
import type { AccountFact } from "../../../machines/account/events.ts";
import type { AccountRow } from "../../../machines/account/row.ts";
import type { Skill } from "../../../machines/market/qualification.ts";
import type { AccountId } from "../../../machines/vocabulary.ts";
import type { Declined, OpenTask, Sample, Surroundings } from "../../adapters/postgres/inspect.ts";
import type { Tally } from "./reasons.ts";

/** What one account may do in one task type now. */
export interface TypeOfWork {
  readonly taskType: string;
  /** Tasks of it that take bids, of those that were looked at. */
  readonly open: number;
  readonly skill: Skill;
  readonly capability: {
    /** NC; null where it bids for each task. */
    readonly price: number | null;
    readonly available: boolean;
    readonly slots: number;
    /** The tasks that a slot is reserved for. */
    readonly kept: readonly string[];
  } | null;
  /** By a bid of its own, at a price that each would pay. */
  readonly bids: Tally;
  /** At its posted price. */
  readonly offers: Tally;
}

export interface AccountReport {
  readonly account: Omit<AccountRow, "keyHash" | "github" | "records" | "customer">;
  /** Other accounts of the same identity. */
  readonly kin: readonly AccountId[];
  /** Its latest fact of each kind that says why it may not work. */
  readonly history: readonly AccountFact[];
  readonly work: readonly TypeOfWork[];
  readonly openTasks: Omit<Sample<OpenTask>, "rows"> & { readonly judged: number };
  readonly declined: readonly Declined[];
  readonly surroundings: Surroundings;
  readonly sentences: readonly string[];
}
