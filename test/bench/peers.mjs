/**
 * Job queues beside the platform: an empty job, added and completed, and the full paid life of a task of the same size. The rounds are
 * in turn, so that what the machine does meanwhile concerns all of them. The load generator and each contender are a process each.
 *
 *   npm run bench:peers -- [--tasks 4000] [--in-flight 48] [--rounds 3] [--only http,pg-boss,...]
 *
 * Everything has the same durability: what was answered is on disk (PostgreSQL with fsync and synchronous_commit, Redis with an fsync
 * for each write). Another way to the platform is one more contender: a name, a title and a run.
 */
import { fork } from "node:child_process";
import { availableParallelism, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import postgres from "postgres";
import { Client } from "../support/client.mjs";
import { startProcess } from "../support/platform.mjs";
import { findServer, makeDatabase } from "../support/postgres.mjs";
import { startPrivate } from "../support/servers.mjs";
import { live, openMarket, TASK } from "./paid-life.mjs";
import { install } from "./peers/installed.mjs";
import { QUEUES, titleOf } from "./peers/queues.mjs";
import { livePulled } from "./pulled-life.mjs";
import { overHttp, overNats } from "./ways.mjs";

/** @typedef {{ readonly tasks: number, readonly inFlight: number }} Load */
/** `run` gives how long the load took (s). @typedef {{ readonly name: string, readonly title: string, readonly settings: string, readonly run: (load: Load) => Promise<number> }} Contender */

const { values } = parseArgs({
  options: {
    tasks: { type: "string", default: "4000" },
    "in-flight": { type: "string", default: "48" },
    rounds: { type: "string", default: "3" },
    only: { type: "string", default: "" },
  },
});
/** @type {Load} */
const load = { tasks: Number(values.tasks), inFlight: Number(values["in-flight"]) };
const rounds = Number(values.rounds);
/** Jobs before the measurement, so that code is compiled and connections are there. */
const WARM_UP = 300;
const LOOK_MS = 25;
/** Above this load (of `uptime`, before the first round) something else is running. */
const BUSY_MAX = 0.7;
const LEFT_MS_MAX = 120_000;
const WORKER = fileURLToPath(new URL("./peers/worker.mjs", import.meta.url));

const server = await findServer();

/** No bound on how many tasks a worker has at a time: it is the platform that is measured, not its rules. */
const AWARDS_BY_TIER = "10000,10000,10000,10000,10000";

/**
 * A platform of its own for a contender, in one process, and what is needed to live there.
 * @param {(platform: import("../support/platform.mjs").PlatformProcess, natsUrl: string, client: Client, market: Awaited<ReturnType<typeof openMarket>>) => Promise<number>} run
 */
async function onPlatform(run) {
  const [database, nats] = [await makeDatabase(server.url), await startPrivate("nats")];
  const platform = await startProcess({ DATABASE_URL: database.url, FLEET_NATS_URL: nats.url, AWARDS_BY_TIER });
  const client = new Client(platform.port, 2 * load.inFlight);
  try {
    return await run(platform, nats.url, client, await openMarket(client));
  } finally {
    client.close();
    await platform.kill("SIGTERM");
    await Promise.all([database.drop(), nats.stop()]);
  }
}

/** @type {Contender} */
const poll = {
  name: "poll",
  title: "NexusToken over HTTP, polled",
  settings: "full paid life; 6 workers that poll and bid, one process, its own defaults but no limits",
  run: (jobs) =>
    onPlatform(async (_platform, _nats, client, market) => {
      await live(client, market, { ...jobs, tasks: WARM_UP });
      return live(client, market, jobs);
    }),
};

/** @param {string} name @param {string} title @param {(port: number, natsUrl: string) => Promise<import("./ways.mjs").Way>} open @returns {Contender} */
const pulling = (name, title, open) => ({
  name,
  title,
  settings: "full paid life; 6 workers that pull up to 50 tasks at a time, one process, its own defaults but no limits",
  run: (jobs) =>
    onPlatform(async ({ port }, natsUrl, client, market) => {
      const way = await open(port, natsUrl);
      try {
        await livePulled(way, client, market, { ...jobs, tasks: WARM_UP });
        return await livePulled(way, client, market, jobs);
      } finally {
        await way.close();
      }
    }),
});
const http = pulling("http", "NexusToken over HTTP", async (port) => overHttp([port], 4 * load.inFlight));
const nats = pulling("nats", "NexusToken over NATS", (_port, url) => overNats(url, 4, "nexus"));

/**
 * Adds jobs, so many at once, and waits until all are completed. Gives how long that took (s).
 * @param {import("./peers/queues.mjs").Producer} producer
 * @param {Load} jobs
 */
async function finish(producer, { tasks, inFlight }) {
  let added = 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (added < tasks) {
        added += 1;
        await producer.add(TASK);
      }
    }),
  );
  while ((await producer.left()) > 0) {
    if (performance.now() - started > LEFT_MS_MAX) throw new Error("jobs are left, and nobody does them");
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return (performance.now() - started) / 1_000;
}

