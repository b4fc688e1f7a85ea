/**
 * A fleet that waits for work, on two nodes and two gateways: what waiting costs, how soon a task reaches its worker, how evenly tasks
 * are shared, and what a whole paid life costs by pulls over NATS and HTTP, and by polling. Servers, platform and this load generator
 * share the machine.
 *
 *   npm run bench:fleet -- [--workers 1000] [--tasks 4000] [--rounds 1] [--idle-ms 30000] [--idle-only]
 *
 * With --idle-only nothing is measured but what it costs that workers wait: those that all began at once, and so ask together time and
 * again, and those that ask one after the other; as their share of a core beyond what the processes need while nobody waits. The same
 * workers wait at bare processes meanwhile (floor.mjs), so that it shows what the platform adds, however busy the machine is.
 */
import { randomUUID } from "node:crypto";
import { availableParallelism, loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Client } from "../support/client.mjs";
import { RealCluster } from "../support/cluster.mjs";
import { cpuMs } from "../support/cpu.mjs";
import { findServer, makeDatabase } from "../support/postgres.mjs";
import { startPrivate } from "../support/servers.mjs";
import { startFloor } from "./floor.mjs";
import { live, openMarket, RESULT, TASK } from "./paid-life.mjs";
import { livePulled } from "./pulled-life.mjs";
import { overHttp, overNats } from "./ways.mjs";

/** @typedef {import("./paid-life.mjs").Account} Account */
/** @typedef {import("./ways.mjs").Way} Way */

const { values } = parseArgs({
  options: {
    workers: { type: "string", default: "1000" },
    tasks: { type: "string", default: "4000" },
    rounds: { type: "string", default: "1" },
    "idle-ms": { type: "string", default: "30000" },
    "idle-only": { type: "boolean", default: false },
  },
});
const [workers, tasks, rounds, idleMs] = [values.workers, values.tasks, values.rounds, values["idle-ms"]].map(Number);
const IN_FLIGHT = 48;
const WARM_UP = 300;
/** Low load: a task each so often (ms), and how many. */
const EVERY_MS = 40;
const LATENCIES = 400;
/** How long a pull waits (ms). */
const WAIT_MS = { HTTP: 30_000, NATS: 5_000 };
/** The type of the waiting workers; lives have all types. */
const TYPE = "analysis";

const [server, inner, fleetServer] = [await findServer(), await startPrivate("nats"), await startPrivate("nats")];
const database = await makeDatabase(server.url);
const prefix = `bench${randomUUID()}`;
const cluster = new RealCluster({
  DATABASE_URL: database.url,
  NATS_URL: inner.url,
  NATS_PREFIX: prefix,
  FLEET_NATS_URL: fleetServer.url,
  CONNECTIONS: "10000",
  CONNECTIONS_PER_ADDRESS: "0",
  // As many tasks at a time as there are: it is the platform that is measured, not its rules.
  AWARDS_BY_TIER: "10000,10000,10000,10000,10000",
});
for (const role of /** @type {const} */ (["node", "node", "gateway", "gateway"])) await cluster.add(role);
const ports = cluster.gateways.map(({ process: { port } }) => port);
const clients = ports.map((port) => new Client(port, 128));
const client = /** @type {Client} */ (clients[0]);

/** What all processes of the platform have used (ms of CPU). */
const used = () => [...cluster.nodes, ...cluster.gateways].reduce((sum, { process: { pid } }) => sum + cpuMs(pid), 0);

