/** A cluster of real processes: nodes that die, leave and join under load, and what operators see and are told. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { placement } from "../../actors/shards/placement.ts";
import { auditDatabases } from "../../src/adapters/postgres/books.ts";
import type { ClusterStatus } from "../../src/adapters/postgres/cluster.ts";
import { type Database, openPool } from "../../src/adapters/postgres/pool.ts";
import { Client } from "../support/client.mjs";
import { RealCluster } from "../support/cluster.mjs";
import { eventually } from "../support/market.ts";
import { runNexus } from "../support/platform.mjs";
import { makeDatabase } from "../support/postgres.mjs";
import { Listener } from "../support/stream.ts";

const LEASE_MS = 2_000;

let database: Awaited<ReturnType<typeof makeDatabase>>;
let settings: Record<string, string>;
let cluster: RealCluster;
let clients: readonly [Client, Client];

async function open(): Promise<void> {
  database = await makeDatabase(inject("postgresUrl"));
  settings = {
    DATABASE_URL: database.url,
    NATS_URL: inject("natsUrl"),
    NATS_PREFIX: `t${randomUUID()}`,
    REDIS_URL: inject("redisUrl"),
    LEASE_MS: String(LEASE_MS),
    // Other tests use the same server.
    DATABASE_CONNECTIONS: "4",
    ROUTING_WINDOW_MS: "50",
  };
  cluster = new RealCluster(settings);
  const [, , ...gateways] = await Promise.all((["node", "node", "gateway", "gateway"] as const).map((role) => cluster.add(role)));
  const [one, two] = gateways.map(({ process }) => new Client(process.port));
  if (one === undefined || two === undefined) throw new Error("two gateways were started");
  clients = [one, two];
}

async function close(): Promise<void> {
  await cluster.stop();
  for (const client of clients) client.close();
  const pool: Database = openPool(database.url, { max: 1, name: "audit" });
  const wrong = (await auditDatabases([pool])).flatMap((finding) => finding.wrong);
  await pool.end();
  await database.drop();
  expect(wrong).toEqual([]);
}

const nexus = (args: readonly string[], changes: Record<string, string> = {}) => runNexus(args, { ...settings, ...changes });

async function status(): Promise<ClusterStatus> {
  return JSON.parse((await nexus(["cluster", "--json"])).out);
}

async function ownersOf(): Promise<Map<number, string | null>> {
  return new Map((await status()).shards.map(({ shard, node }) => [shard, node]));
}

/** Waits until each shard is where it should be in a cluster of just these nodes, so that none is about to move. */
async function settled(nodes: readonly string[]): Promise<Map<number, string | null>> {
  const isSpread = ({ members, shards }: ClusterStatus) => {
    const ownerOf = placement(members);
    const nodeOf = new Map(members.map(({ id, node }) => [id, node]));
    const named = new Set(nodeOf.values());
    if (named.size !== nodes.length || !nodes.every((node) => named.has(node))) return false;
    return shards.every(({ shard, node }) => node !== null && node === nodeOf.get(ownerOf(shard) ?? ""));
  };
  return eventually(
    async () => {
      const seen = await status();
      return isSpread(seen) ? new Map(seen.shards.map(({ shard, node }) => [shard, node])) : undefined;
    },
    `the shards to be spread over ${nodes.join(", ")}`,
  );
}

async function accounts(count: number): Promise<readonly string[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const { body } = await clients[0].call("POST", "/auth/register", { email: `${randomUUID()}@test.example` });
      return body.api_key;
    }),
  );
}

interface Load {
  readonly statuses: Map<number, number>;
  readonly odd: string[];
  /** What each account was told it had been credited. */
  readonly credited: Map<string, number>;
  stop(): Promise<void>;
}

