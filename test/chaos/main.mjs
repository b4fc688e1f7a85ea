/**
 * Chaos for as long as one likes:
 *
 *   npm run chaos -- [--minutes 5] [--clients 50] [--lease 5000] [--sleep 20000] [--databases 2] [--faults killNode,natsAway]
 */
import { parseArgs } from "node:util";
import { chaos } from "./run.mjs";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    clients: { type: "string", default: "50" },
    lease: { type: "string", default: "5000" },
    sleep: { type: "string", default: "20000" },
    databases: { type: "string", default: "2" },
    faults: { type: "string" },
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
    databases: Number(values.databases),
    ...(values.faults === undefined ? {} : { faults: values.faults.split(",") }),
    print: (line) => console.log(line),
  },
  async (urls) => {
    const [{ auditDatabases }, { openPool }] = await Promise.all([
      import(new URL("../../dist/src/adapters/postgres/books.js", import.meta.url).href),
      import(new URL("../../dist/src/adapters/postgres/pool.js", import.meta.url).href),
    ]);
    const pools = urls.map((url) => openPool(url, { max: 2, name: "audit" }));
    const findings = await auditDatabases(pools);
    for (const { promise, checked, wrong } of findings) console.log(`${promise}: ${checked} checked, ${wrong.length} wrong`);
    await Promise.all(pools.map((/** @type {{ end: () => Promise<void> }} */ pool) => pool.end()));
    return findings.flatMap((/** @type {{ wrong: string[] }} */ { wrong }) => wrong);
  },
);
console.log(JSON.stringify({ ...report, minutes: (Date.now() - started) / 60_000, wrong: report.wrong.slice(0, 20) }, null, 2));
process.exitCode = report.wrong.length === 0 ? 0 : 1;
