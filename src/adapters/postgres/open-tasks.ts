/** The index of open tasks, from which matchers are built; see actors/ports/open-tasks.ts. */
import type { OpenTask, OpenTaskPage, OpenTasks, ReadTask } from "../../../actors/ports/open-tasks.ts";
import { FREE_ROUND } from "../../../machines/eligibility.ts";
import { GOING_MS, goingPrice, SETTLEMENTS_MAX, type Settlement } from "../../../machines/market/going-price.ts";
import { identityOf } from "../../../machines/market/identity.ts";
import { queuedByRow, shownTask } from "../../../machines/task/announce.ts";
import { type AccountId, BOUNDS, isUuid, type Millis, type TaskId } from "../../../machines/vocabulary.ts";
import { readMarks } from "./accounts.ts";
import type { Databases } from "./databases.ts";
import { inTime, reaching } from "./pool.ts";
import { BIDDING } from "./tables.ts";
import { readTasks } from "./tasks.ts";

/** Timeout of a read (ms): matchers ask again. */
const READ_MS_MAX = 10_000;

/** Where a page of a queue begins: after this task. */
interface Place {
  readonly budget: number;
  readonly at: Millis;
  readonly id: string;
}

const START: Place = { budget: Number.MAX_SAFE_INTEGER, at: -1, id: "00000000-0000-0000-0000-000000000000" };

interface Row extends OpenTask {
  readonly budget: number;
  readonly at: Millis;
}

/** Every tier that a task may want; 0 if it does not say. Indexes have open tasks by type and wanted tier. */
const TIERS = Array.from({ length: BOUNDS.skillRatingMax + 1 }, (_, tier) => tier);

/** A page, the best of each tier first. Parameters: type, budget, time and id of the place after which it begins, rows. */
const PAGE = `
  select id, status, auto_retries_left - free as round, cardinality(closed_to) - free as closed, budget, created_at as at from (${TIERS.map(
    (tier) => `(
      select *, cardinality(array_positions(closed_to, '${FREE_ROUND}'::uuid)) as free from tasks
      where status in (${BIDDING}) and task_type = $1::text and min_skill = ${tier}
        and (-budget, created_at, id) > (-$2::bigint, $3::bigint, $4::uuid)
      order by -budget, created_at, id limit $5)`,
  ).join(" union all ")}) t
  order by -budget, created_at, id limit $5`;

const inOrder = (a: Row, b: Row) => b.budget - a.budget || a.at - b.at || (a.id < b.id ? -1 : 1);

export function postgresOpenTasks(databases: Databases): OpenTasks {
  const read = <T>(work: Promise<T>): Promise<T> => reaching(inTime(work, READ_MS_MAX));
  return {
    page: (taskType, after, limit) => read(readPage(databases, taskType, after, limit)),
    read: (ids) => read(readQueued(databases, ids)),
    going: async (taskType, now) => goingPrice(await read(readSettlements(databases, taskType, now - GOING_MS))),
  };
}

async function readPage(databases: Databases, taskType: string, after: string | null, limit: number): Promise<OpenTaskPage> {
  const { budget, at, id } = placeOf(after);
  const given = [taskType, budget, at, id, limit];
  const found = await databases.each((database) => database.unsafe<Row[]>(PAGE, given, { prepare: true }));
  const rows = found.flat().sort(inOrder).slice(0, limit);
  const last = rows.at(-1);
  return {
    tasks: rows.map(({ id: task, status, round, closed }) => ({ id: task, status, round, closed })),
    next: last === undefined || rows.length < limit ? null : `${last.budget} ${last.at} ${last.id}`,
  };
}

function placeOf(after: string | null): Place {
  if (after === null) return START;
  const [budget = "", at = "", id = ""] = after.split(" ");
  if (!isUuid(id)) throw new RangeError(`not where a page of open tasks ends: ${after}`);
  return { budget: Number(budget), at: Number(at), id };
}

async function readQueued(databases: Databases, ids: readonly TaskId[]): Promise<readonly ReadTask[]> {
  return (await readTasks(databases, ids)).flatMap(({ row, order }) => {
    const task = queuedByRow(row, order);
    return task === undefined ? [] : { task, shown: shownTask(row, order) };
  });
}

interface Settled extends Omit<Settlement, "requester" | "worker"> {
  readonly requester: AccountId;
  readonly worker: AccountId;
}

/** The latest settlements of a type, by the identities of both sides. */
async function readSettlements(databases: Databases, taskType: string, since: Millis): Promise<readonly Settlement[]> {
  const found = await databases.each(
    (database) => database<Settled[]>`
      select requester, worker, awarded_price::float8 / budget as share, updated_at as at from tasks
      where task_type = ${taskType} and status = 'SETTLED' and updated_at >= ${since} and worker is not null
      order by updated_at desc limit ${SETTLEMENTS_MAX}`,
  );
  const settled = found
    .flat()
    .sort((a, b) => b.at - a.at)
    .slice(0, SETTLEMENTS_MAX);
  const accounts = [...new Set(settled.flatMap(({ requester, worker }) => [requester, worker]))];
  const marked = await databases.each((database) => readMarks(database, accounts));
  const marks = new Map(marked.flat().map((one) => [one.id, one.marks]));
  const identity = (account: AccountId) => identityOf(marks.get(account) ?? [], account);
  return settled.map((one) => ({ ...one, requester: identity(one.requester), worker: identity(one.worker) }));
}
