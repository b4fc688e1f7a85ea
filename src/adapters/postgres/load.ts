import type { DueTimer, OutboxMessage, StoredActor } from "../../../actors/ports/journal.ts";
import type { Address, AnyCommand, EntityKind } from "../../../machines/effect.ts";
import type { StoredFact } from "../../../machines/entity.ts";
import type { Database } from "./pool.ts";

/** Reads an actor's last snapshot and the facts after it, as of one moment. An id of another kind has nothing of this one. */
export async function loadActor(database: Database, { kind, id }: Address): Promise<StoredActor> {
  const rows = await database<(StoredFact & { snapshotSeq: number | null; state: unknown })[]>`
    with snapshot as (
      select seq, state from snapshots
      where entity = ${id} and exists (select from journal where entity = ${id} and seq = 1 and kind = ${kind})
    )
    select s.seq as "snapshotSeq", s.state, j.seq, j.type, j.version, j.body, j.at
    from (select 1) one
      left join snapshot s on true
      left join journal j on j.entity = ${id} and j.kind = ${kind} and j.seq > coalesce(s.seq, 0)
    order by j.seq`;
  const [first] = rows;
  const snapshotSeq = first?.snapshotSeq ?? null;
  const facts = rows
    .filter((row) => row.seq !== null)
    .map(({ seq, type, version, body, at }) => ({ seq, type, version, body, at }));
  return { snapshot: snapshotSeq === null ? null : { seq: snapshotSeq, state: first?.state }, facts };
}

/** Far more facts than one decision makes. */
const FACTS_PER_COMMAND_MAX = 32;

/** Reads the facts that a command caused at an actor. */
export async function loadCaused(database: Database, { id }: Address, cause: string): Promise<readonly StoredFact[]> {
  return database<StoredFact[]>`
    with first as (select seq from journal where entity = ${id} and cause = ${cause} and part = 0)
    select j.seq, j.type, j.version, j.body, j.at
    from journal j, first
    where j.entity = ${id} and j.seq between first.seq and first.seq + ${FACTS_PER_COMMAND_MAX} and j.cause = ${cause}
    order by j.seq`;
}

interface OutboxRow {
  readonly id: string;
  readonly sender_kind: EntityKind;
  readonly sender: string;
  readonly seq: number;
  readonly leg: number;
  readonly receiver_kind: EntityKind;
  readonly receiver: string;
  readonly command: AnyCommand;
}

const FIRST_ID = "00000000-0000-0000-0000-000000000000";

/** Reads a page of the messages of a shard that still have to be delivered, in the order of their senders' commits. */
export async function pageOutbox(
  database: Database,
  shard: number,
  after: OutboxMessage | null,
  rows: number,
): Promise<readonly OutboxMessage[]> {
  const page = await database<OutboxRow[]>`
    select id, sender_kind, sender, seq, leg, receiver_kind, receiver, command from outbox
    where shard = ${shard} and dead is null and (sender, seq, leg) > (${after?.from.id ?? FIRST_ID}, ${after?.seq ?? 0}, ${after?.leg ?? 0})
    order by sender, seq, leg limit ${rows}`;
  return page.map((row) => ({
    id: row.id,
    from: { kind: row.sender_kind, id: row.sender },
    seq: row.seq,
    leg: row.leg,
    to: { kind: row.receiver_kind, id: row.receiver },
    command: row.command,
  }));
}

/** Reads a page of the timers that are set in a shard. */
export async function pageTimers(
  database: Database,
  shard: number,
  after: DueTimer | null,
  rows: number,
): Promise<readonly DueTimer[]> {
  const page = await database<{ kind: EntityKind; entity: string; name: string; at: number }[]>`
    select kind, entity, name, at from timers
    where shard = ${shard} and (entity, name) > (${after?.address.id ?? FIRST_ID}, ${after?.name ?? ""})
    order by entity, name limit ${rows}`;
  return page.map(({ kind, entity, name, at }) => ({ address: { kind, id: entity }, name, at }));
}
