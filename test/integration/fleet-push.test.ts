/**
 * Two tenants that listen, at two gateways and one server for fleets with the users of `nexus fleet config`: none hears or imitates
 * what is pushed to the other, and none loses an award or an end while the server and gateways stop, die and come back.
 */
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { connect, nkeyAuthenticator } from "nats";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { auditDatabases } from "../../src/adapters/postgres/books.ts";
import { openPool } from "../../src/adapters/postgres/pool.ts";
import { Client } from "../support/client.mjs";
import { RealCluster } from "../support/cluster.mjs";
import { Fleet } from "../support/fleet.ts";
import { Listener, type Pushed } from "../support/listener.ts";
import { eventually, GOOD, ORDER, type Party } from "../support/market.ts";
import { runNexus } from "../support/platform.mjs";
import { makeDatabase } from "../support/postgres.mjs";
import { startPrivate } from "../support/servers.mjs";

const SET_UP_MS = 240_000;
/** How often a fleet asks again (ms): far more often than it would, so that the tests need not wait. */
const RENEW_MS = 500;
const TYPE = "analysis";
const LISTEN = { task_types: [TYPE] };

let folder: string;
let server: Awaited<ReturnType<typeof startPrivate>>;
let database: Awaited<ReturnType<typeof makeDatabase>>;
let cluster: RealCluster;
let http: Client;
let [ann, bob]: Party[] = [];
const seeds = new Map<Party, string>();
const prefix = `t${randomUUID()}`;

function party(one: Party | undefined): Party {
  if (one === undefined) throw new Error("the parties are registered before the tests");
  return one;
}

async function register(): Promise<Party> {
  const email = `${randomUUID()}@test.example`;
  const { body } = await http.call("POST", "/auth/register", { email });
  const one = { id: body.account_id, key: body.api_key, email, webhookSecret: body.webhook_secret };
  const args = ["fleet", "credentials", one.id, "--dir", path.join(folder, "nats"), "--json"];
  const { code, out } = await runNexus(args, { DATABASE_URL: database.url, NATS_PREFIX: prefix });
  expect(code, out).toBe(0);
  seeds.set(one, JSON.parse(out).nkey_seed);
  return one;
}

const withSeed = (seed: string) => ({
  authenticator: nkeyAuthenticator(new TextEncoder().encode(seed)),
  reconnectTimeWait: 100,
  maxReconnectAttempts: -1,
});

const fleetOf = (one: Party) => Fleet.connect(server.url, one, withSeed(seeds.get(one) ?? ""), prefix);

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "nexus-push-"));
  const dir = path.join(folder, "nats");
  const written = await runNexus(["fleet", "config", "--dir", dir], { NATS_PREFIX: prefix });
  expect(written.code, written.out).toBe(0);
  server = await startPrivate("nats", ["-c", path.join(dir, "nats-server.conf")]);
  database = await makeDatabase(inject("postgresUrl"));
  cluster = new RealCluster({
    DATABASE_URL: database.url,
    NATS_URL: inject("natsUrl"),
    NATS_PREFIX: prefix,
    REDIS_URL: inject("redisUrl"),
    FLEET_NATS_URL: server.url,
    FLEET_NATS_NKEY_FILE: path.join(dir, "door.nk"),
    DATABASE_CONNECTIONS: "3",
    ROUTING_WINDOW_MS: "50",
  });
  await cluster.add("node");
  await cluster.add("gateway");
  await cluster.add("gateway");
  http = new Client(cluster.gateways[0]?.process.port ?? 0);
  [ann, bob] = [await register(), await register()];
  process.kill(server.pid(), "SIGHUP");
  await eventually(async () => ((await mayConnect(party(bob))) ? true : undefined), "the server to have read its users");
  await http.call("POST", "/credits/topup", { amount_credits: 5_000 }, party(ann));
  await http.call("POST", "/capabilities", { task_type: TYPE, price: 6 }, party(bob));
}, SET_UP_MS);

