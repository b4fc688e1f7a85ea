/** What the replies of all entities have in common: rebuilding them from facts, reading them, writing them for older gateways. */

import type { ActorKind } from "./address.ts";
import type { AnyFact } from "./fact.ts";
import type { CommandType, ReplyOf } from "./protocols.ts";
import type { Check } from "./shape.ts";

/** Rebuilds the reply to each command of an entity from the facts that it caused; `state` is the current one. */
export type Recalls<K extends ActorKind, S, F extends AnyFact> = {
  readonly [T in CommandType<K>]: (facts: readonly F[], state: S) => ReplyOf<K, T>;
};

/** For commands that are told and not asked. */
export const NO_REPLY = (): null => null;

/** Finds the fact of a type among those that a command caused; throws if there is none, because they are another command's. */
export function factOf<F extends AnyFact, T extends F["type"]>(facts: readonly F[], type: T): Extract<F, { readonly type: T }> {
  const isIt = (fact: F): fact is Extract<F, { readonly type: T }> => fact.type === type;
  const found = facts.find(isIt);
  if (found === undefined) throw new Error(`a command that came again did not lead to ${type}`);
  return found;
}

/** How a reply is read in any form that a node may write, and written for a gateway that reads only the form before. */
export interface ReplyForm<R> {
  /** Gives undefined if it is no such reply. */
  readonly read: (value: unknown) => R | undefined;
  /** Writes a reply in the form before; unchanged if there was none. */
  readonly older: (value: unknown) => unknown;
}

export type ReplyForms<K extends ActorKind> = { readonly [T in CommandType<K>]: ReplyForm<ReplyOf<K, T>> };

/** A reply that has only ever had one form. */
export function form<R>(check: Check<R>): ReplyForm<R> {
  return { read: (value) => (check(value) ? value : undefined), older: (value) => value };
}

/** A reply whose form has changed: `up` turns the form before into today's, `down` does the reverse. */
export function changedForm<R, O>(
  check: Check<R>,
  before: { readonly check: Check<O>; readonly up: (old: O) => R; readonly down: (reply: R) => O },
): ReplyForm<R> {
  const read = (value: unknown) => {
    if (check(value)) return value;
    return before.check(value) ? before.up(value) : undefined;
  };
  return { read, older: (value) => (check(value) ? before.down(value) : value) };
}

/** For commands that are told: nobody reads the reply, so it may be anything. */
export const NOTHING: ReplyForm<null> = { read: () => null, older: () => null };
