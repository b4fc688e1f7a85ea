/** Cursors, opaque to clients: the time and id of the last row of the previous page. */
import { isUuid, type Millis } from "../../../machines/vocabulary.ts";

export interface Cursor {
  readonly at: Millis;
  readonly id: string;
}

/** Start of a descending and of an ascending list. */
export const NEWEST: Cursor = { at: Number.MAX_SAFE_INTEGER, id: "ffffffff-ffff-ffff-ffff-ffffffffffff" };
export const OLDEST: Cursor = { at: -1, id: "00000000-0000-0000-0000-000000000000" };

/** Makes the cursor of the row (at, id). */
export function pageCursor(at: Millis, id: string): string {
  return Buffer.from(`${at}.${id}`).toString("base64url");
}

/** Parses a cursor; undefined if it is invalid. */
export function parseCursor(text: string): Cursor | undefined {
  const [at = "", id = "", ...rest] = Buffer.from(text, "base64url").toString().split(".");
  if (rest.length > 0 || !/^\d{1,15}$/.test(at) || !isUuid(id)) return undefined;
  return { at: Number(at), id };
}

/** Makes the cursor of a row that is numbered within its entity. */
export function numberCursor(seq: number): string {
  return Buffer.from(String(seq)).toString("base64url");
}

/** Parses a cursor made by numberCursor; undefined if it is invalid. */
export function parseNumber(text: string): number | undefined {
  const decoded = Buffer.from(text, "base64url").toString();
  return /^\d{1,9}$/.test(decoded) ? Number(decoded) : undefined;
}