/** Every account tops up by 1 NC, again and again, through either gateway, without ever repeating a request. */
function load(keys: readonly string[]): Load {
  const statuses = new Map<number, number>();
  const odd: string[] = [];
  const credited = new Map<string, number>();
  let open = true;
  const loops = keys.map(async (key, index) => {
    for (let turn = index; open; turn += 1) {
      const client = clients[turn % 2 === 0 ? 0 : 1];
      const { status: got, body, headers } = await client.call("POST", "/credits/topup", { amount_credits: 1 }, { key });
      statuses.set(got, (statuses.get(got) ?? 0) + 1);
      if (got === 200) credited.set(key, (credited.get(key) ?? 0) + 1);
      else if (got !== 503 || headers["retry-after"] === undefined) odd.push(`${got} ${JSON.stringify(body)}`);
    }
  });
  return {
    statuses,
    odd,
    credited,
    stop: async () => {
      open = false;
      await Promise.all(loops);
    },
  };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("a cluster of two nodes and two gateways", () => {
  beforeEach(open);
  afterEach(close);

  test("a killed node's shards are taken over; requests in between wait and succeed, or get 503, and none is done twice", async () => {
    const [first, second] = cluster.nodes;
    if (first === undefined || second === undefined) throw new Error("two nodes were started");
    await settled([first.name, second.name]);
    const keys = await accounts(20);
    const under = load(keys);
    await pause(500);
    await cluster.end(first, "SIGKILL");
    await settled([second.name]);
    await pause(300);
    await under.stop();
    expect(under.odd).toEqual([]);
    expect(under.statuses.get(200)).toBeGreaterThan(100);
    for (const key of keys) {
      const { body } = await clients[0].call("GET", "/credits/balance", undefined, { key });
      const least = 50 + (under.credited.get(key) ?? 0);
      // What was answered 503 is not known; everything else is exact.
      expect(body.credits_balance).toBeGreaterThanOrEqual(least);
      expect(body.credits_balance).toBeLessThanOrEqual(least + (under.statuses.get(503) ?? 0));
    }
    cluster.nodes.shift();
  });

  test("a node that joins takes its share and nothing else moves; one that is drained or stopped under load fails no request", async () => {
    const [first, second] = cluster.nodes;
    if (first === undefined || second === undefined) throw new Error("two nodes were started");
    const before = await settled([first.name, second.name]);
    const under = load(await accounts(20));
    const third = await cluster.add("node");
    const after = await settled([first.name, second.name, third.name]);
    const moved = [...after].filter(([shard, owner]) => owner !== before.get(shard));
    expect(moved.length).toBeGreaterThan(15);
    expect(moved.every(([, owner]) => owner === third.name)).toBe(true);
    const drained = await nexus(["drain", first.name]);
    expect(drained).toEqual({ code: 0, out: `${first.name} has no shards left and can be stopped.\n` });
    expect((await status()).members.find(({ node }) => node === first.name)).toMatchObject({ draining: true, shards: 0 });
    expect((await nexus(["drain", first.name, "--off"])).code).toBe(0);
    await settled([first.name, second.name, third.name]);
    expect(await cluster.end(second, "SIGTERM")).toBe(0);
    expect(new Set((await ownersOf()).values())).toEqual(new Set([first.name, third.name]));
    await pause(300);
    await under.stop();
    expect(under.odd).toEqual([]);
    expect([...under.statuses.keys()]).toEqual([200]);
    cluster.nodes.splice(1, 1);
  }, 180_000);

  test("a node that slept past its lease changes nothing when it wakes, and takes part again", async () => {
    const [first, second] = cluster.nodes;
    if (first === undefined || second === undefined) throw new Error("two nodes were started");
    await settled([first.name, second.name]);
    const keys = await accounts(20);
    const under = load(keys);
    process.kill(first.process.pid, "SIGSTOP");
    await settled([second.name]);
    process.kill(first.process.pid, "SIGCONT");
    await settled([first.name, second.name]);
    await under.stop();
    expect(under.odd).toEqual([]);
    expect(first.process.log()).toMatch(/declared dead/);
    for (const key of keys) {
      const { body } = await clients[1].call("GET", "/credits/balance", undefined, { key });
      expect(body.credits_balance).toBeGreaterThanOrEqual(50 + (under.credited.get(key) ?? 0));
    }
  });

  test("what one gateway knows for a moment the other one knows too: workers online, and keys that are valid no longer", async () => {
    const [key = "", worker = ""] = await accounts(2);
    for (const client of clients) expect((await client.call("GET", "/credits/balance", undefined, { key })).status).toBe(200);
    const rotated = await clients[0].call("POST", "/auth/rotate-key", undefined, { key });
    for (const client of clients) expect((await client.call("GET", "/credits/balance", undefined, { key })).status).toBe(401);
    expect((await clients[1].call("GET", "/credits/balance", undefined, { key: rotated.body.api_key })).status).toBe(200);
    await clients[0].call("GET", "/tasks/available?task_type=analysis", undefined, { key: worker });
    const order = { input_data: "x", schema: { type: "object" }, example_output: {}, budget: 5, task_type: "analysis" };
    await eventually(async () => {
      const { body } = await clients[1].call("POST", "/tasks/validate", order, { key: rotated.body.api_key });
      return body.workers_online === 1 ? true : undefined;
    }, "the worker to be online at the other gateway");
  });

  test("a stream at one gateway tells what happens through the other one", async () => {
    const [ann = "", bob = ""] = await accounts(2);
    const [first] = cluster.gateways;
    if (first === undefined) throw new Error("two gateways were started");
    const listener = new Listener(first.process.port, "/events/stream", bob);
    await eventually(async () => (listener.comments > 0 ? true : undefined), "the stream to open");
    const order = { input_data: "x", schema: { type: "object" }, example_output: {}, budget: 5 };
    const { body } = await clients[1].call("POST", "/tasks", order, { key: ann });
    await eventually(async () => (listener.about(body.id).includes("task.new") ? true : undefined), "the new task");
    listener.close();
  });

  test("live and ready are two things", async () => {
    const [node] = cluster.nodes;
    if (node === undefined) throw new Error("two nodes were started");
    const client = new Client(node.process.port);
    for (const path of ["//health", "//health/live", "//health/ready"]) expect((await client.call("GET", path)).status).toBe(200);
    await nexus(["drain", node.name]);
    expect((await client.call("GET", "//health/ready")).body).toMatchObject({ detail: "This node is being drained." });
    expect((await client.call("GET", "//health/live")).status).toBe(200);
    expect((await client.call("GET", "//api/v1/heartbeat")).status).toBe(404);
    client.close();
  });

  test("the table of the cluster names every node; a node that is not there cannot be drained", async () => {
    const { code, out } = await nexus(["cluster"]);
    expect(code).toBe(0);
    for (const { name } of cluster.nodes) expect(out).toMatch(new RegExp(`^${name} +1 +serving`, "m"));
    const missing = await nexus(["drain", "nobody"]);
    expect(missing.code).toBe(1);
    expect(missing.out).toMatch(/There is no node nobody\. There are: node-1, node-2\./);
  });
});

describe("bad configuration stops the start with one sentence", () => {
  beforeAll(open);
  afterAll(close);

  test.each<[string, string, Record<string, string>, RegExp]>([
    [
      "NATS that nobody answers",
      "node",
      { NATS_URL: "nats://127.0.0.1:1" },
      /^NATS_URL \(127\.0\.0\.1:1\): nobody answers there/,
    ],
    ["a NATS that is none", "gateway", { NATS_URL: "http://127.0.0.1" }, /^NATS_URL .*must be a URL like nats:/],
    [
      "a number of shards that is not the database's",
      "node",
      { SHARDS: "64" },
      /^SHARDS is 64, but this database was created with 128/,
    ],
    ["a node without NATS", "node", { NATS_URL: "" }, /^A node is part of a cluster: set NATS_URL and DATABASE_URL/],
    ["a cluster without a database", "start", { DATABASE_URL: "" }, /^NATS_URL is set, but DATABASE_URL is not/],
    ["one that wants the database for itself", "start", { NATS_URL: "" }, /^Another NexusToken works on this database/],
    ["a lease that is no number", "node", { LEASE_MS: "soon" }, /^LEASE_MS \("soon"\) must be an integer/],
    [
      "a database that nobody answers for",
      "node",
      { DATABASE_URL: "postgres://ann:s3cret@127.0.0.1:1/x" },
      /^DATABASE_URL \(127\.0\.0\.1:1\/x\): nobody answers there/,
    ],
    ["a Redis that is none", "gateway", { REDIS_URL: "127.0.0.1" }, /^REDIS_URL must be a URL like redis:/],
  ])(
    "%s",
    async (_, role, changes, sentence) => {
      const { code, out } = await nexus([role], changes);
      expect(out).toMatch(sentence);
      expect(out.trim().split("\n")).toHaveLength(1);
      expect(code).toBe(1);
    },
    60_000,
  );

  test.each<[string, (socket: Socket) => void]>([
    ["hangs up", (socket) => socket.destroy()],
    ["speaks HTTP", (socket) => socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"))],
  ])("what %s is no database", async (_, meet) => {
    const server = createServer((socket) => meet(socket.on("error", () => {}))).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("it listens on a port");
    const { code, out } = await nexus(["start"], { DATABASE_URL: `postgres://127.0.0.1:${address.port}/x`, NATS_URL: "" });
    server.close();
    expect(out.trim().split("\n").at(-1)).toMatch(/^DATABASE_URL \(.*\): what is there does not answer as PostgreSQL does/);
    expect(code).toBe(1);
  });

  test("a user or a database that the server does not know", async () => {
    const { url, drop } = await makeDatabase(inject("postgresUrl"));
    const named = url.replace(/[^/]*$/, "no_such_database");
    expect((await nexus(["audit"], { DATABASE_URL: named })).out).toMatch(
      /^DATABASE_URL \(.*\): there is no database of this name/,
    );
    const pool = openPool(url, { max: 1, name: "test" });
    const [role] = await pool<{ name: string }[]>`select 'r_' || md5(random()::text) as name`;
    await pool.unsafe(`create role ${role?.name} login`);
    await pool.unsafe(`revoke connect on database ${new URL(url).pathname.slice(1)} from public`);
    const stranger = new URL(url);
    stranger.username = role?.name ?? "";
    const { out, code } = await nexus(["node"], { DATABASE_URL: stranger.href });
    await pool.unsafe(`drop role ${role?.name}`);
    await pool.end();
    await drop();
    expect(out).toMatch(/^DATABASE_URL \(.*\): it (refuses this user|cannot be used \(permission denied)/);
    expect(out.trim().split("\n")).toHaveLength(1);
    expect(code).toBe(1);
  });

  test("nothing starts on a schema that is newer", async () => {
    const { url, drop } = await makeDatabase(inject("postgresUrl"));
    await nexus(["migrate"], { DATABASE_URL: url });
    const pool = openPool(url, { max: 1, name: "test" });
    await pool`insert into migrations (name) values ('9999-later')`;
    await pool`update platform set schema_needed = 9999`;
    for (const role of ["gateway", "node"]) {
      expect((await nexus([role], { DATABASE_URL: url })).out).toMatch(
        /^This database was set up by a newer NexusToken \(9999-later\)/,
      );
    }
    await pool.end();
    await drop();
  });
});
