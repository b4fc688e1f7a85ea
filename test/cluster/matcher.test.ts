/** The node of a busy matcher is killed: whoever waits gets a task from the next owner, without asking again. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { shardOf } from "../../actors/address.ts";
import { matcherAt } from "../../actors/matching/queues.ts";
import { auditDatabases } from "../../src/adapters/postgres/books.ts";
import { type Database, openPool } from "../../src/adapters/postgres/pool.ts";
import { Client } from "../support/client.mjs";
import { RealCluster } from "../support/cluster.mjs";
import { eventually, ORDER } from "../support/market.ts";
import { makeDatabase } from "../support/postgres.mjs";

const TYPE = "analysis";
const PULLS = 100;
/** Pulls that are answered before the node is killed. */
const BEFORE = 20;
/** How often a request is sent; each waits for the next owner by itself. */
const TRIES_MAX = 10;

let made: Awaited<ReturnType<typeof makeDatabase>>;
let database: Database;
let cluster: RealCluster;
let clients: readonly Client[];

beforeAll(async () => {
  made = await makeDatabase(inject("postgresUrl"));
  database = openPool(made.url, { max: 1, name: "test" });
  cluster = new RealCluster({
    DATABASE_URL: made.url,
    NATS_URL: inject("natsUrl"),
    NATS_PREFIX: `t${randomUUID()}`,
    LEASE_MS: "2000",
    DATABASE_CONNECTIONS: "4",
    ROUTING_WINDOW_MS: "50",
  });
  await Promise.all((["node", "node", "node", "gateway", "gateway"] as const).map((role) => cluster.add(role)));
  clients = cluster.gateways.map(({ process }) => new Client(process.port, PULLS));
});

afterAll(async () => {
  await cluster.stop();
  for (const client of clients) client.close();
  await database.end();
  await made.drop();
});

const client = (n: number): Client => clients[n % clients.length] ?? expect.unreachable("there are gateways");

/** Sends a request under one key until it is done; a killed node makes some wait, or be asked for again. */
async function ok(n: number, path: string, body: object, key?: string) {
  const idempotencyKey = randomUUID();
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const reply = await client(n).call("POST", path, body, { key, idempotencyKey });
    if (reply.status < 300) return reply.body;
    expect([path, reply.status]).toEqual([path, 503]);
  }
  return expect.unreachable(`${path} is done in the end`);
}

const register = (n: number) => ok(n, "/auth/register", { email: `${randomUUID()}@test.example` });

/** The node that owns the matcher. */
async function ownerOfMatcher(): Promise<string> {
  const [platform] = await database<{ shards: number }[]>`select shards from platform`;
  const shard = shardOf(matcherAt(TYPE, 0).id, platform?.shards ?? 0);
  const [owner] = await database<{ node: string }[]>`select node from members join shards on owner = id where shard = ${shard}`;
  return owner?.node ?? expect.unreachable("each shard has an owner");
}

test("100 pulls wait over two gateways while their matcher's node is killed: each gets one task, in the one answer it waits for", async () => {
  const requester = await register(0);
  await ok(0, "/credits/topup", { amount_credits: 100_000 }, requester.api_key);
  const workers = await Promise.all(Array.from({ length: PULLS }, (_, n) => register(n)));
  let answered = 0;
  const pulls = workers.map(async ({ api_key: key }, n) => {
    const reply = await client(n).call("POST", "/work/pull", { task_types: [TYPE], wait_ms: 30_000 }, { key });
    answered += 1;
    return reply;
  });
  const order = { ...ORDER, task_type: TYPE };
  const isWaiting = async () => {
    const { workers_online: online } = await ok(1, "/tasks/validate", order, requester.api_key);
    return online >= PULLS ? true : undefined;
  };
  await eventually(isWaiting, "all pulls to wait");

  const owner = await ownerOfMatcher();
  const node = cluster.nodes.find(({ name }) => name === owner) ?? expect.unreachable("it is one of ours");
  const post = (n: number) => ok(n, "/tasks", order, requester.api_key);
  const posted = Array.from({ length: PULLS }, (_, n) => post(n));
  await eventually(async () => (answered >= BEFORE ? true : undefined), "some pulls to be answered");
  expect(answered).toBeLessThan(PULLS);
  await cluster.end(node, "SIGKILL");

  const tasks = await Promise.all(posted);
  const replies = await Promise.all(pulls);
  const got = replies.map(({ status, body }) => [status, body.tasks?.length]);
  expect(got).toEqual(Array(PULLS).fill([200, 1]));
  const won = replies.map(({ body }) => body.tasks[0]);
  expect(won.map(({ id }) => id).toSorted()).toEqual(tasks.map(({ id }) => id).toSorted());
  expect(won.map(({ awarded_to }) => awarded_to)).toEqual(workers.map(({ account_id }) => account_id));
  // Each is still its worker's, and no worker has a second one that it was not told of.
  const awards = await database<{ id: string; worker: string }[]>`select id, worker from tasks where status = 'AWARDED'`;
  const byId = (one: { id: string }, other: { id: string }) => one.id.localeCompare(other.id);
  expect([...awards].toSorted(byId)).toEqual(won.map(({ id, awarded_to: worker }) => ({ id, worker })).toSorted(byId));
  expect((await auditDatabases([database])).flatMap(({ wrong }) => wrong)).toEqual([]);
}, 120_000);
