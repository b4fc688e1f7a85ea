/** An operator's bad days: broken books, somebody who guesses the token, a drain with nowhere to go. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { RealCluster } from "../support/cluster.mjs";
import { eventually, GOOD, Market, type Party } from "../support/market.ts";
import { runNexus } from "../support/platform.mjs";
import { makeDatabase } from "../support/postgres.mjs";

const TOKEN = "operators-secret-of-this-test";
let market: Market;
let ann: Party;
let open: string;
let done: string;
beforeAll(async () => {
  market = await Market.start(
    { ADMIN_TOKEN: TOKEN, TRUST_PROXY: "1", RATE_LIMIT_AUTH_FAILURES_PER_MINUTE: "3", ROUTING_WINDOW_MS: "50" },
    "alone",
  );
  ann = await market.register();
  const bob = await market.register();
  done = await market.awarded(ann, bob, {}, { bid_credits: 7 });
  await market.submit(done, bob, GOOD);
  await market.until(done, ann, "SETTLED");
  open = await market.post(ann);
  await market.until(open, ann, "PENDING_POOL");
  await eventually(async () => ((await market.balance(bob)).credits_balance === 57 ? true : undefined), "the payout");
});
afterAll(() => market.stop());

const audit = () => runNexus(["audit"], { DATABASE_URL: market.databaseUrl });

test("nexus audit ends with 0 where all promises hold, and says what it checked", async () => {
  const { code, out } = await audit();
  expect(code).toBe(0);
  expect(out.match(/^ok {3}/gm)?.length).toBeGreaterThan(4);
  expect(out).not.toContain("FAIL");
});

describe("nexus audit finds", () => {
  /** Breaks the books by one statement, audits them, and puts them right again by another. */
  const broken: readonly (readonly [string, () => Promise<unknown>, () => Promise<unknown>, RegExp])[] = [
    [
      "a ledger that lost a credit",
      () => market.database`update ledger set amount = amount - 1 where owner = ${ann.id} and reason = 'GRANT'`,
      () => market.database`update ledger set amount = amount + 1 where owner = ${ann.id} and reason = 'GRANT'`,
      /does not sum to 0/,
    ],
    [
      "a row that shows another balance than the journal",
      () => market.database`update accounts set available = available + 1 where id = ${ann.id}`,
      () => market.database`update accounts set available = available - 1 where id = ${ann.id}`,
      /the row says/,
    ],
    [
      "a task whose row shows another status than its journal",
      () => market.database`update tasks set status = 'EXPIRED' where id = ${done}`,
      () => market.database`update tasks set status = 'SETTLED' where id = ${done}`,
      /its row says/,
    ],
    [
      "an open task that nothing moves on",
      () => market.database`update timers set entity = ${done} where entity = ${open}`,
      () => market.database`update timers set entity = ${open} where entity = ${done}`,
      /nothing will move it on/,
    ],
    [
      "a message that was refused for good",
      () => market.database`
        insert into outbox (shard, id, sender_kind, sender, seq, leg, receiver_kind, receiver, command, dead)
        values (0, ${ann.id}, 'account', ${ann.id}, 9, 0, 'task', ${open}, '{"type":"freed"}', 'by a test')`,
      () => market.database`delete from outbox where dead = 'by a test'`,
      /was refused: by a test/,
    ],
  ];
  test.each(broken)("%s", async (_about, breaks, mends, words) => {
    await breaks();
    const findings = await market.audit();
    await mends();
    expect(findings.flatMap(({ wrong }) => wrong).join("\n")).toMatch(words);
    expect((await market.audit()).flatMap(({ wrong }) => wrong)).toEqual([]);
  });

  test("and ends with 1, so that a script notices", async () => {
    const [[, breaks, mends]] = broken as [(typeof broken)[number]];
    await breaks();
    const { code, out } = await audit();
    await mends();
    expect(code).toBe(1);
    expect(out).toMatch(/^FAIL .*, \d+ wrong$/m);
    expect(out).toContain("GRANT".toLowerCase());
  });
});

describe("the operator's token", () => {
  const from = (address: string, token: string) =>
    market.call("GET", "/admin/log", undefined, { headers: { "X-Admin-Token": token, "X-Forwarded-For": address } });

  test("may be wrong three times a minute from one address; then not even the right one is looked at", async () => {
    const statuses: number[] = [];
    for (let n = 0; n < 5; n += 1) statuses.push((await from("198.51.100.1", `${TOKEN}${n}`)).status);
    expect(statuses).toEqual([401, 401, 401, 429, 429]);
    const right = await from("198.51.100.1", TOKEN);
    expect([right.status, right.body.code]).toEqual([429, "RATE_LIMITED"]);
    expect(Number(right.headers["retry-after"])).toBeGreaterThan(30);
    expect((await from("198.51.100.2", TOKEN)).status).toBe(200);
  });

  test("that was right from an address goes on from there, whoever guesses beside it", async () => {
    expect((await from("198.51.100.3", TOKEN)).status).toBe(200);
    for (let n = 0; n < 6; n += 1) await from("198.51.100.3", `wrong ${n}`);
    expect([(await from("198.51.100.3", "wrong")).status, (await from("198.51.100.3", TOKEN)).status]).toEqual([429, 200]);
  });
});

describe("commands that cannot do what they are for", () => {
  test.each([[["audit"]], [["cluster"]], [["drain", "node-1"]]])(
    "nexus %j says so and ends with 1: no database there",
    async (args) => {
      const { code, out } = await runNexus(args, { DATABASE_URL: "postgres://nobody@127.0.0.1:1/nothing" });
      expect(code).toBe(1);
      expect(out).toMatch(/127\.0\.0\.1:1/);
      expect(out).not.toMatch(/^\s+at /m);
    },
  );

  test.each([[["audit"]], [["cluster"]]])("nexus %j says so and ends with 1: a database that is no platform's", async (args) => {
    const { url, drop } = await makeDatabase(inject("postgresUrl"));
    const { code, out } = await runNexus(args, { DATABASE_URL: url });
    await drop();
    expect(code).toBe(1);
    expect(out.trim().split("\n").length).toBeLessThan(4);
    expect(out).not.toMatch(/^\s+at /m);
  });

  test("nexus drain of the only node says that another one is needed, and can be taken back", async () => {
    const { url, drop } = await makeDatabase(inject("postgresUrl"));
    const settings = { DATABASE_URL: url, NATS_URL: inject("natsUrl"), NATS_PREFIX: `t${randomUUID()}`, LEASE_MS: "2000" };
    const cluster = new RealCluster(settings);
    const node = await cluster.add("node");
    const nexus = (args: readonly string[]) => runNexus(args, settings);
    const { code, out } = await nexus(["drain", node.name]);
    expect(code).toBe(1);
    expect(out).toMatch(new RegExp(`${node.name} has \\d+ shards, but there is no other node to take them; start one`));
    expect(await nexus(["drain", node.name, "--off"])).toMatchObject({ code: 0 });
    await cluster.stop();
    await drop();
  });
});