afterAll(async () => {
  await cluster?.stop();
  http?.close();
  const pool = openPool(database.url, { max: 1, name: "audit" });
  expect((await auditDatabases([pool])).flatMap((finding) => finding.wrong)).toEqual([]);
  await pool.end();
  await database?.drop();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function mayConnect(one: Party): Promise<boolean> {
  try {
    await (await connect({ servers: server.url, ...withSeed(seeds.get(one) ?? ""), maxReconnectAttempts: 0 })).close();
    return true;
  } catch {
    return false;
  }
}

/** Both fleets, listening; Bob does whatever is awarded to him. */
async function atWork() {
  const [asking, working] = [await fleetOf(party(ann)), await fleetOf(party(bob))];
  const submitted = new Set<string>();
  const submit = async (task: string) => {
    for (let tries = 0; tries < 60 && !submitted.has(task); tries += 1) {
      const asked = { task, result_data: GOOD };
      const reply = await working.ask("work.submit", asked, { timeoutMs: 1_000, idempotencyKey: task }).catch(() => undefined);
      if (reply !== undefined && reply.status < 500) submitted.add(task);
      else await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const work = ({ type, task }: Pushed) => {
    if (type === "task.awarded" && task !== undefined && !submitted.has(task.id)) void submit(task.id);
  };
  const requester = await Listener.start(asking, party(ann).id, { topics: ["task.terminal"] }, RENEW_MS);
  const worker = await Listener.start(working, party(bob).id, LISTEN, RENEW_MS, work);
  const close = async () => {
    for (const listener of [requester, worker]) listener.close();
    for (const fleet of [asking, working]) {
      await fleet.ask("work.listen", { seconds: 0 });
      await fleet.close();
    }
  };
  return { asking, working, requester, worker, close };
}

/** Posts a task by HTTP, at whichever gateway answers. */
async function post(): Promise<string> {
  const order = { ...ORDER, task_type: TYPE };
  const asked = { ...party(ann), idempotencyKey: randomUUID() };
  return eventually(async () => {
    for (const { process } of cluster.gateways) {
      const client = new Client(process.port, 1, 5_000);
      const reply = await client.call("POST", "/tasks", order, asked).catch(() => undefined);
      client.close();
      if (reply !== undefined && reply.status < 300) return reply.body.id;
    }
    return undefined;
  }, "a task to be posted");
}

/** Waits until the worker has heard of the award of each task, and its requester of its end. */
async function heardOf(tasks: readonly string[], { requester, worker }: Awaited<ReturnType<typeof atWork>>): Promise<void> {
  for (const task of tasks) {
    const heard = async () =>
      worker.tasks("task.awarded").includes(task) && requester.tasks("task.terminal").includes(task) ? true : undefined;
    await eventually(heard, `the award and the end of ${task}`);
  }
}

/** A neighbour tries to hear what is pushed to Bob, and to push to him; in vain. */
async function expectIsolation(): Promise<void> {
  const subject = `${prefix}.push.v1.${party(bob).id}`;
  const [spy, own] = [await fleetOf(party(ann)), await fleetOf(party(bob))];
  const heard: string[] = [];
  const refused = new Set<string>();
  for (const wanted of [subject, `${prefix}.push.>`, `${prefix}.push.v1.*`, ">"]) {
    for (const more of [{}, { queue: "gateways" }]) {
      const callback = (error: Error | null, message: { subject: string }) => {
        if (error === null) heard.push(message.subject);
        else refused.add(wanted);
      };
      spy.connection.subscribe(wanted, { ...more, callback });
    }
  }
  await spy.connection.flush();
  expect(refused.size).toBe(4);
  const mark = JSON.stringify({ type: "imitation" });
  const real = JSON.stringify({ type: "real" });
  own.connection.subscribe(subject, { callback: (_, { data }) => heard.push(Buffer.from(data).toString()) });
  await own.connection.flush();
  spy.connection.publish(subject, mark);
  spy.connection.publish(`${prefix}.api.v1.${party(bob).id}.work.listen`, mark);
  await spy.connection.flush();
  const door = await connect({
    servers: server.url,
    ...withSeed((await readFile(path.join(folder, "nats", "door.nk"), "utf8")).trim()),
  });
  door.publish(subject, real);
  await door.flush();
  await eventually(async () => (heard.includes(real) ? true : undefined), "what the gateways push");
  await spy.connection.flush();
  expect(heard.filter((one) => one === mark || one.startsWith(prefix))).toEqual([]);
  for (const connection of [spy, own, door]) await connection.close();
}

test("a worker that listens is present: it is told of a task, awarded it at its price, and its requester told of the end", async () => {
  const both = await atWork();
  const task = await post();
  await heardOf([task], both);
  const awarded = both.worker.heard.find(({ type }) => type === "task.awarded");
  expect(awarded?.task).toMatchObject({ id: task, status: "AWARDED", input_data: ORDER.input_data, awarded_to: party(bob).id });
  const ended = both.requester.heard.find(({ type }) => type === "task.terminal");
  expect(ended?.task).toMatchObject({ id: task, status: "SETTLED", result_data: GOOD });
  await expectIsolation();
  await both.close();
});

test("a renewal at the other gateway moves the listening: nothing is lost over many, and events do not come twice for long", async () => {
  const asking = await fleetOf(party(ann));
  const requester = await Listener.start(asking, party(ann).id, { topics: ["task.terminal"] });
  const tasks = [];
  for (let n = 0; n < 24; n += 1) {
    const task = await asking.ok("tasks.create", { ...ORDER, task_type: "translation" });
    await asking.ok("tasks.cancel", { task: task.id });
    tasks.push(task.id);
    await eventually(async () => (requester.tasks("task.terminal").includes(task.id) ? true : undefined), "the end");
    await requester.ask();
  }
  expect(requester.tasks("task.terminal")).toEqual(tasks);
  // One whose end is quicker than the word between gateways may. Without that word, soon all would.
  expect(requester.heard.length - tasks.length).toBeLessThan(tasks.length / 2);
  expect(requester.missed).toEqual([]);
  const monitor = await connect({
    servers: server.url,
    inboxPrefix: "_INBOX.operator",
    ...withSeed((await readFile(path.join(folder, "nats", "operator.nk"), "utf8")).trim()),
  });
  const asked = [];
  for await (const { endpoints } of await monitor.services.client().stats(prefix))
    asked.push(endpoints?.find(({ name }) => name === "work-listen")?.num_requests ?? 0);
  expect(asked.filter((times) => times > 0)).toHaveLength(2);
  await monitor.close();
  await asking.ask("work.listen", { seconds: 0 });
  requester.close();
  await asking.close();
});

test(
  "while the server of the fleets is killed and comes back, no award and no end is lost, and tenants stay apart",
  async () => {
    const both = await atWork();
    const before = [await post(), await post()];
    await server.kill();
    const meanwhile = [await post(), await post()];
    await server.start();
    const after = [await post(), await post()];
    await expectIsolation();
    await heardOf([...before, ...meanwhile, ...after], both);
    expect(both.worker.missed).toContain("reconnect");
    await both.close();
  },
  SET_UP_MS,
);

test(
  "while each gateway is killed in turn and comes back, no award and no end is lost, and tenants stay apart",
  async () => {
    const both = await atWork();
    const tasks: string[] = [];
    for (const gateway of [...cluster.gateways]) {
      tasks.push(await post());
      await cluster.end(gateway, "SIGKILL");
      tasks.push(await post());
      await expectIsolation();
      await cluster.again(gateway);
      tasks.push(await post());
    }
    await expectIsolation();
    await heardOf(tasks, both);
    await both.close();
  },
  SET_UP_MS,
);

test(
  "a gateway that stops tells those for whom it listens, which go on at another one without loss",
  async () => {
    const [asking, working] = [await fleetOf(party(ann)), await fleetOf(party(bob))];
    // They ask again only because they are told to.
    const requester = await Listener.start(asking, party(ann).id, { topics: ["task.terminal"] });
    const told = async () => (requester.missed.includes("GATEWAY_STOPS") ? true : undefined);
    for (const gateway of [...cluster.gateways]) {
      expect(await cluster.end(gateway, "SIGTERM")).toBe(0);
      const { id: task } = await asking.ok("tasks.create", { ...ORDER, task_type: "translation" });
      await asking.ok("tasks.cancel", { task });
      await eventually(async () => (requester.tasks("task.terminal").includes(task) ? true : undefined), "the end");
      await cluster.again(gateway);
    }
    await eventually(told, "the word of the gateway");
    await asking.ask("work.listen", { seconds: 0 });
    for (const fleet of [asking, working]) await fleet.close();
  },
  SET_UP_MS,
);

test("a listening ends with its key, at whichever gateway that is rotated, and goes on with the new one", async () => {
  const one = await register();
  process.kill(server.pid(), "SIGHUP");
  await eventually(async () => ((await mayConnect(one)) ? true : undefined), "the server to have read its users");
  http = new Client(cluster.gateways[0]?.process.port ?? 0);
  const fleet = await fleetOf(one);
  const heard: Pushed[] = [];
  fleet.connection.subscribe(`${prefix}.push.v1.${one.id}`, { callback: (_, message) => heard.push(message.json()) });
  await fleet.ok("work.listen", {});
  const rotated = await http.call("POST", "/auth/rotate-key", {}, one);
  expect(rotated.status).toBe(200);
  await eventually(async () => (heard.length > 0 ? true : undefined), "the end of the listening");
  expect(heard).toMatchObject([{ type: "listen.ended", reason: "KEY_REPLACED" }]);
  expect((await fleet.ask("work.listen", {})).status).toBe(401);
  expect(await fleet.ok("work.listen", {}, { key: rotated.body.api_key })).toMatchObject({ last_event_id: expect.any(Number) });
  await fleet.close();
});
