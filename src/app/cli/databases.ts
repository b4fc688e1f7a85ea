import type { Log } from "../../../actors/ports/log.ts";
import { EmbeddedServer } from "../../adapters/postgres/embedded.ts";
import { type Database, openPool } from "../../adapters/postgres/pool.ts";
import { probe } from "../../adapters/postgres/probe.ts";
import { openLog } from "../../adapters/system/log.ts";
import { aborted, Finalizers } from "../finalizers.ts";
import { readConfig } from "../settings/config.ts";
import { interruptible } from "./interrupt.ts";

/**
 * Runs `work` on the configured databases. The embedded one is started if it does not run, and stopped again in any case.
 */
export function withDatabases<T>(name: string, work: (databases: readonly Database[]) => Promise<T>): Promise<T> {
  return interruptible(async (stop) => {
    const config = readConfig(process.env);
    const log = openLog("warn");
    const finalizers = new Finalizers(log);
    const done = async () => {
      const urls = config.databaseUrls ?? [await embedded(config.dataDir, log, finalizers)];
      const databases = urls.map((url) => openPool(url, { max: 2, name }));
      finalizers.add(() => Promise.all(databases.map((database) => database.end({ timeout: 1 }))));
      await probe(databases, urls);
      return work(databases);
    };
    try {
      return await Promise.race([done(), aborted(stop)]);
    } finally {
      await finalizers.run();
    }
  });
}

async function embedded(dataDir: string, log: Log, finalizers: Finalizers): Promise<string> {
  const server = new EmbeddedServer(dataDir, log);
  finalizers.add(() => server.close());
  await server.open();
  return server.url;
}
