/**
 * The topology of docker-compose.yml as processes on this machine: two gateways behind a proxy, three nodes.
 *
 *   npm run cluster          PORT (8000) is the proxy; DATABASE_URL, NATS_URL and REDIS_URL are used where they are set
 *
 * What is not set is started: an embedded PostgreSQL, and nats-server and redis-server from PATH.
 */
import { connect, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { RealCluster } from "../support/cluster.mjs";
import { startPrivate } from "../support/servers.mjs";

const NODES = 3;
const GATEWAYS = 2;
const LOOK_MS = 500;
const PORT = Number(process.env["PORT"] ?? 8_000);

/** @type {(() => Promise<unknown>)[]} */
const closing = [];

async function databaseUrl() {
  const given = process.env["DATABASE_URL"];
  if (given) return given;
  const { EmbeddedServer } = await import(new URL("../../dist/src/adapters/postgres/embedded.js", import.meta.url).href);
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const server = await EmbeddedServer.open(fileURLToPath(new URL("../../.nexus/cluster", import.meta.url)), silent);
  closing.push(() => server.close());
  return server.url;
}

/** @param {"nats" | "redis"} kind @param {string} name */
async function serverUrl(kind, name) {
  const given = process.env[name];
  if (given) return given;
  const server = await startPrivate(kind);
  closing.push(() => server.stop());
  return server.url;
}

/** Which gateways are ready, looked at all the time. @param {readonly number[]} ports */
function watch(ports) {
  const ready = new Set(ports);
  const timer = setInterval(() => {
    for (const port of ports) {
      fetch(`http://127.0.0.1:${port}/health/ready`, { signal: AbortSignal.timeout(LOOK_MS) }).then(
        ({ ok }) => (ok ? ready.add(port) : ready.delete(port)),
        () => ready.delete(port),
      );
    }
  }, LOOK_MS);
  closing.push(async () => clearInterval(timer));
  return ready;
}

/** Each connection goes to the next gateway that is ready. @param {readonly number[]} ports */
function startProxy(ports) {
  const ready = watch(ports);
  let turn = 0;
  const server = createServer((client) => {
    const able = ports.filter((port) => ready.has(port));
    turn += 1;
    const port = able[turn % Math.max(1, able.length)] ?? ports[0] ?? 0;
    const gateway = connect({ host: "127.0.0.1", port });
    client.pipe(gateway).pipe(client);
    client.on("error", () => gateway.destroy());
    gateway.on("error", () => client.destroy());
  });
  server.listen(PORT, "127.0.0.1");
  closing.push(async () => server.close());
  return new Promise((resolve, reject) => {
    server.once("listening", () => resolve(undefined));
    server.once("error", reject);
  });
}

async function stop() {
  for (let step = closing.pop(); step !== undefined; step = closing.pop()) await step();
}

try {
  const settings = {
    ...Object.fromEntries(Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
    DATABASE_URL: await databaseUrl(),
    NATS_URL: await serverUrl("nats", "NATS_URL"),
    REDIS_URL: await serverUrl("redis", "REDIS_URL"),
  };
  const cluster = new RealCluster(settings, {});
  closing.push(() => cluster.stop());
  await cluster.add("node");
  await Promise.all(Array.from({ length: NODES - 1 }, () => cluster.add("node")));
  await Promise.all(Array.from({ length: GATEWAYS }, () => cluster.add("gateway")));
  await startProxy(cluster.gateways.map(({ process: { port } }) => port));
  for (const { name, process: one } of [...cluster.nodes, ...cluster.gateways]) {
    console.log(`${name.padEnd(10)} pid ${one.pid}  http://localhost:${one.port}`);
  }
  console.log(`\nThe cluster answers on http://localhost:${PORT}. Ctrl-C stops it. Look at it with:\n`);
  const mine = process.env["DATABASE_URL"] ? "" : `DATABASE_URL='${settings.DATABASE_URL}' `;
  console.log(`  ${mine}node bin/nexus.js cluster\n`);
  let stopping = false;
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) {
    process.on(signal, () => {
      if (stopping) process.exit(1);
      stopping = true;
      void stop().then(() => process.exit(0));
    });
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  await stop();
  process.exitCode = 1;
}
