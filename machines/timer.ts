/** A timer of an actor: how it is set and removed, and the command that it becomes. */
import type { Millis } from "./vocabulary.ts";

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

/** A timer of the actor fired; `due` is the time for which it was set (ms). */
export interface TimerFired {
  readonly command: { readonly name: string; readonly due: Millis };
  readonly reply: null;
}
