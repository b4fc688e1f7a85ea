/**
 * Commits: facts, ledger, outbox, timers, snapshots and rows for lists, in one statement, which is one transaction.
 * It is tried as if nobody else wrote; only when a key is there already is it found out whose, and the rest goes again.
 */
import { shardOf } from "../../../actors/address.ts";
import { type Batch, type Entry, Fenced } from "../../../actors/ports/journal.ts";
import { addressKey } from "../../../machines/entity.ts";
import { type Sections, sectionsOf } from "./columns.ts";
import { type Database, isDuplicate, isFenced } from "./pool.ts";

/** Each try takes out at least one actor, and others come in between only by mistake. */
const TRIES_MAX = 20;

export class Appender {
  readonly #database: Database;
  readonly #shards: number;
  readonly #member: string | null;

  /** `member` is who writes: its commits are refused once it is declared dead. null where there is nobody else. */
  constructor(database: Database, shards: number, member: string | null) {
    this.#database = database;
    this.#shards = shards;
    this.#member = member;
  }

  /**
   * See Journal.append. Rejects with the database's error when the outcome is unknown; repeated, it runs into its own
   * rows, if they are there, and knows them by the batch's id.
   */
  async append(batch: Batch): Promise<ReadonlySet<string>> {
    const conflicts = new Set<string>();
    let entries = batch.entries;
    let unexplained = false;
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      try {
        await write(
          this.#database,
          sectionsOf({ ...batch, entries }, (id) => shardOf(id, this.#shards)),
          this.#member,
        );
        return conflicts;
      } catch (error) {
        if (isFenced(error)) {
          const settled = await this.#known(batch);
          if (settled !== undefined) return settled;
          throw new Fenced("this node was declared dead", { cause: error });
        }
        if (!isDuplicate(error)) throw error;
        const settled = await this.#known(batch);
        if (settled !== undefined) return settled;
        const taken = await this.#taken(entries);
        // A key that is there and none that we know of: it is this batch that cannot be written, whoever else writes.
        if (taken.size === 0 && unexplained) throw error;
        unexplained = taken.size === 0;
        for (const key of taken) conflicts.add(key);
        entries = entries.filter(({ address }) => !conflicts.has(addressKey(address)));
      }
    }
    // Others keep writing in between: all of it is decided anew.
    return new Set(batch.entries.map(({ address }) => addressKey(address)));
  }

  /**
   * What became of a batch that was sent before: undefined when nothing of it is there; else the actors that had been
   * taken out of it.
   */
  async #known(batch: Batch): Promise<ReadonlySet<string> | undefined> {
    const rows = await this.#database<{ entity: string }[]>`
      select distinct j.entity from unnest(${batch.entries.map(({ address }) => address.id)}::uuid[]) e(entity)
        join journal j on j.entity = e.entity and j.batch = ${batch.id}`;
    if (rows.length === 0) return undefined;
    const there = new Set(rows.map(({ entity }) => entity));
    const factual = batch.entries.filter(({ facts }) => facts.length > 0);
    return new Set(factual.filter(({ address }) => !there.has(address.id)).map(({ address }) => addressKey(address)));
  }

  /** The actors of these entries that somebody else wrote for: another number, command or transfer is there. */
  async #taken(entries: readonly Entry[]): Promise<ReadonlySet<string>> {
    const first = new Map<string, Entry>();
    for (const entry of entries) if (!first.has(entry.address.id)) first.set(entry.address.id, entry);
    const causes = entries.filter(({ cause }) => cause !== null);
    const transfers = entries.flatMap(({ address, postings }) =>
      postings.flat().map(({ transfer, leg }) => ({ entity: address.id, transfer, leg })),
    );
    const rows = await this.#database<{ entity: string }[]>`
      select e.entity from unnest(${[...first.keys()]}::uuid[], ${[...first.values()].map(({ after }) => after)}::int[]) e(entity, after)
        where exists (select 1 from journal j where j.entity = e.entity and j.seq > e.after)
      union
      select e.entity
        from unnest(${causes.map(({ address }) => address.id)}::uuid[], ${causes.map(({ cause }) => cause)}::uuid[]) e(entity, cause)
        join journal j on j.entity = e.entity and j.cause = e.cause and j.part = 0
      union
      select e.entity
        from unnest(
          ${transfers.map(({ entity }) => entity)}::uuid[],
          ${transfers.map(({ transfer }) => transfer)}::text[],
          ${transfers.map(({ leg }) => leg)}::int[]
        ) e(entity, transfer, leg)
        join ledger l on l.transfer = e.transfer and l.leg = e.leg`;
    const ids = new Set(rows.map(({ entity }) => entity));
    return new Set(entries.filter(({ address }) => ids.has(address.id)).map(({ address }) => addressKey(address)));
  }
}

/** One statement, so one round trip and one transaction, whatever there is in it. */
async function write(
  database: Database,
  { facts, postings, messages, timers, unset, snapshots, tasks, accounts, capabilities, acks }: Sections,
  member: string | null,
): Promise<void> {
  await database`
    with
    facts as (
      insert into journal (shard, kind, entity, seq, type, version, body, at, cause, part, batch)
      select f.shard, f.kind, f.entity, f.seq, f.type, f.version, f.body::json, f.at, f.cause, f.part, ${acks.batch}
      from unnest(${facts.shard}::int[], ${facts.kind}::text[], ${facts.entity}::uuid[], ${facts.seq}::int[], ${facts.type}::text[],
        ${facts.version}::int[], ${facts.body}::text[], ${facts.at}::bigint[], ${facts.cause}::uuid[], ${facts.part}::int[])
        f(shard, kind, entity, seq, type, version, body, at, cause, part)
    ),
    postings as (
      insert into ledger (shard, entity, seq, leg, transfer, account, owner, amount, task, reason, at)
      select * from unnest(${postings.shard}::int[], ${postings.entity}::uuid[], ${postings.seq}::int[], ${postings.leg}::int[],
        ${postings.transfer}::text[], ${postings.account}::text[], ${postings.owner}::uuid[], ${postings.amount}::bigint[],
        ${postings.task}::uuid[], ${postings.reason}::text[], ${postings.at}::bigint[])
    ),
    messages as (
      insert into outbox (shard, id, sender_kind, sender, seq, leg, receiver_kind, receiver, command)
      select m.shard, m.id, m.sender_kind, m.sender, m.seq, m.leg, m.receiver_kind, m.receiver, m.command::json
      from unnest(${messages.shard}::int[], ${messages.id}::uuid[], ${messages.senderKind}::text[], ${messages.sender}::uuid[],
        ${messages.seq}::int[], ${messages.leg}::int[], ${messages.receiverKind}::text[], ${messages.receiver}::uuid[],
        ${messages.command}::text[])
        m(shard, id, sender_kind, sender, seq, leg, receiver_kind, receiver, command)
    ),
    delivered as (delete from outbox where id = any(${acks.delivered}::uuid[])),
    dead as (
      update outbox o set dead = d.reason
      from unnest(${acks.dead}::uuid[], ${acks.reasons}::text[]) d(id, reason) where o.id = d.id
    ),
    timers as (
      insert into timers (shard, kind, entity, name, at)
      select * from unnest(${timers.shard}::int[], ${timers.kind}::text[], ${timers.entity}::uuid[], ${timers.name}::text[], ${timers.at}::bigint[])
      on conflict (entity, name) do update set at = excluded.at
    ),
    unset as (
      delete from timers t using unnest(${unset.entity}::uuid[], ${unset.name}::text[]) u(entity, name)
      where t.entity = u.entity and t.name = u.name
    ),
    snapshots as (
      insert into snapshots (entity, seq, state)
      select s.entity, s.seq, s.state::json
      from unnest(${snapshots.entity}::uuid[], ${snapshots.seq}::int[], ${snapshots.state}::text[]) s(entity, seq, state)
      on conflict (entity) do update set seq = excluded.seq, state = excluded.state where snapshots.seq < excluded.seq
    ),
    task_rows as (
      insert into tasks (shard, id, status, requester, marks, worker, task_type, budget, min_skill, closed_to, awarded_price, result,
        error_code, retries_left, auto_retries_left, expires_at, created_at, updated_at)
      select t.shard, t.id, t.status, t.requester, t.marks::text[], t.worker, t.task_type, t.budget, t.min_skill, t.closed_to::uuid[], t.awarded_price,
        t.result::json, t.error_code, t.retries_left, t.auto_retries_left, t.expires_at, t.created_at, t.updated_at
      from unnest(${tasks.shard}::int[], ${tasks.id}::uuid[], ${tasks.status}::text[], ${tasks.requester}::uuid[], ${tasks.marks}::text[],
        ${tasks.worker}::uuid[], ${tasks.taskType}::text[], ${tasks.budget}::bigint[], ${tasks.minSkill}::int[],
        ${tasks.closedTo}::text[], ${tasks.awardedPrice}::bigint[], ${tasks.result}::text[], ${tasks.errorCode}::text[],
        ${tasks.retriesLeft}::int[], ${tasks.autoRetriesLeft}::int[], ${tasks.expiresAt}::bigint[], ${tasks.createdAt}::bigint[],
        ${tasks.updatedAt}::bigint[])
        t(shard, id, status, requester, marks, worker, task_type, budget, min_skill, closed_to, awarded_price, result, error_code,
          retries_left, auto_retries_left, expires_at, created_at, updated_at)
      on conflict (id) do update set status = excluded.status, marks = excluded.marks, worker = excluded.worker, closed_to = excluded.closed_to,
        awarded_price = excluded.awarded_price, result = excluded.result, error_code = excluded.error_code,
        retries_left = excluded.retries_left, auto_retries_left = excluded.auto_retries_left,
        expires_at = excluded.expires_at, updated_at = excluded.updated_at
    ),
    account_rows as (
    insert into accounts (shard, id, email, marks, key_hash, status, available, held, reputation, cooldown_until, counterparties, debt_since, customer,
      github, tally, records, created_at, updated_at)
    select a.shard, a.id, a.email, a.marks::text[], a.key_hash, a.status, a.available, a.held, a.reputation, a.cooldown_until, a.counterparties,
      a.debt_since, a.customer, a.github::json, a.tally::json, a.records::json, a.created_at, a.updated_at
    from unnest(${accounts.shard}::int[], ${accounts.id}::uuid[], ${accounts.email}::text[], ${accounts.marks}::text[], ${accounts.keyHash}::text[],
      ${accounts.status}::text[], ${accounts.available}::bigint[], ${accounts.held}::bigint[], ${accounts.reputation}::bigint[],
      ${accounts.cooldownUntil}::bigint[], ${accounts.counterparties}::int[], ${accounts.debtSince}::bigint[], ${accounts.customer}::text[], ${accounts.github}::text[], ${accounts.tally}::text[], ${accounts.records}::text[],
      ${accounts.createdAt}::bigint[], ${accounts.updatedAt}::bigint[])
      a(shard, id, email, marks, key_hash, status, available, held, reputation, cooldown_until, counterparties, debt_since, customer, github, tally,
        records, created_at, updated_at)
    on conflict (id) do update set marks = excluded.marks, key_hash = excluded.key_hash, status = excluded.status, available = excluded.available,
      held = excluded.held, reputation = excluded.reputation, cooldown_until = excluded.cooldown_until,
      counterparties = excluded.counterparties, debt_since = excluded.debt_since, customer = excluded.customer, github = excluded.github, tally = excluded.tally, records = excluded.records,
      updated_at = excluded.updated_at
    ),
    capability_rows as (
      insert into capabilities (shard, id, account, task_type, description, tags, price, concurrency, available, active, score, tier,
        quality, finished, created_at)
      select c.shard, c.id, c.account, c.task_type, c.description, array(select json_array_elements_text(c.tags::json)), c.price,
        c.concurrency, c.available, c.active, c.score, c.tier, c.quality, c.finished, c.created_at
      from unnest(${capabilities.shard}::int[], ${capabilities.id}::uuid[], ${capabilities.account}::uuid[],
        ${capabilities.taskType}::text[], ${capabilities.description}::text[], ${capabilities.tags}::text[],
        ${capabilities.price}::bigint[], ${capabilities.concurrency}::int[], ${capabilities.available}::text[]::boolean[],
        ${capabilities.active}::text[]::boolean[], ${capabilities.score}::float8[], ${capabilities.tier}::int[],
        ${capabilities.quality}::float8[], ${capabilities.finished}::int[], ${capabilities.createdAt}::bigint[])
        c(shard, id, account, task_type, description, tags, price, concurrency, available, active, score, tier, quality, finished,
          created_at)
      on conflict (id) do update set description = excluded.description, tags = excluded.tags, price = excluded.price,
        concurrency = excluded.concurrency, available = excluded.available, active = excluded.active, score = excluded.score,
        tier = excluded.tier, quality = excluded.quality, finished = excluded.finished
    )
    select require_member(m.id) from unnest(${member === null ? [] : [member]}::uuid[]) m(id)`;
}
