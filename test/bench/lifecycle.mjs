/**
 * The full life of tasks over HTTP, as paid-life.mjs has it. Server, database and this load generator share the machine.
 *
 *   npm run bench -- [tasks] [requests in flight]
 */
import { execFileSync } from "node:child_process";
import postgres from "postgres";
import { Client } from "../support/client.mjs";
import { startProcess } from "../support/platform.mjs";
import { findServer, makeDatabase } from "../support/postgres.mjs";
import { live, openMarket } from "./paid-life.mjs";

const TASKS = Number(process.argv[2] ?? 6_000);
const IN_FLIGHT = Number(process.argv[3] ?? 48);

/** @param {number} pid */
function rssMb(pid) {
  return Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)]).toString()) / 1024;
}

const server = await findServer();
const database = await makeDatabase(server.url);
// As many tasks at a time as there are in flight, so that what is measured is not how many a new worker may have.
const AWARDS = Array.from({ length: 5 }, () => IN_FLIGHT).join();
const platform = await startProcess({ DATABASE_URL: database.url, LOG_LEVEL: "info", AWARDS_BY_TIER: AWARDS });
const client = new Client(platform.port, 2 * IN_FLIGHT);
const sql = postgres(database.url, { max: 1, onnotice: () => {} });
try {
  const idle = rssMb(platform.pid);
  /** @type {import("./paid-life.mjs").Times} */
  const times = new Map();
  const seconds = await live(client, await openMarket(client), { tasks: TASKS, inFlight: IN_FLIGHT }, times);

  const [journal] = await sql`select count(*)::int as facts, count(distinct batch)::int as commits from journal`;
  console.log(
    `${TASKS} tasks in ${seconds.toFixed(1)} s: ${(TASKS / seconds).toFixed(0)} tasks/s, ${IN_FLIGHT} creating at once`,
  );
  for (const [name, list] of times) {
    list.sort((a, b) => a - b);
    const at = (/** @type {number} */ share) =>
      (list[Math.min(list.length - 1, Math.floor(share * list.length))] ?? 0).toFixed(1);
    console.log(
      `  ${name.padEnd(10)} ${String(list.length).padStart(6)} calls   p50 ${at(0.5).padStart(7)} ms   p99 ${at(0.99).padStart(7)} ms`,
    );
  }
  console.log(
    `  ${journal?.["facts"]} facts in ${journal?.["commits"]} commits: ${(journal?.["facts"] / journal?.["commits"]).toFixed(1)} each`,
  );
  console.log(`  memory ${idle.toFixed(0)} MB idle, ${rssMb(platform.pid).toFixed(0)} MB at the end`);
} finally {
  client.close();
  await sql.end();
  await platform.kill("SIGTERM");
  await database.drop();
  await server.stop();
}
