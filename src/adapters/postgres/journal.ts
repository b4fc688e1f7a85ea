import type { Batch, DueTimer, Journal, OutboxMessage, StoredActor } from "../../../actors/ports/journal.ts";
import type { Address } from "../../../machines/address.ts";
import type { StoredFact } from "../../../machines/fact.ts";
import { Appender } from "./append.ts";
import { loadActor, loadCaused, pageOutbox, pageTimers } from "./load.ts";
import { type Database, reaching } from "./pool.ts";

/** The journal in Postgres; `write` takes the commits, `read` everything else. */
export class PostgresJournal implements Journal {
  readonly #read: Database;
  readonly #appender: Appender;

  /** `member` is the membership of the node that writes; null without a cluster. */
  constructor(read: Database, write: Database, shards: number, member: string | null = null) {
    this.#read = read;
    this.#appender = new Appender(write, shards, member);
  }

  append(batch: Batch): Promise<ReadonlySet<string>> {
    return reaching(this.#appender.append(batch));
  }

  load(address: Address): Promise<StoredActor> {
    return reaching(loadActor(this.#read, address));
  }

  caused(address: Address, cause: string): Promise<readonly StoredFact[]> {
    return reaching(loadCaused(this.#read, address, cause));
  }

  outbox(shard: number, after: OutboxMessage | null, rows: number): Promise<readonly OutboxMessage[]> {
    return reaching(pageOutbox(this.#read, shard, after, rows));
  }

  timers(shard: number, after: DueTimer | null, rows: number): Promise<readonly DueTimer[]> {
    return reaching(pageTimers(this.#read, shard, after, rows));
  }
}
