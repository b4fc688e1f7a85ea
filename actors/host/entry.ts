/** What a decision adds to the journal, made of its facts and of the state that they lead to. */
import type { AnyMachineSnapshot } from "xstate";
import type { Address } from "../../machines/address.ts";
import type { Effect } from "../../machines/effect.ts";
import type { AnyEntity } from "../../machines/entity.ts";
import type { AnyFact } from "../../machines/fact.ts";
import type { Millis } from "../../machines/vocabulary.ts";
import type { Entry, TimerChange } from "../ports/journal.ts";
import type { WrittenParts } from "./parts.ts";

export interface Added {
  readonly address: Address;
  /** The number of the actor's last fact before these. */
  readonly after: number;
  readonly facts: readonly AnyFact[];
  /** The states before them and after them. */
  readonly before: AnyMachineSnapshot;
  readonly state: AnyMachineSnapshot;
  /** Whether the state is saved as a snapshot. */
  readonly saves: boolean;
  readonly at: Millis;
  /** The format in which facts and snapshots are written. */
  readonly format: number;
}

/** Makes the entry of facts that come next, without a cause and without what they cause. An entry without facts changes no rows. */
export function entryOf(entity: AnyEntity, written: WrittenParts, added: Added): Entry {
  const { address, after, facts, before, state, saves, at, format } = added;
  return {
    address,
    after,
    facts: facts.map((fact) => ({ type: fact.type, version: format, body: fact, at })),
    cause: null,
    postings: facts.map((fact) => entity.postings(address.id, fact)),
    messages: [],
    timers: [],
    row: entity.row(address.id, state),
    parts: facts.length === 0 ? [] : written.changed(entity.parts(state, before, facts)),
    snapshot: saves ? entity.persist(state, format) : undefined,
  };
}

/** The changes of timers that an effect asks for. */
export function timerChange(effect: Effect): readonly TimerChange[] {
  if (effect.type === "tell") return [];
  return [{ name: effect.name, at: effect.type === "remind" ? effect.at : null }];
}
