/** Of a new task a bounded number of streams hear, at all gateways together, whether over HTTP or as pushes to a fleet. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { Client } from "../support/client.mjs";
import { RealCluster } from "../support/cluster.mjs";
import { Fleet } from "../support/fleet.ts";
import { Listener as FleetListener } from "../support/listener.ts";
import { eventually, ORDER, type Party } from "../support/market.ts";
import { makeDatabase } from "../support/postgres.mjs";
import { startPrivate } from "../support/servers.mjs";
import { Listener } from "../support/stream.ts";

const SET_UP_MS = 240_000;
const STREAMS = 3;
/** A stream looks for what is open when it begins, and until then (ms); see OPEN_AGAIN_MS in feed.ts. */
const LOOKS_MS = 7_000;

let server: Awaited<ReturnType<typeof startPrivate>>;
let database: Awaited<ReturnType<typeof makeDatabase>>;
let cluster: RealCluster;
let http: Client;
const prefix = `t${randomUUID()}`;

async function register(): Promise<Party> {
  const email = `${randomUUID()}@test.example`;
  const { body } = await http.call("POST", "/auth/register", { email });
  return { id: body.account_id, key: body.api_key, email, webhookSecret: body.webhook_secret };
}

beforeAll(async () => {
  server = await startPrivate("nats");
  database = await makeDatabase(inject("postgresUrl"));
  cluster = new RealCluster({
    DATABASE_URL: database.url,
    NATS_URL: inject("natsUrl"),
    NATS_PREFIX: prefix,
    REDIS_URL: inject("redisUrl"),
    FLEET_NATS_URL: server.url,
    DATABASE_CONNECTIONS: "3",
    STREAMS_PER_TASK: String(STREAMS),
  });
  await cluster.add("node");
  await cluster.add("gateway");
  await cluster.add("gateway");
  http = new Client(cluster.gateways[0]?.process.port ?? 0);
}, SET_UP_MS);

afterAll(async () => {
  http?.close();
  await cluster?.stop();
  await database?.drop();
  await server?.stop();
});

test(
  "each of two workers hears of each task, on three of their seven streams at most, at two gateways and over NATS",
  async () => {
    const [requester, fleetOwner, other] = [await register(), await register(), await register()];
    await http.call("POST", "/credits/topup", { amount_credits: 5_000 }, requester);
    const ports = cluster.gateways.map(({ process }) => process.port);
    const streams = [fleetOwner, other].flatMap((worker) =>
      [ports[0], ports[1], ports[1]].map((port = 0) => ({ worker, at: new Listener(port, "/events/stream", worker.key) })),
    );
    const fleet = await Fleet.connect(server.url, fleetOwner, {}, prefix);
    const listening = await FleetListener.start(fleet, fleetOwner.id, {}, 10_000);
    for (const { at } of streams) await eventually(async () => (at.comments > 0 ? true : undefined), "a stream to open");
    await sleep(LOOKS_MS);

    const pushes = (task: string) =>
      listening.heard.flatMap((event) => (event.type === "task.new" && event.task?.id === task ? [fleetOwner] : []));
    /** The worker of each stream that has heard of a task. */
    const heardBy = (task: string) => [...pushes(task), ...streams.flatMap(({ worker, at }) => at.about(task).map(() => worker))];
    const tasks: string[] = [];
    for (let n = 0; n < 8; n += 1) {
      const { body } = await http.call("POST", "/tasks", ORDER, requester);
      tasks.push(body.id);
      const isHeard = async () => (new Set(heardBy(body.id)).size === 2 ? true : undefined);
      await eventually(isHeard, `both workers to hear of task ${n + 1}`);
    }
    for (const task of tasks) expect(heardBy(task).length).toBeLessThanOrEqual(STREAMS);
    expect(tasks.filter((task) => pushes(task).length > 0)).not.toEqual([]);
    expect(streams.filter(({ at }) => tasks.some((task) => at.about(task).length > 0)).length).toBeGreaterThan(1);

    listening.close();
    await fleet.close();
    for (const { at } of streams) at.close();
  },
  SET_UP_MS,
);
