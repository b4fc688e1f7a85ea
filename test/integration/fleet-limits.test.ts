/** Fleets and HTTP share their limits; gateways share their fleets, and come and go without losing a request. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { Fleet } from "../support/fleet.ts";
import { Listener } from "../support/listener.ts";
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

test("an event too long for the server comes without its long fields, and an account that is frozen is not listened for", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "nexus-small-"));
  const config = path.join(folder, "small.conf");
  await writeFile(config, "max_payload: 1048576");
  const small = await startPrivate("nats", ["-c", config]);
  const market = await Market.start({ FLEET_NATS_URL: small.url, ADMIN_TOKEN: "operators-secret-of-a-test" });
  const requester = await market.register();
  const fleet = await Fleet.connect(small.url, requester);
  const listener = await Listener.start(fleet, requester.id);
  // A platform does not start at such a server.
  await writeFile(config, "max_payload: 65536");
  await small.kill();
  await small.start();
  await eventually(async () => (listener.missed.includes("reconnect") ? true : undefined), "the fleet to be back");
  await listener.ask();
  const inputData = "\u{1f600}".repeat(10_000);
  const id = await market.post(requester, { input_data: inputData });
  await market.ok("DELETE", `/tasks/${id}`, undefined, requester);
  await eventually(async () => (listener.heard.length > 0 ? true : undefined), "the end");
  const [ended] = listener.heard;
  expect(ended).toMatchObject({ type: "task.terminal", task: { id, status: "CANCELLED" } });
  expect(ended).toMatchObject({ left_out: expect.arrayContaining(["input_data", "result_data"]) });
  expect(Object.keys(ended?.task ?? {})).not.toContain("input_data");
  expect((await market.task(id, requester)).input_data).toBe(inputData);
  const operator = { headers: { "X-Admin-Token": "operators-secret-of-a-test" } };
  await market.ok("POST", `/admin/accounts/${requester.id}/freeze`, { reason: "A test" }, operator);
  await eventually(async () => (listener.missed.includes("ACCOUNT_RESTRICTED") ? true : undefined), "the end of the listening");
  const refused = await fleet.ask("work.listen", {});
  expect([refused.status, refused.body.code]).toEqual([403, "ACCOUNT_FROZEN"]);
  await fleet.close();
  await market.stop();
  await small.stop();
  await rm(folder, { recursive: true });
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
