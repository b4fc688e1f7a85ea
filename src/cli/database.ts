import { readConfig } from "../config.ts";
import { openLog } from "../log.ts";
import { EmbeddedServer } from "../postgres/embedded.ts";
import { type Database, openPool } from "../postgres/pool.ts";

/** Runs `work` on the database of the settings; the embedded one is started for it when it does not run. */
export async function withDatabase<T>(name: string, work: (database: Database) => Promise<T>): Promise<T> {
  const config = readConfig(process.env);
  const server = config.databaseUrl === null ? await EmbeddedServer.open(config.dataDir, openLog("warn")) : undefined;
  const database = openPool(config.databaseUrl ?? server?.url ?? "", { max: 2, name });
  try {
    return await work(database);
  } finally {
    await database.end({ timeout: 1 });
    await server?.close();
  }
}
