/** What a tenant can send over NATS to stop a gateway: each is answered or ignored, costs little, and troubles nobody else. */
import { createConnection, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Dice } from "../support/dice.mjs";
import { Fleet } from "../support/fleet.ts";
import { Market, ORDER, type Party } from "../support/market.ts";
import { startPrivate } from "../support/servers.mjs";

let server: Awaited<ReturnType<typeof startPrivate>>;
let market: Market;
let [mallory, victim]: Party[] = [];
let attacking: Fleet;
let working: Fleet;

function party(one: Party | undefined): Party {
  if (one === undefined) throw new Error("the parties are registered before the tests");
  return one;
}

beforeAll(async () => {
  server = await startPrivate("nats");
  market = await Market.start({ FLEET_NATS_URL: server.url });
  [mallory, victim] = [await market.register(), await market.register()];
  attacking = await Fleet.connect(server.url, party(mallory));
  working = await Fleet.connect(server.url, party(victim));
});

afterAll(async () => {
  expect(market?.alarms()).toEqual([]);
  await attacking?.close();
  await working?.close();
  await market?.stop();
  await server?.stop();
});

/** Speaks the protocol of NATS by hand: a library would not send this. Gives the first message that comes back. */
async function askRaw(headers: string, payload = "{}"): Promise<string> {
  const { hostname, port } = new URL(server.url);
  const socket: Socket = createConnection(Number(port), hostname);
  const inbox = `_INBOX.${party(mallory).id}.raw`;
  const head = `NATS/1.0\r\n${headers}\r\n`;
  const sizes = `${Buffer.byteLength(head)} ${Buffer.byteLength(head) + Buffer.byteLength(payload)}`;
  const subject = `nexus.api.v1.${party(mallory).id}.tasks.get`;
  socket.write('CONNECT {"verbose":false,"headers":true,"no_responders":true,"lang":"test","version":"1"}\r\n');
  socket.write(`SUB ${inbox} 1\r\nHPUB ${subject} ${inbox} ${sizes}\r\n${head}${payload}\r\n`);
  let heard = "";
  for await (const chunk of socket) {
    heard += String(chunk);
    if (/HMSG [^\r]*\r\n[\s\S]*\}\r\n/.test(heard)) break;
  }
  return heard;
}

test("a megabyte of headers is refused without being read", async () => {
  const names = Array.from({ length: 150_000 }, (_, n) => `${n.toString(36)}:\r\n`).join("");
  expect(await askRaw(names.slice(0, 1_000_000).replace(/[^\n]*$/, ""))).toContain("HEADERS_TOO_LARGE");
  expect((await working.ask("tasks.get", {})).status).toBe(422);
});

test("as many names as may be read are read", async () => {
  const names = Array.from({ length: 700 }, (_, n) => `${n.toString(36).padStart(2, "a")}:\r\n`).join("");
  expect(await askRaw(names)).toContain("API_KEY_MISSING");
});

test("headers that are none are refused, or as if they were not sent", async () => {
  expect(await askRaw("a b: c\r\n")).toContain("MALFORMED_HEADERS");
  expect(await askRaw("é: c\r\n")).toContain("MALFORMED_HEADERS");
  for (const sent of ["nonsense\r\n", ": c\r\n", "\r\n", "X-API-Key\r\n"]) {
    expect(await askRaw(sent), JSON.stringify(sent)).toMatch(/API_KEY_MISSING|MALFORMED_HEADERS/);
  }
});

test("whatever bytes come for whatever verb, there is an answer with a problem that says what to do", async () => {
  const dice = new Dice(7);
  const verbs = ["tasks.create", "tasks.get", "tasks.cancel", "work.bid", "work.start", "work.submit"];
  const whole = Buffer.from(
    JSON.stringify({ ...ORDER, task: party(victim).id, result_data: { a: [1, null, "é"] }, bid_credits: 3 }),
  );
  for (let n = 0; n < 400; n += 1) {
    const bent = Buffer.from(whole);
    for (let bends = dice.int(1, 3); bends > 0; bends -= 1) bent[dice.int(0, bent.length - 1)] = dice.int(0, 255);
    const bytes =
      n % 4 === 0
        ? Buffer.from(Array.from({ length: dice.int(0, 40) }, () => dice.int(0, 255)))
        : bent.subarray(0, dice.int(1, bent.length));
    const reply = await attacking.ask(dice.pick(verbs), bytes);
    if (reply.status === 0) continue;
    expect(reply.status, bytes.toString("latin1")).toBeLessThan(500);
    expect(reply.body).toMatchObject({ status: reply.status, code: expect.any(String), detail: expect.any(String) });
  }
  expect((await working.ask("tasks.get", {})).status).toBe(422);
});

test("deep nesting and harmful names are refused as over HTTP", async () => {
  for (const text of [
    `${"[".repeat(100_000)}`,
    `{"task":${"[".repeat(20_000)}${"]".repeat(20_000)}}`,
    '{"__proto__":{"task":"x"}}',
  ]) {
    const over = await attacking.ask("work.submit", text);
    const { status, body } = await market.call("POST", `/tasks/${party(victim).id}/submit`, text, party(mallory));
    expect([over.status, over.body.code, over.body.detail]).toEqual([status, body.code, body.detail]);
  }
});
