/** A platform over several databases: each holds its shards, and clients see one market. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { SHARDS_DEFAULT, shardOf } from "../../actors/address.ts";
import { auditDatabases } from "../../src/adapters/postgres/books.ts";
import { inConsistentSnapshot, type Transaction } from "../../src/adapters/postgres/consistent-snapshot.ts";
import { type Database, openPool } from "../../src/adapters/postgres/pool.ts";
import { Client } from "../support/client.mjs";
import { RealCluster } from "../support/cluster.mjs";
import { eventually, GOOD, ORDER } from "../support/market.ts";
import { runNexus } from "../support/platform.mjs";
import { makeDatabase } from "../support/postgres.mjs";

const PLACES = [0, 1];
const TASKS = 12;

let made: Awaited<ReturnType<typeof makeDatabase>>[];
let pools: readonly Database[];
let settings: Record<string, string>;
let cluster: RealCluster;
let client: Client;

beforeAll(async () => {
  made = await Promise.all(PLACES.map(() => makeDatabase(inject("postgresUrl"))));
  pools = made.map(({ url }) => openPool(url, { max: 3, name: "test" }));
  settings = {
    DATABASE_URL: made.map(({ url }) => url).join(","),
    NATS_URL: inject("natsUrl"),
    NATS_PREFIX: `t${randomUUID()}`,
    DATABASE_CONNECTIONS: "3",
    LEASE_MS: "2000",
    ROUTING_WINDOW_MS: "50",
    // Two workers do all tasks at once.
    AWARDS_BY_TIER: Array.from({ length: 5 }, () => TASKS).join(),
  };
  cluster = new RealCluster(settings);
  const [gateway] = await Promise.all((["gateway", "node", "node"] as const).map((role) => cluster.add(role)));
  if (gateway === undefined) throw new Error("a gateway was started");
  client = new Client(gateway.process.port);
});

afterAll(async () => {
  client.close();
  await cluster.stop();
  await Promise.all(pools.map((pool) => pool.end()));
  await Promise.all(made.map(({ drop }) => drop()));
});

async function ok(method: string, path: string, body: unknown, key: string) {
  const reply = await client.call(method, path, body, { key });
  if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
  return reply.body;
}

async function register(): Promise<{ id: string; key: string }> {
  const { body } = await client.call("POST", "/auth/register", { email: `${randomUUID()}@test.example` });
  return { id: body.account_id, key: body.api_key };
}

const placeOfId = (id: string) => shardOf(id, SHARDS_DEFAULT) % PLACES.length;

/** Accounts of which each database has one. */
async function spread(): Promise<readonly { id: string; key: string }[]> {
  const found = new Map<number, { id: string; key: string }>();
  while (found.size < PLACES.length) {
    const party = await register();
    found.set(placeOfId(party.id), party);
  }
  return [...found.values()];
}

async function settle(task: string, worker: string): Promise<void> {
  await ok("POST", `/tasks/${task}/bid`, { bid_credits: 8 }, worker);
  await eventually(
    async () => ((await ok("GET", `/tasks/${task}`, undefined, worker)).status === "AWARDED" ? true : undefined),
    "the award",
  );
  await ok("POST", `/tasks/${task}/submit`, { result_data: GOOD }, worker);
}

test("requesters, tasks and workers in different databases are one market, and its lists and ledgers are whole", async () => {
  const [ann, bob] = await spread();
  if (ann === undefined || bob === undefined) throw new Error("two accounts were made");
  const cyd = await register();
  await ok("POST", "/credits/topup", { amount_credits: 500 }, ann.key);
  const tasks: string[] = [];
  for (let n = 0; n < TASKS; n += 1) tasks.push((await ok("POST", "/tasks", ORDER, ann.key)).id);
  expect(new Set(tasks.map(placeOfId)).size).toBe(PLACES.length);

  const available = await ok("GET", `/tasks/available?sort=age&limit=${TASKS - 2}`, undefined, bob.key);
  expect(available.map(({ id }: { id: string }) => id)).toEqual(tasks.slice(0, TASKS - 2));

  await Promise.all(tasks.map((task, n) => settle(task, n % 2 === 0 ? bob.key : cyd.key)));
  const isSettled = async () => {
    const { items } = await ok("GET", "/tasks?status=SETTLED&limit=100", undefined, ann.key);
    return items.length === TASKS ? true : undefined;
  };
  await eventually(isSettled, "all tasks to be settled");

  const listed: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page: { items: { id: string }[]; next_cursor: string | null } = await ok(
      "GET",
      `/tasks?limit=5${cursor === "" ? "" : `&cursor=${cursor}`}`,
      undefined,
      ann.key,
    );
    listed.push(...page.items.map(({ id }) => id));
    cursor = page.next_cursor;
  }
  expect(listed).toEqual(tasks.toReversed());

  for (const task of tasks.slice(0, 3)) {
    const seen = await ok("GET", `/tasks/${task}/ledger`, undefined, ann.key);
    expect(seen.items.map(({ transfer }: { transfer: string }) => transfer.split(":")[0])).toContain("settle");
    const rows = await Promise.all(
      pools.map((pool) => pool<{ amount: number }[]>`select amount from ledger where task = ${task}`),
    );
    expect(rows.flat()).not.toHaveLength(0);
    expect(rows.flat().reduce((sum, { amount }) => sum + amount, 0)).toBe(0);
  }
  expect(await ok("GET", "/credits/balance", undefined, ann.key)).toMatchObject({ credits_balance: 550 - TASKS * 9 });
  expect(await ok("GET", "/credits/balance", undefined, bob.key)).toMatchObject({ credits_balance: 50 + (TASKS / 2) * 8 });
  const { likely_price } = await ok("POST", "/tasks/validate", ORDER, ann.key);
  expect(likely_price).toBe(8);
});

