/** What operators look at when somebody gets no work or a task does not move on. Reads only, and bounded, beside a platform that runs. */
import { shardOf } from "../../../actors/address.ts";
import type { Address } from "../../../machines/address.ts";
import type { TaskRowOnOffer } from "../../../machines/eligibility.ts";
import type { StoredFact } from "../../../machines/fact.ts";
import type { Capability } from "../../../machines/market/capability.ts";
import type { TaskFact } from "../../../machines/task/events.ts";
import type { AccountId, AccountStatus, Millis } from "../../../machines/vocabulary.ts";
import { termsFields } from "./capability-terms.ts";
import { type Columns, fieldsOf } from "./columns.ts";
import type { Databases } from "./databases.ts";
import { loadActor } from "./load.ts";
import type { Database } from "./pool.ts";
import { ACCOUNT, BIDDING, FACT, REGISTERED, TASK } from "./tables.ts";
import { readHistory } from "./tasks.ts";

/** Rows that one question looks at, of each database; what is beyond is counted and not judged. */
const JUDGED_MAX = 10_000;
const MESSAGES_MAX = 20;
const DECLINES_MAX = 10_000;
const HISTORY_ROWS = 500;

/** Some of many. */
export interface Sample<T> {
  readonly rows: readonly T[];
  readonly total: number;
}

/** A task that takes bids. */
export interface OpenTask extends TaskRowOnOffer {
  readonly id: string;
  readonly taskType: string;
  readonly autoRetry: number;
}

/** A worker with a capability for a type of task. */
export interface CapableWorker {
  readonly account: AccountId;
  readonly status: AccountStatus;
  readonly cooldownUntil: Millis | null;
  readonly marks: readonly string[];
  readonly tier: number;
  readonly capability: Capability;
}

/** A message that its receiver has not taken in, or that it has and its sender does not know yet. */
export interface WaitingMessage {
  readonly command: string;
  readonly from: string;
  readonly to: string;
  /** Why the receiver refused it for good, or null. */
  readonly dead: string | null;
}

export interface SetTimer {
  readonly name: string;
  readonly at: Millis;
}

/** Who runs the actors of a shard. In a platform of one process nobody does so by name. */
export interface ShardOwner {
  readonly shard: number;
  readonly node: string | null;
  /** Since its last heartbeat (ms). */
  readonly ageMs: number | null;
  readonly members: number;
}

/** What stands for an actor besides its state: what may move it on. */
export interface Surroundings {
  readonly timers: readonly SetTimer[];
  readonly messages: readonly WaitingMessage[];
  readonly owner: ShardOwner;
}

/** How often an account declined an offer for one reason, of its latest facts; null where none was told. */
export interface Declined {
  readonly why: string | null;
  readonly count: number;
  readonly last: Millis;
}

const OPEN_TASK: Columns<Omit<OpenTask, "autoRetry" | "requesterScore">> = {
  id: TASK.id,
  status: TASK.status,
  requester: TASK.requester,
  marks: TASK.marks,
  taskType: TASK.taskType,
  budget: TASK.budget,
  minSkill: TASK.minSkill,
  closedTo: TASK.closedTo,
  autoRetriesLeft: TASK.autoRetriesLeft,
};

/** Reads tasks that take bids, the oldest first. */
export async function readOpenTasks(databases: Databases): Promise<Sample<OpenTask>> {
  const parts = await databases.each(async (database) => {
    const rows = await database<OpenTask[]>`
      select ${database.unsafe(fieldsOf(OPEN_TASK, "t"))}, (j.body->'order'->>'autoRetry')::int as "autoRetry"
      from tasks t join journal j on j.entity = t.id and j.seq = 1
      where t.status in (${database.unsafe(BIDDING)}) order by t.created_at, t.id limit ${JUDGED_MAX}`;
    const [all] = await database<{ count: number }[]>`
      select count(*)::int as count from tasks where status in (${database.unsafe(BIDDING)})`;
    return { rows, total: all?.count ?? 0 };
  });
  return together(parts);
}

