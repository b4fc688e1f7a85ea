/** Everything that is stored, as of one moment, for the audit. */
import type { TransactionSql } from "postgres";
import type { AnyCommand, EntityKind } from "../../machines/effect.ts";
import type { StoredFact } from "../../machines/entity.ts";
import {
  auditBooks,
  type Books,
  type Finding,
  type LedgerTotals,
  type PendingMessage,
  type StoredHistory,
} from "../audit/books.ts";
import type { Database } from "./pool.ts";

type Transaction = TransactionSql<{ bigint: number }>;

const ROWS_AT_ONCE = 5_000;
const FIRST_ID = "00000000-0000-0000-0000-000000000000";

interface FactRow extends StoredFact {
  readonly entity: string;
}

/** Runs the audit in one read-only snapshot of a live database. */
export async function auditDatabase(database: Database): Promise<readonly Finding[]> {
  const findings = await database.begin("isolation level repeatable read read only", async (transaction) => {
    await transaction`set local statement_timeout = 0`;
    return [...(await auditBooks(postgresBooks(transaction)))];
  });
  return findings;
}

function postgresBooks(transaction: Transaction): Books {
  return {
    actors: (kind) => histories(transaction, kind),
    ledger: () => totals(transaction),
    pending: () => pending(transaction),
  };
}

/** What is stored of an actor besides its facts. */
type Rest = Omit<StoredHistory, "id" | "facts">;

/** Reads the facts of all actors of a kind in order, a page at a time, so that no long history must fit into memory. */
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

  /** The next fact, which stays the next; undefined at the end. */
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
      select entity, seq, type, version, body, at from journal
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

async function totals(transaction: Transaction): Promise<LedgerTotals> {
  const [all] = await transaction<{ entries: number; transfers: number; total: number; transit: number }[]>`
    select count(*) as entries, count(distinct transfer) as transfers, coalesce(sum(amount), 0)::bigint as total,
      coalesce(sum(amount) filter (where account = 'transit'), 0)::bigint as transit
    from ledger`;
  const unbalanced = await transaction<{ transfer: string }[]>`
    select transfer from ledger group by transfer having sum(amount) <> 0 order by transfer limit 100`;
  if (all === undefined) throw new Error("an aggregate gives a row");
  return { ...all, unbalanced: unbalanced.map(({ transfer }) => transfer) };
}

async function pending(transaction: Transaction): Promise<readonly PendingMessage[]> {
  return transaction<{ id: string; receiver: string; command: AnyCommand; dead: string | null }[]>`
    select id, receiver, command, dead from outbox o
    where not exists (select 1 from journal j where j.entity = o.receiver and j.cause = o.id and j.part = 0)`;
}
