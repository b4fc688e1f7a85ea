import type { EntityKind, Send } from "./protocols.ts";
import type { Millis } from "./vocabulary.ts";

/** A message to another actor, of whatever kind. */
export type Tell = Send<EntityKind>;

/** Sets the named timer of this actor to fall due at `at` (ms); a second one of that name replaces the first. */
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

/** What a fact sets off once it is durable. Nothing of it is run on replay. */
export type Effect = Tell | Remind | Forget;