test("each database holds its own shards and nothing else", async () => {
  for (const [place, pool] of pools.entries()) {
    const foreign = await pool`
      select shard from (select shard from journal union select shard from tasks union select shard from accounts
        union select shard from ledger union select shard from outbox union select shard from shards) all_of_them
      where shard % ${PLACES.length} <> ${place}`;
    expect(foreign).toHaveLength(0);
    const [counts] = await pool<{ shards: number; facts: number }[]>`
      select (select count(*)::int from shards) as shards, (select count(*)::int from journal) as facts`;
    expect(counts?.shards).toBe(Math.ceil((SHARDS_DEFAULT - place) / PLACES.length));
    expect(counts?.facts).toBeGreaterThan(0);
  }
});

test("the audit sees all databases as of one moment, under load and while a node is killed", async () => {
  const parties = await spread();
  let open = true;
  const loops = parties.map(async ({ key }, n) => {
    const worker = parties[(n + 1) % parties.length]?.key ?? "";
    while (open) {
      const idempotencyKey = randomUUID();
      await client.call("POST", "/credits/topup", { amount_credits: 20 }, { key, idempotencyKey });
      const { status, body } = await client.call("POST", "/tasks", ORDER, { key, idempotencyKey });
      if (status === 201) await settle(body.id, worker).catch(() => {});
    }
  });
  const [node] = cluster.nodes;
  if (node === undefined) throw new Error("two nodes were started");
  for (let turn = 0; turn < 30; turn += 1) {
    if (turn === 10) await cluster.end(node, "SIGKILL");
    const wrong = (await auditDatabases(pools)).flatMap((finding) => finding.wrong);
    expect(wrong).toEqual([]);
  }
  await cluster.again(node);
  open = false;
  await Promise.all(loops);
  const { code, out } = await runNexus(["audit"], settings);
  expect(`${code} ${out}`).toMatch(/^0 ok /);
});

test("a moment of several databases waits for the commits under way, holds back the others until it is fixed, and no longer", async () => {
  const two = await Promise.all([makeDatabase(inject("postgresUrl")), makeDatabase(inject("postgresUrl"))]);
  const [a, b] = two.map(({ url }) => openPool(url, { max: 3, name: "test" })) as [Database, Database];
  for (const pool of [a, b]) await pool`create table journal (n integer)`;
  const counts = (transactions: readonly Transaction[]) =>
    Promise.all(transactions.map(async (transaction) => (await transaction`select from journal`).length));
  let commit: () => void = () => {};
  const underWay = new Promise<void>((begun) => {
    void b.begin(async (transaction) => {
      await transaction`insert into journal values (1)`;
      begun();
      await new Promise<void>((resolve) => {
        commit = resolve;
      });
    });
  });
  await underWay;
  let written = false;
  const moment = inConsistentSnapshot([a, b], async (transactions) => {
    const first = await counts(transactions);
    await late;
    return [first, await counts(transactions)];
  });
  await eventually(
    async () =>
      (await a`select from pg_locks where mode = 'ShareLock' and granted and relation = 'journal'::regclass`).length > 0
        ? true
        : undefined,
    "the first database to be held",
  );
  const late = a`insert into journal values (2)`.then(() => {
    written = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(written).toBe(false);
  commit();
  expect(await moment).toEqual([
    [0, 1],
    [0, 1],
  ]);
  await Promise.all([a.end(), b.end()]);
  await Promise.all(two.map(({ drop }) => drop()));
});

test("a list that names other databases, or in another order, stops the start with one sentence", async () => {
  const [first = "", second = ""] = made.map(({ url }) => url);
  const other = await makeDatabase(inject("postgresUrl"));
  const pool = openPool(other.url, { max: 1, name: "test" });
  await runNexus(["migrate"], { DATABASE_URL: other.url });
  const cases: readonly (readonly [string, RegExp])[] = [
    [first, /^DATABASE_URL lists 1, but the number of databases of this platform is 2, which cannot change/],
    [`${second},${first}`, /^Database 1 of DATABASE_URL was set up as number 2/],
    [`${first},${other.url}`, /^Database 2 of DATABASE_URL belongs to another platform/],
    [`${first},${first}`, /^DATABASE_URL must be a URL like .* or up to 64 different ones/],
  ];
  for (const [urls, sentence] of cases) {
    for (const role of ["gateway", "node"]) {
      const { code, out } = await runNexus([role], { ...settings, DATABASE_URL: urls });
      expect(out).toMatch(sentence);
      expect(out.trim().split("\n")).toHaveLength(1);
      expect(code).toBe(1);
    }
  }
  await pool.end();
  await other.drop();
});
