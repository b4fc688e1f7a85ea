/** The rows of capabilities: listing, browsing, and the prices at which tasks are offered. */
import type { BrowseQuery, Page, StoredCapability, Workload } from "../../../gateway/ports/read-model.ts";
import { leastScore } from "../../../machines/market/skill.ts";
import { type AccountId, isUuid, type Millis } from "../../../machines/vocabulary.ts";
import { capabilityFields } from "./capability-terms.ts";
import { OLDEST } from "./cursor.ts";
import type { Databases } from "./databases.ts";
import { fitting, type Looked, sortOut } from "./look.ts";
import { joinFound, jsonBytes, readPage } from "./page.ts";
import type { Database } from "./pool.ts";

const fields = (database: Database) => database.unsafe(capabilityFields("capabilities"));

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

/** A row's position in the chosen order: what it is sorted by, so that less comes first, and its id. */
interface Position {
  readonly value: number;
  readonly id: string;
}

/** Capabilities without a price come after all that have one. */
const PRICE = "coalesce(price, 1000000000000000)";
const byValue = (a: Position, b: Position) => a.value - b.value || (a.id < b.id ? -1 : Number(a.id > b.id));

/**
 * The orders in which indexes have capabilities: what they are sorted by, then by id; its type; the value before all others; and what
 * is within the bounds that the order itself can keep.
 */
const ORDERS = {
  score: { value: "-score", type: "float8", start: -1_000, within: "and -score <= -$9::float8" },
  price: { value: PRICE, type: "bigint", start: -1, within: `and ${PRICE} <= coalesce($7::bigint, 1000000000000000)` },
  tasks: { value: "-finished", type: "bigint", start: Number.MIN_SAFE_INTEGER, within: "" },
} as const;
type Order = keyof typeof ORDERS;

const BY_VALUE = "value, id";
const FITS = `
  ($5::text is null or $5 = any(tags)) and tier >= $6::int and ($7::bigint is null or price <= $7)
  and ($8::boolean is null or (available and active) = $8)`;

function textOf(order: Order, types: number): string {
  const { value, type: valueType, within } = ORDERS[order];
  const branches = Array.from(
    { length: types },
    (_, type) => `
      select *, (${value}) as value from capabilities
      where task_type = ($1::text[])[${type + 1}] and (${value}, id) > ($2::${valueType}, $3::uuid) ${within}`,
  );
  return `
    select ${capabilityFields("list")}, value::float8 as value, fits, looked from (${fitting(branches, BY_VALUE, FITS, "$4")}) list
    order by ${BY_VALUE}`;
}

type Row = StoredCapability & Looked & Position;
const positionOf = ({ value, id }: Row): Position => ({ value, id });

/**
 * Lists the capabilities of all accounts; undefined for an invalid cursor. A page looks at a bounded number of rows: it may be short,
 * or empty, and still have a next one.
 */
export async function browseCapabilities(databases: Databases, query: BrowseQuery): Promise<Page<StoredCapability> | undefined> {
  const { taskTypes, tag, tierMin, priceMax, available, sort, limit, cursor } = query;
  const first = cursor === null ? { value: ORDERS[sort].start, id: OLDEST.id } : parseCursor(cursor, sort);
  if (first === undefined) return undefined;
  if (taskTypes.length === 0) return { items: [], next: null };
  const text = textOf(sort, taskTypes.length);
  const read = async (after: Position | null, count: number) => {
    const { value, id } = after ?? first;
    const filters = [tag, tierMin ?? 0, priceMax, available, ...(sort === "score" ? [leastScore(tierMin ?? 0)] : [])];
    const found = await databases.each(async (database) =>
      sortOut(
        await database.unsafe<Row[]>(text, [[...taskTypes], value, id, count, ...filters], { prepare: true }),
        count,
        positionOf,
      ),
    );
    return joinFound(found, count, positionOf, byValue);
  };
  const { rows, next } = await readPage<Row, Position>({ limit, after: null, read, positionOf, bytesOf: jsonBytes });
  return {
    items: rows.map(({ value: _value, fits: _fits, looked: _looked, ...row }) => row),
    next: next === null ? null : Buffer.from(`${next.value} ${next.id}`).toString("base64url"),
  };
}

/** Parses a cursor; undefined if it is invalid. Prices and counts are whole numbers. */
function parseCursor(text: string, sort: Order): Position | undefined {
  const [, value = "", id = ""] = /^(-?[0-9.e+-]{1,30}) ([0-9a-f-]{36})$/.exec(Buffer.from(text, "base64url").toString()) ?? [];
  const isValue = sort === "score" ? Number.isFinite : Number.isSafeInteger;
  return isUuid(id) && isValue(Number(value)) ? { value: Number(value), id } : undefined;
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
