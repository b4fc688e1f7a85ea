/** What operators have done, and the tasks whose answers they know. Each action is where its target is. */
import type { ActionRow, HoneypotRow, Operators, Page } from "../../gateway/ports.ts";
import { pageCursor, parseCursor } from "./cursor.ts";
import type { Databases } from "./databases.ts";
import { reaching } from "./pool.ts";

export function postgresOperators(databases: Databases): Operators {
  return {
    async begin({ id, at, action, target, detail }) {
      const database = databases.of(target);
      await reaching(
        database`insert into actions (id, at, action, target, detail) values (${id}, ${at}, ${action}, ${target}, ${JSON.stringify(detail)}::text::json)`,
      );
    },
    async end(target, id, outcome) {
      await reaching(databases.of(target)`update actions set outcome = ${outcome} where id = ${id}`);
    },
    async addHoneypot({ id, at, order }) {
      await reaching(
        databases.of(id)`insert into honeypots (id, at, task) values (${id}, ${at}, ${JSON.stringify(order)}::text::json)`,
      );
    },
    async honeypots() {
      const found = await reaching(
        databases.each((database) => database<HoneypotRow[]>`select id, at, task as "order" from honeypots`),
      );
      return found.flat().sort((a, b) => a.at - b.at);
    },
    async removeHoneypot(id) {
      const rows = await reaching(databases.of(id)`delete from honeypots where id = ${id} returning id`);
      return rows.length > 0;
    },
    list: (limit, cursor) => reaching(list(databases, limit, cursor)),
  };
}

async function list(databases: Databases, limit: number, cursor: string | null): Promise<Page<ActionRow> | undefined> {
  const before =
    cursor === null ? { at: Number.MAX_SAFE_INTEGER, id: "ffffffff-ffff-ffff-ffff-ffffffffffff" } : parseCursor(cursor);
  if (before === undefined) return undefined;
  const found = await databases.each(
    (database) => database<ActionRow[]>`
      select id, at, action, target, detail, outcome from actions where (at, id) < (${before.at}, ${before.id})
      order by at desc, id desc limit ${limit + 1}`,
  );
  const rows = found.flat().sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1));
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? pageCursor(last.at, last.id) : null };
}
