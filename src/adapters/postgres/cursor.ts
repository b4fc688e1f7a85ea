/** Cursors, opaque to clients: where the previous page ended. */
import { isUuid, type Millis } from "../../../machines/vocabulary.ts";

/** A position in a list by time and id. */
export interface Cursor {
  readonly at: Millis;
  readonly id: string;
}

/** Start of a descending and of an ascending list. */
export const NEWEST: Cursor = { at: Number.MAX_SAFE_INTEGER, id: "ffffffff-ffff-ffff-ffff-ffffffffffff" };
export const OLDEST: Cursor = { at: -1, id: "00000000-0000-0000-0000-000000000000" };

/** The oldest first; ties by id. */
export function byAge(a: Cursor, b: Cursor): number {
  return a.at - b.at || (a.id < b.id ? -1 : Number(a.id > b.id));
}

function encode(...parts: readonly (string | number)[]): string {
  return Buffer.from(parts.join(".")).toString("base64url");
}

function decode(text: string): readonly string[] {
  return Buffer.from(text, "base64url").toString().split(".");
}

function number(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function position([at = "", id = ""]: readonly string[]): Cursor | undefined {
  const time = number(at);
  return time === undefined || !isUuid(id) ? undefined : { at: time, id };
}

/** Makes the cursor of the row (at, id). */
export function pageCursor({ at, id }: Cursor): string {
  return encode(at, id);
}

/** Parses a cursor; undefined if it is invalid. */
export function parseCursor(text: string): Cursor | undefined {
  const parts = decode(text);
  return parts.length === 2 ? position(parts) : undefined;
}

/** A position in a list of open tasks by what they pay (NC), the most first; ties by age. */
export interface BudgetCursor extends Cursor {
  readonly budget: number;
}

/** Start of a list by budget. */
export const BEST_PAID: BudgetCursor = { budget: Number.MAX_SAFE_INTEGER, ...OLDEST };

/** The best paid first; ties by age. */
export function byBudget(a: BudgetCursor, b: BudgetCursor): number {
  return b.budget - a.budget || byAge(a, b);
}

/** Where a list by budget goes on, without what is as new as `shown` (null: with all). */
export interface BudgetPage {
  readonly after: BudgetCursor;
  readonly shown: Cursor | null;
}

export function budgetCursor({ after, shown }: BudgetPage): string {
  return encode(`b${after.budget}`, after.at, after.id, ...(shown === null ? [] : [shown.at, shown.id]));
}

/** Parses a cursor made by budgetCursor; undefined if it is invalid. */
export function parseBudget(text: string): BudgetPage | undefined {
  const [first = "", ...parts] = decode(text);
  const budget = first.startsWith("b") ? number(first.slice(1)) : undefined;
  const after = position(parts);
  const shown = parts.length === 2 ? null : position(parts.slice(2));
  if (budget === undefined || after === undefined || shown === undefined || parts.length > 4) return undefined;
  return { after: { budget, ...after }, shown };
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
