/** Members and owners of shards in Postgres. Its clock alone says how old a heartbeat is. */
import {
  type ClusterView,
  type Joiner,
  type Member,
  type NodeStats,
  type Registry,
  type ShardOwner,
  TooOld,
} from "../../../actors/ports/registry.ts";
import { BASE_FORMATS, type Formats } from "../../../machines/formats.ts";
import type { Transaction } from "./consistent-snapshot.ts";
import { SCHEMAS } from "./migrate.ts";
import { type Database, isFenced, isTooOld, reaching } from "./pool.ts";

/** Any number will do, as long as every NexusToken uses the same. */
const ACQUIRE_LOCK = 7_245_003;

/**
 * Records the formats that a process which is alone with a database reads, because it will write them. Removes all members.
 * Rejects with TooOld if this process does not read what is recorded.
 */
export async function agreeAlone(database: Database, version: string, formats: Formats): Promise<void> {
  const agreed = JSON.stringify(formats);
  await admitted(
    database.begin(async (transaction) => {
      await transaction`select require_current(${readsOf(formats)}::text::json, ${version})`;
      await transaction`delete from members`;
      await transaction`select raise_formats(${agreed}::text::json)`;
    }),
  );
}

/** Whether the schema of a database has room for what members read. */
export async function canPublish(database: Database | Transaction): Promise<boolean> {
  const [row] = await reaching(
    database<{ there: boolean }[]>`
      select exists (select from information_schema.columns where table_name = 'members' and column_name = 'reads' and table_schema = current_schema()) as there`,
  );
  return row?.there === true;
}

/** What a member publishes. */
function readsOf(formats: Formats | null): string | null {
  return formats === null ? null : JSON.stringify({ formats, schema: SCHEMAS });
}

/** Says TooOld, or StoreUnavailable, where that is why. */
async function admitted(work: Promise<unknown>): Promise<void> {
  try {
    await reaching(work);
  } catch (error) {
    throw isTooOld(error) ? new TooOld(error.message, { cause: error }) : error;
  }
}

interface BeatRow {
  readonly member: boolean;
  readonly members: readonly Member[];
  readonly shards: readonly ShardOwner[];
  readonly formats: Partial<Formats>;
}

export class PostgresRegistry implements Registry {
  readonly #database: Database;
  readonly #version: string;
  /** What each life reads that joined here, to be published where the schema has no room for it yet. */
  readonly #reads = new Map<string, string | null>();
  #publishes = false;

  /** `version` is what this process runs, for operators to see. */
  constructor(database: Database, version: string) {
    this.#database = database;
    this.#version = version;
  }

  async join({ id, node, weight, formats }: Joiner): Promise<void> {
    const reads = readsOf(formats);
    this.#reads.set(id, reads);
    const insert = (await this.#canPublish())
      ? this.#database`
          insert into members (id, node, weight, version, stats, reads)
          values (${id}, ${node}, ${weight}, ${this.#version}, '{}', ${reads}::text::json)
          on conflict do nothing`
      : this.#database`
          insert into members (id, node, weight, version, stats)
          values (${id}, ${node}, ${weight}, ${this.#version}, ${this.#withReads(id, {})}::text::json)
          on conflict do nothing`;
    await admitted(insert);
  }

  async beat(id: string, draining: boolean, stats: NodeStats): Promise<ClusterView | null> {
    const publishes = await this.#canPublish();
    const published = publishes ? this.#database`, reads = ${this.#reads.get(id) ?? null}::text::json` : this.#database``;
    const told = publishes ? JSON.stringify(stats) : this.#withReads(id, stats);
    const agreed = publishes ? this.#database`(select formats from platform)` : this.#database`'{}'::json`;
    const [row] = await reaching(
      this.#database<BeatRow[]>`
        with beat as (
          update members set beat = now(), draining = draining or ${draining}, stats = ${told}::text::json ${published}
          where id = ${id} returning id
        )
        select exists (select from beat) as member, ${this.#members(publishes)} as members, ${this.#shards()} as shards,
          ${agreed} as formats`,
    );
    if (row?.member !== true) {
      this.#reads.delete(id);
      return null;
    }
    const { members, shards, formats } = row;
    return { members, shards, formats: { ...BASE_FORMATS, ...formats } };
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
          // One member at a time acquires shards, and begins with what the one before it has left.
          await transaction`select pg_advisory_xact_lock(${ACQUIRE_LOCK})`;
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

  async raise(formats: Formats): Promise<void> {
    await reaching(this.#database`select raise_formats(${JSON.stringify(formats)}::text::json)`);
  }

  async leave(id: string): Promise<void> {
    this.#reads.delete(id);
    await reaching(this.#database`delete from members where id = ${id}`);
  }

  /** Whether the schema has room for what members read; the one before it has none (see nexus migrate). */
  async #canPublish(): Promise<boolean> {
    this.#publishes ||= await canPublish(this.#database);
    return this.#publishes;
  }

  /** Where the schema has no room for it, what a life reads stands in its statistics, where `nexus migrate` looks for it. */
  #withReads(id: string, stats: object): string {
    const reads = this.#reads.get(id) ?? null;
    return JSON.stringify(reads === null ? stats : { ...stats, reads: JSON.parse(reads) });
  }

  #members(publishes: boolean) {
    const formats = publishes ? this.#database`reads -> 'formats'` : this.#database`null`;
    return this.#database`(
      select coalesce(json_agg(json_build_object('id', id, 'node', node, 'weight', weight, 'draining', draining,
        'formats', ${formats}, 'ageMs', round(extract(epoch from now() - beat) * 1000)) order by id), '[]') from members)`;
  }

  #shards() {
    return this.#database`(
      select json_agg(json_build_object('shard', shard, 'owner', owner, 'epoch', epoch) order by shard) from shards)`;
  }
}
