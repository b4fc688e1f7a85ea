/** Fills the tables that lists are served from with as many rows as a platform may have after years, as quickly as it can be done. */

export const TYPES = [
  "json_extraction",
  "translation",
  "text_classification",
  "text_generation",
  "data_transformation",
  "analysis",
];
/** The type whose tasks all want the highest tier. */
export const CLOSED_TYPE = "analysis";
/** When the first of the ended tasks, and the first of the open ones, was created (ms). */
export const ENDED_SINCE = 1_700_000_000_000;
export const OPEN_SINCE = 1_750_000_000_000;
/** How many tasks are awarded to the worker, all older than those that have ended. */
export const AWARDED = 3;

const ORDER = {
  inputData: "Apple Inc reported Q3 revenue of $81.8 billion, up 5% year over year.",
  schema: { type: "object", properties: { company: { type: "string" } }, required: ["company"] },
  rules: [],
  exampleOutput: { company: "Initech" },
  maxSeconds: 120,
  quality: "balanced",
  poolHours: 24,
  autoRetry: 3,
  callbackUrl: null,
  windowMs: 15_000,
};

/**
 * @typedef {import("postgres").Sql<any>} Sql
 * @typedef {{ readonly open: number, readonly own: number, readonly ended: number, readonly capabilities: number }} Sizes
 *   `own` of the open tasks, the oldest, are the worker's.
 * @typedef {{ readonly requester: string, readonly worker: string }} Parties
 */

/**
 * Takes the indexes of a table away, but for its key, and gives what makes them again.
 * @param {Sql} sql
 * @param {string} table
 */
async function withoutIndexes(sql, table) {
  const indexes = await sql`
    select indexname as name, indexdef as definition from pg_indexes
    where tablename = ${table} and schemaname = current_schema()
      and indexname not in (select conname from pg_constraint where conrelid = ${table}::regclass)`;
  for (const { name } of indexes) await sql.unsafe(`drop index ${name}`);
  return async () => {
    for (const { definition } of indexes) await sql.unsafe(definition);
  };
}

/**
 * Adds tasks of the requester (and of the worker), of which every tenth of most types is for everybody and the others are for the
 * highest tier; half of them have the same budget.
 * @param {Sql} sql
 * @param {Sizes} sizes
 * @param {Parties} parties
 */
async function addTasks(sql, { open, own, ended }, { requester, worker }) {
  const again = [await withoutIndexes(sql, "tasks"), await withoutIndexes(sql, "journal")];
  const types = sql`${TYPES}::text[]`;
  await sql`
    insert into tasks (shard, id, status, requester, marks, worker, task_type, budget, min_skill, closed_to, awarded_price, result,
        error_code, retries_left, auto_retries_left, expires_at, created_at, updated_at)
      select 0, gen_random_uuid(), case when n % 2 = 0 then 'ROUTING' else 'PENDING_POOL' end,
        case when n < ${own} then ${worker}::uuid else ${requester}::uuid end, '{}', null, (${types})[1 + n % ${TYPES.length}],
        case when n % 2 = 0 then 20 else 5 + n % 996 end,
        case when n % 10 = 0 and (${types})[1 + n % ${TYPES.length}] <> ${CLOSED_TYPE} then 0 else 5 end,
        '{}', null, 'null', null, 3, 3, ${OPEN_SINCE}::bigint + n + 86400000, ${OPEN_SINCE}::bigint + n, ${OPEN_SINCE}::bigint + n
      from generate_series(0, ${open - 1}) n`;
  await sql`
    insert into tasks (shard, id, status, requester, marks, worker, task_type, budget, min_skill, closed_to, awarded_price, result,
        error_code, retries_left, auto_retries_left, expires_at, created_at, updated_at)
      select 0, gen_random_uuid(),
        case when n < ${AWARDED} then 'AWARDED' when n % 100 = 99 then 'EXPIRED' when n % 1000 = 500 then 'CANCELLED' else 'SETTLED' end,
        ${requester}, '{}', ${worker}, (${types})[1 + n % ${TYPES.length}], 20, 0, '{}', 12, '{"company": "Apple Inc"}', null, 3, 3, null,
        ${ENDED_SINCE}::bigint + n, ${ENDED_SINCE}::bigint + n + 5000
      from generate_series(0, ${ended + AWARDED - 1}) n`;
  await sql`
    insert into journal (shard, kind, entity, seq, type, version, body, at, cause, part, batch)
      select shard, 'task', id, 1, 'Opened', 1,
        json_build_object('type', 'Opened', 'task', id, 'requester', requester, 'order',
          ${sql.json(ORDER)}::jsonb || jsonb_build_object('taskType', task_type, 'budget', budget, 'minSkill', min_skill),
          'createdAt', created_at, 'at', created_at),
        created_at, null, 0, gen_random_uuid()
      from tasks`;
  for (const make of again) await make();
}

/**
 * Adds capabilities, each of another account: most without a score, half without a price, one in a hundred with the tag `some`,
 * twenty with the tag `rare`.
 * @param {Sql} sql
 * @param {number} count
 */
async function addCapabilities(sql, count) {
  const again = await withoutIndexes(sql, "capabilities");
  await sql`
    insert into capabilities (shard, id, account, task_type, description, tags, price, concurrency, available, active, score, tier,
        quality, finished, created_at)
      select 0, gen_random_uuid(), gen_random_uuid(), (${TYPES}::text[])[1 + n % ${TYPES.length}], 'reads reports',
        array['common'] || case when n % 100 = 7 then array['some'] else '{}' end
          || case when n < 20 then array['rare'] else '{}' end,
        case when n % 2 = 0 then null else 1 + n % 1000 end, 1, n % 10 <> 0, n % 3 <> 0, score,
        case when score >= 90 then 5 when score >= 75 then 4 when score >= 60 then 3 when score >= 40 then 2 else 1 end,
        0.5, case when score = 0 then 0 else n % 500 end, ${ENDED_SINCE}::bigint + n
      from (select n, case when n % 10 = 3 then (n % 7919) / 79.2 else 0 end as score from generate_series(0, ${count - 1}) n) numbered`;
  await again();
}

/**
 * Fills a new database of a platform.
 * @param {Sql} sql
 * @param {Sizes} sizes
 * @param {Parties} parties
 */
export async function fill(sql, sizes, parties) {
  await sql`set statement_timeout = 0`;
  await addTasks(sql, sizes, parties);
  await addCapabilities(sql, sizes.capabilities);
  await sql`vacuum analyze`;
}
