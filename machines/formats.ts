/**
 * The formats in which entities write facts, snapshots and messages. While a cluster runs different versions, only what every
 * member reads is written.
 *
 * A new type of fact or message, or a changed snapshot, raises the entity's number in FORMATS. The entity's code reads the new
 * format and all before it, and writes the one that it is given. A new optional field is no new format.
 *
 * F1  The formats agreed upon are recorded and never lowered, and each was read by every member when it was recorded.
 * F2  Nobody joins who does not read what is recorded. So at any moment every member reads all that has been written.
 */
import type { EntityKind } from "./address.ts";

/** What is stored is of a format that this code does not know. */
export class NewerFormat extends Error {}

/** A number for each entity; a higher one is newer. */
export type Formats = { readonly [K in EntityKind]: number };

/** What members read that publish no formats, because they are from before that. */
export const BASE_FORMATS: Formats = { task: 1, account: 1, batch: 1 };

/** What this code reads, and writes once every member reads it. */
export const FORMATS: Formats = { task: 5, account: 6, batch: 2 };

/**
 * The highest formats that all of these read: the lowest number of each entity. A member that publishes none (null) reads the
 * base.
 */
export function agreedFormats(published: readonly (Formats | null)[]): Formats {
  const lowest = (kind: EntityKind) => Math.min(...published.map((formats) => (formats ?? BASE_FORMATS)[kind]));
  if (published.length === 0) return BASE_FORMATS;
  return { task: lowest("task"), account: lowest("account"), batch: lowest("batch") };
}

/** Whether a member that reads `formats` reads everything written in the `needed` ones. */
export function reads(formats: Formats | null, needed: Formats): boolean {
  const { task, account, batch } = formats ?? BASE_FORMATS;
  return task >= needed.task && account >= needed.account && batch >= needed.batch;
}
