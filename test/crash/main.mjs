/**
 * Kills the platform for as long as one likes:
 *
 *   npm run crash -- [kills] [clients] [longest time between two kills, ms]
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { findServer, makeDatabase } from "../support/postgres.mjs";
import { crash } from "./run.mjs";

const [kills = 100, clients = 50, gapMs = 1_000] = process.argv.slice(2).map(Number);
const server = await findServer();
const { url, drop } = await makeDatabase(server.url);
const report = await crash({ kills, clients, gapMs, databaseUrl: url, print: (line) => console.log(line) });
console.log(JSON.stringify({ ...report, wrong: report.wrong.slice(0, 20) }, null, 2));
const entry = fileURLToPath(new URL("../../bin/nexus.js", import.meta.url));
let clean = report.wrong.length === 0;
try {
  console.log(execFileSync(process.execPath, [entry, "audit"], { env: { ...process.env, DATABASE_URL: url } }).toString());
} catch (error) {
  clean = false;
  console.log(error instanceof Error && "stdout" in error ? String(error.stdout) : error);
}
if (clean) await drop();
else console.log(`The database is kept: ${url}`);
await server.stop();
process.exitCode = clean ? 0 : 1;
