/**
 * Chaos for as long as one likes:
 *
 *   npm run chaos -- [--minutes 5] [--clients 50] [--lease 5000] [--sleep 20000]
 */
import { parseArgs } from "node:util";
import { chaos } from "./run.mjs";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    clients: { type: "string", default: "50" },
    lease: { type: "string", default: "5000" },
    sleep: { type: "string", default: "20000" },
  },
});
const started = Date.now();
const report = await chaos(
  {
    seconds: Number(values.minutes) * 60,
    clients: Number(values.clients),
    leaseMs: Number(values.lease),
    sleepMs: Number(values.sleep),
    gapMs: 5_000,
    print: (line) => console.log(line),
  },
  async (url) => {
    const [{ auditDatabase }, { openPool }] = await Promise.all([
      import(new URL("../../dist/src/postgres/books.js", import.meta.url).href),
      import(new URL("../../dist/src/postgres/pool.js", import.meta.url).href),
    ]);
    const database = openPool(url, { max: 1, name: "audit" });
    const findings = await auditDatabase(database);
    for (const { promise, checked, wrong } of findings) console.log(`${promise}: ${checked} checked, ${wrong.length} wrong`);
    await database.end();
    return findings.flatMap((/** @type {{ wrong: string[] }} */ { wrong }) => wrong);
  },
);
console.log(JSON.stringify({ ...report, minutes: (Date.now() - started) / 60_000, wrong: report.wrong.slice(0, 20) }, null, 2));
process.exitCode = report.wrong.length === 0 ? 0 : 1;
