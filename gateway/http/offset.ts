/** Cursors of lists that are short and never change but at their end: how many entries came before. */
import { wrongCursor } from "./problems.ts";

/** More entries than any such list has. */
const OFFSET = /^\d{1,4}$/;

/** Gives how many entries to pass over; throws a Problem (422) for a cursor that is none. */
export function offsetOf(cursor: string | undefined): number {
  if (cursor !== undefined && !OFFSET.test(cursor)) throw wrongCursor();
  return Number(cursor ?? 0);
}

/** The cursor of what follows so many entries; null at the end. */
export function cursorAt(offset: number | null): string | null {
  return offset === null ? null : String(offset);
}
