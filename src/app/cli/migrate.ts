import { migrate } from "../../adapters/postgres/migrate.ts";
import { readConfig } from "../settings/config.ts";
import { withDatabases } from "./databases.ts";

/**
 * Brings the databases up to date, also while a cluster works on them. A platform that is alone does so when it starts.
 * Throws an Error with a sentence for the operator when a node would not work with the new schema.
 */
export async function runMigrate(): Promise<void> {
  const { shards, leaseMs } = readConfig(process.env);
  const applied = await withDatabases("migrate", (databases) => migrate(databases, { shards: shards ?? undefined, leaseMs }));
  process.stdout.write(applied.length === 0 ? "The database is up to date.\n" : `Applied: ${applied.join(", ")}\n`);
}
