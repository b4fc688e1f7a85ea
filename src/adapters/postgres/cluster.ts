/** What operators see of the cluster and change in it. It needs the databases only, so it works from any machine. */
import type { NodeStats } from "../../../actors/ports/registry.ts";
import type { Database } from "./pool.ts";

/** A node is a member in every database of the platform. */
export interface MemberRow {
  readonly id: string;
  readonly node: string;
  /** The database's place in DATABASE_URL. */
  readonly place: number;
  readonly weight: number;
  readonly draining: boolean;
  readonly version: string;
  /** Time since its start and since its last heartbeat (ms). */
  readonly upMs: number;
  readonly ageMs: number;
  readonly shards: number;
  readonly stats: Partial<NodeStats>;
}

export interface ShardRow {
  readonly shard: number;
  readonly epoch: number;
  /** null if nobody owns it. */
  readonly node: string | null;
}

export interface ClusterStatus {
  readonly members: readonly MemberRow[];
  readonly shards: readonly ShardRow[];
}

/** Reads the members and the owners of shards, consistent within each database. */
export async function readCluster(databases: readonly Database[]): Promise<ClusterStatus> {
  const parts = await Promise.all(databases.map(readPart));
  return {
    members: parts.flatMap(({ members }) => members),
    shards: parts.flatMap(({ shards }) => shards).sort((a, b) => a.shard - b.shard),
  };
}

async function readPart(database: Database): Promise<ClusterStatus> {
  return database.begin("isolation level repeatable read read only", async (transaction) => {
    const members = await transaction<MemberRow[]>`
      select m.id, m.node, p.place, m.weight, m.draining, m.version, m.stats,
        round(extract(epoch from now() - m.started) * 1000)::float8 as "upMs",
        round(extract(epoch from now() - m.beat) * 1000)::float8 as "ageMs",
        (select count(*) from shards s where s.owner = m.id)::int as shards
      from members m, platform p order by m.node, m.started`;
    const shards = await transaction<ShardRow[]>`
      select s.shard, s.epoch, m.node from shards s left join members m on m.id = s.owner`;
    return { members: [...members], shards: [...shards] };
  });
}

/** Starts or ends the draining of all members of this name. Gives their number. */
export async function markDraining(databases: readonly Database[], node: string, draining: boolean): Promise<number> {
  const marked = await Promise.all(
    databases.map((database) => database`update members set draining = ${draining} where node = ${node} returning id`),
  );
  return marked.flat().length;
}
