/** A page ends at its limit of entries or of bytes; only a few rows are read that are not sent. */

/** About the size of a page at most (bytes). The first entry is always sent, however large. */
export const PAGE_BYTES = 1_048_576;
/** Rows that are read first, while their size is unknown. */
const FIRST_ROWS = 16;

export interface PageOf<Row, Position> {
  readonly rows: readonly Row[];
  /** About their size (bytes). */
  readonly bytes: number;
  /** The position after which there may be others; null at the end. */
  readonly next: Position | null;
}

/** What was read of a list after a position, in order. */
export interface Found<Row, Position> {
  readonly rows: readonly Row[];
  /**
   * How far was looked, where that was not to the end and the rows asked for were not found: there was a bound on how many are looked
   * at. null otherwise.
   */
  readonly stopped: Position | null;
}

/** How a list is read; `read` gives at most `count` rows after a position. */
export interface Reading<Row, Position> {
  readonly limit: number;
  /** null for the first page. */
  readonly after: Position | null;
  readonly read: (after: Position | null, count: number) => Promise<Found<Row, Position>>;
  readonly positionOf: (row: Row) => Position;
  /** About the size of a row in the answer (bytes). */
  readonly bytesOf: (row: Row) => number;
  /** About how much of the page is left (bytes); a whole one if omitted. */
  readonly bytesMax?: number;
}

/** Reads a page: a few rows first, then as many more as are expected to fit. */
export async function readPage<Row, Position>(reading: Reading<Row, Position>): Promise<PageOf<Row, Position>> {
  const { limit, after, read, positionOf, bytesOf, bytesMax = PAGE_BYTES } = reading;
  const rows: Row[] = [];
  let [position, bytes] = [after, 0];
  for (;;) {
    const average = rows.length === 0 ? PAGE_BYTES / FIRST_ROWS : Math.max(1, bytes / rows.length);
    const count = Math.max(1, Math.min(limit + 1 - rows.length, Math.ceil((bytesMax - bytes) / average)));
    const { rows: found, stopped } = await read(position, count);
    for (const row of found) {
      const more = bytesOf(row);
      if (rows.length === limit || (rows.length > 0 && bytes + more > bytesMax)) return { rows, bytes, next: position };
      bytes += more;
      rows.push(row);
      position = positionOf(row);
    }
    if (found.length < count) return { rows, bytes, next: stopped };
  }
}

/**
 * Joins what the databases have found of one list, in order, as if they were one: nothing beyond where one of them stopped, because
 * what comes next there is not known.
 */
export function joinFound<Row, Position>(
  found: readonly Found<Row, Position>[],
  count: number,
  positionOf: (row: Row) => Position,
  compare: (a: Position, b: Position) => number,
): Found<Row, Position> {
  const [stopped = null] = found.flatMap((one) => (one.stopped === null ? [] : [one.stopped])).sort(compare);
  const rows = found
    .flatMap((one) => one.rows)
    .sort((a, b) => compare(positionOf(a), positionOf(b)))
    .filter((row) => stopped === null || compare(positionOf(row), stopped) <= 0)
    .slice(0, count);
  return { rows, stopped: rows.length < count ? stopped : null };
}

/** The same of databases that looked as far as it takes. */
export function joinRows<Row, Position>(
  found: readonly (readonly Row[])[],
  count: number,
  positionOf: (row: Row) => Position,
  compare: (a: Position, b: Position) => number,
): Found<Row, Position> {
  return joinFound(
    found.map((rows) => ({ rows, stopped: null })),
    count,
    positionOf,
    compare,
  );
}

/** The size of a value as JSON (bytes). */
export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? "");
}
