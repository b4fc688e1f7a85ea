/**
 * What streams cost: tasks created per second while nobody listens and while many do, and what quiet streams take of a core.
 * Every measurement has a platform and a database of its own; server, database, listeners and this load generator share the
 * machine, so what counts is the ratio to the runs without a stream, before and after.
 *
 *   npm run bench:streams -- [tasks] [streams ...]
 */
import { existsSync, readFileSync } from "node:fs";
import { createConnection } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "../support/client.mjs";
import { startProcess } from "../support/platform.mjs";
import { findServer, makeDatabase } from "../support/postgres.mjs";

const TASKS = Number(process.argv[2] ?? 3_000);
const COUNTS = process.argv.length > 3 ? process.argv.slice(3).map(Number) : [300, 3_000];
const IN_FLIGHT = 16;
const STREAMS_PER_ACCOUNT = 10;
const OPENING = 50;
const QUIET_MS = 20_000;
const TICK_MS = 10;
const ORDER = {
  input_data: "Apple Inc reported Q3 revenue of $81.8 billion, up 5% year over year. ".repeat(4),
  schema: { type: "object", properties: { company: { type: "string" } }, required: ["company"], additionalProperties: false },
  example_output: { company: "Initech" },
  budget: 20,
};
const SETTINGS = { CONNECTIONS: "10000", CONNECTIONS_PER_ADDRESS: "0", STREAMS_PER_ADDRESS: "0" };

const server = await findServer();

/** @param {Client} client */
async function register(client) {
  const { status, body } = await client.call("POST", "/auth/register", { email: `${crypto.randomUUID()}@bench.example` });
  if (status >= 300) throw new Error(JSON.stringify(body));
  return body.api_key;
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
    socket.write(`GET /api/v1/events/stream HTTP/1.1\r\nHost: bench\r\nX-API-Key: ${key}\r\n\r\n`);
    socket.on("error", reject);
    socket.on("data", (chunk) => {
      const text = chunk.toString("latin1");
      if (text.includes(": welcome")) resolve(socket);
      else if (/^HTTP\/1.1 [45]/.test(text)) reject(new Error(text));
      heard.events += text.split('data: {"type"').length - 1;
    });
  });
}

/** The CPU time of a process so far (ms); 0 where the system does not say. @param {number} pid */
function cpuMs(pid) {
  const path = `/proc/${pid}/stat`;
  if (!existsSync(path)) return 0;
  // After the name in brackets; the 12th and 13th are ticks in and for the process (proc(5)).
  const fields = readFileSync(path, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** @param {number} streams */
async function measure(streams) {
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
    while (keys.length < streams / STREAMS_PER_ACCOUNT) keys.push(await register(client));
    while (sockets.length < streams) {
      const some = Array.from({ length: Math.min(OPENING, streams - sockets.length) }, (_, n) =>
        listen(platform.port, keys[Math.floor((sockets.length + n) / STREAMS_PER_ACCOUNT)] ?? "", heard),
      );
      sockets.push(...(await Promise.all(some)));
    }
    const before = cpuMs(platform.pid);
    if (streams > 0) await sleep(QUIET_MS);
    const quiet = (cpuMs(platform.pid) - before) / QUIET_MS;
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
    return { rate, quiet, events: heard.events };
  } finally {
    for (const socket of sockets) socket.destroy();
    client.close();
    await platform.kill("SIGTERM");
    await database.drop();
  }
}

try {
  for (const count of COUNTS) {
    const before = await measure(0);
    const during = await measure(count);
    const after = await measure(0);
    const none = (before.rate + after.rate) / 2;
    const lost = (1 - during.rate / none) * 100;
    console.log(
      `${count} streams: ${during.rate.toFixed(0)} tasks/s, ${none.toFixed(0)} without (${before.rate.toFixed(0)} and ${after.rate.toFixed(0)}): ${lost.toFixed(1)}% lost; ${during.events} events heard; quiet ${(during.quiet * 100).toFixed(2)}% of a core`,
    );
  }
} finally {
  await server.stop();
}
