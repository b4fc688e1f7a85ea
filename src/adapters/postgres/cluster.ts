/** What operators see of the cluster and change in it. It needs the databases only, so it works from any machine. */
import type { NodeStats } from "../../../actors/ports/registry.ts";
import { BASE_FORMATS } from "../../../machines/formats.ts";
import type { Database } from "./pool.ts";
import { canPublish } from "./registry.ts";

/** A node is a member in every database of the platform. */
export interface MemberRow {
  readonly id: string;
  readonly node: string;
  /** Of its database in DATABASE_URL, from 0. */
  readonly databaseIndex: number;
  readonly weight: number;
  readonly draining: boolean;
  readonly version: string;
  /** Time since its start and since its last heartbeat (ms). */
  readonly upMs: number;
  readonly ageMs: number;
  readonly shards: number;
  readonly stats: Partial<NodeStats>;
  /** The formats that it reads, and the lowest and highest schema that it works with; null where it publishes none. */
  readonly reads: { readonly formats: { readonly [entity: string]: number }; readonly schema: readonly number[] } | null;
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
  /** What all members have agreed to write. */
  readonly formats: { readonly [entity: string]: number };
  /** How many migrations the first database has had. */
  readonly schema: number;
}

/** Reads the members and the owners of shards, consistent within each database. */
export async function readCluster(databases: readonly Database[]): Promise<ClusterStatus> {
  const parts = await Promise.all(databases.map(readPart));
  return {
    members: parts.flatMap(({ members }) => members),
    shards: parts.flatMap(({ shards }) => shards).sort((a, b) => a.shard - b.shard),
    formats: parts[0]?.formats ?? {},
    schema: parts[0]?.schema ?? 0,
  };
}

async function readPart(database: Database): Promise<ClusterStatus> {
  return database.begin("isolation level repeatable read read only", async (transaction) => {
    const publishes = await canPublish(transaction);
    const reads = publishes ? transaction`m.reads` : transaction`null::json`;
    const members = await transaction<MemberRow[]>`
      select ${reads} as reads, m.id, m.node, p.place as "databaseIndex", m.weight, m.draining, m.version, m.stats,
        round(extract(epoch from now() - m.started) * 1000)::float8 as "upMs",
        round(extract(epoch from now() - m.beat) * 1000)::float8 as "ageMs",
        (select count(*) from shards s where s.owner = m.id)::int as shards
      from members m, platform p order by m.node, m.started`;
    const shards = await transaction<ShardRow[]>`
      select s.shard, s.epoch, m.node from shards s left join members m on m.id = s.owner`;
    const formats = publishes ? transaction`formats` : transaction`'{}'::json`;
    const [platform] = await transaction<Pick<ClusterStatus, "formats" | "schema">[]>`
      select ${formats} as formats, (select count(*) from migrations)::int as schema from platform`;
    return {
      members: [...members],
      shards: [...shards],
      formats: { ...BASE_FORMATS, ...platform?.formats },
      schema: platform?.schema ?? 0,
    };
  });
}

/** Starts or ends the draining of all members of this name. Gives their number. */
export async function markDraining(databases: readonly Database[], node: string, draining: boolean): Promise<number> {
  const marked = await Promise.all(
    databases.map((database) => database`update members set draining = ${draining} where node = ${node} returning id`),
  );
  return marked.flat().length;
}
