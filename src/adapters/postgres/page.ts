/** A page ends at its limit of entries or of bytes; only a few rows are read that are not sent. */

/** About the size of a page at most (bytes). The first entry is always sent, however large. */
export const PAGE_BYTES = 1_048_576;
/** Rows that are read first, while their size is unknown. */
const FIRST_ROWS = 16;

export interface PageOf<Row> {
  readonly rows: readonly Row[];
  /** Whether there are others after them. */
  readonly more: boolean;
}

/** How a list is read; `read` gives at most `count` rows after a position, in order. */
export interface Reading<Row, Position> {
  readonly limit: number;
  /** null for the first page. */
  readonly after: Position | null;
  readonly read: (after: Position | null, count: number) => Promise<readonly Row[]>;
  readonly positionOf: (row: Row) => Position;
  /** About the size of a row in the answer (bytes). */
  readonly bytesOf: (row: Row) => number;
}

/** Reads a page: a few rows first, then as many more as are expected to fit. */
export async function readPage<Row, Position>({
  limit,
  after,
  read,
  positionOf,
  bytesOf,
}: Reading<Row, Position>): Promise<PageOf<Row>> {
  const rows: Row[] = [];
  let [position, bytes] = [after, 0];
  for (;;) {
    const average = rows.length === 0 ? PAGE_BYTES / FIRST_ROWS : Math.max(1, bytes / rows.length);
    const count = Math.max(1, Math.min(limit + 1 - rows.length, Math.ceil((PAGE_BYTES - bytes) / average)));
    const found = await read(position, count);
    for (const row of found) {
      const more = bytesOf(row);
      if (rows.length === limit || (rows.length > 0 && bytes + more > PAGE_BYTES)) return { rows, more: true };
      bytes += more;
      rows.push(row);
    }
    const last = found.at(-1);
    if (last === undefined || found.length < count) return { rows, more: false };
    position = positionOf(last);
  }
}

/** The size of a value as JSON (bytes). */
export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? "");
}
