/** Fleets ask over NATS what others ask over HTTP: the same operations, checks, limits and errors behind another door. */
import { randomUUID } from "node:crypto";
import { connect, headers, type ServiceInfo } from "nats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HEADER_BYTES_MAX } from "../../gateway/doors/fleet.ts";
import { describeVerb, verbsOf } from "../../gateway/doors/verbs.ts";
import { FLEET_OPERATIONS, OPERATIONS } from "../../gateway/routes/index.ts";
import { Fleet } from "../support/fleet.ts";
import { GOOD, Market, ORDER, type Party } from "../support/market.ts";
import { startPrivate } from "../support/servers.mjs";

let server: Awaited<ReturnType<typeof startPrivate>>;
let market: Market;
let requester: Party;
let worker: Party;
let asking: Fleet;
let working: Fleet;

beforeAll(async () => {
  server = await startPrivate("nats");
  market = await Market.start({ FLEET_NATS_URL: server.url, RATE_LIMIT_AUTH_FAILURES_PER_MINUTE: "5" });
  [requester, worker] = [await market.register(), await market.register()];
  asking = await Fleet.connect(server.url, requester);
  working = await Fleet.connect(server.url, worker);
});

afterAll(async () => {
  await asking?.close();
  await working?.close();
  await market?.stop();
  await server?.stop();
});

describe("a task's whole life", () => {
  test("goes over NATS alone, and HTTP shows the same", async () => {
    const posted = await asking.ok("tasks.create", ORDER);
    expect(posted).toMatchObject({ status: "ROUTING", max_budget_credits: 20 });
    const { id: task } = posted;
    expect(await working.ok("work.bid", { task, bid_credits: 12 })).toMatchObject({ bid_id: expect.any(String) });
    await market.until(task, worker, "AWARDED");
    expect(await working.ok("work.start", { task })).toEqual({ id: task, status: "EXECUTING" });
    const wrong = await working.ok("work.submit", { task, result_data: { company: 7 } });
    expect(wrong).toMatchObject({ status: "REJECTED", retries_left: 2 });
    expect(await working.ok("work.submit", { task, result_data: GOOD })).toMatchObject({ status: "COMPLETED" });
    await market.until(task, requester, "SETTLED");
    expect(await asking.ok("tasks.get", { task })).toEqual(await market.task(task, requester));
    expect((await market.audit()).flatMap(({ wrong }) => wrong)).toEqual([]);
  });

  test("ends where its requester cancels it", async () => {
    const { id: task } = await asking.ok("tasks.create", ORDER);
    expect(await asking.ok("tasks.cancel", { task })).toMatchObject({ id: task, status: "CANCELLED" });
  });
});

describe("one Idempotency-Key", () => {
  test("makes one task over both doors, and is refused for another body", async () => {
    const idempotencyKey = randomUUID();
    const first = await asking.ok("tasks.create", ORDER, { idempotencyKey });
    const again = await market.ok("POST", "/tasks", ORDER, { ...requester, idempotencyKey });
    expect(again.id).toBe(first.id);
    const other = await asking.ask("tasks.create", { ...ORDER, budget: 30 }, { idempotencyKey });
    expect([other.status, other.body.code]).toEqual([422, "IDEMPOTENCY_MISMATCH"]);
    await asking.ok("tasks.cancel", { task: first.id });
  });

  test("makes one bid, whichever door repeats it: the task's id is no part of the body", async () => {
    const { id: task } = await asking.ok("tasks.create", ORDER);
    const idempotencyKey = randomUUID();
    const first = await working.ok("work.bid", { task, bid_credits: 12 }, { idempotencyKey });
    const again = await market.ok("POST", `/tasks/${task}/bid`, { bid_credits: 12 }, { ...worker, idempotencyKey });
    expect(again.bid_id).toBe(first.bid_id);
    await market.until(task, worker, "AWARDED");
    await working.ok("work.submit", { task, result_data: GOOD });
  });
});

