/**
 * Strangers for as long as one likes:
 *
 *   npm run strangers -- [--seconds 60] [--tasks 200] [--seed 1]
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { findServer, makeDatabase } from "../support/postgres.mjs";
import { strangers } from "./run.mjs";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    tasks: { type: "string", default: "200" },
    seed: { type: "string", default: "1" },
  },
});
const server = await findServer();
const { url, drop } = await makeDatabase(server.url);
const report = await strangers({
  seconds: Number(values.seconds),
  tasks: Number(values.tasks),
  seed: Number(values.seed),
  databaseUrl: url,
  print: (line) => console.log(line),
});
const entry = fileURLToPath(new URL("../../bin/nexus.js", import.meta.url));
let clean = report.wrong.length === 0;
try {
  console.log(execFileSync(process.execPath, [entry, "audit"], { env: { ...process.env, DATABASE_URL: url } }).toString());
} catch (error) {
  clean = false;
  console.log(error instanceof Error && "stdout" in error ? String(error.stdout) : error);
}
console.log(`${"stranger".padEnd(52)} requests   answers`);
for (const { name, requests, answers } of report.strangers) {
  const said = Object.entries(answers)
    .sort()
    .map(([status, times]) => `${status}: ${times}`);
  console.log(`${name.padEnd(52)} ${String(requests).padStart(8)}   ${said.join("  ")}`);
}
const { settled, lives, calls, memoryMb } = report;
console.log(`
honest tasks settled      ${settled} of ${values.tasks}
posted to settled         p50 ${lives.p50} ms   p99 ${lives.p99} ms
each honest request       p50 ${calls.p50} ms   p99 ${calls.p99} ms   (${calls.count})
memory of the platform    ${memoryMb.before} MB before, ${memoryMb.after} MB at the end`);
for (const line of report.wrong.slice(0, 40)) console.log(`WRONG ${line}`);
if (clean) await drop();
else console.log(`The database is kept: ${url}`);
await server.stop();
process.exitCode = clean ? 0 : 1;
