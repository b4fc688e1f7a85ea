/** Processes of a cluster as they start, fail and end: whatever one has begun, it leaves nothing of it behind. */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, inject, test, vi } from "vitest";
import { type Database, openPool } from "../../src/adapters/postgres/pool.ts";
import { Client } from "../support/client.mjs";
import { type PlatformProcess, runNexus, startProcess } from "../support/platform.mjs";
import { makeDatabase } from "../support/postgres.mjs";
import { freePort } from "../support/servers.mjs";

const ENTRY = fileURLToPath(new URL("../../bin/nexus.js", import.meta.url));
/** Has a process fail as a bug makes it fail, when it is told to. */
const FAILING = (how: string) => `--import=data:text/javascript,${encodeURIComponent(`process.on("SIGUSR2", () => { ${how} })`)}`;

const eventually = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 20_000 });

let database: Awaited<ReturnType<typeof makeDatabase>>;
let pool: Database;
let settings: Record<string, string>;
let started: PlatformProcess[];

beforeEach(async () => {
  database = await makeDatabase(inject("postgresUrl"));
  pool = openPool(database.url, { max: 1, name: "test" });
  // A lease that outlasts each test: nobody is declared dead in one, so who is gone has left by itself.
  settings = {
    DATABASE_URL: database.url,
    NATS_URL: inject("natsUrl"),
    NATS_PREFIX: `t${randomUUID()}`,
    LEASE_MS: "60000",
    DATABASE_CONNECTIONS: "2",
  };
  started = [];
});
afterEach(async () => {
  await Promise.all(started.map((process) => process.kill("SIGKILL")));
  await pool.end();
  await database.drop();
});

async function start(role: "start" | "node" | "gateway", changes: Record<string, string> = {}): Promise<PlatformProcess> {
  const process = await startProcess({ ...settings, ...changes }, role);
  started.push(process);
  return process;
}

/** Nodes and how many shards each owns, by name. */
async function shards(): Promise<Record<string, number>> {
  const rows = await pool<{ node: string; shards: number }[]>`
    select m.node, (select count(*)::int from shards s where s.owner = m.id) as shards from members m`;
  return Object.fromEntries(rows.map(({ node, shards: owned }) => [node, owned]));
}

