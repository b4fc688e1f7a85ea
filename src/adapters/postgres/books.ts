/** All that is stored, in one consistent snapshot, for the audit. */
import { SHARDS_DEFAULT, shardOf } from "../../../actors/address.ts";
import { Secrets } from "../../../gateway/secrets.ts";
import type { EntityKind } from "../../../machines/address.ts";
import {
  auditBooks,
  type Books,
  type Finding,
  type LedgerTotals,
  type PendingMessage,
  type StoredHistory,
} from "../../../machines/audit/books.ts";
import type { HoneypotBooks } from "../../../machines/audit/honeypots.ts";
import type { StoredFact } from "../../../machines/fact.ts";
import { fieldsOf } from "./columns.ts";
import { inConsistentSnapshot, type Transaction } from "./consistent-snapshot.ts";
import { databaseOf } from "./databases.ts";
import type { Database } from "./pool.ts";
import { FACT } from "./tables.ts";

const ROWS_AT_ONCE = 5_000;
const FIRST_ID = "00000000-0000-0000-0000-000000000000";

interface FactRow extends StoredFact {
  readonly entity: string;
}

/** Audits a platform's databases in one consistent snapshot; the platform may be running. */
export function auditDatabases(databases: readonly Database[]): Promise<readonly Finding[]> {
  return inConsistentSnapshot(databases, async (transactions) => {
    for (const transaction of transactions) await transaction`set local statement_timeout = 0`;
    const platforms = await Promise.all(
      transactions.map((transaction) => transaction<Platform[]>`select shards, secret from platform`),
    );
    const [platform = { shards: SHARDS_DEFAULT, secret: Buffer.alloc(0) }] = platforms.flat();
    return auditBooks(postgresBooks(transactions, platform));
  });
}

interface Platform {
  readonly shards: number;
  readonly secret: Buffer;
}

function postgresBooks(transactions: readonly Transaction[], { shards, secret }: Platform): Books {
  return {
    actors: (kind) => allHistories(transactions, kind),
    ledger: () => totals(transactions),
    pending: () => pending(transactions, shards),
    honeypots: () => honeypots(transactions, new Secrets(secret)),
  };
}

async function* allHistories(transactions: readonly Transaction[], kind: EntityKind): AsyncGenerator<StoredHistory> {
  for (const transaction of transactions) yield* histories(transaction, kind);
}

/** What is stored of an actor besides its facts. */
type Rest = Omit<StoredHistory, "id" | "facts">;

/** Reads the facts of all actors of a kind in order, page by page, so that a long history need not fit into memory. */
class FactReader {
  readonly #transaction: Transaction;
  readonly #kind: EntityKind;
  #page: readonly FactRow[] = [];
  #index = 0;
  #last = { entity: FIRST_ID, seq: 0 };
  #rest = new Map<string, Rest>();

  constructor(transaction: Transaction, kind: EntityKind) {
    this.#transaction = transaction;
    this.#kind = kind;
  }

