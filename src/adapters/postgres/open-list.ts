/**
 * The list of open tasks that a worker may take.
 *
 * O1  A page looks at a bounded number of rows. It may be short, or empty, and still have a next one.
 * O2  Whoever follows the cursors from the first page to the end gets each task once that is open and theirs to take all the while.
 * O3  A worker that names no order gets what pays most, which costs most to crowd out; and a fifth of its first page are the newest
 *     tasks, whatever they pay, so that neither dear nor old ones hide them.
 */
import type { OpenQuery, Page, StoredTask } from "../../../gateway/ports/read-model.ts";
import { BOUNDS } from "../../../machines/vocabulary.ts";
import {
  BEST_PAID,
  type BudgetCursor,
  budgetCursor,
  byAge,
  byBudget,
  type Cursor,
  NEWEST,
  OLDEST,
  pageCursor,
  parseBudget,
  parseCursor,
} from "./cursor.ts";
import type { Databases } from "./databases.ts";
import { fitting, type Looked, sortOut } from "./look.ts";
import { joinFound, PAGE_BYTES, readPage } from "./page.ts";
import { BIDDING } from "./tables.ts";
import { JOINED_FIELDS, type JoinedRow, taskBytes, toTask } from "./task-rows.ts";

/** The share of a first page that the newest tasks get. */
const NEWEST_SHARE = 1 / 5;
/** The orders in which indexes have open tasks: the SQL of each, and how rows are compared. Parameters from $10 on are a position. */
const ORDERS = {
  age: { by: "created_at, id", after: "(created_at, id) > ($10::bigint, $11::uuid)", within: "", compare: byAge },
  newest: {
    by: "created_at desc, id desc",
    after: "(created_at, id) < ($10::bigint, $11::uuid)",
    within: "",
    compare: (a: Cursor, b: Cursor) => byAge(b, a),
  },
  budget: {
    by: "rank, created_at, id",
    after: "(-budget, created_at, id) > (-$12::bigint, $10::bigint, $11::uuid)",
    within: "and -budget <= -$6::bigint",
    compare: byBudget,
  },
} as const;
type Order = keyof typeof ORDERS;
type Row = JoinedRow & Looked;

/** Where the newest begin. */
const TOP: BudgetCursor = { ...BEST_PAID, ...NEWEST };

const positionOf = ({ budget, createdAt: at, id }: Row): BudgetCursor => ({ budget, at, id });

/** Every tier that a task may want; 0 if it does not say. */
const TIERS = Array.from({ length: BOUNDS.skillRatingMax + 1 }, (_, tier) => tier);

/** A branch for each of so many types and each tier; those above the worker's own tier are not read. */
function branchesOf(order: Order, types: number): readonly string[] {
  const { after, within } = ORDERS[order];
  return Array.from({ length: types }, (_, type) =>
    TIERS.map(
      (tier) => `
        select *, -budget as rank from tasks
        where status in (${BIDDING}) and task_type = ($1::text[])[${type + 1}] and min_skill = ${tier}
          and ($2::int[])[${type + 1}] >= ${tier} and ${after} ${within}`,
    ),
  ).flat();
}

const FITS = `
  requester <> $3::uuid and not (marks && $4::text[]) and not ($3::uuid = any(closed_to)) and budget >= $6::bigint
  and (created_at, id) < ($7::bigint, $8::uuid) and updated_at >= $9::bigint`;

function textOf(order: Order, types: number): string {
  const { by } = ORDERS[order];
  return `
    select ${JOINED_FIELDS}, t.fits, t.looked
    from (${fitting(branchesOf(order, types), by, FITS, "$5")}) t left join journal j on t.fits and j.entity = t.id and j.seq = 1
    order by ${by
      .split(", ")
      .map((column) => `t.${column}`)
      .join(", ")}`;
}

/** What is read of the list, and what was given already: as new as `shown` and newer; null if nothing was. */
interface Reading extends Pick<OpenQuery, "worker" | "marks" | "taskTypes" | "tiers" | "minBudget" | "since"> {
  readonly order: Order;
  readonly shown: Cursor | null;
}

