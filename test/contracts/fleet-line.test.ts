/** The line of fleets against real servers: where it opens and where not, and that neither leaving nor an outage loses a request. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FleetAnswer, FleetRequest, FleetService, Pushed, PushLine } from "../../gateway/ports/fleet.ts";
import type { AccountId } from "../../machines/vocabulary.ts";
import type { NatsSettings } from "../../src/adapters/nats/connect.ts";
import { FleetLine, type FleetLineOptions, mayAnswer } from "../../src/adapters/nats/fleet.ts";
import { meet } from "../../src/adapters/nats/isolation.ts";
import { eventually } from "../support/market.ts";
import { passage } from "../support/passage.ts";
import { startPrivate } from "../support/servers.mjs";
import { id, person, SILENT } from "../support/world.ts";

const SUBJECT = `nexus.api.v1.${id(1)}.work.echo`;
const ACCOUNTS = `accounts {
  NEXUS { users: [{ user: inner, password: secret }] }
  FLEET { users: [
    { user: door, password: secret },
    { user: deaf, password: secret, permissions: { publish: "_INBOX.>", subscribe: ["_INBOX.door.>", "$SRV.>"] } }
    { user: mute, password: secret, permissions: { publish: "nothing", subscribe: ">" } }
    { user: pushless, password: secret, permissions: { publish: "_INBOX.>", subscribe: ">" } }
  ] }
}`;

type Server = Awaited<ReturnType<typeof startPrivate>>;
let folder: string;
let shared: Server;
let plain: Server;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "nexus-fleet-"));
  const config = path.join(folder, "accounts.conf");
  await writeFile(config, ACCOUNTS);
  [shared, plain] = await Promise.all([startPrivate("nats", ["-c", config]), startPrivate("nats")]);
});
afterAll(async () => {
  await Promise.all([shared?.stop(), plain?.stop()]);
  await rm(folder, { recursive: true });
});

function settings(url: string, user: string | null = null): NatsSettings {
  const none = { nkeyFile: null, credsFile: null, tlsCa: null, tlsCert: null, tlsKey: null };
  return { named: "FLEET_NATS", url, prefix: "nexus", user, password: user === null ? null : "secret", ...none };
}

/** Answers with what it was sent, when `held` lets it. */
class Echo implements FleetService {
  readonly version = "1.2.3";
  readonly verbs = [{ verb: "work.echo", about: {} }];
  readonly taken: string[] = [];
  /** What reaches who has asked. */
  readonly pushes = new Map<string, PushLine>();
  held: Promise<void> = Promise.resolve();

  async answer(_: string, { payload, account, line }: FleetRequest): Promise<FleetAnswer> {
    this.pushes.set(account, line);
    const body = Buffer.from(payload).toString();
    this.taken.push(body);
    await this.held;
    return { status: 200, headers: new Map(), body, sentence: null, whenSent: null };
  }
}

function open(url: string, service: FleetService, more: Partial<FleetLineOptions> = {}, user: string | null = null) {
  return FleetLine.open(settings(url, user), service, {
    name: "test",
    production: false,
    exposed: async () => false,
    log: SILENT,
    ...more,
  });
}

async function ask(client: NatsConnection, text: string): Promise<string> {
  return (await client.request(SUBJECT, text, { timeout: 10_000 })).string();
}

describe("a line opens", () => {
  test("for a user who may serve it", async () => {
    const line = await open(shared.url, new Echo(), { production: true }, "door");
    const client = await connect({ servers: shared.url, user: "door", pass: "secret" });
    expect(await ask(client, "1")).toBe("1");
    await client.close();
    await line.close(1_000);
  });

  test.each(["deaf", "mute", "pushless"])("not for one who may not: a %s one", async (user) => {
    await expect(open(shared.url, new Echo(), {}, user)).rejects.toThrow(
      /^FLEET_NATS_URL \(127\.0\.0\.1:\d+\): this user may not subscribe to nexus\.api\.v1\.>.* and nexus\.push\.v1\.>.*nexus fleet config/,
    );
  });

  test("not where fleets could reach the inner plane", async () => {
    await expect(open(shared.url, new Echo(), { exposed: async () => true }, "door")).rejects.toThrow(
      /fleets there could reach what connects the processes .* account of their own/,
    );
  });

  test("in development with a warning where anybody is let in, and in production not", async () => {
    const told: string[] = [];
    const log = { ...SILENT, warn: (_: object, message: string) => told.push(message) };
    await (await open(plain.url, new Echo(), { log })).close(1_000);
    expect(told).toEqual([expect.stringMatching(/lets anybody in/)]);
    await expect(open(plain.url, new Echo(), { production: true })).rejects.toThrow(/lets anybody in/);
  });

  test("not where there is no server, or the password is wrong; the settings are called by their names", async () => {
    await expect(open("nats://127.0.0.1:1", new Echo())).rejects.toThrow(/^FLEET_NATS_URL \(127\.0\.0\.1:1\): nobody answers/);
    const wrong = { ...settings(shared.url, "door"), password: "wr0ng" };
    const options = { name: "test", production: false, exposed: async () => false, log: SILENT };
    await expect(FleetLine.open(wrong, new Echo(), options)).rejects.toThrow(/check FLEET_NATS_USER and FLEET_NATS_PASSWORD/);
  });
});