  /** The next fact, without consuming it; undefined at the end. */
  async peek(): Promise<FactRow | undefined> {
    if (this.#index >= this.#page.length) await this.#turn();
    return this.#page[this.#index];
  }

  skip(): void {
    this.#index += 1;
  }

  restOf(id: string): Rest {
    return this.#rest.get(id) ?? { snapshot: null, row: null, ledger: null, timers: [] };
  }

  async #turn(): Promise<void> {
    this.#page = await this.#transaction<FactRow[]>`
      select entity, ${this.#transaction.unsafe(fieldsOf(FACT))} from journal
      where (entity, seq) > (${this.#last.entity}, ${this.#last.seq}) and kind = ${this.#kind}
      order by entity, seq limit ${ROWS_AT_ONCE}`;
    this.#index = 0;
    this.#last = this.#page.at(-1) ?? this.#last;
    this.#rest = await readRest(this.#transaction, this.#kind, [...new Set(this.#page.map(({ entity }) => entity))]);
  }
}

async function* histories(transaction: Transaction, kind: EntityKind): AsyncGenerator<StoredHistory> {
  const reader = new FactReader(transaction, kind);
  for (let head = await reader.peek(); head !== undefined; head = await reader.peek()) {
    yield { id: head.entity, facts: factsOf(reader, head.entity), ...reader.restOf(head.entity) };
  }
}

async function* factsOf(reader: FactReader, id: string): AsyncGenerator<StoredFact> {
  for (let head = await reader.peek(); head?.entity === id; head = await reader.peek()) {
    reader.skip();
    yield head;
  }
}

async function readRest(transaction: Transaction, kind: EntityKind, ids: readonly string[]): Promise<Map<string, Rest>> {
  const snapshots = await transaction<{ entity: string; seq: number; state: unknown }[]>`
    select entity, seq, state from snapshots where entity = any(${ids}::uuid[])`;
  const timers = await transaction<{ entity: string; names: string[] }[]>`
    select entity, array_agg(name) as names from timers where entity = any(${ids}::uuid[]) group by entity`;
  const rows = await rowsOf(transaction, kind, ids);
  const sums = await sumsOf(transaction, kind, ids);
  const saved = new Map(snapshots.map(({ entity, seq, state }) => [entity, { seq, state }]));
  const set = new Map(timers.map(({ entity, names }) => [entity, names]));
  return new Map(
    ids.map((id) => [
      id,
      { snapshot: saved.get(id) ?? null, row: rows.get(id) ?? null, ledger: sums.get(id) ?? null, timers: set.get(id) ?? [] },
    ]),
  );
}

async function rowsOf(transaction: Transaction, kind: EntityKind, ids: readonly string[]) {
  if (kind === "account") {
    const rows = await transaction<{ id: string; available: number; held: number }[]>`
      select id, available, held from accounts where id = any(${ids}::uuid[])`;
    return new Map<string, StoredHistory["row"]>(rows.map(({ id, ...row }) => [id, row]));
  }
  const rows = await transaction<{ id: string; status: string }[]>`select id, status from tasks where id = any(${ids}::uuid[])`;
  return new Map<string, StoredHistory["row"]>(rows.map(({ id, ...row }) => [id, row]));
}

async function sumsOf(transaction: Transaction, kind: EntityKind, ids: readonly string[]) {
  if (kind !== "account") return new Map<string, never>();
  const rows = await transaction<{ entity: string; available: number; held: number }[]>`
    select entity, coalesce(sum(amount) filter (where account = 'available'), 0)::bigint as available,
      coalesce(sum(amount) filter (where account = 'held'), 0)::bigint as held
    from ledger where entity = any(${ids}::uuid[]) and owner = entity group by entity`;
  return new Map(rows.map(({ entity, ...sums }) => [entity, sums]));
}

/** Sums over all ledgers. One actor writes a whole transfer, so all of its legs are in one database. */
async function totals(transactions: readonly Transaction[]): Promise<LedgerTotals> {
  const parts = await Promise.all(transactions.map(totalsOf));
  const sum = (of: (part: LedgerTotals) => number) => parts.reduce((total, part) => total + of(part), 0);
  return {
    transfers: sum(({ transfers }) => transfers),
    entries: sum(({ entries }) => entries),
    unbalanced: parts.flatMap(({ unbalanced }) => unbalanced),
    total: sum(({ total }) => total),
    transit: sum(({ transit }) => transit),
  };
}

async function totalsOf(transaction: Transaction): Promise<LedgerTotals> {
  const [all] = await transaction<{ entries: number; transfers: number; total: number; transit: number }[]>`
    select count(*) as entries, count(distinct transfer) as transfers, coalesce(sum(amount), 0)::bigint as total,
      coalesce(sum(amount) filter (where account = 'transit'), 0)::bigint as transit
    from ledger`;
  const unbalanced = await transaction<{ transfer: string }[]>`
    select transfer from ledger group by transfer having sum(amount) <> 0 order by transfer limit 100`;
  if (all === undefined) throw new Error("an aggregate gives a row");
  return { ...all, unbalanced: unbalanced.map(({ transfer }) => transfer) };
}

/** The messages in all outboxes that their receivers, maybe in another database, have not journaled. */
async function pending(transactions: readonly Transaction[], shards: number): Promise<readonly PendingMessage[]> {
  const sent = await Promise.all(
    transactions.map((transaction) => transaction<PendingMessage[]>`select id, receiver, command, dead from outbox`),
  );
  const messages = sent.flat();
  const indexFor = ({ receiver }: PendingMessage) => databaseOf(shardOf(receiver, shards), transactions.length);
  const taken = await Promise.all(
    transactions.map((transaction, index) =>
      takenIn(
        transaction,
        messages.filter((message) => indexFor(message) === index),
      ),
    ),
  );
  const there = new Set(taken.flat());
  return messages.filter(({ id }) => !there.has(id));
}

/** The ids of those messages that their receivers have journaled. */
async function takenIn(transaction: Transaction, messages: readonly PendingMessage[]): Promise<readonly string[]> {
  const rows = await transaction<{ id: string }[]>`
    select m.id from unnest(${messages.map(({ id }) => id)}::uuid[], ${messages.map(({ receiver }) => receiver)}::uuid[]) m(id, receiver)
      join journal j on j.entity = m.receiver and j.cause = m.id and j.part = 0`;
  return rows.map(({ id }) => id);
}

/** The days are in the first database, once it has the schema for them. */
async function honeypots([first]: readonly Transaction[], secrets: Secrets): Promise<HoneypotBooks> {
  const isHouse = (id: string) => secrets.isHouse(id);
  if (first === undefined) throw new Error("a platform has at least one database");
  const [table] = await first<{ there: boolean }[]>`select to_regclass('honeypot_days') is not null as there`;
  if (table?.there !== true) return { taken: new Map(), isHouse };
  const days = await first<{ day: string; minted: number }[]>`select day::text as day, minted from honeypot_days`;
  return { taken: new Map(days.map(({ day, minted }) => [day, minted])), isHouse };
}
