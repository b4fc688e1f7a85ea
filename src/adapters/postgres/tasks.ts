/** The rows of tasks, for lists and single reads. A task's specification is in its first fact, which never changes. */
import type {
  History,
  HistoryRow,
  LedgerRow,
  Page,
  PulledTask,
  StoredTask,
  TaskQuery,
} from "../../../gateway/ports/read-model.ts";
import type { StoredFact } from "../../../machines/fact.ts";
import { type TaskFactType, upcastTaskFact } from "../../../machines/task/events.ts";
import { type AccountId, TASK_STATUSES, type TaskId } from "../../../machines/vocabulary.ts";
import { fieldsOf } from "./columns.ts";
import { byAge, type Cursor, NEWEST, numberCursor, pageCursor, parseCursor, parseNumber } from "./cursor.ts";
import type { Databases } from "./databases.ts";
import { inOrder } from "./look.ts";
import { joinRows, jsonBytes, readPage } from "./page.ts";
import type { Database } from "./pool.ts";
import { FACT, POSTING } from "./tables.ts";
import { JOINED_FIELDS, type JoinedRow, taskBytes, toTask } from "./task-rows.ts";

/** The largest sequence number of a fact. */
const SEQ_MAX = 2 ** 31 - 1;

export async function readTask(database: Database, id: string): Promise<StoredTask | undefined> {
  const [row] = await database<JoinedRow[]>`
    select ${database.unsafe(JOINED_FIELDS)} from tasks t join journal j on j.entity = t.id and j.seq = 1 where t.id = ${id}`;
  return row === undefined ? undefined : toTask(row);
}

/** Those of these tasks that exist. */
export async function readTasks(databases: Databases, ids: readonly TaskId[]): Promise<readonly StoredTask[]> {
  const found = await databases.each((database) => readSome(database, ids));
  return found.flat();
}

/** Those of these tasks that exist, without those whose database does not answer. */
export function readReachable(databases: Databases, ids: readonly TaskId[]): Promise<readonly StoredTask[]> {
  return databases.eachOf(ids, readSome);
}

async function readSome(database: Database, ids: readonly TaskId[]): Promise<readonly StoredTask[]> {
  const rows = await database<JoinedRow[]>`
    select ${database.unsafe(JOINED_FIELDS)} from tasks t join journal j on j.entity = t.id and j.seq = 1 where t.id = any(${[...ids]}::uuid[])`;
  return rows.map(toTask);
}

/** Whether the message that opens a task still waits in the outbox of the account that pays for it. */
export async function isOpening(database: Database, shard: number, account: string, task: string): Promise<boolean> {
  const rows = await database`
    select from outbox where shard = ${shard} and sender = ${account} and receiver = ${task} and dead is null limit 1`;
  return rows.length > 0;
}

/** The type of a task; undefined if the task does not exist. */
export async function readTaskType(database: Database, id: string): Promise<string | undefined> {
  const [row] = await database<{ taskType: string }[]>`select task_type as "taskType" from tasks where id = ${id}`;
  return row?.taskType;
}

/** The columns by which an account's tasks are found: as one of their two parties. Nobody is both of one task. */
const PARTIES = { requester: ["requester"], worker: ["worker"], both: ["requester", "worker"] } as const;
const STATUSES = TASK_STATUSES.map((status) => `'${status}'`);
const NEWEST_FIRST = "created_at desc, id desc";

/** A branch for each column and each status, as the indexes have them. Parameters: account, position, rows, since, status. */
function textOf(role: keyof typeof PARTIES, statuses: readonly string[]): string {
  const branches = PARTIES[role].flatMap((party) =>
    statuses.map(
      (status) =>
        `select * from tasks where ${party} = $1::uuid and status = ${status} and (created_at, id) < ($2::bigint, $3::uuid)`,
    ),
  );
  return `
    select ${JOINED_FIELDS}
    from (select * from (${inOrder(branches, NEWEST_FIRST)}) mine limit $4) t join journal j on j.entity = t.id and j.seq = 1
    where t.updated_at >= $5::bigint order by t.created_at desc, t.id desc`;
}

const positionOf = ({ createdAt: at, id }: JoinedRow): Cursor => ({ at, id });

