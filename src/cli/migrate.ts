import { migrate } from "../postgres/migrate.ts";
import { withDatabase } from "./database.ts";

/** Brings the database up to date. The platform does so too when it starts. */
export async function runMigrate(): Promise<void> {
  const applied = await withDatabase("migrate", migrate);
  process.stdout.write(applied.length === 0 ? "The database is up to date.\n" : `Applied: ${applied.join(", ")}\n`);
}
