/** Pulls over several processes: nodes that die while workers wait, gateways that stop, and fleets that wait over NATS. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { auditDatabases } from "../../src/adapters/postgres/books.ts";
import { openPool } from "../../src/adapters/postgres/pool.ts";
import { Client } from "../support/client.mjs";
import { RealCluster } from "../support/cluster.mjs";
import { Fleet } from "../support/fleet.ts";
import { pullAndLeave } from "../support/leaving.ts";
import { eventually, GOOD, ORDER, type Party } from "../support/market.ts";
import { makeDatabase } from "../support/postgres.mjs";
import { startPrivate } from "../support/servers.mjs";

const TYPE = "analysis";

let database: Awaited<ReturnType<typeof makeDatabase>>;
let server: Awaited<ReturnType<typeof startPrivate>>;
let cluster: RealCluster;
/** Of all subjects. */
const prefix = `t${randomUUID()}`;
let clients: readonly Client[];

beforeAll(async () => {
  [database, server] = [await makeDatabase(inject("postgresUrl")), await startPrivate("nats")];
  cluster = new RealCluster({
    DATABASE_URL: database.url,
    NATS_URL: inject("natsUrl"),
    NATS_PREFIX: prefix,
    REDIS_URL: inject("redisUrl"),
    FLEET_NATS_URL: server.url,
    LEASE_MS: "2000",
    DATABASE_CONNECTIONS: "4",
    ROUTING_WINDOW_MS: "50",
    QUEUE_PARTITIONS: "3",
  });
  await Promise.all((["node", "node", "gateway", "gateway"] as const).map((role) => cluster.add(role)));
  clients = cluster.gateways.map(({ process }) => new Client(process.port));
});

afterAll(async () => {
  await cluster.stop();
  for (const client of clients) client.close();
  const pool = openPool(database.url, { max: 1, name: "audit" });
  expect((await auditDatabases([pool])).flatMap((finding) => finding.wrong)).toEqual([]);
  await pool.end();
  await database.drop();
  await server.stop();
});

/** A gateway, in turn. */
function gateway(n: number): Client {
  const client = clients[n % clients.length];
  if (client === undefined) throw new Error("there are gateways");
  return client;
}

async function register(): Promise<Party> {
  const email = `${randomUUID()}@test.example`;
  const { body } = await gateway(0).call("POST", "/auth/register", { email });
  return { id: body.account_id, key: body.api_key, email, webhookSecret: body.webhook_secret };
}

async function rich(): Promise<Party> {
  const party = await register();
  await gateway(0).call("POST", "/credits/topup", { amount_credits: 5_000 }, party);
  return party;
}

const post = async (requester: Party, n: number) =>
  (await gateway(n).call("POST", "/tasks", { ...ORDER, task_type: TYPE }, requester)).body.id;

/** Waits until so many workers are online for the type. */
const areOnline = (requester: Party, workers: number) =>
  eventually(async () => {
    const { body } = await gateway(1).call("POST", "/tasks/validate", { ...ORDER, task_type: TYPE }, requester);
    return body.workers_online >= workers ? true : undefined;
  }, `${workers} workers to be online`);

/** Pulls until there is a task, as a worker does. */
async function work(worker: Party, n: number): Promise<string> {
  for (let tries = 0; tries < 10; tries += 1) {
    const body = { task_types: [TYPE], wait_ms: 5_000 };
    const { status, body: got } = await gateway(n).call("POST", "/work/pull", body, { ...worker, idempotencyKey: randomUUID() });
    if (status !== 200) continue;
    const [task] = got.tasks;
    if (task === undefined) continue;
    const done = await gateway(n).call("POST", `/tasks/${task.id}/submit`, { result_data: GOOD }, worker);
    expect(done.status).toBe(200);
    return task.id;
  }
  throw new Error("no task came");
}

test("workers at two gateways get tasks of both, each task once, whatever partition they are in", async () => {
  const requester = await rich();
  const workers = await Promise.all(Array.from({ length: 8 }, register));
  const working = workers.map(work);
  await areOnline(requester, 8);
  const ids = await Promise.all(workers.map((_, n) => post(requester, n)));
  expect((await Promise.all(working)).toSorted()).toEqual(ids.toSorted());
});

