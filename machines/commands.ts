/** What the commands of all entities have in common: checking those that come from another process or out of the database. */
import type { ActorKind } from "./address.ts";
import type { CommandOf } from "./protocols.ts";
import { type Check, isNumber, isText, isVariant, type Variants } from "./shape.ts";
import type { TimerFired } from "./timer.ts";

/**
 * The check of each field of each command of an entity. One that is missing, misspelt or of another type does not compile
 * (test/types/protocols.ts).
 */
export type CommandForms<K extends ActorKind> = Variants<CommandOf<K>, "type">;

/**
 * Makes the check of an entity's commands. Contents that are stored whole are checked as deep as machines read them, not again
 * for the bounds that gateways hold.
 */
export function commandCheck<K extends ActorKind>(forms: CommandForms<K>): Check<CommandOf<K>> {
  return isVariant<CommandOf<K>, "type">("type", forms);
}

/** The fields of TimerFired. */
export const TIMER: { readonly [N in keyof TimerFired["command"]]: Check<TimerFired["command"][N]> } = {
  name: isText,
  due: isNumber,
};
