/** A journal in memory that keeps to the same contract as the one in Postgres, and fails on request. */
import { SHARDS_DEFAULT, shardOf } from "../../actors/address.ts";
import {
  type Batch,
  type DueTimer,
  type Entry,
  type Journal,
  type OutboxMessage,
  type StoredActor,
  StoreUnavailable,
} from "../../actors/ports/journal.ts";
import { type Address, addressKey, type EntityKind } from "../../machines/address.ts";
import type { Books, LedgerTotals, PendingMessage, StoredHistory } from "../../machines/audit/books.ts";
import type { Part } from "../../machines/entity.ts";
import type { StoredFact } from "../../machines/fact.ts";
import type { Posting } from "../../machines/money/postings.ts";

interface Row extends StoredFact {
  readonly cause: string | null;
  readonly part: number;
  readonly batch: string;
}

interface Stored {
  readonly address: Address;
  readonly facts: Row[];
  readonly postings: Posting[];
  snapshot: { readonly seq: number; readonly state: unknown } | null;
  row: unknown;
  readonly parts: Map<string, Part>;
}

/** `refused`: nothing is written. `lost`: it is written, and the answer is lost. Both look the same from outside. */
export type Fault = "refused" | "lost";

export class MemoryJournal implements Journal {
  readonly actors = new Map<string, Stored>();
  readonly messages = new Map<string, OutboxMessage & { dead?: string }>();
  readonly dues = new Map<string, DueTimer>();
  readonly faults: Fault[] = [];
  appends = 0;
  /** Off only to show that tests notice: the numbers of facts, and the causes that are known. */
  fenced = true;
  dedupes = true;
  /** Held back until it is called; for tests that look at what is not yet committed. */
  gate: Promise<void> | undefined;

  async append(batch: Batch): Promise<ReadonlySet<string>> {
    await this.gate;
    this.appends += 1;
    const fault = this.faults.shift();
    if (fault === "refused") throw new StoreUnavailable("refused");
    const conflicts = this.#conflicts(batch);
    for (const entry of batch.entries) {
      if (!conflicts.has(addressKey(entry.address)) && !this.#isThere(entry, batch.id)) this.#write(entry, batch.id);
    }
    for (const id of batch.delivered) this.messages.delete(id);
    for (const { id, reason } of batch.dead) {
      const message = this.messages.get(id);
      if (message !== undefined) this.messages.set(id, { ...message, dead: reason });
    }
    if (fault === "lost") throw new StoreUnavailable("lost");
    return conflicts;
  }

  async load(address: Address): Promise<StoredActor> {
    const stored = this.actors.get(addressKey(address));
    const snapshot = stored?.snapshot ?? null;
    // What comes out of a journal has been through JSON.
    return structuredClone({ snapshot, facts: (stored?.facts ?? []).filter(({ seq }) => seq > (snapshot?.seq ?? 0)) });
  }

  async caused(address: Address, cause: string): Promise<readonly StoredFact[]> {
    if (!this.dedupes) return [];
    return structuredClone((this.actors.get(addressKey(address))?.facts ?? []).filter((row) => row.cause === cause));
  }

  /** Whether something of this batch is there already. */
  knows({ id, entries }: Batch): boolean {
    return entries.some(({ address }) => this.actors.get(addressKey(address))?.facts.some(({ batch }) => batch === id) === true);
  }

  async outbox(shard: number, after: OutboxMessage | null, rows: number): Promise<readonly OutboxMessage[]> {
    if (after !== null) return [];
    const here = ({ from, dead }: OutboxMessage & { dead?: string }) =>
      dead === undefined && shardOf(from.id, SHARDS_DEFAULT) === shard;
    return structuredClone([...this.messages.values()].filter(here).slice(0, rows));
  }

  async timers(shard: number, after: DueTimer | null, rows: number): Promise<readonly DueTimer[]> {
    if (after !== null) return [];
    return [...this.dues.values()].filter(({ address }) => shardOf(address.id, SHARDS_DEFAULT) === shard).slice(0, rows);
  }

  /** Everything stored, for the audit. */
  books(): Books {
    return {
      actors: (kind) => this.#histories(kind),
      ledger: async () => this.#totals(),
      pending: async () => this.#pending(),
    };
  }

  #stored(address: Address): Stored {
    const key = addressKey(address);
    const known = this.actors.get(key);
    if (known !== undefined) return known;
    const made: Stored = { address, facts: [], postings: [], snapshot: null, row: undefined, parts: new Map() };
    this.actors.set(key, made);
    return made;
  }

