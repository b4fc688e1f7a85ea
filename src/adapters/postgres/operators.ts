/** The operators' log, and the tasks with known answers. Each action is in the database of its target. */
import type { ActionRow, HoneypotRow, Operators } from "../../../gateway/ports/operators.ts";
import type { Page } from "../../../gateway/ports/read-model.ts";
import { fieldsOf, insertRows, rowsText } from "./columns.ts";
import { byAge, type Cursor, NEWEST, OLDEST, pageCursor, parseCursor } from "./cursor.ts";
import type { Databases } from "./databases.ts";
import { joinRows, jsonBytes, type PageOf, readPage } from "./page.ts";
import { type Database, reaching } from "./pool.ts";
import { ACTIONS } from "./tables.ts";

const honeypot = (database: Database) => database`id, at, task as "order"`;

export function postgresOperators(databases: Databases): Operators {
  return {
    async begin(action) {
      const row = rowsText(ACTIONS, [{ ...action, outcome: null }]);
      await reaching(databases.of(action.target).unsafe(insertRows(ACTIONS, 1), [row]));
    },
    async end(target, id, outcome) {
      await reaching(databases.of(target)`update actions set outcome = ${outcome} where id = ${id}`);
    },
    async addHoneypot(row) {
      const { id, at, order } = row;
      const database = databases.of(id);
      await reaching(
        database`
          insert into honeypots (id, at, task) values (${id}, ${at}, ${JSON.stringify(order)}::text::json)
          on conflict (id) do nothing`,
      );
      const [stored] = await reaching(database<HoneypotRow[]>`select ${honeypot(database)} from honeypots where id = ${id}`);
      // Deleted in between.
      return stored ?? row;
    },
    async honeypots() {
      const found = await reaching(
        databases.each((database) => database<HoneypotRow[]>`select ${honeypot(database)} from honeypots`),
      );
      return found.flat().sort((a, b) => a.at - b.at);
    },
    listHoneypots: (limit, cursor) => reaching(listHoneypots(databases, limit, cursor)),
    async removeHoneypot(id) {
      const rows = await reaching(databases.of(id)`delete from honeypots where id = ${id} returning id`);
      return rows.length > 0;
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

async function listHoneypots(databases: Databases, limit: number, cursor: string | null): Promise<Page<HoneypotRow> | undefined> {
  const first = cursor === null ? OLDEST : parseCursor(cursor);
  if (first === undefined) return undefined;
  const read = async (after: Cursor | null, count: number) => {
    const { at, id } = after ?? first;
    const found = await databases.each(
      (database) => database<HoneypotRow[]>`
        select ${honeypot(database)} from honeypots where (at, id) > (${at}, ${id}) order by at, id limit ${count}`,
    );
    return joinRows(found, count, positionOf, byAge);
  };
  return paged(await readPage({ limit, after: null, read, positionOf, bytesOf: jsonBytes }));
}

const positionOf = ({ at, id }: Cursor): Cursor => ({ at, id });

function paged<Row>({ rows, next }: PageOf<Row, Cursor>): Page<Row> {
  return { items: rows, next: next === null ? null : pageCursor(next) };
}
