/** One suite for every registry: who is a member, who owns what, and that the dead commit nothing. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { Fenced, type Journal } from "../../actors/ports/journal.ts";
import type { Registry } from "../../actors/ports/registry.ts";
import { account } from "../../machines/account/index.ts";
import { FORMATS } from "../../machines/formats.ts";
import { accountId, credits } from "../../machines/vocabulary.ts";
import { PostgresJournal } from "../../src/adapters/postgres/journal.ts";
import { migrate } from "../../src/adapters/postgres/migrate.ts";
import { type Database, openPool } from "../../src/adapters/postgres/pool.ts";
import { PostgresRegistry } from "../../src/adapters/postgres/registry.ts";
import { Random } from "../simulation/random.ts";
import { Store } from "../simulation/store.ts";
import { Process, Time } from "../simulation/time.ts";
import { makeDatabase } from "../support/postgres.mjs";

const STATS = { actors: 1, timers: 2, inFlight: 3, commits: 4, facts: 5, lagMs: 6 };

interface Rig {
  readonly registry: Registry;
  journalOf(member: string): Journal;
  /** Lets time pass until the work is done. */
  done<T>(work: Promise<T>): Promise<T>;
  pass(ms: number): Promise<void>;
  stop(): Promise<void>;
}

async function postgresRig(): Promise<Rig> {
  const { url, drop } = await makeDatabase(inject("postgresUrl"));
  const pool = openPool(url, { max: 6, name: "registry test" });
  await migrate([pool]);
  return {
    registry: new PostgresRegistry(pool, "0.0.0"),
    journalOf: (member) => new PostgresJournal(pool, pool, 128, member),
    done: (work) => work,
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    stop: async () => {
      await pool.end();
      await drop();
    },
  };
}

async function simulatedRig(): Promise<Rig> {
  const time = new Time();
  const process = new Process("test", time);
  const store = new Store(time, new Random(1), "none");
  const pass = (ms: number) => time.run(time.now + ms);
  return {
    registry: store.registryOf(process),
    journalOf: (member) => store.journalOf(process, member),
    done: async (work) => {
      let ended = false;
      const watched = work.finally(() => {
        ended = true;
      });
      watched.catch(() => {});
      while (!ended) await pass(10);
      return watched;
    },
    pass,
    stop: async () => {},
  };
}

function registration(id: string) {
  const email = `${id}@example.com`;
  const fact = {
    type: "Registered",
    account: accountId(id),
    email,
    source: null,
    keyHash: id,
    grant: credits(5),
    at: 1,
  } as const;
  const { state } = account.evolve(account.initial(id), fact);
  const facts = [{ type: fact.type, version: 1, body: fact, at: 1 }];
  const entry = { address: { kind: "account", id } as const, after: 0, facts, cause: randomUUID(), messages: [], timers: [] };
  const batch = { id: randomUUID(), delivered: [], dead: [] };
  return {
    ...batch,
    entries: [{ ...entry, postings: [account.postings(id, fact)], row: account.row(id, state), parts: [], snapshot: undefined }],
  };
}

