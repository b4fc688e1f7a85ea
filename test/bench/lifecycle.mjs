/**
 * The full life of tasks over HTTP: create, bid, award, submit, settle. One worker for each task type, so that a window
 * closes as soon as that worker has answered. Server, database and this load generator share the machine.
 *
 *   npm run bench -- [tasks] [requests in flight]
 */
import { execFileSync } from "node:child_process";
import postgres from "postgres";
import { Client } from "../support/client.mjs";
import { startProcess } from "../support/platform.mjs";
import { findServer, makeDatabase } from "../support/postgres.mjs";

const TASKS = Number(process.argv[2] ?? 6_000);
const IN_FLIGHT = Number(process.argv[3] ?? 48);
const TYPES = ["json_extraction", "translation", "text_classification", "text_generation", "data_transformation", "analysis"];
const SCHEMA = {
  type: "object",
  properties: { company: { type: "string" }, revenue: { type: "string" }, growth: { type: "string" } },
  required: ["company", "revenue"],
  additionalProperties: false,
};
const RESULT = { company: "Apple Inc", revenue: "$81.8 billion", growth: "5%" };
const TEXT = "Apple Inc reported Q3 revenue of $81.8 billion, up 5% year over year. ".repeat(4);

/** @type {Map<string, number[]>} */
const times = new Map();

/**
 * @param {Client} client
 * @param {string} name
 * @param {string} method
 * @param {string} path
 * @param {string} key
 * @param {unknown} [body]
 */
async function timed(client, name, method, path, key, body) {
  const started = performance.now();
  const reply = await client.call(method, path, body, { key });
  const list = times.get(name) ?? [];
  times.set(name, list);
  list.push(performance.now() - started);
  if (reply.status >= 300) throw new Error(`${name}: ${reply.status} ${JSON.stringify(reply.body)}`);
  return reply.body;
}

/** @param {number} pid */
function rssMb(pid) {
  return Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)]).toString()) / 1024;
}

/**
 * @param {Client} client
 * @param {string} name
 */
async function register(client, name) {
  const { body } = await client.call("POST", "/auth/register", { email: `${name}@bench.example` });
  return body.api_key;
}

/**
 * @param {Client} client
 * @param {string} key
 * @param {() => boolean} done
 * @param {number} worker
 */
async function work(client, key, done, worker) {
  const type = TYPES[worker % TYPES.length];
  const lanes = Math.max(2, Math.ceil(IN_FLIGHT / TYPES.length));
  let seen = new Set();
  while (!done()) {
    const open = await timed(client, "available", "GET", `/tasks/available?task_type=${type}&limit=50`, key);
    const mine = open.filter((/** @type {any} */ task) => !seen.has(task.id));
    seen = new Set(open.map((/** @type {any} */ task) => task.id));
    await Promise.all(
      Array.from({ length: lanes }, async () => {
        for (let task = mine.pop(); task !== undefined; task = mine.pop()) {
          const bid = await timed(client, "bid", "POST", `/tasks/${task.id}/bid`, key, { bid_credits: 12 });
          if (bid.status !== "AWARDED") throw new Error(`the window did not close: ${JSON.stringify(bid)}`);
          await timed(client, "submit", "POST", `/tasks/${task.id}/submit`, key, { result_data: RESULT });
        }
      }),
    );
  }
}

const server = await findServer();
const database = await makeDatabase(server.url);
const platform = await startProcess({ DATABASE_URL: database.url, LOG_LEVEL: "info" });
const client = new Client(platform.port, 2 * IN_FLIGHT);
const sql = postgres(database.url, { max: 1, onnotice: () => {} });
try {
  const idle = rssMb(platform.pid);
  const requesters = await Promise.all([0, 1, 2, 3].map((index) => register(client, `requester${index}`)));
  const workers = await Promise.all(TYPES.map((_, index) => register(client, `worker${index}`)));
  for (const key of requesters) await client.call("POST", "/credits/topup", { amount_credits: 1_000_000_000 }, { key });
  for (const [index, key] of workers.entries())
    await client.call("GET", `/tasks/available?task_type=${TYPES[index]}`, undefined, { key });

  let created = 0;
  let settled = 0;
  const started = performance.now();
  const creators = Array.from({ length: IN_FLIGHT }, async (_, index) => {
    while (created < TASKS) {
      const task_type = TYPES[created++ % TYPES.length];
      const body = { input_data: TEXT, schema: SCHEMA, example_output: RESULT, budget: 20, task_type };
      await timed(client, "create", "POST", "/tasks", requesters[index % requesters.length], body);
    }
  });
  const working = workers.map((key, index) => work(client, key, () => settled >= TASKS, index));
  const watching = (async () => {
    while (settled < TASKS) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      const counts = await Promise.all(workers.map((key) => client.call("GET", "/account/reputation", undefined, { key })));
      settled = counts.reduce((sum, { body }) => sum + body.tasks_completed, 0);
    }
  })();
  await Promise.all([...creators, ...working, watching]);
  const seconds = (performance.now() - started) / 1_000;

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
