import { readConfig, warnings } from "../config.ts";
import { openLog } from "../log.ts";
import { type Platform, type Role, startPlatform } from "../wire.ts";

/** Runs one process of the platform until a signal comes; the first one lets work finish, the second ends at once. */
export async function runStart(role: Role): Promise<void> {
  const config = readConfig(process.env);
  const log = openLog(config.logLevel);
  for (const warning of warnings(process.env)) log.warn({}, warning);
  if (config.allowSimulatedTopup && role !== "node") {
    log.warn({}, "credits are simulated: POST /credits/topup gives them for nothing, unless ALLOW_SIMULATED_TOPUP=false");
  }
  process.on("unhandledRejection", (error) => {
    log.fatal({ err: error }, "an error that nobody handled; the process ends, and what is committed stays");
    process.exit(1);
  });
  const lost = () => {
    log.fatal({}, "another NexusToken has taken over this database; this one ends");
    process.exit(1);
  };
  let platform: Platform | undefined;
  let stopping = false;
  const stop = async (signal: string) => {
    // What is still starting has nothing under way.
    if (stopping || platform === undefined) process.exit(stopping ? 1 : 0);
    stopping = true;
    log.info({ signal }, "stopping: what is under way is finished first");
    await platform.stop();
    process.exit(0);
  };
  process.on("SIGINT", (signal) => void stop(signal));
  process.on("SIGTERM", (signal) => void stop(signal));
  platform = await startPlatform(config, role, log, lost);
}