describe("one Idempotency-Key of an award", () => {
  test("extends it once and gives it back once, whichever door repeats it, and is refused for another body over both", async () => {
    const task = await market.awarded(requester, worker, { max_extension_seconds: 100 });
    const [extending, releasing] = [{ idempotencyKey: randomUUID() }, { idempotencyKey: randomUUID() }];
    const extended = await working.ok("work.extend", { task, seconds: 60 }, extending);
    const path = `/tasks/${task}`;
    expect(await market.ok("POST", `${path}/extend`, { seconds: 60 }, { ...worker, ...extending })).toEqual(extended);
    const refused = [
      await working.ask("work.extend", { task, seconds: 30 }, extending),
      await market.call("POST", `${path}/extend`, { seconds: 30 }, { ...worker, ...extending }),
    ];
    const released = await market.ok("POST", `${path}/release`, { reason: "too long" }, { ...worker, ...releasing });
    expect(await working.ok("work.release", { task, reason: "too long" }, releasing)).toEqual(released);
    refused.push(
      await working.ask("work.release", { task }, releasing),
      await market.call("POST", `${path}/release`, {}, { ...worker, ...releasing }),
    );
    expect(refused.map(({ status, body }) => [status, body.code])).toEqual(Array(4).fill([422, "IDEMPOTENCY_MISMATCH"]));
    await asking.ok("tasks.cancel", { task });
  });
});