/** @param {number[]} list @param {number} share */
const at = (list, share) => {
  const sorted = list.toSorted((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN).toFixed(1);
};

/** @param {number} count @returns {Promise<Account[]>} */
async function register(count) {
  /** @type {Account[]} */
  const all = [];
  while (all.length < count) {
    const some = Array.from({ length: Math.min(32, count - all.length) }, async (_, n) => {
      const body = { email: `${randomUUID()}@bench.example` };
      const { status, body: made } = await /** @type {Client} */ (clients[n % 2]).call("POST", "/auth/register", body);
      if (status >= 300) throw new Error(`${status} ${JSON.stringify(made)}`);
      return { id: made.account_id, key: made.api_key };
    });
    all.push(...(await Promise.all(some)));
  }
  return all;
}

/**
 * Workers who wait, each for one task at a time. They submit nothing before the end, so that they stay equal.
 * @param {Way} way @param {readonly Account[]} all
 */
function waiting(way, all) {
  let open = true;
  /** When each task was known to its worker (ms), who that is, and how often it was given out. @type {Map<string, { readonly at: number, readonly by: Account, times: number }>} */
  const known = new Map();
  /** Tasks of each worker. */
  const shares = all.map(() => 0);
  const loops = all.map(async (by, index) => {
    while (open) {
      const waitMs = WAIT_MS[/** @type {"HTTP" | "NATS"} */ (way.name)];
      const { tasks: got } = await way.pull(by, { task_types: [TYPE], max_tasks: 1, wait_ms: waitMs });
      for (const { id } of got) {
        const before = known.get(id);
        if (before === undefined) known.set(id, { at: performance.now(), by, times: 1 });
        else before.times += 1;
        shares[index] = (shares[index] ?? 0) + 1;
      }
    }
  });
  const end = async () => {
    open = false;
    await Promise.all(loops);
    const left = [...known];
    let settled = 0;
    await Promise.all(
      Array.from({ length: IN_FLIGHT }, async () => {
        for (let one = left.pop(); one !== undefined; one = left.pop()) {
          const [id, { by }] = one;
          const { status } = await way.submit(by, id, RESULT);
          if (status === "COMPLETED") settled += 1;
        }
      }),
    );
    return settled;
  };
  return { known, shares, end };
}

/** @param {number} share */
const percent = (share) => `${(share * 100).toFixed(2)}%`;

/** What processes use while nothing is done but what goes on (a share of a core). @param {() => number} cpu of them, so far (ms) */
async function idle(cpu = used) {
  const [before, since] = [cpu(), performance.now()];
  await sleep(idleMs ?? 0);
  return (cpu() - before) / (performance.now() - since);
}

/**
 * What it costs that these workers wait, beyond what the processes use without them.
 * @param {Way} way @param {readonly Account[]} all @param {boolean} spread @param {number} nobody @param {() => number} cpu
 */
async function waitingCosts(way, all, spread, nobody, cpu) {
  const waitMs = WAIT_MS[/** @type {"HTTP" | "NATS"} */ (way.name)];
  let [open, pulls] = [true, 0];
  const loops = all.map(async (by, n) => {
    if (spread) await sleep((n * waitMs) / all.length);
    while (open) {
      await way.pull(by, { task_types: [TYPE], max_tasks: 1, wait_ms: waitMs });
      pulls += 1;
    }
  });
  // Until each waits for the second time at least.
  await sleep((spread ? 2 : 1) * waitMs + 1_000);
  const before = pulls;
  const more = (await idle(cpu)) - nobody;
  const asked = ((pulls - before) * 1_000) / (idleMs ?? 1);
  open = false;
  await Promise.all(loops);
  const each = asked === 0 ? Number.NaN : (more * 1_000) / asked;
  return `${percent(more)} of a core, ${asked.toFixed(0)} pulls/s at ${each.toFixed(2)} ms`;
}

/** What waiting costs, and nothing else; and what it costs at least. @param {readonly Way[]} ways */
async function onlyWait(ways) {
  const all = await register(workers ?? 0);
  const floor = await startFloor(inner.url, fleetServer.url);
  const floors = [overHttp(floor.ports, 2 * all.length), await overNats(fleetServer.url, 4, "floor")];
  const floorUsed = () => floor.pids.reduce((sum, pid) => sum + cpuMs(pid), 0);
  try {
    await sleep(WAIT_MS.NATS + 1_000);
    const nobody = await idle();
    console.log(`nobody waits: ${percent(nobody)} of a core in all`);
    for (const [index, way] of ways.entries()) {
      for (const spread of [false, true]) {
        const bare = floors[index];
        const both = [waitingCosts(way, all, spread, nobody, used), bare && waitingCosts(bare, all, spread, 0, floorUsed)];
        const [costs, least] = await Promise.all(both);
        const how = spread ? "one after the other" : "together";
        console.log(`${way.name}, ${workers} workers who ask ${how}: ${costs} more; bare processes meanwhile: ${least}`);
      }
    }
  } finally {
    await Promise.all(floors.map((way) => way.close()));
    await floor.stop();
  }
}

/** What waiting costs, and how soon and how evenly tasks come. @param {Way} way @param {Account} requester */
async function wait(way, requester) {
  const all = await register(workers ?? 0);
  const fleet = waiting(way, all);
  // Until all are known to wait.
  await sleep(WAIT_MS.NATS + 1_000);
  console.log(`${way.name}: ${workers} workers wait, at ${percent(await idle())} of a core in all`);

  /** @type {Map<string, readonly [sent: number, answered: number]>} */
  const created = new Map();
  const creating = [];
  const order = { ...TASK, task_type: TYPE, max_seconds: 300 };
  for (let n = 0; n < LATENCIES; n += 1) {
    const sent = performance.now();
    creating.push(way.create(requester, order).then(({ id }) => created.set(id, [sent, performance.now()])));
    await sleep(EVERY_MS);
  }
  await Promise.all(creating);
  while (fleet.known.size < LATENCIES) await sleep(10);
  /** @param {0 | 1} which */
  const since = (which) => [...created].map(([id, times]) => (fleet.known.get(id)?.at ?? Number.NaN) - times[which]);
  const [sent, answered] = [since(0), since(1)];
  console.log(
    `  ${(1_000 / EVERY_MS).toFixed(0)} tasks/s: known to the worker p50 ${at(sent, 0.5)} ms, p99 ${at(sent, 0.99)} ms after it was sent; p50 ${at(answered, 0.5)} ms, p99 ${at(answered, 0.99)} ms after it was created`,
  );

  let more = 0;
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      while (more < 10 * (workers ?? 0) - LATENCIES) {
        more += 1;
        await way.create(requester, order);
      }
    }),
  );
  while (fleet.known.size < LATENCIES + more) await sleep(10);
  const twice = [...fleet.known.values()].filter(({ times }) => times > 1).length;
  const [least, most] = [Math.min(...fleet.shares), Math.max(...fleet.shares)];
  const done = await fleet.end();
  console.log(`  ${fleet.known.size} tasks, ${twice} given out twice, ${done} done; a worker got ${least} to ${most}`);
}

