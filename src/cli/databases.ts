import { readConfig } from "../config.ts";
import { openLog } from "../log.ts";
import { EmbeddedServer } from "../postgres/embedded.ts";
import { greet } from "../postgres/greet.ts";
import { type Database, openPool } from "../postgres/pool.ts";

/** Runs `work` on the databases of the settings; the embedded one is started for it when it does not run. */
export async function withDatabases<T>(name: string, work: (databases: readonly Database[]) => Promise<T>): Promise<T> {
  const config = readConfig(process.env);
  const server = config.databaseUrls === null ? await EmbeddedServer.open(config.dataDir, openLog("warn")) : undefined;
  const urls = config.databaseUrls ?? (server === undefined ? [] : [server.url]);
  const databases = urls.map((url) => openPool(url, { max: 2, name }));
  try {
    await greet(databases, urls);
    return await work(databases);
  } finally {
    await Promise.all(databases.map((database) => database.end({ timeout: 1 })));
    await server?.close();
  }
}
