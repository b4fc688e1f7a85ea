import type { EntityKind, Send } from "./protocols.ts";
import type { Millis } from "./vocabulary.ts";

/** A message to another actor of any kind. */
export type Tell = Send<EntityKind>;

/** Sets the named timer of this actor for `at` (ms); a second one of that name replaces the first. */
export interface Remind {
  readonly type: "remind";
  readonly name: string;
  readonly at: Millis;
}

/** Removes the named timer of this actor. */
export interface Forget {
  readonly type: "forget";
  readonly name: string;
}

/** What a fact leads to once it is committed. Not repeated on replay. */
export type Effect = Tell | Remind | Forget;
