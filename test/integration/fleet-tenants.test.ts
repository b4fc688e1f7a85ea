/**
 * Two tenants at one server, as `nexus fleet config` and `nexus fleet credentials` set it up, and with the platform's own
 * processes beside them: each tries to read, to answer and to be the other, and to reach the inside.
 */
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { connect, type NatsConnection, nkeyAuthenticator } from "nats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Fleet } from "../support/fleet.ts";
import { eventually, GOOD, Market, ORDER, type Party } from "../support/market.ts";
import { runNexus } from "../support/platform.mjs";
import { startPrivate } from "../support/servers.mjs";

/** Three processes and three commands, one after another, on a machine that does other things too. */
const SET_UP_MS = 240_000;

let folder: string;
let dir: string;
let server: Awaited<ReturnType<typeof startPrivate>>;
let market: Market;
let [ann, bob]: Party[] = [];
let asking: Fleet;
let working: Fleet;
let annSeed = "";

const settings = () => ({ DATABASE_URL: market.databaseUrl });
const seedOf = async (name: string) => (await readFile(path.join(dir, `${name}.nk`), "utf8")).trim();
const withSeed = (seed: string) => ({ authenticator: nkeyAuthenticator(new TextEncoder().encode(seed)) });

function party(one: Party | undefined): Party {
  if (one === undefined) throw new Error("the parties are registered before the tests");
  return one;
}

async function credentials(who: string, ...more: string[]): Promise<{ nkey_seed: string; [name: string]: unknown }> {
  const { code, out } = await runNexus(["fleet", "credentials", who, "--dir", dir, "--json", ...more], settings());
  if (code !== 0) throw new Error(out);
  return JSON.parse(out);
}

/** Has the server read its configuration again, and waits until `holds`. */
async function reloaded(holds: () => Promise<boolean>): Promise<void> {
  process.kill(server.pid(), "SIGHUP");
  await eventually(async () => ((await holds()) ? true : undefined), "the server to have read its users");
}

async function mayConnect(seed: string): Promise<boolean> {
  try {
    await (await connect({ servers: server.url, ...withSeed(seed), reconnect: false })).close();
    return true;
  } catch {
    return false;
  }
}

/** What this connection hears on everything that it may hear, beside what it is refused. */
async function hears(connection: NatsConnection, subjects: readonly string[], queue?: string) {
  const heard: string[] = [];
  const refused = new Set<string>();
  for (const subject of subjects) {
    const callback = (error: Error | null, message: { subject: string }) => {
      if (error === null) heard.push(message.subject);
      else refused.add(subject);
    };
    connection.subscribe(subject, queue === undefined ? { callback } : { callback, queue });
  }
  await connection.flush();
  return { heard, refused };
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "nexus-tenants-"));
  dir = path.join(folder, "nats");
  const written = await runNexus(["fleet", "config", "--dir", dir], {});
  expect(written.code, written.out).toBe(0);
  server = await startPrivate("nats", ["-c", path.join(dir, "nats-server.conf")]);
  const files = { NATS_NKEY_FILE: path.join(dir, "inner.nk"), FLEET_NATS_NKEY_FILE: path.join(dir, "door.nk") };
  const own = { NATS_URL: server.url, NATS_PREFIX: "nexus", FLEET_NATS_URL: server.url, ...files };
  market = await Market.start({ ...own, DATABASE_CONNECTIONS: "3" }, "cluster");
  [ann, bob] = [await market.register(), await market.register()];
  annSeed = (await credentials(party(ann).email)).nkey_seed;
  const bobSeed = (await credentials(party(bob).id)).nkey_seed;
  await reloaded(async () => (await mayConnect(annSeed)) && mayConnect(bobSeed));
  asking = await Fleet.connect(server.url, party(ann), withSeed(annSeed));
  working = await Fleet.connect(server.url, party(bob), withSeed(bobSeed));
}, SET_UP_MS);