describe.each([
  ["in Postgres", postgresRig],
  ["in the simulation", simulatedRig],
])("a registry %s", (_, open) => {
  let rig: Rig;
  let registry: Registry;
  beforeAll(async () => {
    rig = await open();
    registry = rig.registry;
  });
  afterAll(() => rig.stop());

  async function joined(node = "n"): Promise<string> {
    const id = randomUUID();
    await rig.done(registry.join({ id, node, weight: 2, formats: FORMATS }));
    return id;
  }

  async function view(id: string) {
    const seen = await rig.done(registry.beat(id, false, STATS));
    if (seen === null) throw new Error("not a member");
    return seen;
  }

  const shard = async (id: string, number: number) => (await view(id)).shards[number];

  test("shows every member and every shard, in order", async () => {
    const id = await joined("ada");
    const { members, shards } = await view(id);
    expect(members.find((member) => member.id === id)).toMatchObject({ node: "ada", weight: 2, draining: false });
    expect(shards.map((row) => row.shard)).toEqual(Array.from({ length: 128 }, (__, number) => number));
    expect(await rig.done(registry.beat(randomUUID(), false, STATS))).toBeNull();
  });

  test("gives a shard that nobody owns to one of those who claim it at once, under a new epoch", async () => {
    const members = await Promise.all([joined(), joined(), joined()]);
    const claims = await Promise.all(members.map((id) => rig.done(registry.acquire(id, [1, 2, 3]))));
    expect(claims.flat().sort()).toEqual([1, 2, 3]);
    const owner = members[claims.findIndex((claim) => claim.includes(1))];
    expect(await shard(members[0] ?? "", 1)).toEqual({ shard: 1, owner, epoch: 1 });
    expect(await rig.done(registry.acquire(randomUUID(), [4]))).toEqual([]);
  });

  test("hands a shard over once, in its epoch, and only to a member", async () => {
    const [from, to] = [await joined(), await joined()];
    await rig.done(registry.acquire(from, [10]));
    expect(await rig.done(registry.handOver(from, 10, 1, randomUUID()))).toBe(false);
    expect(await rig.done(registry.handOver(to, 10, 1, to))).toBe(false);
    expect(await rig.done(registry.handOver(from, 10, 0, to))).toBe(false);
    expect(await rig.done(registry.handOver(from, 10, 1, to))).toBe(true);
    expect(await rig.done(registry.handOver(from, 10, 1, to))).toBe(false);
    expect(await shard(to, 10)).toEqual({ shard: 10, owner: to, epoch: 2 });
  });

  test("who acquires its own shard keeps it under a new epoch, so that a hand-over that comes late is void", async () => {
    const [from, to] = [await joined(), await joined()];
    await rig.done(registry.acquire(from, [20]));
    expect(await rig.done(registry.acquire(from, [20]))).toEqual([20]);
    expect(await rig.done(registry.handOver(from, 20, 1, to))).toBe(false);
    expect(await shard(from, 20)).toEqual({ shard: 20, owner: from, epoch: 2 });
  });

  test("evicts only who was silent for a lease; what it owned can be claimed then, and it commits nothing more", async () => {
    const [silent, heir] = [await joined(), await joined()];
    await rig.done(registry.acquire(silent, [30]));
    const first = registration(randomUUID());
    expect(await rig.done(rig.journalOf(silent).append(first))).toEqual(new Set());
    expect(await rig.done(registry.evict(silent, 5_000))).toBe(false);
    expect(await rig.done(registry.acquire(heir, [30]))).toEqual([]);
    await rig.pass(400);
    await rig.done(registry.beat(heir, false, STATS));
    expect(await rig.done(registry.evict(silent, 300))).toBe(true);
    expect(await rig.done(registry.beat(silent, false, STATS))).toBeNull();
    expect(await rig.done(registry.acquire(heir, [30]))).toEqual([30]);
    const late = registration(randomUUID());
    await expect(rig.done(rig.journalOf(silent).append(late))).rejects.toThrow(Fenced);
    expect((await rig.done(rig.journalOf(heir).load(late.entries[0]?.address ?? { kind: "account", id: "" }))).facts).toEqual([]);
    // What it had committed stays, and is known as such when it asks again.
    expect(await rig.done(rig.journalOf(silent).append(first))).toEqual(new Set());
  });

  test("who drains is shown to drain, and who leaves is gone", async () => {
    const [one, two] = [await joined(), await joined()];
    await rig.done(registry.beat(one, true, STATS));
    expect((await view(two)).members.find(({ id }) => id === one)).toMatchObject({ draining: true });
    await rig.done(registry.leave(one));
    expect((await view(two)).members.some(({ id }) => id === one)).toBe(false);
  });
});

describe("a registry in Postgres", () => {
  test("waits, before it evicts a member, for the commit of that member that is under way", async () => {
    const { url, drop } = await makeDatabase(inject("postgresUrl"));
    const pool: Database = openPool(url, { max: 4, name: "registry test" });
    await migrate([pool]);
    const registry = new PostgresRegistry(pool, "0.0.0");
    const id = randomUUID();
    await registry.join({ id, node: "n", weight: 1, formats: FORMATS });
    let commit: () => void = () => {};
    const begun = new Promise<void>((resolve) => {
      void pool.begin(async (transaction) => {
        await transaction`select require_member(${id})`;
        resolve();
        await new Promise<void>((finish) => {
          commit = finish;
        });
      });
    });
    await begun;
    let evicted = false;
    const burial = registry.evict(id, 0).then((gone) => {
      evicted = gone;
    });
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(evicted).toBe(false);
    commit();
    await burial;
    expect(evicted).toBe(true);
    await pool.end();
    await drop();
  });
});
