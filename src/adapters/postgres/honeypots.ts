/** The honeypots that operators store, each in the database of its id, and the days' budgets, all in the first database. */
import { StoreUnavailable } from "../../../actors/ports/journal.ts";
import type { HoneypotStore, StoredHoneypot } from "../../../gateway/ports/honeypots.ts";
import type { Page } from "../../../gateway/ports/read-model.ts";
import { byAge, type Cursor, OLDEST, pageCursor, parseCursor } from "./cursor.ts";
import type { Databases } from "./databases.ts";
import { joinRows, jsonBytes, readPage } from "./page.ts";
import { type Database, isUndefinedTable, reaching } from "./pool.ts";

/** A row of either table: a task, or a template. */
interface Row {
  readonly id: string;
  readonly at: number;
  readonly order: Extract<StoredHoneypot, { kind: "task" }>["order"] | null;
  readonly template: Extract<StoredHoneypot, { kind: "template" }>["template"] | null;
}

const rows = (database: Database) => database`
  select id, at, task as "order", null::json as template from honeypots
  union all select id, at, null::json, template from honeypot_templates`;

function stored({ id, at, order, template }: Row): StoredHoneypot {
  if (order !== null) return { id, at, kind: "task", order };
  if (template === null) throw new Error("a honeypot is a task or a template");
  return { id, at, kind: "template", template };
}

export function postgresHoneypots(databases: Databases): HoneypotStore {
  return {
    add: (honeypot) => known(add(databases.of(honeypot.id), honeypot)),
    async all() {
      const found = await known(databases.each((database) => database<Row[]>`${rows(database)}`));
      return found.flat().map(stored).sort(byAge);
    },
    list: (limit, cursor) => known(list(databases, limit, cursor)),
    async remove(id) {
      const database = databases.of(id);
      const gone = await known(database<{ id: string }[]>`
        with task as (delete from honeypots where id = ${id} returning id),
          template as (delete from honeypot_templates where id = ${id} returning id)
        select id from task union all select id from template`);
      return gone.length > 0;
    },
    take: (day, amount, budget) => known(take(databases.all[0], day, amount, budget)),
  };
}

/** Waits for the database; while the schema is one of before, nothing of this is there yet. */
async function known<T>(asked: Promise<T>): Promise<T> {
  try {
    return await reaching(asked);
  } catch (error) {
    if (isUndefinedTable(error)) throw new StoreUnavailable("the schema has no templates yet", { cause: error });
    throw error;
  }
}

async function add(database: Database, honeypot: StoredHoneypot): Promise<StoredHoneypot> {
  const { id, at } = honeypot;
  if (honeypot.kind === "task") {
    const task = JSON.stringify(honeypot.order);
    await database`insert into honeypots (id, at, task) values (${id}, ${at}, ${task}::text::json) on conflict (id) do nothing`;
  } else {
    const template = JSON.stringify(honeypot.template);
    await database`
      insert into honeypot_templates (id, at, template) values (${id}, ${at}, ${template}::text::json)
      on conflict (id) do nothing`;
  }
  const found = await database<Row[]>`select * from (${rows(database)}) as stored where id = ${id}`;
  // Deleted in between.
  return found.map(stored).find(({ kind }) => kind === honeypot.kind) ?? honeypot;
}

async function list(databases: Databases, limit: number, cursor: string | null): Promise<Page<StoredHoneypot> | undefined> {
  const first = cursor === null ? OLDEST : parseCursor(cursor);
  if (first === undefined) return undefined;
  const positionOf = ({ at, id }: Cursor): Cursor => ({ at, id });
  const read = async (after: Cursor | null, count: number) => {
    const { at, id } = after ?? first;
    const found = await databases.each(
      (database) => database<Row[]>`
        select * from (${rows(database)}) as stored where (at, id) > (${at}, ${id}) order by at, id limit ${count}`,
    );
    return joinRows(found, count, positionOf, byAge);
  };
  const { rows: page, next } = await readPage({ limit, after: null, read, positionOf, bytesOf: jsonBytes });
  return { items: page.map(stored), next: next === null ? null : pageCursor(next) };
}

/** One statement, so that what two gateways take at once is never more than there is. */
async function take(database: Database | undefined, day: string, amount: number, budget: number): Promise<boolean> {
  if (database === undefined) throw new Error("a platform has at least one database");
  const taken = await database`
    insert into honeypot_days as days (day, minted) select ${day}::date, ${amount}::bigint where ${amount}::bigint <= ${budget}::bigint
    on conflict (day) do update set minted = days.minted + excluded.minted where days.minted + excluded.minted <= ${budget}::bigint
    returning day`;
  return taken.length > 0;
}
