import { randomBytes } from "node:crypto";
import { accountId } from "../../../machines/vocabulary.ts";
import { readAccount } from "../../adapters/postgres/accounts.ts";
import { auditDatabases } from "../../adapters/postgres/books.ts";
import { EmbeddedServer } from "../../adapters/postgres/embedded.ts";
import { readPlatform } from "../../adapters/postgres/migrate.ts";
import { type Database, openPool } from "../../adapters/postgres/pool.ts";
import { openLog } from "../../adapters/system/log.ts";
import { type Platform, startPlatform } from "../compose.ts";
import { runExamples } from "../demo/run.ts";
import { addressOf, askJson, identifyServer } from "../running-server.ts";
import { type Config, readConfig } from "../settings/config.ts";
import { printFindings } from "./audit.ts";
import { interruptible } from "./interrupt.ts";

const print = (line: string) => process.stdout.write(`${line}\n`);

/** Sends the example texts through the market and audits the books. Starts a platform if none runs. */
export function runDemo(): Promise<void> {
  return interruptible(async (stop) => {
    const config = readConfig(process.env);
    const known = addressOf(config.host, config.port);
    const there = await identifyServer(known);
    if (there === "nexus") await checkHealthy(known);
    let platform: Platform | undefined;
    if (there !== "nexus") {
      // If another program has the port, the demo takes a free one.
      const settings = there === "nobody" ? config : { ...config, port: 0 };
      platform = await startPlatform(settings, "both", openLog("error"), () => process.exit(1), stop);
    }
    const base = platform?.url ?? known;
    print(platform === undefined ? `Using the platform on ${base}.\n` : `Started a platform on ${base}.\n`);
    try {
      const run = randomBytes(4).toString("hex");
      const account = await runExamples({ base, run, output: process.stdout, stop });
      print("");
      await auditOf(config, account);
    } finally {
      await platform?.stop();
    }
  });
}

/** Audits the books, if this account is in the database of our settings. */
async function auditOf(config: Config, account: string): Promise<void> {
  const embedded = config.databaseUrls === null ? await EmbeddedServer.find(config.dataDir) : undefined;
  const urls = config.databaseUrls ?? (embedded === undefined ? [] : [embedded]);
  const databases = urls.map((url) => openPool(url, { max: 2, name: "audit" }));
  try {
    if (!(await isIn(databases, account))) {
      print("The platform uses another database than these settings; run `nexus audit` with its settings to check its books.");
      return;
    }
    const findings = await auditDatabases(databases);
    printFindings(findings, print);
    if (findings.some(({ wrong }) => wrong.length > 0)) process.exitCode = 1;
  } finally {
    await Promise.all(databases.map((database) => database.end({ timeout: 1 })));
  }
}

/** Whether an account is in one of these databases. */
async function isIn(databases: readonly Database[], account: string): Promise<boolean> {
  if (databases.length === 0) return false;
  try {
    await readPlatform(databases);
  } catch {
    // A database that cannot be read or is empty is not the one that was just used.
    return false;
  }
  const rows = await Promise.all(databases.map((database) => readAccount(database, accountId(account))));
  return rows.some((row) => row !== undefined);
}

/** Throws an Error with a sentence if a platform cannot serve now. */
async function checkHealthy(base: string): Promise<void> {
  const health = await askJson(`${base}/health`);
  if (health !== "nobody" && health.ok) return;
  const why = health !== "nobody" && "detail" in health.body ? ` (${health.body.detail})` : "";
  throw new Error(
    `The platform at ${base} cannot serve now${why}: wait until its /health answers 200, or stop it, and run the demo again.`,
  );
}
