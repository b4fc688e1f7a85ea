/** What operators do and keep. */
import type { TaskSpec } from "../../machines/task/events.ts";
import type { Millis } from "../../machines/vocabulary.ts";
import type { Page } from "./read-model.ts";

/** Something that an operator did. */
export interface ActionRow {
  readonly id: string;
  readonly at: Millis;
  readonly action: string;
  readonly target: string;
  readonly detail: object;
  /** `done`, or the code of a refusal; null while it is not known. */
  readonly outcome: string | null;
}

/** The log of what operators do. Every call may reject with StoreUnavailable. */
export interface Operators {
  /** Notes what is about to be done. */
  begin(action: Omit<ActionRow, "outcome">): Promise<void>;
  end(target: string, id: string, outcome: string): Promise<void>;
  list(limit: number, cursor: string | null): Promise<Page<ActionRow> | undefined>;
  addHoneypot(row: HoneypotRow): Promise<void>;
  /** All of them, the oldest first. */
  honeypots(): Promise<readonly HoneypotRow[]>;
  /** A page of them, the oldest first. */
  listHoneypots(limit: number, cursor: string | null): Promise<Page<HoneypotRow> | undefined>;
  /** Whether it was there. */
  removeHoneypot(id: string): Promise<boolean>;
}

/** A task whose answer is known. */
export interface HoneypotRow {
  readonly id: string;
  readonly at: Millis;
  readonly order: TaskSpec;
}
