/**
 * The ids of events. They are the numbers of an account's facts; before, they were times in ms, and clients may still send one.
 * On a stream that was opened with a ticket they have a fraction (17.0482…), which proves that it was opened in time.
 */
import type { Millis } from "../../machines/vocabulary.ts";

/** What separates an id from its proof. */
export const POSITION_PROOF = ".";
/** No fact has a higher number; what is above is a time (ms). */
const SEQ_MAX = 2 ** 31 - 1;
const ID = /^(\d{1,15})(?:\.(\d{1,40}))?$/;

/** Where a client has been: it has seen all up to this fact, or to this time (ms). */
export type Position = { readonly after: number } | { readonly since: Millis };

/** Reads the id of an event; undefined if it is none. */
export function readPosition(id: string): Position | undefined {
  const [, digits] = ID.exec(id) ?? [];
  if (digits === undefined) return undefined;
  const number = Number(digits);
  return number > SEQ_MAX ? { since: number } : { after: number };
}

/** The proof in an id; null if it has none. */
export function proofIn(id: string): string | null {
  const [, , proof] = ID.exec(id) ?? [];
  return proof ?? null;
}
