/** The rows of tasks, as lists and pages show them. What was asked for is in the first fact of each, which never changes. */
import type { HistoryRow, LedgerRow, OpenQuery, Page, TaskQuery, TaskRow } from "../../gateway/ports.ts";
import type { StoredFact } from "../../machines/entity.ts";
import { upcastTaskFact } from "../../machines/task/upcast.ts";
import type { TaskView } from "../../machines/task/view.ts";
import { pageCursor, parseCursor } from "./cursor.ts";
import type { Databases } from "./databases.ts";
import type { Database } from "./pool.ts";

interface Row extends TaskView {
  readonly type: string;
  readonly version: number;
  readonly body: unknown;
}

const fields = (database: Database) => database`
  t.id, t.status, t.requester, t.marks, t.worker, t.task_type as "taskType", t.budget, t.min_skill as "minSkill", t.closed_to as "closedTo",
  t.awarded_price as "awardedPrice", t.result, t.error_code as "errorCode", t.retries_left as "retriesLeft",
  t.auto_retries_left as "autoRetriesLeft", t.expires_at as "expiresAt", t.created_at as "createdAt", t.updated_at as "updatedAt",
  j.type, j.version, j.body`;

function toTask({ type, version, body, ...view }: Row): TaskRow {
  const fact = upcastTaskFact({ seq: 1, type, version, body, at: view.createdAt });
  if (fact.type !== "Opened") throw new Error(`the first fact of task ${view.id} must be Opened, and is ${fact.type}`);
  return { view, order: fact.order };
}

export async function readTask(database: Database, id: string): Promise<TaskRow | undefined> {
  const [row] = await database<Row[]>`
    select ${fields(database)} from tasks t join journal j on j.entity = t.id and j.seq = 1 where t.id = ${id}`;
  return row === undefined ? undefined : toTask(row);
}

/** Whether the message that opens a task still waits in the outbox of the account that pays for it. */
export async function isOpening(database: Database, shard: number, account: string, task: string): Promise<boolean> {
  const rows = await database`
    select from outbox where shard = ${shard} and sender = ${account} and receiver = ${task} and dead is null limit 1`;
  return rows.length > 0;
}

/** The type of a task; undefined when there is none. */
export async function readTaskType(database: Database, id: string): Promise<string | undefined> {
  const [row] = await database<{ taskType: string }[]>`select task_type as "taskType" from tasks where id = ${id}`;
  return row?.taskType;
}

/** Of two rows the older one first, in the order of both lists. */
function byAge(a: TaskView, b: TaskView): number {
  return a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);
}

/** Lists an account's tasks, newest first. */
export async function listTasks(databases: Databases, query: TaskQuery): Promise<Page<TaskRow> | undefined> {
  const { account, role, status, limit, cursor } = query;
  const after =
    cursor === null ? { at: Number.MAX_SAFE_INTEGER, id: "ffffffff-ffff-ffff-ffff-ffffffffffff" } : parseCursor(cursor);
  if (after === undefined) return undefined;
  const found = await databases.each((database) => {
    const one = (column: "requester" | "worker") => database`
      (select * from tasks
       where ${database(column)} = ${account} and (created_at, id) < (${after.at}, ${after.id})
         ${status === null ? database`` : database`and status = ${status}`}
       order by created_at desc, id desc limit ${limit + 1})`;
    // Nobody works on a task of their own, so that no task is in both halves.
    const chosen = role === null ? database`${one("requester")} union all ${one("worker")}` : one(role);
    return database<Row[]>`
      select ${fields(database)} from (${chosen}) t join journal j on j.entity = t.id and j.seq = 1
      order by t.created_at desc, t.id desc limit ${limit + 1}`;
  });
  const rows = found.flat().sort((a, b) => byAge(b, a));
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next = rows.length > limit && last !== undefined ? pageCursor(last.createdAt, last.id) : null;
  return { items: shown.map(toTask), next };
}

/** Lists tasks that take bids and that this worker may take, the oldest first. */
export async function listOpenTasks(
  databases: Databases,
  { worker, marks, taskType, tiers, limit }: OpenQuery,
): Promise<readonly TaskRow[]> {
  const found = await databases.each(
    (database) => database<Row[]>`
      select ${fields(database)} from (
        select t.* from tasks t
          left join unnest(${Object.keys(tiers)}::text[], ${Object.values(tiers)}::int[]) s(task_type, tier) on s.task_type = t.task_type
        where t.status in ('ROUTING', 'PENDING_POOL') ${taskType === null ? database`` : database`and t.task_type = ${taskType}`}
          and t.requester <> ${worker} and not (t.marks && ${[...marks]}::text[]) and not (${worker} = any(t.closed_to)) and t.min_skill <= coalesce(s.tier, 1)
        order by t.created_at, t.id limit ${limit}) t
        join journal j on j.entity = t.id and j.seq = 1
      order by t.created_at, t.id`,
  );
  return found.flat().sort(byAge).slice(0, limit).map(toTask);
}

/** Reads all that happened to a task, in order. */
export async function readHistory(database: Database, id: string): Promise<readonly HistoryRow[]> {
  const rows = await database<StoredFact[]>`
    select seq, type, version, body, at from journal where entity = ${id} and kind = 'task' order by seq`;
  return rows.map((row) => ({ seq: row.seq, fact: upcastTaskFact(row) }));
}

/** Reads the entries of a task that are there by now: each is where the account is that wrote it. */
export async function readLedger(databases: Databases, task: string): Promise<readonly LedgerRow[]> {
  const found = await databases.each(
    (database) => database<LedgerRow[]>`
      select transfer, account, owner, amount, task, reason, at from ledger where task = ${task} order by at, transfer, leg`,
  );
  // The sort is stable, and the legs of one transfer are in one database.
  return found.flat().sort((a, b) => a.at - b.at || (a.transfer < b.transfer ? -1 : Number(a.transfer > b.transfer)));
}

/** How many settled tasks a likely price is made from. */
const PRICES = 50;

/** Gives the median price of the type's latest settled tasks, in NC. */
export async function readLikelyPrice(databases: Databases, taskType: string): Promise<number | null> {
  const found = await databases.each(
    (database) => database<{ price: number; at: number }[]>`
      select awarded_price as price, updated_at as at from tasks
      where task_type = ${taskType} and status = 'SETTLED' order by updated_at desc limit ${PRICES}`,
  );
  const latest = found
    .flat()
    .sort((a, b) => b.at - a.at)
    .slice(0, PRICES);
  const prices = latest.map(({ price }) => price).sort((a, b) => a - b);
  return prices[Math.ceil(prices.length / 2) - 1] ?? null;
}
