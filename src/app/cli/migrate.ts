import { migrate } from "../../adapters/postgres/migrate.ts";
import { readConfig } from "../settings/config.ts";
import { withDatabases } from "./databases.ts";

/** Brings the database up to date. */
export async function runMigrate(): Promise<void> {
  const { shards } = readConfig(process.env);
  const applied = await withDatabases("migrate", (databases) => migrate(databases, shards ?? undefined));
  process.stdout.write(applied.length === 0 ? "The database is up to date.\n" : `Applied: ${applied.join(", ")}\n`);
}
