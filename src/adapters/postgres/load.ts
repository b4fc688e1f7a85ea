import type { DueTimer, OutboxMessage, StoredActor } from "../../../actors/ports/journal.ts";
import type { Address } from "../../../machines/address.ts";
import type { StoredFact } from "../../../machines/fact.ts";
import { fieldsOf } from "./columns.ts";
import type { Database } from "./pool.ts";
import { FACT, type MessageRow, OUTBOX, TIMERS, type TimerRow } from "./tables.ts";

/** Reads an actor's last snapshot and the facts after it, consistently. Finds nothing for an id of another kind. */
export async function loadActor(database: Database, { kind, id }: Address): Promise<StoredActor> {
  const rows = await database<(StoredFact & { snapshotSeq: number | null; state: unknown })[]>`
    with snapshot as (
      select seq, state from snapshots
      where entity = ${id} and exists (select from journal where entity = ${id} and seq = 1 and kind = ${kind})
    )
    select s.seq as "snapshotSeq", s.state, ${database.unsafe(fieldsOf(FACT, "j"))}
    from (select 1) one
      left join snapshot s on true
      left join journal j on j.entity = ${id} and j.kind = ${kind} and j.seq > coalesce(s.seq, 0)
    order by j.seq`;
  const [first] = rows;
  const snapshotSeq = first?.snapshotSeq ?? null;
  const facts = rows.filter((row) => row.seq !== null).map(({ snapshotSeq: _seq, state: _state, ...fact }) => fact);
  return { snapshot: snapshotSeq === null ? null : { seq: snapshotSeq, state: first?.state }, facts };
}

/** A bound far above the number of facts in one decision. */
const FACTS_PER_COMMAND_MAX = 32;

/** Reads the facts that a command caused at an actor. */
export async function loadCaused(database: Database, { id }: Address, cause: string): Promise<readonly StoredFact[]> {
  return database<StoredFact[]>`
    with first as (select seq from journal where entity = ${id} and cause = ${cause} and part = 0)
    select ${database.unsafe(fieldsOf(FACT, "j"))}
    from journal j, first
    where j.entity = ${id} and j.seq between first.seq and first.seq + ${FACTS_PER_COMMAND_MAX} and j.cause = ${cause}
    order by j.seq`;
}

const FIRST_ID = "00000000-0000-0000-0000-000000000000";

/** Reads a page of a shard's undelivered messages, in the order of their senders' commits. */
export async function pageOutbox(
  database: Database,
  shard: number,
  after: OutboxMessage | null,
  rows: number,
): Promise<readonly OutboxMessage[]> {
  const page = await database<MessageRow[]>`
    select ${database.unsafe(fieldsOf(OUTBOX.columns))} from outbox
    where shard = ${shard} and dead is null and (sender, seq, leg) > (${after?.from.id ?? FIRST_ID}, ${after?.seq ?? 0}, ${after?.leg ?? 0})
    order by sender, seq, leg limit ${rows}`;
  return page.map(({ shard: _, senderKind, sender, receiverKind, receiver, ...message }) => ({
    ...message,
    from: { kind: senderKind, id: sender },
    to: { kind: receiverKind, id: receiver },
  }));
}

/** Reads a page of the timers that are set in a shard. */
export async function pageTimers(
  database: Database,
  shard: number,
  after: DueTimer | null,
  rows: number,
): Promise<readonly DueTimer[]> {
  const page = await database<TimerRow[]>`
    select ${database.unsafe(fieldsOf(TIMERS.columns))} from timers
    where shard = ${shard} and (entity, name) > (${after?.address.id ?? FIRST_ID}, ${after?.name ?? ""})
    order by entity, name limit ${rows}`;
  return page.map(({ shard: _, kind, entity, ...timer }) => ({ ...timer, address: { kind, id: entity } }));
}
