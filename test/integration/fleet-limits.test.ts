/** Fleets and HTTP share their limits; gateways share their fleets, and come and go without losing a request. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { Fleet } from "../support/fleet.ts";
import { eventually, Market, ORDER, type Party } from "../support/market.ts";
import { startProcess } from "../support/platform.mjs";
import { startPrivate } from "../support/servers.mjs";

type Server = Awaited<ReturnType<typeof startPrivate>>;
let server: Server;
beforeAll(async () => {
  server = await startPrivate("nats");
});
afterAll(() => server?.stop());

test("requests and tasks of one account are counted together over both doors, and answers say what is left", async () => {
  const market = await Market.start({
    FLEET_NATS_URL: server.url,
    RATE_LIMIT_PER_SECOND: "1000",
    RATE_LIMIT_TASKS_PER_MINUTE: "3",
  });
  const requester = await market.register();
  const fleet = await Fleet.connect(server.url, requester);
  const cheap = { ...ORDER, budget: 5 };
  await market.post(requester, cheap);
  const second = await fleet.ask("tasks.create", cheap);
  expect(second.header("RateLimit")).toMatch(/"tasks";r=1;t=\d+/);
  expect(second.header("RateLimit-Policy")).toMatch(/"tasks";q=3;w=60/);
  await market.post(requester, cheap);
  const refused = await fleet.ask("tasks.create", cheap);
  expect([refused.status, refused.body.code]).toEqual([429, "RATE_LIMITED"]);
  expect(Number(refused.header("Retry-After"))).toBeGreaterThan(0);
  expect((await market.call("POST", "/tasks", cheap, requester)).status).toBe(429);
  await fleet.close();
  await market.stop();
});

describe("a cluster", () => {
  let market: Market;
  let requester: Party;
  let settings: Record<string, string>;
  beforeAll(async () => {
    settings = {
      FLEET_NATS_URL: server.url,
      NATS_URL: inject("natsUrl"),
      NATS_PREFIX: `t${randomUUID()}`,
      DATABASE_CONNECTIONS: "3",
    };
    market = await Market.start(settings, "cluster");
    requester = await market.register();
  });
  afterAll(() => market?.stop());

  test("does not open its door where fleets could reach its inside", async () => {
    const wrong = { ...settings, DATABASE_URL: market.databaseUrl, FLEET_NATS_URL: inject("natsUrl") };
    await expect(startProcess(wrong, "gateway")).rejects.toThrow(
      /FLEET_NATS_URL \(.*\): fleets there could reach what connects the processes of this platform/,
    );
  });

  test("answers every request while a gateway stops under load, with as many tasks as were asked for", async () => {
    const second = await startProcess({ ...settings, DATABASE_URL: market.databaseUrl }, "gateway");
    const fleet = await Fleet.connect(server.url, requester, {}, String(settings["NATS_PREFIX"]));
    let [sent, stopped] = [0, false];
    const answered = new Map<string, number>();
    const client = async () => {
      for (let left = 3; left > 0; left -= stopped ? 1 : 0) {
        sent += 1;
        // Nothing is wrong but the task's id: it costs no credits, and goes the whole way.
        const reply = await fleet.ask("tasks.get", { task: randomUUID() });
        const shown = `${reply.status} ${reply.body.code}`;
        answered.set(shown, (answered.get(shown) ?? 0) + 1);
      }
    };
    const clients = Array.from({ length: 8 }, client);
    await eventually(async () => (sent > 100 ? true : undefined), "load");
    expect(await second.kill("SIGTERM")).toBe(0);
    stopped = true;
    await Promise.all(clients);
    expect(answered).toEqual(new Map([["404 TASK_UNKNOWN", sent]]));
    await fleet.close();
  });
});