const OWNER: Columns<Pick<CapableWorker, "status" | "cooldownUntil" | "marks">> = {
  status: ACCOUNT.status,
  cooldownUntil: ACCOUNT.cooldownUntil,
  marks: ACCOUNT.marks,
};

/** Reads the workers that have a capability for a type of task, the lowest price first. */
export async function readCapableWorkers(databases: Databases, taskType: string): Promise<Sample<CapableWorker>> {
  const parts = await databases.each(async (database) => {
    const rows = await database<(Omit<CapableWorker, "capability"> & Capability)[]>`
      select ${database.unsafe(fieldsOf(OWNER, "a"))}, c.account, c.tier, ${database.unsafe(`${fieldsOf(REGISTERED, "c")}, ${termsFields("c")}`)}
      from capabilities c join accounts a on a.id = c.account
      where c.task_type = ${taskType} order by c.price nulls last, c.id limit ${JUDGED_MAX}`;
    const [all] = await database<
      { count: number }[]
    >`select count(*)::int as count from capabilities where task_type = ${taskType}`;
    const workers = rows.map(({ account, status, cooldownUntil, marks, tier, ...capability }) => {
      return { account, status, cooldownUntil, marks, tier, capability };
    });
    return { rows: workers, total: all?.count ?? 0 };
  });
  return together(parts);
}

function together<T>(parts: readonly Sample<T>[]): Sample<T> {
  return { rows: parts.flatMap(({ rows }) => rows), total: parts.reduce((sum, { total }) => sum + total, 0) };
}

/** Reads an actor's last snapshot and the facts after it. */
export function readActor(databases: Databases, address: Address) {
  return loadActor(databases.of(address.id), address);
}

/** Reads the latest fact of each of these types. */
export function readLatest(databases: Databases, id: string, types: readonly string[]): Promise<readonly StoredFact[]> {
  const database = databases.of(id);
  return database<StoredFact[]>`
    select distinct on (type) ${database.unsafe(fieldsOf(FACT))} from journal
    where entity = ${id} and type = any(${[...types]}::text[]) order by type, seq desc`;
}

/** Counts the offers that an account has declined lately, by reason. */
export function readDeclined(databases: Databases, account: string): Promise<readonly Declined[]> {
  return databases.of(account)<Declined[]>`
    select body->'reason'->>'why' as why, count(*)::int as count, max(at) as last from (
      select type, body, at from journal where entity = ${account} order by seq desc limit ${DECLINES_MAX}) latest
    where type = 'OfferDeclined' group by 1 order by 2 desc`;
}

/** Reads all that happened to a task, in order. */
export async function readTaskFacts(databases: Databases, id: string): Promise<readonly TaskFact[]> {
  const facts: TaskFact[] = [];
  let cursor: string | null = null;
  do {
    const page = await readHistory(databases.of(id), id, HISTORY_ROWS, cursor);
    if (page === undefined) throw new Error("a cursor of a page is one of its list");
    facts.push(...page.items.map(({ fact }) => fact));
    cursor = page.next;
  } while (cursor !== null);
  return facts;
}

/** Reads what may move an actor on: its timers, messages to and from it, and the node that runs it. */
export async function readSurroundings(databases: Databases, id: string): Promise<Surroundings> {
  const database = databases.of(id);
  const timers = await database<SetTimer[]>`select name, at from timers where entity = ${id} order by at`;
  const messages = await databases.each(
    (one) => one<WaitingMessage[]>`
      select command->>'type' as command, sender_kind || ':' || sender as from, receiver_kind || ':' || receiver as to, dead
      from outbox where sender = ${id} or receiver = ${id} order by seq, leg limit ${MESSAGES_MAX}`,
  );
  return { timers, messages: messages.flat(), owner: await readOwner(database, shardOf(id, databases.shards)) };
}

async function readOwner(database: Database, shard: number): Promise<ShardOwner> {
  const [row] = await database<ShardOwner[]>`
    select s.shard, m.node, round(extract(epoch from now() - m.beat) * 1000)::float8 as "ageMs",
      (select count(*)::int from members) as members
    from shards s left join members m on m.id = s.owner where s.shard = ${shard}`;
  return row ?? { shard, node: null, ageMs: null, members: 0 };
}