test("when a node is killed while workers wait, each gets a task all the same, and none is done twice", async () => {
  const requester = await rich();
  const workers = await Promise.all(Array.from({ length: 6 }, register));
  const working = workers.map(work);
  await areOnline(requester, 6);
  const [first] = cluster.nodes;
  if (first === undefined) throw new Error("two nodes were started");
  await cluster.end(first, "SIGKILL");
  const ids = [];
  for (const [n] of workers.entries()) ids.push(await eventually(async () => (await post(requester, n)) ?? undefined, "a task"));
  expect((await Promise.all(working)).toSorted()).toEqual(ids.toSorted());
  cluster.nodes.shift();
  await cluster.add("node");
});

describe("a fleet", () => {
  test("pulls over NATS what it pulls over HTTP, waits five seconds at a time, and has one key for both", async () => {
    const requester = await rich();
    const worker = await register();
    const fleet = await Fleet.connect(server.url, worker, {}, prefix);
    const idempotencyKey = randomUUID();
    const waiting = fleet.ok("work.pull", { task_types: [TYPE], wait_ms: 30_000 }, { idempotencyKey });
    await areOnline(requester, 1);
    const id = await post(requester, 0);
    const { tasks } = await waiting;
    expect(tasks).toMatchObject([{ id, status: "AWARDED", input_data: ORDER.input_data }]);
    const again = await gateway(1).call("POST", "/work/pull", { task_types: [TYPE] }, { ...worker, idempotencyKey });
    expect(again.body.tasks).toEqual(tasks);
    expect(await fleet.ok("work.submit", { task: id, result_data: GOOD })).toMatchObject({ status: "COMPLETED" });
    const wrong = await fleet.ask("work.pull", { task_types: ["nothing"] });
    expect([wrong.status, wrong.body.errors[0].field]).toEqual([422, "task_types"]);
    await fleet.close();
  });
});

test("a pull that is asked again at another gateway keeps what it has won, though the first one has lost its client", async () => {
  const requester = await rich();
  const kept = [];
  // Some of the clients leave between award and answer.
  for (let ms = 0; ms < 30; ms += 2) {
    const [worker, idempotencyKey] = [await register(), randomUUID()];
    const id = await post(requester, 0);
    await pullAndLeave(gateway(0).port, TYPE, ms, { ...worker, idempotencyKey });
    const body = { task_types: [TYPE], wait_ms: 20_000 };
    const { body: again } = await gateway(1).call("POST", "/work/pull", body, { ...worker, idempotencyKey });
    expect(again.tasks).toMatchObject([{ id, status: "AWARDED" }]);
    kept.push({ id, worker });
  }
  // Longer than the first gateway waits for the same client.
  await new Promise((resolve) => setTimeout(resolve, 6_000));
  for (const { id, worker } of kept) {
    const { body: verdict } = await gateway(0).call("POST", `/tasks/${id}/submit`, { result_data: GOOD }, worker);
    expect(verdict.status).toBe("COMPLETED");
  }
});

test("a gateway that stops answers those that wait there, before it goes", async () => {
  const requester = await rich();
  const [worker, other] = [await register(), await register()];
  const last = await cluster.add("gateway");
  const client = new Client(last.process.port);
  const fleet = await Fleet.connect(server.url, other, {}, prefix);
  const waiting = client.call("POST", "/work/pull", { task_types: [TYPE], wait_ms: 30_000 }, worker);
  await areOnline(requester, 1);
  expect(await cluster.end(last, "SIGTERM")).toBe(0);
  const { status, body } = await waiting;
  expect([status, body]).toEqual([200, { tasks: [], limited: null }]);
  // Whichever gateway has it, a request of a fleet is answered.
  expect(await fleet.ok("work.pull", { task_types: [TYPE], wait_ms: 100 })).toEqual({ tasks: [], limited: null });
  await fleet.close();
  client.close();
});
