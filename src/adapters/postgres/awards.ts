/** What became of awards, and what that did to their workers, out of the journal. */
import type { ReputationFact, WonBid } from "../../../gateway/ports/read-model.ts";
import { upcastAccountFact } from "../../../machines/account/events.ts";
import type { StoredFact } from "../../../machines/fact.ts";
import { upcastTaskFact } from "../../../machines/task/events.ts";
import { AWARD_FACTS, type OwnAward, ownAward } from "../../../machines/task/own-award.ts";
import type { AccountId } from "../../../machines/vocabulary.ts";
import { fieldsOf } from "./columns.ts";
import type { Databases } from "./databases.ts";
import type { Database } from "./pool.ts";
import { FACT } from "./tables.ts";

type Row = StoredFact & { readonly bid: string };

/** What became of the awards that these bids have won, by bid. A task's journal is short. */
export async function readAwards(
  databases: Databases,
  worker: AccountId,
  bids: readonly WonBid[],
): Promise<ReadonlyMap<string, OwnAward>> {
  if (bids.length === 0) return new Map();
  const ids = [bids.map(({ id }) => id), bids.map(({ task }) => task)];
  const found = await databases.each(
    (database) => database<Row[]>`
      select b.id as bid, ${database.unsafe(fieldsOf(FACT, "j"))}
      from unnest(${ids[0] ?? []}::uuid[], ${ids[1] ?? []}::uuid[]) b(id, task)
      join lateral (
        select seq from journal a where a.entity = b.task and a.type = 'Awarded' and a.body->'bid'->>'id' = b.id::text limit 1
      ) a on true
      join journal j on j.entity = b.task and j.seq >= a.seq and j.type = any(${["Awarded", ...AWARD_FACTS]}::text[])
      order by j.seq`,
  );
  const byBid = new Map<string, Row[]>();
  for (const row of found.flat()) byBid.set(row.bid, [...(byBid.get(row.bid) ?? []), row]);
  return new Map([...byBid].map(([bid, rows]) => [bid, ownAward(worker, rows.map(upcastTaskFact))]));
}

/** What became of the last award of a task to this worker. */
export async function readLastAward(databases: Databases, worker: AccountId, task: string): Promise<OwnAward | undefined> {
  const [last] = await databases.of(task)<{ id: string }[]>`
    select body->'bid'->>'id' as id from journal
    where entity = ${task} and kind = 'task' and type = 'Awarded' and body->'bid'->>'worker' = ${worker}
    order by seq desc limit 1`;
  if (last === undefined) return undefined;
  return (await readAwards(databases, worker, [{ id: last.id, task }])).get(last.id);
}

/** How many of an account's latest facts are looked at, and how many changes are told. */
const FACTS_MAX = 2_000;
const CHANGES_MAX = 50;

const TYPES: { readonly [T in ReputationFact["type"]]: true } = {
  Earned: true,
  Failed: true,
  Excused: true,
  CooldownStarted: true,
  CooldownEnded: true,
  Frozen: true,
  Unfrozen: true,
};

/** What has changed an account's reputation, the newest first. */
export async function readReputationChanges(database: Database, account: AccountId): Promise<readonly ReputationFact[]> {
  const rows = await database<StoredFact[]>`
    select ${database.unsafe(fieldsOf(FACT))} from (
      select * from journal where entity = ${account} order by seq desc limit ${FACTS_MAX}) latest
    where kind = 'account' and type = any(${Object.keys(TYPES)}::text[]) order by seq desc limit ${CHANGES_MAX}`;
  return rows.map(upcastAccountFact).filter((fact): fact is ReputationFact => Object.hasOwn(TYPES, fact.type));
}
