/**
 * SQL of lists that are read in the order of an index. Each branch is one range of it, in order, and together they are one list
 * that is read no further than it is needed. What an index cannot narrow down is looked at row by row, up to a bound.
 */

/** How many rows a read looks at to find those that it gives. */
export const LOOKED_MAX = 1_000;
/** More rows than are ever read at once. As a number in the text it tells the planner that few are. */
const ROWS_MAX = 1_000;

/** The rows of all branches in order. `order` names columns that each of them selects; `most` is how many are read at most. */
export function inOrder(branches: readonly string[], order: string, most = ROWS_MAX): string {
  const each = branches.map((branch) => `(${branch} order by ${order} limit ${most})`);
  return `select * from (${each.join(" union all ")}) branches order by ${order} limit ${most}`;
}

/** What each row of such a list is besides its columns. */
export interface Looked {
  /** Whether it is one to give; if not, it is the last that was looked at. */
  readonly fits: boolean;
  /** How many had been looked at with it. */
  readonly looked: number;
}

/** The rows of a list to which a condition applies, at most `count` (SQL) of them, and the last row that was looked at. */
export function fitting(branches: readonly string[], order: string, condition: string, count: string): string {
  return `
    select * from (
      select *, (${condition}) as fits, row_number() over (order by ${order})::int as looked
      from (${inOrder(branches, order, LOOKED_MAX)}) list
    ) numbered
    where fits or looked = ${LOOKED_MAX} order by ${order} limit ${count}`;
}

/** Splits what such SQL gave into the rows that fit, and how far was looked where that was not far enough for `count` of them. */
export function sortOut<Row extends Looked, Position>(found: readonly Row[], count: number, positionOf: (row: Row) => Position) {
  const rows = found.filter(({ fits }) => fits);
  const last = found.at(-1);
  const stopped = rows.length < count && last?.looked === LOOKED_MAX ? positionOf(last) : null;
  return { rows, stopped };
}
