/** The rows of capabilities: listing, browsing, and the prices at which tasks are offered. */
import type { BrowseQuery, Page, StoredCapability, Workload } from "../../../gateway/ports/read-model.ts";
import type { AccountId, Millis } from "../../../machines/vocabulary.ts";
import { fieldsOf } from "./columns.ts";
import type { Databases } from "./databases.ts";
import { jsonBytes, readPage } from "./page.ts";
import type { Database } from "./pool.ts";
import { CAPABILITY } from "./tables.ts";

const fields = (database: Database) => database.unsafe(fieldsOf(CAPABILITY));

/** Lists an account's capabilities, the oldest first. */
export function readCapabilities(database: Database, account: AccountId): Promise<readonly StoredCapability[]> {
  return database<StoredCapability[]>`
    select ${fields(database)} from capabilities where account = ${account} order by created_at, id`;
}

/** Finds a capability in any of the databases. */
export async function readCapability(databases: Databases, id: string): Promise<StoredCapability | undefined> {
  const found = await databases.each(
    (database) => database<StoredCapability[]>`select ${fields(database)} from capabilities where id = ${id}`,
  );
  return found.flat()[0];
}

/** Sort orders: by this column, then by id; `down` is descending. */
const ORDERS = {
  score: { column: "score", down: true },
  price: { column: "price", down: false },
  tasks: { column: "finished", down: true },
} as const;

/** Lists the capabilities of all accounts; undefined for an invalid cursor. */
export async function browseCapabilities(databases: Databases, query: BrowseQuery): Promise<Page<StoredCapability> | undefined> {
  const { taskType, tag, tierMin, priceMax, available, sort, limit, cursor } = query;
  const { column, down } = ORDERS[sort];
  const after = cursor === null ? null : parseCursor(cursor);
  if (after === undefined) return undefined;
  // Capabilities without a price come last.
  const key = (database: Database) =>
    sort === "price" ? database`coalesce(price, 1e15)::float8` : database`${database(column)}::float8`;
  type Sorted = StoredCapability & { value: number };
  const read = async (last: Position | null, count: number) => {
    const from = last ?? after;
    const found = await databases.each((database) => {
      const value = database`(${down ? database`-${key(database)}` : key(database)})`;
      return database<Sorted[]>`
        select ${fields(database)}, ${value} as value from capabilities
        where true
          ${taskType === null ? database`` : database`and task_type = ${taskType}`}
          ${tag === null ? database`` : database`and ${tag} = any(tags)`}
          ${tierMin === null ? database`` : database`and tier >= ${tierMin}`}
          ${priceMax === null ? database`` : database`and price <= ${priceMax}`}
          ${available === null ? database`` : database`and (available and active) = ${available}`}
          ${from === null ? database`` : database`and (${value}, id) > (${from.value}, ${from.id}::uuid)`}
        order by value, id limit ${count}`;
    });
    return found
      .flat()
      .sort((a, b) => a.value - b.value || (a.id < b.id ? -1 : 1))
      .slice(0, count);
  };
  const positionOf = ({ value, id }: Sorted) => ({ value, id });
  const { rows, more } = await readPage<Sorted, Position>({ limit, after: null, read, positionOf, bytesOf: jsonBytes });
  const last = rows.at(-1);
  return {
    items: rows.map(({ value: _value, ...row }) => row),
    next: more && last !== undefined ? Buffer.from(`${last.value} ${last.id}`).toString("base64url") : null,
  };
}

/** A row's position in the chosen order. */
interface Position {
  readonly value: number;
  readonly id: string;
}

function parseCursor(text: string): Position | undefined {
  const [, value = "", id = ""] = /^(-?[0-9.e+-]{1,30}) ([0-9a-f-]{36})$/.exec(Buffer.from(text, "base64url").toString()) ?? [];
  return id !== "" && Number.isFinite(Number(value)) ? { value: Number(value), id } : undefined;
}

/** How many of an account's latest facts are read. */
const FACTS_MAX = 10_000;

/** What an account did in a task type since a moment, from its journal. */
export async function readWorkload(database: Database, account: AccountId, taskType: string, since: Millis): Promise<Workload> {
  const rows = await database<{ type: "Earned" | "Failed"; ms: number | null; payout: number | null }[]>`
    select type, (body->>'durationMs')::float8 as ms, (body->>'payout')::float8 as payout from (
      select type, body, at from journal where entity = ${account} order by seq desc limit ${FACTS_MAX}) latest
    where type in ('Earned', 'Failed') and at >= ${since} and body->>'taskType' = ${taskType}`;
  const settled = rows.filter(({ type }) => type === "Earned");
  return {
    durationsMs: settled.map(({ ms }) => ms ?? 0).sort((a, b) => a - b),
    settled: settled.length,
    failed: rows.length - settled.length,
    earned: settled.reduce((sum, { payout }) => sum + (payout ?? 0), 0),
  };
}
