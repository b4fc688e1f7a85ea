/** The operators' log. */
import type { Millis } from "../../machines/vocabulary.ts";
import type { Page } from "./read-model.ts";

/** An action of an operator. */
export interface ActionRow {
  readonly id: string;
  readonly at: Millis;
  readonly action: string;
  readonly target: string;
  readonly detail: object;
  /** `done`, or the code of the refusal; null while unknown. */
  readonly outcome: string | null;
}

/** Stores the log of actions. Every call may reject with StoreUnavailable. */
export interface Operators {
  /** Records an action before it is carried out. */
  begin(action: Omit<ActionRow, "outcome">): Promise<void>;
  end(target: string, id: string, outcome: string): Promise<void>;
  list(limit: number, cursor: string | null): Promise<Page<ActionRow> | undefined>;
}
