/** The cluster as operators look at it and steer it: through the database alone, so that it works from anywhere. */
import type { NodeStats } from "../../actors/ports.ts";
import type { Database } from "./pool.ts";

export interface MemberRow {
  readonly id: string;
  readonly node: string;
  readonly weight: number;
  readonly draining: boolean;
  readonly version: string;
  /** Ms since its start and since its last heartbeat. */
  readonly upMs: number;
  readonly ageMs: number;
  readonly shards: number;
  readonly stats: Partial<NodeStats>;
}

export interface ShardRow {
  readonly shard: number;
  readonly epoch: number;
  /** null when nobody owns it. */
  readonly node: string | null;
}

export interface ClusterStatus {
  readonly members: readonly MemberRow[];
  readonly shards: readonly ShardRow[];
}

/** Reads who is a member and who owns what, as of one moment. */
export async function readCluster(database: Database): Promise<ClusterStatus> {
  return database.begin("isolation level repeatable read read only", async (transaction) => {
    const members = await transaction<MemberRow[]>`
      select m.id, m.node, m.weight, m.draining, m.version, m.stats,
        round(extract(epoch from now() - m.started) * 1000)::float8 as "upMs",
        round(extract(epoch from now() - m.beat) * 1000)::float8 as "ageMs",
        (select count(*) from shards s where s.owner = m.id)::int as shards
      from members m order by m.node, m.started`;
    const shards = await transaction<ShardRow[]>`
      select s.shard, s.epoch, m.node from shards s left join members m on m.id = s.owner order by s.shard`;
    return { members: [...members], shards: [...shards] };
  });
}

/** Marks the members of this name to give their shards away, or to take some again. Gives how many there are. */
export async function markDraining(database: Database, node: string, draining: boolean): Promise<number> {
  const rows = await database`update members set draining = ${draining} where node = ${node} returning id`;
  return rows.length;
}
