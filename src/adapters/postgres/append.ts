/**
 * Commits: facts, ledger, outbox, timers, snapshots and rows for lists, in one statement, which is one transaction.
 * The write is optimistic: only a duplicate key makes it look for the actors in conflict, and write the rest again without them.
 */
import { shardOf } from "../../../actors/address.ts";
import { type Batch, type Entry, Fenced } from "../../../actors/ports/journal.ts";
import { addressKey } from "../../../machines/address.ts";
import { BidsTable } from "./bids.ts";
import { TermsColumns } from "./capability-terms.ts";
import { insertRows, rowsText, upsertRows } from "./columns.ts";
import { type Database, isDuplicate, isFenced } from "./pool.ts";
import { rowsOf } from "./rows.ts";
import {
  ACCOUNTS,
  BIDS,
  CAPABILITIES,
  CAPABILITIES_BEFORE,
  JOURNAL,
  LEDGER,
  OUTBOX,
  SNAPSHOTS,
  TASKS,
  TIMERS,
} from "./tables.ts";

/** Each try takes out at least one actor, and a second writer is rare. */
const TRIES_MAX = 20;

export class Appender {
  readonly #database: Database;
  readonly #shards: number;
  readonly #member: string | null;
  readonly #bids: BidsTable;
  readonly #terms: TermsColumns;

  /** `member` is the id of the node that writes: its commits are refused once it is declared dead. null without a cluster. */
  constructor(database: Database, shards: number, member: string | null) {
    this.#database = database;
    this.#shards = shards;
    this.#member = member;
    this.#bids = new BidsTable(database);
    this.#terms = new TermsColumns(database);
  }

  /**
   * See Journal.append. Rejects with the database's error when the outcome is unknown; when it is repeated, it
   * recognises rows of its own by the batch's id.
   */
  async append(batch: Batch): Promise<ReadonlySet<string>> {
    const conflicts = new Set<string>();
    const has = { bids: await this.#bids.isThere(), terms: await this.#terms.areThere() };
    let entries = batch.entries;
    let unexplained = false;
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      try {
        await write(this.#database, { ...batch, entries }, this.#shards, this.#member, has);
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
        // A duplicate key that none of our look-ups explains, twice: the batch itself cannot be written.
        if (taken.size === 0 && unexplained) throw error;
        unexplained = taken.size === 0;
        for (const key of taken) conflicts.add(key);
        entries = entries.filter(({ address }) => !conflicts.has(addressKey(address)));
      }
    }
    // Other writers keep interfering: everything is decided again.
    return new Set(batch.entries.map(({ address }) => addressKey(address)));
  }

  /**
   * The outcome of a batch that was sent before: undefined if none of it is stored; otherwise the actors that were in
   * conflict then.
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

  /** The actors of these entries that have another writer: a later fact, the same command or the same transfer is stored. */
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

/** What there is in the schema. */
interface Has {
  readonly bids: boolean;
  readonly terms: boolean;
}

/** One statement, so one round trip and one transaction, whatever the batch contains. */
const statement = ({ bids, terms }: Has) => `
  with
  facts as (${insertRows(JOURNAL, 1)}),
  postings as (${insertRows(LEDGER, 2)}),
  messages as (${insertRows(OUTBOX, 3)}),
  timers as (${upsertRows(TIMERS, ["entity", "name"], 4)}),
  snapshots as (${upsertRows(SNAPSHOTS, ["entity"], 5)} where snapshots.seq < excluded.seq),
  task_rows as (${upsertRows(TASKS, ["id"], 6)}),
  account_rows as (${upsertRows(ACCOUNTS, ["id"], 7)}),
  capability_rows as (${terms ? upsertRows(CAPABILITIES, ["id"], 8) : upsertRows(CAPABILITIES_BEFORE, ["id"], 8)}),
  ${bids ? `bid_rows as (${upsertRows(BIDS, ["id"], 15, ["placedAt"])}),` : ""}
  unset as (
    delete from timers t using unnest($9::uuid[], $10::text[]) u(entity, name)
    where t.entity = u.entity and t.name = u.name
  ),
  delivered as (delete from outbox where id = any($11::uuid[])),
  dead as (update outbox o set dead = d.reason from unnest($12::uuid[], $13::text[]) d(id, reason) where o.id = d.id)
  select require_member($14::uuid) where $14::uuid is not null`;
const STATEMENTS = {
  plain: statement({ bids: false, terms: false }),
  bids: statement({ bids: true, terms: false }),
  terms: statement({ bids: false, terms: true }),
  all: statement({ bids: true, terms: true }),
};

function statementFor({ bids, terms }: Has): string {
  if (bids) return terms ? STATEMENTS.all : STATEMENTS.bids;
  return terms ? STATEMENTS.terms : STATEMENTS.plain;
}

async function write(database: Database, batch: Batch, shards: number, member: string | null, has: Has): Promise<void> {
  const rows = rowsOf(batch, (id) => shardOf(id, shards));
  const parameters = [
    rowsText(JOURNAL, rows.facts),
    rowsText(LEDGER, rows.postings),
    rowsText(OUTBOX, rows.messages),
    rowsText(TIMERS, rows.timers),
    rowsText(SNAPSHOTS, rows.snapshots),
    rowsText(TASKS, rows.tasks),
    rowsText(ACCOUNTS, rows.accounts),
    rowsText(CAPABILITIES, rows.capabilities),
    rows.unset.map(({ entity }) => entity),
    rows.unset.map(({ name }) => name),
    [...batch.delivered],
    batch.dead.map(({ id }) => id),
    batch.dead.map(({ reason }) => reason),
    member,
  ];
  const bids = has.bids && rows.bids.length > 0;
  if (bids) parameters.push(rowsText(BIDS, rows.bids));
  await database.unsafe(statementFor({ ...has, bids }), parameters, { prepare: true });
}
