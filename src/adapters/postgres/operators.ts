/** The operators' log. Each action is in the database of its target. */
import type { ActionRow, Operators } from "../../../gateway/ports/operators.ts";
import type { Page } from "../../../gateway/ports/read-model.ts";
import { fieldsOf, insertRows, rowsText } from "./columns.ts";
import { byAge, type Cursor, NEWEST, pageCursor, parseCursor } from "./cursor.ts";
import type { Databases } from "./databases.ts";
import { joinRows, jsonBytes, type PageOf, readPage } from "./page.ts";
import { reaching } from "./pool.ts";
import { ACTIONS } from "./tables.ts";

export function postgresOperators(databases: Databases): Operators {
  return {
    async begin(action) {
      const row = rowsText(ACTIONS, [{ ...action, outcome: null }]);
      await reaching(databases.of(action.target).unsafe(insertRows(ACTIONS, 1), [row]));
    },
    async end(target, id, outcome) {
      await reaching(databases.of(target)`update actions set outcome = ${outcome} where id = ${id}`);
    },
    list: (limit, cursor) => reaching(list(databases, limit, cursor)),
  };
}

async function list(databases: Databases, limit: number, cursor: string | null): Promise<Page<ActionRow> | undefined> {
  const first = cursor === null ? NEWEST : parseCursor(cursor);
  if (first === undefined) return undefined;
  const read = async (after: Cursor | null, count: number) => {
    const { at, id } = after ?? first;
    const found = await databases.each(
      (database) => database<ActionRow[]>`
        select ${database.unsafe(fieldsOf(ACTIONS.columns))} from actions where (at, id) < (${at}, ${id})
        order by at desc, id desc limit ${count}`,
    );
    return joinRows(found, count, positionOf, (a, b) => byAge(b, a));
  };
  return paged(await readPage({ limit, after: null, read, positionOf, bytesOf: jsonBytes }));
}

const positionOf = ({ at, id }: Cursor): Cursor => ({ at, id });

function paged<Row>({ rows, next }: PageOf<Row, Cursor>): Page<Row> {
  return { items: rows, next: next === null ? null : pageCursor(next) };
}
