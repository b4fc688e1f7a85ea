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

  /** Queries all databases at once; gives their answers in order. */
  each<T>(ask: (database: Database) => Promise<T>): Promise<readonly T[]> {
    return Promise.all(this.all.map(ask));
  }
}
