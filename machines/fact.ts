/** Facts of any entity, for code that only carries them. */
import type { Millis } from "./vocabulary.ts";

/** Something that happened, as it is journaled: its type, and everything that replay needs. */
export interface AnyFact {
  readonly type: string;
}

/** A fact as read from the journal, in the version in which it was written. */
export interface StoredFact {
  readonly seq: number;
  readonly type: string;
  readonly version: number;
  readonly body: unknown;
  readonly at: Millis;
}
