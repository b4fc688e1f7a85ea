/**
 * What strangers hold of a platform whose answers they do not take, or whose requests they do not end: connections that are
 * still open, and memory, after each kind of attack. On this machine alone; about a minute.
 *
 *   npm run bench:door -- [--seconds 15]
 */
import { randomUUID } from "node:crypto";
import { parseArgs } from "node:util";
import { Client } from "../support/client.mjs";
import { findServer, makeDatabase } from "../support/postgres.mjs";
import { dial } from "../support/raw.mjs";
import { startWatched } from "./held.mjs";

const { values } = parseArgs({ options: { seconds: { type: "string", default: "15" } } });
const HOLD_MS = Number(values.seconds) * 1_000;
const LARGE = { $comment: "x".repeat(30_000), type: "object" };
const TASKS = 200;

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** @param {string} path @param {string} [more] */
const get = (path, more = "") => `GET ${path} HTTP/1.1\r\nHost: bench\r\n${more}\r\n`;

const server = await findServer();
const { url, drop } = await makeDatabase(server.url);
const platform = await startWatched(
  { DATABASE_URL: url, RATE_LIMIT_TASKS_PER_MINUTE: "0", RATE_LIMIT_PER_SECOND: "0", SIGNUP_GRANT: "10000" },
  {},
);
const client = new Client(platform.port);
const { body: account } = await client.call("POST", "/auth/register", { email: `${randomUUID()}@bench.example` });
const key = `X-API-Key: ${account.api_key}\r\n`;
for (let n = 0; n < TASKS; n += 1) {
  const order = { input_data: "€".repeat(10_000), schema: LARGE, example_output: {}, budget: 5 };
  const { status } = await client.call("POST", "/tasks", order, { key: account.api_key });
  if (status !== 201) throw new Error(`a task was answered with ${status}`);
}

/** @type {Record<string, { readonly connections: number, readonly send: (socket: import("node:net").Socket) => void }>} */
const ATTACKS = {
  "lists of 200 large tasks that nobody reads": {
    connections: 12,
    send: (socket) => socket.write(get("/api/v1/tasks?limit=200", key)),
  },
  "bundles of /docs that nobody reads": { connections: 400, send: (socket) => socket.write(get("/docs/swagger-ui-bundle.js")) },
  "10,000 requests at once on a connection": {
    connections: 5,
    send: (socket) => socket.write(get("/api/v1/heartbeat").repeat(10_000)),
  },
  "a head that comes a byte at a time": {
    connections: 200,
    send: (socket) => {
      const timer = setInterval(() => socket.write("a"), 500);
      socket.once("close", () => clearInterval(timer));
      socket.write("GET /?");
    },
  },
  "a body that stops": {
    connections: 200,
    send: (socket) =>
      socket.write(
        "POST /api/v1/auth/register HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
      ),
  },
};

console.log(`${"".padEnd(44)}   at once      then   resident    most`);
for (const [name, { connections, send }] of Object.entries(ATTACKS)) {
  const sockets = await Promise.all(Array.from({ length: connections }, () => dial(platform.port)));
  const opened = sockets.filter(({ destroyed }) => !destroyed).length;
  for (const socket of sockets) {
    if (socket.destroyed) continue;
    socket.pause();
    send(socket);
  }
  let most = 0;
  for (const until = Date.now() + HOLD_MS; Date.now() < until; await pause(500))
    most = Math.max(most, (await platform.held()).rssMb);
  // Who does not read does not see that it was cut off, until it writes.
  for (const socket of sockets) socket.resume();
  await pause(500);
  const left = sockets.filter(({ destroyed }) => !destroyed).length;
  const { rssMb } = await platform.held();
  console.log(
    `${name.padEnd(44)} ${String(opened).padStart(9)} ${String(left).padStart(9)} ${String(rssMb).padStart(7)} MB ${String(most).padStart(5)} MB`,
  );
  for (const socket of sockets) socket.destroy();
}
client.close();
await platform.kill("SIGTERM");
await drop();
await server.stop();
