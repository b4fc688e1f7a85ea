/** The operators' log and their honeypots. */
import type { TaskSpec } from "../../machines/task/events.ts";
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

/** Stores the log of actions and the honeypots. Every call may reject with StoreUnavailable. */
export interface Operators {
  /** Records an action before it is carried out. */
  begin(action: Omit<ActionRow, "outcome">): Promise<void>;
  end(target: string, id: string, outcome: string): Promise<void>;
  list(limit: number, cursor: string | null): Promise<Page<ActionRow> | undefined>;
  /** Stores it unless there is one with its id; gives the one that there is. */
  addHoneypot(row: HoneypotRow): Promise<HoneypotRow>;
  /** All honeypots, the oldest first. */
  honeypots(): Promise<readonly HoneypotRow[]>;
  /** A page of honeypots, the oldest first. */
  listHoneypots(limit: number, cursor: string | null): Promise<Page<HoneypotRow> | undefined>;
  /** Gives whether it existed. */
  removeHoneypot(id: string): Promise<boolean>;
}

/** A task with a known answer. */
export interface HoneypotRow {
  readonly id: string;
  readonly at: Millis;
  readonly order: TaskSpec;
}
