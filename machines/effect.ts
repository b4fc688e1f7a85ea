import type { Millis } from "./vocabulary.ts";

/** Which machine an actor runs. */
export type EntityKind = "task" | "account" | "batch";

/** The address of one actor: its kind and its id (a UUID). */
export interface Address {
  readonly kind: EntityKind;
  readonly id: string;
}

/** Anything asked of an actor: its type names what is asked. */
export interface AnyCommand {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A message to another actor; durable in the sender's commit, taken in exactly once by the receiver. */
export interface Tell {
  readonly type: "tell";
  readonly to: Address;
  readonly command: AnyCommand;
  /** The receiver's id was made just now, so nothing can be known of it yet and there is nothing to load. */
  readonly fresh?: boolean;
}

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
