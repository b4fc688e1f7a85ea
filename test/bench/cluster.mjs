/**
 * What a cluster's clients feel while nodes join, leave and die: three nodes, two gateways, a closed loop of requests.
 *
 *   npm run bench:cluster -- [clients] [lease, ms]
 */
import { randomUUID } from "node:crypto";
import { Client } from "../support/client.mjs";
import { RealCluster } from "../support/cluster.mjs";
import { findServer, makeDatabase } from "../support/postgres.mjs";
import { findShared } from "../support/servers.mjs";

const [clients = 32, leaseMs = 5_000] = process.argv.slice(2).map(Number);
const ACCOUNTS = 256;
const BUCKET_MS = 500;
const WINDOW_MS = 8_000;

/** @param {number} ms */
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const server = await findServer();
const nats = await findShared("nats");
const { url, drop } = await makeDatabase(server.url);
const cluster = new RealCluster({
  DATABASE_URL: url,
  NATS_URL: nats.url,
  NATS_PREFIX: `bench${randomUUID()}`,
  LEASE_MS: String(leaseMs),
});
await cluster.add("node");
await cluster.add("node");
await cluster.add("node");
await cluster.add("gateway");
await cluster.add("gateway");
const ways = cluster.gateways.map(({ process: { port } }) => new Client(port, 128));
/** @param {number} turn */
const way = (turn) => /** @type {Client} */ (ways[turn % ways.length]);

/** @type {string[]} */
const keys = [];
for (let from = 0; from < ACCOUNTS; from += 32) {
  const some = await Promise.all(
    Array.from({ length: 32 }, (_, n) => way(n).call("POST", "/auth/register", { email: `${randomUUID()}@bench.example` })),
  );
  keys.push(...some.map(({ body }) => body.api_key));
}

let open = true;
/** When each answer came, and how long it took (ms). @type {{ at: number, ms: number, status: number, account: number }[]} */
let answers = [];
const loops = Array.from({ length: clients }, async (_, client) => {
  for (let turn = client; open; turn += clients) {
    const account = turn % ACCOUNTS;
    const begun = performance.now();
    const { status } = await way(turn).call("POST", "/credits/topup", { amount_credits: 1 }, { key: keys[account] });
    answers.push({ at: performance.now(), ms: performance.now() - begun, status, account });
  }
});

/** @param {number[]} sorted @param {number} part */
const at = (sorted, part) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0);

/**
 * Watches the load for a while after `event` has begun.
 * @param {string} name
 * @param {() => Promise<unknown>} event
 */
async function during(name, event) {
  answers = [];
  const begun = performance.now();
  const done = event().then(() => performance.now() - begun);
  await wait(WINDOW_MS);
  const took = await done;
  const seen = answers.filter(({ at: moment }) => moment <= begun + WINDOW_MS);
  const buckets = Array.from({ length: WINDOW_MS / BUCKET_MS }, () => 0);
  for (const { at: moment } of seen) {
    const bucket = Math.min(buckets.length - 1, Math.floor((moment - begun) / BUCKET_MS));
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
  }
  const times = seen.map(({ ms }) => ms).sort((a, b) => a - b);
  const rate = Math.round((seen.length * 1_000) / WINDOW_MS);
  const least = Math.round((Math.min(...buckets) * 1_000) / BUCKET_MS);
  const failed = seen.filter(({ status }) => status !== 200).length;
  const line = [name.padEnd(22), `${rate}/s`, `least ${least}/s`, `p50 ${at(times, 0.5)} ms`, `p99 ${at(times, 0.99)} ms`];
  console.log([...line, `longest ${at(times, 1)} ms`, `${failed} failed`, `took ${Math.round(took)} ms`].join("  "));
  return rate;
}

await during("warm-up", async () => {});
const steady = await during("steady", async () => {});
const joined = await during("a node joins", () => cluster.add("node"));
const drained = await during("a node is drained", async () => {
  const [node] = cluster.nodes.splice(0, 1);
  if (node !== undefined) await cluster.end(node, "SIGTERM");
});
await during("a node is killed", async () => {
  const [node] = cluster.nodes.splice(0, 1);
  if (node !== undefined) await cluster.end(node, "SIGKILL");
});
console.log(`join / steady ${(joined / steady).toFixed(2)}, drain / steady ${(drained / steady).toFixed(2)}`);
open = false;
await Promise.all(loops);
await cluster.stop();
for (const client of ways) client.close();
await drop();
await server.stop();
await nats.stop();