/** Lists an account's tasks, newest first. */
export async function listTasks(databases: Databases, query: TaskQuery): Promise<Page<StoredTask> | undefined> {
  const { account, role, status, limit, cursor, since } = query;
  const first = cursor === null ? NEWEST : parseCursor(cursor);
  if (first === undefined) return undefined;
  const text = textOf(role ?? "both", status === null ? STATUSES : ["$6::text"]);
  const read = async (after: Cursor | null, count: number) => {
    const { at, id } = after ?? first;
    const given = [account, at, id, count, since ?? -1, ...(status === null ? [] : [status])];
    const found = await databases.each((database) => database.unsafe<JoinedRow[]>(text, given, { prepare: true }));
    return joinRows(found, count, positionOf, (a, b) => byAge(b, a));
  };
  // Few rows of a page have changed, so their number does not tell whether there are more.
  if (since !== undefined) return { items: (await read(null, limit)).rows.map(toTask), next: null };
  const { rows, next } = await readPage({ limit, after: null, read, positionOf, bytesOf: taskBytes });
  return { items: rows.map(toTask), next: next === null ? null : pageCursor(next) };
}

/** The most tasks of one pull. */
const PULL_MAX = 100;

/** The tasks that pulls of this key have won for a worker, and that are still AWARDED: the oldest first. */
export async function readPulled(databases: Databases, worker: AccountId, key: string): Promise<readonly PulledTask[]> {
  const found = await databases.each(
    (database) => database<(JoinedRow & { pull: string })[]>`
      select ${database.unsafe(JOINED_FIELDS)}, won.pull from tasks t join journal j on j.entity = t.id and j.seq = 1
      join lateral (
        select a.body#>>'{bid,pull,id}' as pull from journal a where a.entity = t.id and a.type = 'Awarded' order by a.seq desc limit 1
      ) won on split_part(won.pull, '.', 1) = ${key}
      where t.worker = ${worker} and t.status = 'AWARDED' order by t.created_at, t.id limit ${PULL_MAX}`,
  );
  const rows = found.flat().sort(byAge).slice(0, PULL_MAX);
  return rows.map(({ pull, ...row }) => ({ task: toTask(row), pull }));
}

/** Reads a page of a task's facts, in order, of one type or all. Undefined for an invalid cursor. */
async function readFacts(
  database: Database,
  id: string,
  limit: number,
  cursor: string | null,
  type: TaskFactType | null,
): Promise<(Page<HistoryRow> & { readonly from: number }) | undefined> {
  const from = cursor === null ? 0 : parseNumber(cursor);
  if (from === undefined || from > SEQ_MAX) return undefined;
  const { rows, next } = await readPage<StoredFact, number>({
    limit,
    after: null,
    read: async (after, count) => {
      const found = await database<StoredFact[]>`
        select ${database.unsafe(fieldsOf(FACT))} from journal
        where entity = ${id} and kind = 'task' and seq > ${after ?? from} ${type === null ? database`` : database`and type = ${type}`}
        order by seq limit ${count}`;
      return { rows: found, stopped: null };
    },
    positionOf: ({ seq }) => seq,
    bytesOf: jsonBytes,
  });
  const items = rows.map((row) => ({ seq: row.seq, fact: upcastTaskFact(row) }));
  return { items, next: next === null ? null : numberCursor(next), from };
}

/** Reads a page of a task's history, in order. */
export async function readHistory(
  database: Database,
  id: string,
  limit: number,
  cursor: string | null,
): Promise<History | undefined> {
  const page = await readFacts(database, id, limit, cursor, null);
  if (page === undefined) return undefined;
  const { from, ...rest } = page;
  const awarded = await database<{ worker: AccountId }[]>`
    select body->'bid'->>'worker' as worker from journal
    where entity = ${id} and kind = 'task' and seq <= ${from} and type = 'Awarded' order by seq desc limit 1`;
  return { ...rest, worker: awarded[0]?.worker ?? null };
}

/** Reads a page of a task's webhook attempts, in order. */
export function readDeliveries(database: Database, id: string, limit: number, cursor: string | null) {
  return readFacts(database, id, limit, cursor, "WebhookAttempted");
}

/** Reads a task's ledger entries so far, each from the database of the account that wrote it. */
export async function readLedger(databases: Databases, task: string): Promise<readonly LedgerRow[]> {
  const found = await databases.each(
    (database) => database<LedgerRow[]>`
      select ${database.unsafe(fieldsOf(POSTING))} from ledger where task = ${task} order by at, transfer, leg`,
  );
  // The sort is stable, and the legs of one transfer are in one database.
  return found.flat().sort((a, b) => a.at - b.at || (a.transfer < b.transfer ? -1 : Number(a.transfer > b.transfer)));
}

/** How many settled tasks a likely price is computed from. */
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
