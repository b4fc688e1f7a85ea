/** Members and owners of shards in Postgres. Its clock alone says how old a heartbeat is. */
import type { ClusterView, Member, NodeStats, Registry, ShardOwner } from "../../../actors/ports/registry.ts";
import { type Database, isFenced, reaching } from "./pool.ts";

/** Any number will do, as long as every NexusToken uses the same. */
const CLAIM_LOCK = 7_245_003;

export class PostgresRegistry implements Registry {
  readonly #database: Database;
  readonly #version: string;

  /** `version` is what this process runs, for operators to see. */
  constructor(database: Database, version: string) {
    this.#database = database;
    this.#version = version;
  }

  async join({ id, node, weight }: { readonly id: string; readonly node: string; readonly weight: number }): Promise<void> {
    await reaching(
      this.#database`
        insert into members (id, node, weight, version, stats) values (${id}, ${node}, ${weight}, ${this.#version}, '{}')
        on conflict do nothing`,
    );
  }

  async beat(id: string, draining: boolean, stats: NodeStats): Promise<ClusterView | null> {
    const [row] = await reaching(
      this.#database<{ member: boolean; members: readonly Member[]; shards: readonly ShardOwner[] }[]>`
        with beat as (
          update members set beat = now(), draining = draining or ${draining}, stats = ${JSON.stringify(stats)}::text::json
          where id = ${id} returning id
        )
        select exists (select from beat) as member, ${this.#members()} as members, ${this.#shards()} as shards`,
    );
    return row?.member === true ? { members: row.members, shards: row.shards } : null;
  }

  evict(id: string, leaseMs: number): Promise<boolean> {
    return reaching(
      this.#database.begin(async (transaction) => {
        // Waits for a commit of this member that is under way; none comes after it.
        await transaction`delete from members where id = ${id} and beat < now() - make_interval(secs => ${leaseMs / 1_000})`;
        const rows = await transaction`select from members where id = ${id}`;
        return rows.length === 0;
      }),
    );
  }

  async acquire(id: string, shards: readonly number[]): Promise<readonly number[]> {
    try {
      const rows = await reaching(
        this.#database.begin(async (transaction) => {
          // One claim at a time, and each begins with what the one before it has left.
          await transaction`select pg_advisory_xact_lock(${CLAIM_LOCK})`;
          await transaction`select require_member(${id})`;
          return transaction<{ shard: number }[]>`
            update shards set owner = ${id}, epoch = epoch + 1
            where shard = any(${[...shards]}::int[]) and (owner is null or owner = ${id} or not exists (select from members m where m.id = shards.owner))
            returning shard`;
        }),
      );
      return rows.map(({ shard }) => shard);
    } catch (error) {
      if (isFenced(error)) return [];
      throw error;
    }
  }

  async handOver(id: string, shard: number, epoch: number, to: string): Promise<boolean> {
    const rows = await reaching(
      this.#database`
        update shards set owner = ${to}, epoch = epoch + 1
        where shard = ${shard} and owner = ${id} and epoch = ${epoch} and exists (select from members where id = ${to} for key share)
        returning shard`,
    );
    return rows.length > 0;
  }

  async leave(id: string): Promise<void> {
    await reaching(this.#database`delete from members where id = ${id}`);
  }

  #members() {
    return this.#database`(
      select coalesce(json_agg(json_build_object('id', id, 'node', node, 'weight', weight, 'draining', draining,
        'ageMs', round(extract(epoch from now() - beat) * 1000)) order by id), '[]') from members)`;
  }

  #shards() {
    return this.#database`(
      select json_agg(json_build_object('shard', shard, 'owner', owner, 'epoch', epoch) order by shard) from shards)`;
  }
}