/** A process that is not expected to come up: what it says, and how it ends. */
function launch(role: string, changes: Record<string, string | undefined>) {
  const env: NodeJS.ProcessEnv = { PATH: process.env["PATH"], HOST: "127.0.0.1", ...settings, ...changes };
  const child = spawn(process.execPath, [ENTRY, role], { env, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      out += chunk.toString();
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { out: () => out, ended, kill: (signal: NodeJS.Signals) => child.kill(signal) };
}

test("two nodes and a gateway that are started at once, on an empty database and with the same settings, share the work", async () => {
  const port = String(await freePort());
  const [one, two, gateway] = await Promise.all([
    start("node", { NODE_NAME: "one", PORT: "" }),
    start("node", { NODE_NAME: "two", PORT: "" }),
    start("gateway", { PORT: port }),
  ]);
  expect(gateway.port).toBe(Number(port));
  expect(new Set([one.port, two.port, gateway.port]).size).toBe(3);
  await eventually(async () => {
    const owned = await shards();
    expect(Object.values(owned).reduce((sum, count) => sum + count, 0)).toBe(128);
    expect(Object.keys(owned).sort()).toEqual(["one", "two"]);
    expect(Math.min(...Object.values(owned))).toBeGreaterThan(0);
  });
  const client = new Client(gateway.port);
  expect((await client.call("POST", "/auth/register", { email: "ann@test.example" })).status).toBe(201);
  // The gateway first, then the nodes: each gives its shards away, and the last one has nobody to give them to.
  for (const process of [gateway, one, two]) expect(await process.kill("SIGTERM")).toBe(0);
  expect(await shards()).toEqual({});
  client.close();
});

test("a gateway that starts before anything else says what it waits for, and serves as soon as that is there", async () => {
  const port = await freePort();
  const gateway = launch("gateway", { PORT: String(port) });
  const client = new Client(port);
  await eventually(async () => expect(gateway.out()).toContain("waiting: The database is not set up yet"));
  expect((await client.call("GET", "//health/live")).status).toBe(200);
  for (const path of ["//health", "//health/ready", "/tasks/available"]) {
    const { status, body, headers } = await client.call("GET", path);
    expect([status, body.code, headers["retry-after"]]).toEqual([503, "UNAVAILABLE", "1"]);
    expect(body.detail).toBe(
      "This process is starting and waits: The database is not set up yet; start a node, which does so, or run `nexus migrate`.",
    );
  }
  await start("node");
  await eventually(async () => expect((await client.call("GET", "//health")).status).toBe(200));
  await eventually(async () =>
    expect((await client.call("POST", "/auth/register", { email: "ann@test.example" })).status).toBe(201),
  );
  expect(gateway.out().match(/waiting:/g)).toHaveLength(1);
  client.close();
  gateway.kill("SIGTERM");
  expect(await gateway.ended).toBe(0);
});

test("a gateway waits for a schema that is older, and can be stopped while it waits", async () => {
  await runNexus(["migrate"], settings);
  await pool`delete from migrations where name = '0003-guide'`;
  const gateway = launch("gateway", { PORT: "0" });
  await eventually(async () =>
    expect(gateway.out()).toContain("waiting: The database is older than this NexusToken (0003-guide"),
  );
  gateway.kill("SIGTERM");
  expect(await gateway.ended).toBe(0);
});

test("a node whose port is taken ends with a sentence before it has joined, and the others keep their shards", async () => {
  await start("node", { NODE_NAME: "one" });
  await eventually(async () => expect(await shards()).toEqual({ one: 128 }));
  const other = createServer((_, response) => void response.end());
  const port = await freePort();
  await new Promise((resolve) => other.listen(port, "127.0.0.1", () => resolve(undefined)));
  const { code, out } = await runNexus(["node"], { ...settings, NODE_NAME: "two", PORT: String(port) });
  other.close();
  expect(out.trim()).toBe(`Port ${port} on 127.0.0.1 is taken by another process; stop it or set PORT.`);
  expect(code).toBe(1);
  expect(await shards()).toEqual({ one: 128 });
});

test("a second platform on the port of the first one says in a sentence that one runs", async () => {
  await start("node");
  const first = await start("gateway");
  for (const role of ["start", "gateway"]) {
    const { code, out } = await runNexus([role], { ...settings, LOG_LEVEL: "fatal", PORT: String(first.port) });
    expect(out.trim()).toBe(
      `A NexusToken already runs on port ${first.port}: use that one, stop it, or set PORT and a NEXUS_DATA_DIR or DATABASE_URL of its own.`,
    );
    expect(code).toBe(1);
  }
});

test("a node that fails after it has joined one of its databases leaves that again, and ends", async () => {
  const second = await makeDatabase(inject("postgresUrl"));
  const DATABASE_URL = `${database.url},${second.url}`;
  await runNexus(["migrate"], { ...settings, DATABASE_URL });
  const other = openPool(second.url, { max: 1, name: "test" });
  await other`create function refuse() returns trigger language plpgsql as $$ begin raise exception 'not now'; end $$`;
  await other`create trigger refuse before insert on members for each row execute function refuse()`;
  const { code, out } = await runNexus(["node"], { ...settings, DATABASE_URL });
  expect([code, out.trim().split("\n").at(-1)]).toEqual([1, "not now"]);
  expect(await shards()).toEqual({});
  await other.end();
  await second.drop();
});

test.each([
  ["a rejection that nobody handles", `Promise.reject(new Error("a bug"))`],
  ["an error that nobody catches", `throw new Error("a bug")`],
])("after %s a node leaves the cluster, and ends with 1", async (_, how) => {
  const faulty = await start("node", { NODE_NAME: "faulty", NODE_OPTIONS: FAILING(how) });
  await eventually(async () => expect(await shards()).toEqual({ faulty: 128 }));
  await start("node", { NODE_NAME: "sound" });
  await eventually(async () => expect((await shards())["sound"]).toBeGreaterThan(0));
  expect(await faulty.kill("SIGUSR2")).toBe(1);
  expect(faulty.log()).toContain("unhandled error");
  await eventually(async () => expect(await shards()).toEqual({ sound: 128 }));
});

test("NATS that refuses, or a database that is away: a node ends with 1 and is no member", async () => {
  await runNexus(["migrate"], settings);
  for (const changes of [{ NATS_URL: "nats://127.0.0.1:1" }, { DATABASE_URL: "postgres://nobody@127.0.0.1:1/none" }]) {
    const { code, out } = await runNexus(["node"], { ...settings, ...changes });
    expect(out).toMatch(/nobody answers there; start/);
    expect(code).toBe(1);
  }
  expect(await shards()).toEqual({});
});
