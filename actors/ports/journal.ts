/** The journal: facts, and the messages and timers that are written with them. */

import type { Address } from "../../machines/address.ts";
import type { Part } from "../../machines/entity.ts";
import type { StoredFact } from "../../machines/fact.ts";
import type { Posting } from "../../machines/money/postings.ts";
import type { CarriedCommand } from "../../machines/protocols.ts";
import type { Millis } from "../../machines/vocabulary.ts";

/** A message in the outbox of its sender. `seq` and `leg` order the messages of one sender. */
export interface OutboxMessage {
  readonly id: string;
  readonly from: Address;
  readonly seq: number;
  readonly leg: number;
  readonly to: Address;
  readonly command: CarriedCommand;
}

/** A timer is set for a time, or removed (null). */
export interface TimerChange {
  readonly name: string;
  readonly at: Millis | null;
}

export interface DueTimer {
  readonly address: Address;
  readonly name: string;
  readonly at: Millis;
}

/** What one decision adds to the journal. Its facts have the numbers after + 1, after + 2, … */
export interface Entry {
  readonly address: Address;
  readonly after: number;
  readonly facts: readonly Omit<StoredFact, "seq">[];
  /** The command that caused it; unique for each actor. */
  readonly cause: string | null;
  readonly postings: readonly (readonly Posting[])[];
  readonly messages: readonly OutboxMessage[];
  readonly timers: readonly TimerChange[];
  /** The row for lists as it is after these facts. */
  readonly row: unknown;
  /** The rows of its parts that these facts change, as they are then; the others stay. */
  readonly parts: readonly Part[];
  readonly snapshot: unknown;
}

/** One commit: all of it or nothing. */
export interface Batch {
  /** Marks the facts of this batch, so that a commit whose outcome was lost is recognised. A UUID. */
  readonly id: string;
  readonly entries: readonly Entry[];
  /** Messages that their receivers have committed; they are removed from the outbox. */
  readonly delivered: readonly string[];
  /** Messages that their receivers refused for good; they stay for the operator, marked as dead. */
  readonly dead: readonly { readonly id: string; readonly reason: string }[];
}

export interface StoredActor {
  readonly snapshot: { readonly seq: number; readonly state: unknown } | null;
  /** The facts after the snapshot, in order. */
  readonly facts: readonly StoredFact[];
}

/** Thrown by a journal that accepts nothing more from this writer, because others own its shards now. */
export class Fenced extends Error {}

/** Thrown by a journal that cannot be reached, or whose commit has an unknown outcome: the same call must be repeated. */
export class StoreUnavailable extends Error {}

export interface Journal {
  /**
   * Appends a batch; repeating it with the same id is safe. Gives the keys (addressKey) of the actors for which another writer
   * was first, or whose command is in the journal already: nothing of theirs is written, everything else is. Throws
   * StoreUnavailable if the outcome is unknown, and Fenced, with nothing written, if the writer has been declared dead.
   */
  append(batch: Batch): Promise<ReadonlySet<string>>;
  load(address: Address): Promise<StoredActor>;
  /** The facts that a command caused at an actor, in order; empty if it was never processed. */
  caused(address: Address, cause: string): Promise<readonly StoredFact[]>;
  /** A page of the undelivered messages whose senders are in a shard, in the order of (from, seq, leg), after the given one. */
  outbox(shard: number, after: OutboxMessage | null, rows: number): Promise<readonly OutboxMessage[]>;
  /** A page of the timers of a shard in the order of (address, name), after the given one. */
  timers(shard: number, after: DueTimer | null, rows: number): Promise<readonly DueTimer[]>;
}