/** An empty store for a queue. @param {import("./peers/queues.mjs").Queue} queue */
async function storeFor({ on }) {
  if (on === "postgres") {
    const { url, drop } = await makeDatabase(server.url);
    return { url, drop };
  }
  const redis = await startPrivate("redis", [
    "--appendonly",
    "yes",
    "--appendfsync",
    "always",
    "--maxmemory-policy",
    "noeviction",
  ]);
  return { url: redis.url, drop: redis.stop };
}

/** @param {import("./peers/queues.mjs").Queue} queue @returns {Contender} */
function contender(queue) {
  return {
    name: queue.name,
    title: `${titleOf(queue)}, empty job`,
    settings: queue.settings,
    run: async (jobs) => {
      const store = await storeFor(queue);
      try {
        return await measured(queue, store.url, jobs);
      } finally {
        await store.drop();
      }
    },
  };
}

/** How long a queue takes for the jobs (s), after a few to warm up. @param {import("./peers/queues.mjs").Queue} queue @param {string} url @param {Load} jobs */
async function measured(queue, url, jobs) {
  const producer = await queue.produce(url);
  const worker = fork(WORKER, [queue.name, url]);
  const gone = new Promise((resolve) => worker.once("exit", resolve));
  try {
    await new Promise((resolve, reject) => {
      worker.once("message", resolve);
      void gone.then(() => reject(new Error(`the worker of ${queue.name} did not start`)));
    });
    await finish(producer, { ...jobs, tasks: WARM_UP });
    return await finish(producer, jobs);
  } finally {
    worker.kill("SIGKILL");
    await gone;
    await producer.close();
  }
}

/** What of the server decides whether an answer is on disk, in words. */
async function durability() {
  const sql = postgres(server.url, { max: 1 });
  try {
    const [row] = await sql`select current_setting('server_version') as version, current_setting('fsync') as fsync,
      current_setting('synchronous_commit') as commit`;
    return `PostgreSQL ${row?.["version"]}, fsync ${row?.["fsync"]}, synchronous_commit ${row?.["commit"]}; Redis, appendfsync always`;
  } finally {
    await sql.end();
  }
}

/** @param {readonly number[]} rates */
const median = (rates) => rates.toSorted((a, b) => a - b)[Math.floor(rates.length / 2)] ?? Number.NaN;

try {
  install();
  const all = [http, nats, poll, ...QUEUES.map(contender)];
  const wanted = values.only === "" ? all : all.filter(({ name }) => values.only.split(",").includes(name));
  console.log(`${load.tasks} tasks of ${JSON.stringify(TASK).length} bytes, ${load.inFlight} added at once`);
  console.log(`${await durability()}; Node.js ${process.version}, ${availableParallelism()} cores`);
  const [busy = 0] = loadavg();
  if (busy > BUSY_MAX)
    console.log(`the machine is busy with something else (load ${busy.toFixed(1)}): these figures are too low`);
  /** @type {Map<Contender, number[]>} */
  const rates = new Map(wanted.map((one) => [one, []]));
  for (let round = 1; round <= rounds; round += 1) {
    for (const [one, list] of rates) {
      const seconds = await one.run(load);
      list.push(load.tasks / seconds);
      console.log(`  round ${round}  ${one.title.padEnd(40)} ${(load.tasks / seconds).toFixed(0).padStart(6)}/s`);
    }
  }
  const ours = [...rates].filter(([one]) => QUEUES.every(({ name }) => name !== one.name));
  for (const [one, list] of rates) {
    const shares = ours
      .filter(([other]) => other !== one)
      .map(([other, its]) => `${other.name} ${(median(its) / median(list)).toFixed(2)}`);
    console.log(
      `${one.title.padEnd(40)} ${median(list).toFixed(0).padStart(6)}/s  ${shares.map((share) => `ours/its: ${share}`).join("  ")}`,
    );
    console.log(`  ${one.settings}`);
  }
} finally {
  await server.stop();
}