describe("two connections", () => {
  async function meeting(one: { url: string; user?: string }, other: { url: string; user?: string }): Promise<boolean> {
    const both = await Promise.all(
      [one, other].map(({ url, user }) => connect({ servers: url, ...(user === undefined ? {} : { user, pass: "secret" }) })),
    );
    const [bus, fleet] = both;
    if (bus === undefined || fleet === undefined) throw new Error("two were connected");
    const met = await meet(bus, fleet, "nexus");
    await Promise.all(both.map((connection) => connection.close()));
    return met;
  }

  test("meet at one server and in one account, even where one of them may only listen or only speak", async () => {
    expect(await meeting({ url: plain.url }, { url: plain.url })).toBe(true);
    for (const user of ["deaf", "mute"]) {
      expect(await meeting({ url: shared.url, user: "door" }, { url: shared.url, user })).toBe(true);
    }
  });

  test("do not meet in two accounts, nor at two servers", async () => {
    expect(await meeting({ url: shared.url, user: "inner" }, { url: shared.url, user: "door" })).toBe(false);
    expect(await meeting({ url: plain.url }, { url: shared.url, user: "door" })).toBe(false);
  });
});

test("a line that leaves answers what it has taken, and the other one gets the rest: each request is answered once", async () => {
  const [leaving, staying] = [new Echo(), new Echo()];
  let release = () => {};
  leaving.held = new Promise((resolve) => {
    release = resolve;
  });
  const lines = [await open(plain.url, leaving), await open(plain.url, staying)];
  const client = await connect({ servers: plain.url });
  const texts = Array.from({ length: 200 }, (_, n) => String(n));
  const answers = Promise.all(texts.map((text) => ask(client, text)));
  await eventually(async () => (leaving.taken.length > 0 ? true : undefined), "a request to be taken");
  const left = lines[0]?.close(10_000);
  await client.flush();
  const later = Promise.all(texts.map((text) => ask(client, text)));
  expect(await later).toEqual(texts);
  release();
  await left;
  expect(await answers).toEqual(texts);
  expect(leaving.taken.length + staying.taken.length).toBe(400);
  await lines[1]?.close(1_000);
  await client.close();
});

test("a line that leaves answers what is still on its way to it", async () => {
  const towards = await passage(new URL(plain.url));
  const echo = new Echo();
  let release = () => {};
  echo.held = new Promise((resolve) => {
    release = resolve;
  });
  const line = await open(`nats://127.0.0.1:${towards.port}`, echo);
  const client = await connect({ servers: plain.url });
  towards.hold();
  const texts = Array.from({ length: 10 }, (_, n) => String(n));
  const answers = Promise.all(texts.map((text) => ask(client, text)));
  await client.flush();
  const left = line.close(10_000);
  expect(echo.taken).toEqual([]);
  towards.pass();
  await eventually(async () => (echo.taken.length === 10 ? true : undefined), "all to be taken");
  // A line that did not wait for its answers would be gone by now.
  for (let times = 0; times < 100; times += 1) await client.flush();
  release();
  expect(await answers).toEqual(texts);
  await left;
  await client.close();
  await towards.close();
});

test("a line that leaves waits no longer than it is told to", async () => {
  const echo = new Echo();
  echo.held = new Promise(() => {});
  const line = await open(plain.url, echo);
  const client = await connect({ servers: plain.url });
  const answer = ask(client, "1").catch((error: Error) => error.message);
  await eventually(async () => (echo.taken.length > 0 ? true : undefined), "the request to be taken");
  await line.close(50);
  await client.close();
  expect(await answer).not.toBe("1");
  await line.close(50);
});