/** Reads up to `count` tasks after a position, out of all databases. */
async function read(databases: Databases, reading: Reading, after: BudgetCursor, count: number) {
  const { order, shown, worker, marks, taskTypes, tiers, minBudget, since = -1 } = reading;
  const before = shown ?? NEWEST;
  const own = taskTypes.map((type) => (Object.hasOwn(tiers, type) ? (tiers[type] ?? 1) : 1));
  const position = order === "budget" ? [after.at, after.id, after.budget] : [after.at, after.id];
  const given = [[...taskTypes], own, worker, [...marks], count, minBudget ?? 0, before.at, before.id, since, ...position];
  const text = textOf(order, taskTypes.length);
  const found = await databases.each(async (database) =>
    sortOut(await database.unsafe<Row[]>(text, given, { prepare: true }), count, positionOf),
  );
  return joinFound(found, count, positionOf, ORDERS[order].compare);
}

function readPageOf(databases: Databases, reading: Reading, after: BudgetCursor, limit: number, bytesMax: number) {
  return readPage<Row, BudgetCursor>({
    limit,
    after,
    bytesMax,
    read: (from, count) => read(databases, reading, from ?? after, count),
    positionOf,
    bytesOf: taskBytes,
  });
}

/** The order of a query, and where it goes on in it. */
type Start = Pick<Reading, "order" | "shown"> & { readonly after: BudgetCursor };

/** Where a query starts; undefined for a cursor that is invalid, or of another order. Who names no order goes on in the cursor's. */
function startOf({ sort, cursor }: OpenQuery): Start | undefined {
  if (cursor === null)
    return { order: sort ?? "budget", after: sort === "age" ? { ...BEST_PAID, ...OLDEST } : BEST_PAID, shown: null };
  const [aged, paid] = [parseCursor(cursor), parseBudget(cursor)];
  if (aged !== undefined && sort !== "budget") return { order: "age", after: { ...BEST_PAID, ...aged }, shown: null };
  if (paid !== undefined && sort !== "age") return { order: "budget", ...paid };
  return undefined;
}

/** The newest tasks of a first page, where they get a share of it. */
async function readNewest(databases: Databases, query: OpenQuery) {
  const share = query.sort === null && query.cursor === null ? Math.floor(query.limit * NEWEST_SHARE) : 0;
  if (share === 0) return { rows: [], bytes: 0 };
  const reading = { ...query, order: "newest", shown: null } as const;
  return readPageOf(databases, reading, TOP, share, PAGE_BYTES * NEWEST_SHARE);
}

function taskOf({ fits: _fits, looked: _looked, ...row }: Row): StoredTask {
  return toTask(row);
}

/** Lists open tasks that a worker may take, a page of them; undefined for an invalid cursor. */
export async function listOpenTasks(databases: Databases, query: OpenQuery): Promise<Page<StoredTask> | undefined> {
  const start = startOf(query);
  if (start === undefined) return undefined;
  if (query.taskTypes.length === 0) return { items: [], next: null };
  if (query.since !== undefined) {
    const { rows } = await read(databases, { ...query, order: "newest", shown: null }, TOP, query.limit);
    return { items: rows.map(taskOf), next: null };
  }
  const { order, after } = start;
  const newest = await readNewest(databases, query);
  const last = newest.rows.at(-1);
  const shown = last === undefined ? start.shown : positionOf(last);
  const left = query.limit - newest.rows.length;
  const { rows, next } = await readPageOf(databases, { ...query, order, shown }, after, left, PAGE_BYTES - newest.bytes);
  const items = [...newest.rows, ...rows].sort((a, b) => ORDERS[order].compare(positionOf(a), positionOf(b))).map(taskOf);
  if (next === null) return { items, next };
  return { items, next: order === "budget" ? budgetCursor({ after: next, shown }) : pageCursor(next) };
}