/** @param {string} name @param {() => Promise<number>} run */
async function measured(name, run) {
  const [before, own] = [used(), process.cpuUsage()];
  const seconds = await run();
  const { user, system } = process.cpuUsage(own);
  const cpu = (used() - before) / (tasks ?? 1);
  console.log(
    `  ${name.padEnd(12)} ${((tasks ?? 0) / seconds).toFixed(0).padStart(5)} tasks/s, ${cpu.toFixed(2)} ms of CPU each (and ${((user + system) / 1_000 / (tasks ?? 1)).toFixed(2)} ms of this load generator)`,
  );
}

async function livesAndWaits() {
  const market = await openMarket(client);
  const load = { tasks: tasks ?? 0, inFlight: IN_FLIGHT };
  console.log(`${tasks} whole paid lives, ${IN_FLIGHT} created at once:`);
  await live(client, market, { ...load, tasks: WARM_UP });
  for (let round = 0; round < (rounds ?? 1); round += 1) {
    await measured("HTTP, polled", () => live(client, market, load));
    await measured("HTTP", () => livePulled(http, client, market, load));
    await measured("NATS", () => livePulled(nats, client, market, load));
  }
  const [requester] = market.requesters;
  if (requester === undefined) throw new Error("a market has requesters");
  for (const way of [http, nats]) await wait(way, requester);
}

const [http, nats] = [overHttp(ports, 2 * (workers ?? 0)), await overNats(fleetServer.url, 4, prefix)];
try {
  const [busy = 0] = loadavg();
  console.log(`Node.js ${process.version}, ${availableParallelism()} cores, load ${busy.toFixed(1)} before`);
  if (values["idle-only"]) await onlyWait([http, nats]);
  else await livesAndWaits();
} finally {
  await Promise.all([http.close(), nats.close()]);
  for (const one of clients) one.close();
  await cluster.stop();
  await database.drop();
  await Promise.all([inner.stop(), fleetServer.stop(), server.stop()]);
}