/** Gives what reaches an account, once it has asked. */
async function pushTo(account: AccountId, url: string, echo: Echo): Promise<(text: string) => Pushed> {
  const client = await connect({ servers: url });
  await client.request(`nexus.api.v1.${account}.work.echo`, "", { timeout: 10_000 });
  await client.close();
  const line = echo.pushes.get(account);
  if (line === undefined) throw new Error("who has asked can be reached");
  return (text) => {
    const isUp = line.isUp();
    const outcome = line.push(text);
    if (!isUp) expect(outcome).toBe("later");
    return outcome;
  };
}

async function listener(url: string, heard: string[]): Promise<NatsConnection> {
  const client = await connect({ servers: url });
  client.subscribe("nexus.push.>", { callback: (_, message) => heard.push(`${message.subject} ${message.string()}`) });
  await client.flush();
  return client;
}

test("what is pushed goes to its account alone, and is not kept for later while the server is away", async () => {
  const own = await startPrivate("nats");
  const echo = new Echo();
  const line = await open(own.url, echo);
  const [one, two] = [await pushTo(person(1), own.url, echo), await pushTo(person(2), own.url, echo)];
  const heard: string[] = [];
  const before = await listener(own.url, heard);
  expect([one("1"), one("x".repeat(1_048_577))]).toEqual(["sent", "too long"]);
  await eventually(async () => (heard.length > 0 ? true : undefined), "the push");
  await before.close();
  await own.kill();
  await eventually(async () => (one("2") === "later" ? true : undefined), "the line to notice");
  await own.start();
  const after = await listener(own.url, heard);
  await eventually(async () => (two("3") === "sent" ? true : undefined), "the line to be back");
  await eventually(async () => (heard.length > 1 ? true : undefined), "the second push");
  expect(heard).toEqual([`nexus.push.v1.${person(1)} 1`, `nexus.push.v1.${person(2)} 3`]);
  await after.close();
  await own.kill();
  await eventually(async () => (one("4") === "later" ? true : undefined), "the line to notice");
  // At once, though it could wait for ten minutes.
  let last = "";
  await line.close(600_000, () => {
    last = one("5");
  });
  expect([last, one("6")]).toEqual(["later", "later"]);
  await own.stop();
});

test("a line that leaves pushes a last time when all is answered, and then no more", async () => {
  const echo = new Echo();
  const line = await open(plain.url, echo);
  const push = await pushTo(person(1), plain.url, echo);
  const heard: string[] = [];
  const client = await listener(plain.url, heard);
  await line.close(10_000, () => push("last"));
  expect(push("later")).toBe("later");
  await eventually(async () => (heard.length > 0 ? true : undefined), "the last push");
  expect(heard).toEqual([`nexus.push.v1.${person(1)} last`]);
  await client.close();
});

test("no more than 8 MB are pushed that the server has not confirmed, and then again as soon as it has", async () => {
  const towards = await passage(new URL(plain.url));
  const echo = new Echo();
  const line = await open(`nats://127.0.0.1:${towards.port}`, echo);
  const push = await pushTo(person(1), plain.url, echo);
  towards.hold();
  const large = "x".repeat(1_000_000);
  const outcomes = Array.from({ length: 20 }, () => push(large));
  expect(outcomes).toEqual([...Array(8).fill("sent"), ...Array(12).fill("later")]);
  towards.pass();
  await eventually(async () => (push(large) === "sent" ? true : undefined), "room");
  await line.close(1_000);
  await towards.close();
});

test("a line comes back with its server", async () => {
  const own = await startPrivate("nats");
  const line = await open(own.url, new Echo());
  await own.kill();
  await own.start();
  const client = await connect({ servers: own.url });
  const answered = async () => ask(client, "1").catch(() => undefined);
  expect(await eventually(answered, "the line to be back")).toBe("1");
  await client.close();
  await line.close(1_000);
  await own.stop();
});

test("answers go to the account's own inboxes and to random ones", () => {
  const random = "a1B2c3D4e5F6g7H8i9J0kL";
  for (const good of [`_INBOX.${id(1)}.x`, `_INBOX.${id(1)}.x.y`, `_INBOX.${random}`, `_INBOX.${random}.1`])
    expect(mayAnswer(good, id(1)), good).toBe(true);
  const bad = [
    "",
    "_INBOX",
    `_INBOX.${id(1)}`,
    `_INBOX.${id(2)}.x`,
    `_INBOX.${id(1)}x.y`,
    `_INBOX.${random}x`,
    `_INBOX.${random}.1.2`,
    `_INBOX.${random}.>`,
    "_INBOX.door.x",
    `nexus.push.v1.${id(1)}`,
    `nexus.api.v1.${id(1)}.work.echo`,
    "$SRV.PING",
  ];
  for (const reply of bad) expect(mayAnswer(reply, id(1)), reply).toBe(false);
});
