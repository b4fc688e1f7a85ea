/** What entities have in common where they reply: made again from facts, read where it comes in, written for older gateways. */
import type { AnyFact } from "./entity.ts";
import type { CommandType, EntityKind, ReplyOf } from "./protocols.ts";
import type { Check } from "./shape.ts";

/** What each command of an entity replied, made again from the facts that it caused; `state` is the one of today. */
export type Recalls<K extends EntityKind, S, F extends AnyFact> = {
  readonly [T in CommandType<K>]: (facts: readonly F[], state: S) => ReplyOf<K, T>;
};

/** Recalls what commands reply that are told and not asked. */
export const NO_REPLY = (): null => null;

/** The fact of a type among those that a command caused; throws where there is none, because then they are another command's. */
export function factOf<F extends AnyFact, T extends F["type"]>(facts: readonly F[], type: T): Extract<F, { readonly type: T }> {
  const isIt = (fact: F): fact is Extract<F, { readonly type: T }> => fact.type === type;
  const found = facts.find(isIt);
  if (found === undefined) throw new Error(`a command that is asked again did not lead to ${type}`);
  return found;
}

/** How a reply is read where it comes in, in whatever form a node wrote it, and written for who reads only the form before. */
export interface ReplyForm<R> {
  /** Gives undefined for what is no such reply. */
  readonly read: (value: unknown) => R | undefined;
  /** Writes what an entity replied in the form before; the same where there was none. */
  readonly older: (value: unknown) => unknown;
}

export type ReplyForms<K extends EntityKind> = { readonly [T in CommandType<K>]: ReplyForm<ReplyOf<K, T>> };

/** A reply that has had one form only. */
export function form<R>(check: Check<R>): ReplyForm<R> {
  return { read: (value) => (check(value) ? value : undefined), older: (value) => value };
}

/** A reply whose form has changed: `up` makes the one of today of the one before, `down` the other way round. */
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

/** Of commands that are told: nobody reads what comes back, so it may be anything. */
export const NOTHING: ReplyForm<null> = { read: () => null, older: () => null };