describe("a wrong request gets the problem document of HTTP, with its status in a header", () => {
  const id = "6f1c3f0e-2b7a-4d51-9c3e-5a8d7b60f142";
  test.each([
    ["a task that is not there", "tasks.get", { task: id }, 404, "TASK_UNKNOWN", /There is no task/],
    ["no task", "tasks.get", {}, 422, "VALIDATION_ERROR", /^task: is required$/],
    ["nothing at all", "tasks.get", undefined, 422, "VALIDATION_ERROR", /^task: is required$/],
    ["a task that is no id", "work.submit", { task: "x", result_data: 1 }, 422, "VALIDATION_ERROR", /^task: must be a bare UUID/],
    ["a number for a task", "work.start", { task: 7 }, 422, "VALIDATION_ERROR", /^task: must be text$/],
    [
      "task_id for task",
      "work.submit",
      { task_id: id, result_data: 1 },
      422,
      "VALIDATION_ERROR",
      /^task_id: .* did you mean task\?$/,
    ],
    ["no result", "work.submit", { task: id }, 422, "VALIDATION_ERROR", /^result_data: is required$/],
    ["a list", "work.submit", [id], 422, "VALIDATION_ERROR", /^body: must be an object$/],
    ["a list for a task", "tasks.create", [], 422, "VALIDATION_ERROR", /^body: must be an object$/],
    ["null", "tasks.get", null, 422, "VALIDATION_ERROR", /^body: must be an object$/],
    ["no JSON", "work.submit", "{", 400, "MALFORMED_JSON", /The body is not valid JSON/],
    ["no UTF-8", "work.submit", new Uint8Array([0x22, 0xff, 0x22]), 400, "MALFORMED_UTF8", /not valid UTF-8/],
    [
      "a number beyond a double",
      "work.submit",
      `{"task":"${id}","result_data":1790321456789012345}`,
      422,
      "VALIDATION_ERROR",
      /send it as text/,
    ],
    ["too much", "work.submit", " ".repeat(262_145), 413, "BODY_TOO_LARGE", /at most 262144 bytes/],
    ["to listen too long", "work.listen", { seconds: 301 }, 422, "VALIDATION_ERROR", /^seconds: must be at most 300$/],
    [
      "to listen for a type that there is not",
      "work.listen",
      { task_types: ["x"] },
      422,
      "VALIDATION_ERROR",
      /^task_types: must be some of/,
    ],
    [
      "to listen to what there is not",
      "work.listen",
      { topics: ["x"] },
      422,
      "VALIDATION_ERROR",
      /^topics\.0: must be one of task\.new/,
    ],
    [
      "to go on after no id",
      "work.listen",
      { last_event_id: -1 },
      422,
      "VALIDATION_ERROR",
      /^last_event_id: must be at least 0$/,
    ],
    [
      "to listen with a misspelt field",
      "work.listen",
      { lastEventId: 1 },
      422,
      "VALIDATION_ERROR",
      /did you mean last_event_id\?$/,
    ],
    ["too small a budget", "tasks.create", { ...ORDER, budget: 4 }, 422, "VALIDATION_ERROR", /^budget: must be at least 5$/],
  ])("%s", async (_, verb, body, status, code, detail) => {
    const reply = await working.ask(verb, body);
    expect([reply.status, reply.body.code]).toEqual([status, code]);
    expect(reply.body.detail).toMatch(detail);
    expect(reply.body.status).toBe(status);
    expect(reply.header("Nats-Service-Error")).toBe(reply.body.detail.replaceAll(/[^\x20-\x7e]/g, "?"));
    expect(reply.header("X-Request-Id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("the largest payload is read: what is wrong with it is said", async () => {
    const reply = await working.ask("work.submit", `{"task":"${id}"${" ".repeat(262_144 - 47)}}`);
    expect([reply.status, reply.body.detail]).toEqual([422, "result_data: is required"]);
  });

  test("fields that nobody knows are named, and null is as if it was left out", async () => {
    const reply = await asking.ask("tasks.create", { ...ORDER, invite_code: "x", callback_url: null });
    expect([reply.status, reply.header("X-Nexus-Ignored")]).toEqual([0, "invite_code"]);
    const seen = await asking.ask("tasks.get", { task: reply.body.id, colour: "red" });
    expect([seen.status, seen.header("X-Nexus-Ignored")]).toEqual([0, "colour"]);
    await asking.ok("tasks.cancel", { task: reply.body.id });
  });

  test("a verb that there is not has nobody who answers, and is told so at once", async () => {
    await expect(working.ask("work.submitt", {})).rejects.toThrow(/503/);
    await expect(working.ask("submit", {})).rejects.toThrow(/503/);
  });
});

describe("keys", () => {
  test("none, a wrong one, and that of another account are refused, each with its sentence", async () => {
    const stranger = await market.register();
    const fleet = await Fleet.connect(server.url, stranger);
    const none = await fleet.ask("tasks.get", {}, { key: null });
    expect([none.status, none.body.code]).toEqual([401, "API_KEY_MISSING"]);
    const wrong = await fleet.ask("tasks.get", {}, { key: "0".repeat(64) });
    expect([wrong.status, wrong.body.code, wrong.header("WWW-Authenticate")]).toEqual([
      401,
      "API_KEY_INVALID",
      'ApiKey header="X-API-Key"',
    ]);
    const another = await fleet.ask("tasks.get", {}, { key: worker.key });
    expect([another.status, another.body.code]).toEqual([403, "API_KEY_OF_ANOTHER"]);
    expect(another.body.detail).toMatch(/belongs to another account/);
    expect((await fleet.ask("tasks.get", {})).status).toBe(422);
    await fleet.close();
  });

  test("five failures of one fleet use up its minute, and neither its good key nor other fleets feel it", async () => {
    const stranger = await market.register();
    const fleet = await Fleet.connect(server.url, stranger);
    expect((await fleet.ask("tasks.get", {})).status).toBe(422);
    const statuses: number[] = [];
    for (const key of [worker.key, worker.key, "1", "2", "3", "4", worker.key])
      statuses.push((await fleet.ask("tasks.get", {}, { key })).status);
    expect(statuses).toEqual([403, 403, 401, 401, 401, 429, 429]);
    expect((await fleet.ask("tasks.get", {})).status).toBe(422);
    expect((await working.ask("tasks.get", {})).status).toBe(422);
    await fleet.close();
  });

  test("a name that is no account's id in lower case is refused", async () => {
    for (const account of [worker.id.toUpperCase(), "x", "%2e"]) {
      const reply = await working.connection.request(`nexus.api.v1.${account}.tasks.get`, "{}", {
        timeout: 5_000,
        noMux: true,
        reply: `_INBOX.${account}.1`,
      });
      expect(reply.json<{ code: string }>().code).toBe("ACCOUNT_UNKNOWN");
    }
  });
});

describe("headers", () => {
  test("of 4,096 bytes are read, and one byte more is refused before anything is read", async () => {
    const rest = HEADER_BYTES_MAX - "NATS/1.0\r\nX-API-Key: \r\nX: \r\n\r\n".length - worker.key.length;
    const reply = (length: number) => working.ask("tasks.get", {}, { headers: { X: "x".repeat(length) } });
    expect((await reply(rest)).status).toBe(422);
    const refused = await reply(rest + 1);
    expect([refused.status, refused.body.code]).toEqual([431, "HEADERS_TOO_LARGE"]);
  });

  test("their names count in any case, and two keys are none", async () => {
    const found = await working.ask("tasks.get", {}, { key: null, headers: { "x-api-key": worker.key } });
    expect(found.status).toBe(422);
    const sent = headers();
    for (const key of [worker.key, requester.key]) sent.append("X-API-Key", key);
    const reply = await working.connection.request(`nexus.api.v1.${worker.id}.tasks.get`, "{}", {
      timeout: 5_000,
      headers: sent,
    });
    expect(reply.headers?.get("Nats-Service-Error-Code")).toBe("401");
  });
});

test("answers go to the asking account's inbox or to one that nobody can guess, and to no other subject", async () => {
  const watcher = await connect({ servers: server.url });
  const heard: string[] = [];
  for (const subject of ["nexus.push.>", `_INBOX.${worker.id}.>`, "_INBOX.operator.>", "elsewhere.>"])
    watcher.subscribe(subject, { callback: (_, { subject: on }) => heard.push(on) });
  await watcher.flush();
  const sent = headers();
  sent.set("X-API-Key", requester.key);
  const subject = `nexus.api.v1.${requester.id}.tasks.get`;
  const wrong = [`nexus.push.v1.${worker.id}`, `_INBOX.${worker.id}.x`, "_INBOX.operator.x", "elsewhere.x"];
  for (const reply of wrong) asking.connection.publish(subject, "{}", { reply, headers: sent });
  asking.connection.publish(subject, "{}", { headers: sent });
  await asking.connection.flush();
  const random = await connect({ servers: server.url });
  expect((await random.request(subject, "{}", { timeout: 5_000, headers: sent })).headers?.get("Nats-Service-Error-Code")).toBe(
    "422",
  );
  await watcher.flush();
  expect(heard).toEqual([]);
  await random.close();
  await watcher.close();
});

test("who asks the server what services there are sees each verb, what it does, and how it went", async () => {
  const monitor = (await connect({ servers: server.url })).services.client();
  const all = async <T>(found: Promise<AsyncIterable<T>>) => {
    const list: T[] = [];
    for await (const one of await found) list.push(one);
    return list;
  };
  const [info] = await all(monitor.info("nexus"));
  expect(info).toMatchObject({ name: "nexus", version: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
  const submit = info?.endpoints.find(({ name }) => name === "work-submit");
  expect(submit).toMatchObject({
    subject: "nexus.api.v1.*.work.submit",
    queue_group: "gateways",
    metadata: { http: "POST /api/v1/tasks/{id}/submit", fields: "task, result_data" },
  });
  expect(await all(monitor.ping("nexus", info?.id))).toHaveLength(1);
  const countOf = async () => {
    const [stats] = await all(monitor.stats("nexus"));
    return stats?.endpoints?.find(({ name }) => name === "tasks-get");
  };
  const before = await countOf();
  await working.ask("tasks.get", {});
  const after = await countOf();
  expect(after).toMatchObject({ num_requests: (before?.num_requests ?? 0) + 1, last_error: "422 task: is required" });
  expect(after?.processing_time).toBeGreaterThan(before?.processing_time ?? 0);
});

test("$SRV.PING, INFO and STATS, which `nats micro` asks, tell of every verb with its fields, that of fleets alone included", async () => {
  const verbs = [...verbsOf([...OPERATIONS, ...FLEET_OPERATIONS]).values()].map(describeVerb);
  const connection = await connect({ servers: server.url });
  const ask = async (what: string) =>
    (await connection.request(`$SRV.${what}.nexus`, "", { timeout: 5_000 })).json<ServiceInfo>();
  const { id } = await ask("PING");
  const [info, stats] = [await ask(`INFO`), await ask(`STATS`)];
  expect([info.id, stats.id]).toEqual([id, id]);
  expect(info.endpoints).toEqual(
    verbs.map(({ verb, about }) => ({
      name: verb.replaceAll(".", "-"),
      subject: `nexus.api.v1.*.${verb}`,
      queue_group: "gateways",
      metadata: about,
    })),
  );
  expect(stats.endpoints.map(({ subject }) => subject)).toEqual(info.endpoints.map(({ subject }) => subject));
  expect(info.endpoints.find(({ name }) => name === "work-listen")?.metadata).toEqual({
    operation: "listenToWork",
    summary: "Have events pushed to your fleet",
    fields: "task_types?, topics?, seconds?, last_event_id?",
  });
  await connection.close();
});

test("over HTTP nobody can listen so: the OpenAPI document does not know of it, and llms-full.txt says where it is", async () => {
  const { paths } = (await market.client.call("GET", "//openapi.json")).body;
  expect(JSON.stringify(paths)).not.toContain("work.listen");
  expect((await market.client.call("POST", "/work/listen", {}, worker)).status).toBe(404);
  const text = await (await fetch(`http://127.0.0.1:${market.port}/llms-full.txt`)).text();
  expect(text).toMatch(/## Only over NATS\n\n### work\.listen\n[\s\S]*`last_event_id` \(integer, optional\)/);
});
