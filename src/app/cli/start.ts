import { openLog } from "../../adapters/system/log.ts";
import { type Platform, type Role, startPlatform } from "../compose.ts";
import { type Config, readConfig, warnings } from "../settings/config.ts";

/** After a fatal error the process leaves the cluster and ends within this time (ms). */
const LEAVE_MS_MAX = 5_000;
/** Ctrl-C may arrive twice, from the terminal and from npm; a second signal counts only after this long (ms). */
const SAME_SIGNAL_MS = 1_000;

/**
 * Runs one process of the platform until a signal arrives: the first lets running work finish, the second ends it soon. A
 * process that cannot start says why in a sentence and exits with 1.
 */
export async function runStart(role: Role): Promise<void> {
  const config = settingsFor(role, readConfig(process.env));
  const log = openLog(config.logLevel);
  for (const warning of warnings(process.env)) log.warn({}, warning);
  if (config.allowSimulatedTopup && role !== "node") {
    log.warn({}, "credits are simulated: POST /credits/topup gives them for free, unless ALLOW_SIMULATED_TOPUP=false");
  }
  const starting = new AbortController();
  let platform: Platform | undefined;
  let ending = false;
  /** Leaves without waiting for running work: the others take over at once. What is committed stays. */
  const give = () => {
    if (ending) return;
    ending = true;
    setTimeout(() => process.exit(1), LEAVE_MS_MAX);
    starting.abort(new Error("It ended while it was starting."));
    void platform?.stop(0).then(() => process.exit(1));
  };
  const unhandled = (error: unknown) => {
    log.fatal({ err: error }, "unhandled error; the process ends, and what is committed stays");
    give();
  };
  process.on("uncaughtException", unhandled);
  process.on("unhandledRejection", unhandled);
  const lost = () => {
    log.fatal({}, "another NexusToken has taken over this database; this process ends");
    give();
  };
  let stoppedAt = 0;
  const stop = (signal: NodeJS.Signals) => {
    if (stoppedAt > 0) {
      if (performance.now() - stoppedAt > SAME_SIGNAL_MS) give();
      return;
    }
    stoppedAt = performance.now();
    log.info({ signal }, platform === undefined ? "stopping" : "stopping after running work has finished");
    starting.abort(new Stopped());
    void platform?.stop().then(() => process.exit(0));
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  try {
    platform = await startPlatform(config, role, log, lost, starting.signal);
  } catch (error) {
    // Exits explicitly: a handle that is still open must not keep a process alive that does not serve.
    if (error instanceof Stopped) process.exit(0);
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}

/** The process was told to stop while it was starting. */
class Stopped extends Error {}

/** Nodes take a free port unless told otherwise: only gateways need a port that clients know. */
function settingsFor(role: Role, config: Config): Config {
  const named = (process.env["PORT"] ?? "").trim() !== "";
  return role === "node" && !named ? { ...config, port: 0 } : config;
}