afterAll(async () => {
  await asking?.close();
  await working?.close();
  await market?.stop();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

test("two tenants do business over it, in a cluster whose inside is at the same server", async () => {
  const { id: task } = await asking.ok("tasks.create", ORDER);
  await working.ok("work.bid", { task });
  await market.until(task, party(bob), "AWARDED");
  expect(await working.ok("work.submit", { task, result_data: GOOD })).toMatchObject({ status: "COMPLETED" });
});

describe("a tenant", () => {
  test("may hear nothing but its own answers and offers, in whatever words it asks", async () => {
    const { id } = party(bob);
    const wanted = [
      ...[">", "*", "*.>", "nexus.>", "nexus.*.>", "nexus.*.*.*.>", "_INBOX.>", "_INBOX.*", "_INBOX.*.>", "_INBOX.*.*.*"],
      ...[`nexus.api.v1.${id}.>`, `nexus.api.v1.${id}.work.submit`, "nexus.api.v1.*.work.submit", "nexus.api.v1.>"],
      ...[`nexus.api.v1.${party(ann).id}.>`, `nexus.api.v1.${party(ann).id}.tasks.get`],
      ...[
        `_INBOX.${id}.>`,
        `_INBOX.${id}.*.*`,
        "_INBOX.door.>",
        "_INBOX.operator.>",
        `nexus.push.v1.${id}`,
        "nexus.push.v1.*",
        "nexus.push.>",
      ],
      ...[
        "$SRV.>",
        "$SRV.PING",
        "$SYS.>",
        "$JS.>",
        "nexus.shard.*",
        "nexus.shard.1",
        "nexus.signal",
        "nexus.changed",
        "nexus.hello.>",
      ],
    ];
    const spy = await connect({ servers: server.url, ...withSeed(annSeed) });
    const alone = await hears(spy, wanted);
    const queued = await hears(spy, wanted, "gateways");
    const own = await hears(spy, [`_INBOX.${party(ann).id}.>`, `nexus.push.v1.${party(ann).id}`]);
    expect([...alone.refused].sort()).toEqual([...wanted].sort());
    expect([...queued.refused].sort()).toEqual([...wanted].sort());
    expect(own.refused.size).toBe(0);
    const door = await connect({ servers: server.url, ...withSeed(await seedOf("door")) });
    for (const { id: to } of [party(ann), party(bob)]) door.publish(`nexus.push.v1.${to}`, "work");
    await door.flush();
    const { id: task } = await working.ok("tasks.create", ORDER);
    await working.ok("tasks.cancel", { task });
    await market.post(party(bob), { budget: 5 });
    await spy.flush();
    expect([...alone.heard, ...queued.heard]).toEqual([]);
    expect(own.heard).toEqual([`nexus.push.v1.${party(ann).id}`]);
    await door.close();
    await spy.close();
  });

  test("may say nothing but what it asks in its own name", async () => {
    const other = party(bob).id;
    const listeners = await Promise.all(
      ["inner", "door", "operator"].map(async (name) => connect({ servers: server.url, ...withSeed(await seedOf(name)) })),
    );
    const [inner, door, operator] = listeners;
    if (inner === undefined || door === undefined || operator === undefined) throw new Error("three were connected");
    const mark = "imitation";
    const heard: string[] = [];
    const note = (subject: string, data: Uint8Array) => {
      if (Buffer.from(data).toString() === mark) heard.push(subject);
    };
    for (const [connection, subject] of [
      ...["nexus.>", "_INBOX.>"].map((subject) => [inner, subject] as const),
      ...["nexus.api.v1.>", "$SRV.>", "_INBOX.door.>"].map((subject) => [door, subject] as const),
      [operator, "_INBOX.operator.>"] as const,
      ...[`_INBOX.${other}.>`, `nexus.push.v1.${other}`].map((subject) => [working.connection, subject] as const),
    ])
      connection.subscribe(subject, { callback: (error, message) => error === null && note(message.subject, message.data) });
    await Promise.all([...listeners, working.connection].map((connection) => connection.flush()));
    const forbidden = [
      ...[`nexus.api.v1.${other}.work.submit`, `nexus.api.v1.${other}.x`, "nexus.api.v1", "nexus.api.v2.x"],
      ...[`_INBOX.${other}.x`, "_INBOX.door.x", "_INBOX.operator.x", `_INBOX.${party(ann).id}.x`],
      ...[
        `nexus.push.v1.${other}`,
        `nexus.push.v1.${party(ann).id}`,
        "nexus.shard.1",
        "nexus.signal",
        "nexus.changed",
        "nexus.hello.1",
      ],
      ...["$SRV.PING", "$SRV.STATS.nexus", "$SYS.REQ.SERVER.PING", "$JS.API.INFO"],
    ];
    const liar = await connect({ servers: server.url, ...withSeed(annSeed) });
    for (const subject of forbidden) liar.publish(subject, mark);
    liar.publish(`nexus.api.v1.${party(ann).id}.tasks.nothing`, mark);
    await liar.flush();
    await Promise.all([...listeners, working.connection].map((connection) => connection.flush()));
    expect(heard).toEqual([`nexus.api.v1.${party(ann).id}.tasks.nothing`]);
    await Promise.all([liar, ...listeners].map((connection) => connection.close()));
  });

  test("cannot ask in the name of another, not even with that one's key, nor with it in its own name", async () => {
    const stolen = { key: party(bob).key };
    const asked = asking.connection.request(`nexus.api.v1.${party(bob).id}.tasks.create`, JSON.stringify(ORDER), {
      timeout: 2_000,
    });
    await expect(asked).rejects.toThrow(/permissions violation|TIMEOUT/i);
    const own = await asking.ask("tasks.create", ORDER, stolen);
    expect([own.status, own.body.code]).toEqual([403, "API_KEY_OF_ANOTHER"]);
  });

  test("cannot have its answers sent where others hear them", async () => {
    const other = party(bob).id;
    const { heard } = await hears(working.connection, [`_INBOX.${other}.>`, `nexus.push.v1.${other}`]);
    for (const reply of [`_INBOX.${other}.x`, `nexus.push.v1.${other}`, `nexus.api.v1.${other}.tasks.get`])
      asking.connection.publish(`nexus.api.v1.${party(ann).id}.tasks.get`, "{}", { reply });
    // These are answered on the same subscription, one after another.
    for (let times = 0; times < 5; times += 1) expect((await asking.ask("tasks.get", {})).status).toBe(422);
    await working.connection.flush();
    expect(heard).toEqual([]);
  });
});

test("the operator's user sees the service, and no answer of a tenant", async () => {
  const inboxPrefix = "_INBOX.operator";
  const operator = await connect({ servers: server.url, inboxPrefix, ...withSeed(await seedOf("operator")) });
  const found: string[] = [];
  for await (const { name } of await operator.services.client().ping("nexus")) found.push(name);
  expect(found).toEqual(["nexus"]);
  expect((await hears(operator, ["_INBOX.>", `_INBOX.${party(ann).id}.>`, "nexus.api.v1.>"])).refused.size).toBe(3);
  await operator.close();
});

describe("the commands", { timeout: SET_UP_MS }, () => {
  test("put no secret into what the server reads, and seeds where only their owner reads them", async () => {
    const users = await readFile(path.join(dir, "fleet-users.conf"), "utf8");
    const all = users + (await readFile(path.join(dir, "nats-server.conf"), "utf8"));
    expect(all).not.toMatch(/\bSU[A-Z0-9]{50,}/);
    for (const one of [party(ann), party(bob)])
      expect(users.split("\n").filter((line) => line.endsWith(`# ${one.id}`))).toHaveLength(1);
    for (const name of ["inner.nk", "door.nk", "operator.nk"])
      expect((await stat(path.join(dir, name))).mode & 0o777).toBe(0o600);
  });

  test("tell what a client sets, and its seed once; a new one ends the old, and --revoke the last", async () => {
    const one = await market.register();
    const { code, out } = await runNexus(["fleet", "credentials", one.email, "--dir", dir], settings());
    expect(code, out).toBe(0);
    expect(out).toContain(`_INBOX.${one.id}`);
    expect(out).toContain(`nexus.api.v1.${one.id}.<verb>`);
    expect(out).toContain(`nexus.push.v1.${one.id}`);
    const first = /^SU[A-Z0-9]{50,}$/m.exec(out)?.[0] ?? "";
    await reloaded(() => mayConnect(first));
    const { nkey_seed: second } = await credentials(one.id);
    await reloaded(() => mayConnect(second));
    expect(await mayConnect(first)).toBe(false);
    const gone = await runNexus(["fleet", "credentials", one.id, "--dir", dir, "--revoke"], settings());
    expect([gone.code, gone.out]).toEqual([0, expect.stringContaining(`The user of ${one.id} is gone`)]);
    await reloaded(async () => !(await mayConnect(second)));
    const again = await runNexus(["fleet", "credentials", one.id, "--dir", dir, "--revoke"], settings());
    expect([again.code, again.out]).toEqual([1, expect.stringContaining("there is nothing to revoke")]);
    expect((await asking.ask("tasks.get", {})).status).toBe(422);
  });

  test("change nothing, and say why, where something is wrong", async () => {
    const before = await readFile(path.join(dir, "fleet-users.conf"), "utf8");
    const run = async (...args: string[]) => runNexus(["fleet", ...args], settings());
    expect((await run("config", "--dir", dir)).out).toMatch(
      /nats-server\.conf is there already\. .* give another folder with --dir/,
    );
    expect((await run("config", "--dir", dir, "--listen", "4222")).out).toMatch(/--listen 4222 must be an address and a port/);
    expect((await run("credentials", "nobody@example.com", "--dir", dir)).out).toMatch(/There is no account nobody@example\.com/);
    expect((await run("credentials", party(ann).id, "--dir", folder)).out).toMatch(
      /There is no .*fleet-users\.conf\. Write it with nexus fleet config/,
    );
    const lock = path.join(dir, "fleet-users.conf.new");
    await writeFile(lock, "");
    expect((await run("credentials", party(ann).id, "--dir", dir)).out).toMatch(/another command changes/);
    await rm(lock);
    expect(await readFile(path.join(dir, "fleet-users.conf"), "utf8")).toBe(before);
  });
});