  #isThere({ address, after, facts }: Entry, batch: string): boolean {
    return facts.length > 0 && this.#stored(address).facts[after]?.batch === batch;
  }

  #conflicts({ id, entries }: Batch): Set<string> {
    const heads = new Map<string, number>();
    const conflicts = new Set<string>();
    const causes = new Set<string>();
    for (const entry of entries) {
      const key = addressKey(entry.address);
      const stored = this.actors.get(key)?.facts ?? [];
      const head = heads.get(key) ?? stored.length;
      const before = entry.cause !== null && stored.some(({ cause, batch }) => cause === entry.cause && batch !== id);
      const twice = entry.cause !== null && causes.has(`${key} ${entry.cause}`);
      const known = this.dedupes && (before || twice);
      causes.add(`${key} ${entry.cause}`);
      const late = this.fenced && entry.after !== head;
      if (entry.facts.length > 0 && !this.#isThere(entry, id) && (known || late)) conflicts.add(key);
      heads.set(key, head + entry.facts.length);
    }
    return conflicts;
  }

  #write({ address, after, facts, cause, postings, messages, timers, row, parts, snapshot }: Entry, batch: string): void {
    const stored = this.#stored(address);
    for (const [part, fact] of facts.entries()) {
      stored.facts.push(structuredClone({ ...fact, seq: after + 1 + part, cause, part, batch }));
    }
    stored.postings.push(...postings.flat());
    if (facts.length > 0) stored.row = row;
    for (const part of parts) stored.parts.set(part.id, structuredClone(part));
    if (snapshot !== undefined) stored.snapshot = { seq: after + facts.length, state: JSON.parse(JSON.stringify(snapshot)) };
    for (const message of messages) this.messages.set(message.id, structuredClone(message));
    for (const { name, at } of timers) {
      const key = `${addressKey(address)}:${name}`;
      if (at === null) this.dues.delete(key);
      else this.dues.set(key, { address, name, at });
    }
  }

  async *#histories(kind: EntityKind): AsyncGenerator<StoredHistory> {
    for (const { address, facts, postings, snapshot, row: stored } of this.actors.values()) {
      if (address.kind !== kind || facts.length === 0) continue;
      const sum = (name: string) =>
        postings
          .filter(({ account, owner }) => account === name && owner === address.id)
          .reduce((total, { amount }) => total + amount, 0);
      const timers = [...this.dues.values()].filter((due) => due.address.id === address.id).map(({ name }) => name);
      const row = stored as StoredHistory["row"];
      yield { id: address.id, facts, snapshot, row, ledger: { available: sum("available"), held: sum("held") }, timers };
    }
  }

  #totals(): LedgerTotals {
    const all = [...this.actors.values()].flatMap(({ postings }) => postings);
    const sums = new Map<string, number>();
    for (const { transfer, amount } of all) sums.set(transfer, (sums.get(transfer) ?? 0) + amount);
    return {
      transfers: sums.size,
      entries: all.length,
      unbalanced: [...sums].filter(([, sum]) => sum !== 0).map(([transfer]) => transfer),
      total: all.reduce((total, { amount }) => total + amount, 0),
      transit: all.filter(({ account }) => account === "transit").reduce((total, { amount }) => total + amount, 0),
    };
  }

  #pending(): readonly PendingMessage[] {
    return [...this.messages.values()]
      .filter(({ id, to }) => !(this.actors.get(addressKey(to))?.facts ?? []).some(({ cause }) => cause === id))
      .map(({ id, to, command, dead }) => ({ id, receiver: to.id, command, dead: dead ?? null }));
  }
}
