/** What must hold after every commit; the whole of the books is audited besides, by the audit's own code. */
import { isDeepStrictEqual } from "node:util";
import type { Batch, Entry, OutboxMessage } from "../../actors/ports/journal.ts";
import type { AccountFact } from "../../machines/account/events.ts";
import { account } from "../../machines/account/index.ts";
import { type AccountRow, capabilityRows, creditOf } from "../../machines/account/row.ts";
import { addressKey } from "../../machines/address.ts";
import { auditBooks } from "../../machines/audit/books.ts";
import type { StoredFact } from "../../machines/fact.ts";
import { FORMATS } from "../../machines/formats.ts";
import { NO_TERMS } from "../../machines/market/credit-line.ts";
import type { Store } from "./store.ts";
import { booksOfToday, stripped } from "./versions.ts";

export class Checker {
  readonly wrong: string[] = [];
  /** NC, by ledger account and owner. */
  readonly #sums = new Map<string, number>();
  readonly #legs = new Set<string>();
  /** When items of batches opened (ms), by account. */
  readonly #openings = new Map<string, number[]>();
  readonly #heads = new Map<string, number>();
  /** The last message of each pair that was taken in. */
  readonly #taken = new Map<string, OutboxMessage>();
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
    store.written = (batch, conflicts, member) => this.#written(batch, conflicts, member);
  }

  /** Runs the audit over all that is stored. */
  async audit(): Promise<void> {
    try {
      for (const { wrong } of await auditBooks(booksOfToday(this.#store.journal.books()))) this.wrong.push(...wrong);
      this.#parts();
    } catch (error) {
      this.wrong.push(`the journal cannot be read any more: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** The rows of capabilities, each written when it changes, are what the account is now. */
  #parts(): void {
    for (const { address, facts, parts } of this.#store.journal.actors.values()) {
      if (address.kind !== "account") continue;
      const read = (fact: StoredFact) => account.upcast(stripped(fact, FORMATS.account));
      const state = facts.reduce((before, fact) => account.evolve(before, read(fact)).state, account.initial(address.id));
      const now = new Map(capabilityRows(state).map((part) => [part.id, part]));
      this.#honeypots(address.id, facts.map(read), state.context.untold.length);
      if (!isDeepStrictEqual(parts, now)) this.wrong.push(`account ${address.id} has other capabilities than its rows say`);
    }
  }

  /** Each honeypot that an account has done is counted once, or still to be, unless it was excused before. */
  #honeypots(id: string, facts: readonly AccountFact[], untold: number): void {
    const done = facts.filter((fact) => (fact.type === "Earned" || fact.type === "Failed") && fact.honeypot !== undefined).length;
    const judged = facts.flatMap((fact) => (fact.type === "HoneypotJudged" ? [fact.task] : []));
    const counted = judged.length;
    const excused = facts.filter((fact) => fact.type === "Excused" && fact.honeypot === true && !judged.includes(fact.task));
    if (done !== counted + untold + excused.length)
      this.wrong.push(`account ${id} has done ${done} honeypots, ${counted} count and ${untold} will`);
  }

  #written(batch: Batch, conflicts: ReadonlySet<string>, member: string): void {
    for (const entry of batch.entries) {
      if (entry.facts.length > 0 && !conflicts.has(addressKey(entry.address))) this.#entry(entry, batch.id, member);
    }
  }

  #entry(entry: Entry, batch: string, member: string): void {
    const key = addressKey(entry.address);
    const head = this.#heads.get(key) ?? 0;
    const stored = this.#store.journal.actors.get(key)?.facts ?? [];
    // A batch that is sent again because its answer was lost writes nothing new.
    if (entry.after < head && stored[entry.after]?.batch === batch) return;
    if (entry.after !== head) this.wrong.push(`${key}: fact ${entry.after + 1} was written where ${head + 1} was next`);
    this.#heads.set(key, entry.after + entry.facts.length);
    const owner = this.#store.ownerOf(entry.address.id);
    if (owner !== member) this.wrong.push(`${key}: written by ${member}, but its shard belongs to ${owner ?? "nobody"}`);
    for (const { transfer, leg, account, owner: of, amount } of entry.postings.flat()) {
      const name = `${transfer} ${leg}`;
      if (this.#legs.has(name)) this.wrong.push(`leg ${leg} of transfer ${transfer} was written twice`);
      this.#legs.add(name);
      const place = `${account} ${of ?? ""}`;
      this.#sums.set(place, (this.#sums.get(place) ?? 0) + amount);
    }
    this.#order(entry);
    if (entry.address.kind !== "account") return;
    this.#balance(entry);
    this.#pace(entry);
  }

  /** Messages from one actor to another are taken in the order in which they were sent. */
  #order({ cause }: Entry): void {
    const message = cause === null ? undefined : this.#store.journal.messages.get(cause);
    if (message === undefined) return;
    const { from, to, seq, leg, command } = message;
    const pair = `${addressKey(from)} to ${addressKey(to)}`;
    const last = this.#taken.get(pair);
    this.#taken.set(pair, message);
    if (last !== undefined && (seq < last.seq || (seq === last.seq && leg < last.leg))) {
      this.wrong.push(`${command.type} from ${pair} was overtaken by ${last.command.type}`);
    }
  }

  /** Items of batches open at the account's pace, by the clocks of the nodes that held their budgets. */
  #pace({ address: { id }, facts }: Entry): void {
    const times = this.#openings.get(id) ?? [];
    this.#openings.set(id, times);
    for (const { body } of facts) {
      // The store holds facts as unknown; an account's actor made this one.
      const { type, perMinute = 0, at } = body as AccountFact & { readonly perMinute?: number };
      if (type !== "Held" || perMinute === 0) continue;
      times.push(at);
      const together = times.filter((other) => Math.abs(at - other) < 60_000).length;
      if (together > perMinute) this.wrong.push(`account ${id} opened ${together} items of batches in a minute`);
    }
  }

  #balance({ address: { id }, row: stored, facts }: Entry): void {
    // The store holds rows as unknown; an account's actor made this one.
    const row = stored as AccountRow;
    const available = this.#sums.get(`available ${id}`) ?? 0;
    const held = this.#sums.get(`held ${id}`) ?? 0;
    if (row.available !== available || row.held !== held) {
      this.wrong.push(`account ${id} says ${row.available} and ${row.held} NC, its ledger ${available} and ${held} NC`);
    }
    // A line may shrink below what is owed already, but no hold may go there.
    const hold = facts.map(({ body }) => body as AccountFact).findLast((fact) => fact.type === "Held");
    if (hold === undefined) return;
    const { line } = creditOf(row, hold.terms ?? NO_TERMS, hold.at).usable;
    if (row.available < -line) this.wrong.push(`account ${id} has ${row.available} NC and a credit line of ${line} NC`);
  }
}
