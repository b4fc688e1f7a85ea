/**
 * What streams cost: tasks created per second while nobody listens and while many do, and what quiet streams take of a core.
 * Every measurement has a platform and a database of its own; server, database, listeners and this load generator share the
 * machine, so what counts is the ratio to the runs without a stream, before and after.
 *
 *   npm run bench:streams -- [tasks] [streams ...] [--each 1,10] [--workers bid] [--rounds 1]
 *
 * `--each`     streams of one account; with 1 every stream is another worker
 * `--workers`  what they have for the task type: `bid` a capability without a price, `price` one with a posted price of 1 NC, by which
 *              they win tasks until they have as many as they may; `none` no capability
 * `--rounds`   how many times everything is measured
 */
import { createConnection } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Client } from "../support/client.mjs";
import { cpuMs } from "../support/cpu.mjs";
import { startProcess } from "../support/platform.mjs";
import { findServer, makeDatabase } from "../support/postgres.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    each: { type: "string", default: "1,10" },
    workers: { type: "string", default: "bid" },
    rounds: { type: "string", default: "1" },
  },
});
const TASKS = Number(positionals[0] ?? 3_000);
const COUNTS = positionals.length > 1 ? positionals.slice(1).map(Number) : [300, 3_000];
const EACH = values.each.split(",").map(Number);
const ROUNDS = Number(values.rounds);
const CAPABILITIES = new Map([
  ["none", null],
  ["bid", {}],
  ["price", { price: 1 }],
]);
if (!CAPABILITIES.has(values.workers)) throw new Error(`--workers is one of ${[...CAPABILITIES.keys()].join(", ")}`);
const CAPABILITY = CAPABILITIES.get(values.workers) ?? null;
for (const number of [TASKS, ROUNDS, ...COUNTS, ...EACH]) {
  if (!(Number.isInteger(number) && number > 0)) throw new Error("tasks, streams, --each and --rounds are whole numbers above 0");
}
const IN_FLIGHT = 16;
const TASK_TYPE = "json_extraction";
const OPENING = 50;
/** How each event begins; one that is cut in two by chunks is not counted. */
const EVENT = 'data: {"type"';
const SETTLING_MS = 8_000;
const QUIET_MS = 20_000;
const ORDER = {
  task_type: TASK_TYPE,
  input_data: "Apple Inc reported Q3 revenue of $81.8 billion, up 5% year over year. ".repeat(4),
  schema: { type: "object", properties: { company: { type: "string" } }, required: ["company"], additionalProperties: false },
  example_output: { company: "Initech" },
  budget: 20,
};
const SETTINGS = { CONNECTIONS: "10000", CONNECTIONS_PER_ADDRESS: "0", STREAMS_PER_ADDRESS: "0" };

const server = await findServer();

/** @param {Client} client @returns {Promise<string>} its key */
async function register(client) {
  const { status, body } = await client.call("POST", "/auth/register", { email: `${crypto.randomUUID()}@bench.example` });
  if (status >= 300) throw new Error(JSON.stringify(body));
  return body.api_key;
}

/** @param {Client} client */
async function registerWorker(client) {
  const key = await register(client);
  if (CAPABILITY === null) return key;
  const { status, body } = await client.call("POST", "/capabilities", { task_type: TASK_TYPE, ...CAPABILITY }, { key });
  if (status >= 300) throw new Error(JSON.stringify(body));
  return key;
}

/**
 * Opens a stream; resolves when it is open. `heard` counts its events.
 * @param {number} port
 * @param {string} key
 * @param {{ events: number }} heard
 * @returns {Promise<import("node:net").Socket>}
 */
function listen(port, key, heard) {
  return new Promise((resolve, reject) => {
    const socket = createConnection(port, "127.0.0.1");
    let isOpen = false;
    socket.write(`GET /api/v1/events/stream HTTP/1.1\r\nHost: bench\r\nX-API-Key: ${key}\r\n\r\n`);
    socket.on("error", reject);
    socket.on("data", (chunk) => {
      if (!isOpen) {
        const text = chunk.toString("latin1");
        if (/^HTTP\/1.1 [45]/.test(text)) reject(new Error(text));
        isOpen = text.includes(": welcome");
        if (isOpen) resolve(socket);
      }
      for (let at = chunk.indexOf(EVENT); at >= 0; at = chunk.indexOf(EVENT, at + EVENT.length)) heard.events += 1;
    });
  });
}

/**
 * @param {number} streams
 * @param {number} each of one account
 */
async function measure(streams, each) {
  const database = await makeDatabase(server.url);
  const platform = await startProcess({ ...SETTINGS, DATABASE_URL: database.url });
  const client = new Client(platform.port, 2 * OPENING);
  const heard = { events: 0 };
  /** @type {import("node:net").Socket[]} */
  const sockets = [];
  try {
    const requester = await register(client);
    await client.call("POST", "/credits/topup", { amount_credits: 1_000_000_000 }, { key: requester });
    /** @type {string[]} */
    const keys = [];
    while (keys.length < streams / each) {
      const some = Array.from({ length: Math.min(OPENING, Math.ceil(streams / each) - keys.length) }, () =>
        registerWorker(client),
      );
      keys.push(...(await Promise.all(some)));
    }
    while (sockets.length < streams) {
      const some = Array.from({ length: Math.min(OPENING, streams - sockets.length) }, (_, n) =>
        listen(platform.port, keys[Math.floor((sockets.length + n) / each)] ?? "", heard),
      );
      sockets.push(...(await Promise.all(some)));
    }
    // What a new stream looks for comes with it, and again a little later.
    if (streams > 0) await sleep(SETTLING_MS);
    const before = cpuMs(platform.pid);
    if (streams > 0) await sleep(QUIET_MS);
    const quiet = (cpuMs(platform.pid) - before) / QUIET_MS;
    const busy = cpuMs(platform.pid);
    heard.events = 0;
    let created = 0;
    const started = performance.now();
    const create = async () => {
      while (created < TASKS) {
        created += 1;
        const { status, body } = await client.call("POST", "/tasks", ORDER, { key: requester });
        if (status !== 201) throw new Error(`${status} ${JSON.stringify(body)}`);
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, create));
    const rate = TASKS / ((performance.now() - started) / 1_000);
    return { rate, quiet, cpu: (cpuMs(platform.pid) - busy) / TASKS, events: heard.events / TASKS };
  } finally {
    for (const socket of sockets) socket.destroy();
    client.close();
    await platform.kill("SIGTERM");
    await database.drop();
  }
}

/** @param {number} streams @param {number} each */
async function compare(streams, each) {
  const before = await measure(0, each);
  const during = await measure(streams, each);
  const after = await measure(0, each);
  const none = (before.rate + after.rate) / 2;
  const lost = (1 - during.rate / none) * 100;
  const cpu = `${during.cpu.toFixed(2)} ms of CPU each, ${((before.cpu + after.cpu) / 2).toFixed(2)} without`;
  console.log(
    `${streams} streams, ${each} of an account: ${during.rate.toFixed(0)} tasks/s, ${none.toFixed(0)} without (${before.rate.toFixed(0)} and ${after.rate.toFixed(0)}): ${lost.toFixed(1)}% lost; ${cpu}; ${during.events.toFixed(1)} events a task; quiet ${(during.quiet * 100).toFixed(2)}% of a core`,
  );
}

try {
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const each of EACH) for (const count of COUNTS) await compare(count, each);
  }
} finally {
  await server.stop();
}
