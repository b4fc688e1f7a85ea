/** The databases of a platform. Each holds all data of its shards; only the audit reads across them. */
import { shardOf } from "../../../actors/address.ts";
import type { Database } from "./pool.ts";

/** The index, in the list of databases, of the one that holds a shard. */
export function databaseOf(shard: number, databases: number): number {
  return shard % databases;
}

/** The shards that the database at an index holds. */
export function shardsAt(index: number, databases: number, shards: number): readonly number[] {
  return Array.from({ length: shards }, (_, shard) => shard).filter((shard) => databaseOf(shard, databases) === index);
}

export class Databases {
  /** In the order of DATABASE_URL. */
  readonly all: readonly Database[];
  /** Number of logical shards of the whole platform. */
  readonly shards: number;

  constructor(all: readonly Database[], shards: number) {
    this.all = all;
    this.shards = shards;
  }

  /** The database that holds an entity. */
  of(id: string): Database {
    const database = this.all[databaseOf(shardOf(id, this.shards), this.all.length)];
    if (database === undefined) throw new Error("a platform has at least one database");
    return database;
  }

  /**
   * Queries the databases that hold these entities at once, each for its own; gives what those that answer have found. Rejects if
   * none answers.
   */
  async eachOf<Id extends string, T>(
    ids: readonly Id[],
    ask: (database: Database, ids: readonly Id[]) => Promise<readonly T[]>,
  ): Promise<readonly T[]> {
    const parts = new Map<Database, Id[]>();
    for (const id of ids) parts.set(this.of(id), [...(parts.get(this.of(id)) ?? []), id]);
    const answers = await Promise.allSettled([...parts].map(([database, own]) => ask(database, own)));
    const failed = answers.find((answer) => answer.status === "rejected");
    if (failed !== undefined && answers.every(({ status }) => status === "rejected")) throw failed.reason;
    return answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
  }

  /** Queries all databases at once; gives their answers in order. */
  each<T>(ask: (database: Database) => Promise<T>): Promise<readonly T[]> {
    return Promise.all(this.all.map(ask));
  }
}
