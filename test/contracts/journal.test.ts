/** One suite for every journal: what the host relies on. */

import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { SHARDS_DEFAULT, shardOf } from "../../actors/address.ts";
import { type Batch, type Entry, type Journal, type OutboxMessage, StoreUnavailable } from "../../actors/ports/journal.ts";
import { account } from "../../machines/account/index.ts";
import { addressKey } from "../../machines/address.ts";
import { accountId, credits } from "../../machines/vocabulary.ts";
import { PostgresJournal } from "../../src/adapters/postgres/journal.ts";
import { migrate, readPlatform } from "../../src/adapters/postgres/migrate.ts";
import { type Database, openPool } from "../../src/adapters/postgres/pool.ts";
import { MemoryJournal } from "../support/memory-journal.ts";
import { makeDatabase } from "../support/postgres.mjs";
import { person } from "../support/world.ts";

/** An account's registration as the entry that a host would append. */
function registration(id: string, after = 0, cause: string = randomUUID()): Entry {
  const fact = {
    type: "Registered",
    account: accountId(id),
    email: `${id}@example.com`,
    source: null,
    keyHash: randomUUID(),
    grant: credits(50),
    at: 1,
  } as const;
  const { state } = account.evolve(account.initial(id), fact);
  return {
    address: { kind: "account", id },
    after,
    facts: [{ type: fact.type, version: 1, body: fact, at: fact.at }],
    cause,
    postings: after === 0 ? [account.postings(id, fact)] : [[]],
    messages: [],
    timers: [],
    row: account.row(id, state),
    parts: account.parts(state, state, []),
    snapshot: undefined,
  };
}

function batch(...entries: readonly Entry[]): Batch {
  return { id: randomUUID(), entries, delivered: [], dead: [] };
}

function message(from: string, leg = 0): OutboxMessage {
  const sender = { kind: "account", id: from } as const;
  return {
    id: randomUUID(),
    from: sender,
    seq: 0,
    leg,
    to: { kind: "task", id: randomUUID() },
    command: { type: "rate", requester: person(1), stars: leg },
  };
}

let database: Database;
let dropDatabase: () => Promise<void>;
let fromPostgres: Journal;

beforeAll(async () => {
  const made = await makeDatabase(inject("postgresUrl"));
  dropDatabase = made.drop;
  database = openPool(made.url, { max: 4, name: "test" });
  await migrate([database]);
  const { shards } = await readPlatform([database]);
  fromPostgres = new PostgresJournal(database, database, shards);
});

afterAll(async () => {
  await database.end();
  await dropDatabase();
});

describe.each([
  ["memory", () => new MemoryJournal()],
  ["Postgres", () => fromPostgres],
])("a journal in %s", (_name, make) => {
  test("gives back the facts that were appended, in order", async () => {
    const journal = make();
    const id = randomUUID();
    const cause = randomUUID();
    expect(await journal.append(batch(registration(id, 0, cause), registration(id, 1)))).toEqual(new Set());
    const { snapshot, facts } = await journal.load({ kind: "account", id });
    expect(snapshot).toBeNull();
    expect(facts.map(({ seq, type }) => [seq, type])).toEqual([
      [1, "Registered"],
      [2, "Registered"],
    ]);
    expect(await journal.caused({ kind: "account", id }, cause)).toMatchObject([{ seq: 1 }]);
    expect(await journal.caused({ kind: "account", id }, randomUUID())).toEqual([]);
  });

  test("has nothing of an actor of another kind with the same id", async () => {
    const journal = make();
    const id = randomUUID();
    await journal.append(batch({ ...registration(id), snapshot: { value: "ACTIVE" } }));
    expect((await journal.load({ kind: "account", id })).snapshot).not.toBeNull();
    for (const kind of ["task", "batch"] as const)
      expect(await journal.load({ kind, id })).toEqual({ snapshot: null, facts: [] });
  });

  test("lets one of two writers append a number, and takes only the other one's entries out", async () => {
    const journal = make();
    const [contested, neighbour] = [randomUUID(), randomUUID()];
    const first = registration(contested);
    const second = { ...registration(contested), postings: [[]] };
    const results = await Promise.all([journal.append(batch(first)), journal.append(batch(second, registration(neighbour)))]);
    expect(results.map((conflicts) => conflicts.size).sort()).toEqual([0, 1]);
    expect([...results].flatMap((conflicts) => [...conflicts])).toEqual([`account:${contested}`]);
    expect((await journal.load({ kind: "account", id: contested })).facts).toHaveLength(1);
    expect((await journal.load({ kind: "account", id: neighbour })).facts).toHaveLength(1);
  });

  test("refuses a command that is there already, even under the next number", async () => {
    const journal = make();
    const id = randomUUID();
    const cause = randomUUID();
    await journal.append(batch(registration(id, 0, cause)));
    expect(await journal.append(batch(registration(id, 1, cause)))).toEqual(new Set([addressKey({ kind: "account", id })]));
    expect((await journal.load({ kind: "account", id })).facts).toHaveLength(1);
  });

  test("knows a batch again: repeating it changes nothing and is no conflict", async () => {
    const journal = make();
    const id = randomUUID();
    const repeated = batch({ ...registration(id), messages: [message(id)], timers: [{ name: "cooldown", at: 5 }] });
    expect(await journal.append(repeated)).toEqual(new Set());
    expect(await journal.append(repeated)).toEqual(new Set());
    expect((await journal.load({ kind: "account", id })).facts).toHaveLength(1);
  });

  test("a repeated batch tells the same conflicts as the first time", async () => {
    const journal = make();
    const [contested, neighbour] = [randomUUID(), randomUUID()];
    await journal.append(batch(registration(contested)));
    const repeated = batch({ ...registration(contested), postings: [[]] }, registration(neighbour));
    const conflicts = new Set([addressKey({ kind: "account", id: contested })]);
    expect(await journal.append(repeated)).toEqual(conflicts);
    expect(await journal.append(repeated)).toEqual(conflicts);
  });

  test("keeps messages until they are delivered, and dead ones out of the way", async () => {
    const journal = make();
    const id = randomUUID();
    const messages = [message(id, 0), message(id, 1), message(id, 2)];
    await journal.append(batch({ ...registration(id), messages }));
    const waiting = async () =>
      (await journal.outbox(shardOf(id, SHARDS_DEFAULT), null, 1_000)).filter(({ from }) => from.id === id).map(({ leg }) => leg);
    expect(await waiting()).toEqual([0, 1, 2]);
    const [first, second] = messages;
    await journal.append({
      id: randomUUID(),
      entries: [],
      delivered: [first?.id ?? ""],
      dead: [{ id: second?.id ?? "", reason: "no" }],
    });
    expect(await waiting()).toEqual([2]);
  });

  test("a timer is set anew by its name, and removed", async () => {
    const journal = make();
    const id = randomUUID();
    const timers = async () =>
      (await journal.timers(shardOf(id, SHARDS_DEFAULT), null, 1_000))
        .filter(({ address }) => address.id === id)
        .map(({ name, at }) => [name, at]);
    await journal.append(
      batch({
        ...registration(id),
        timers: [
          { name: "a", at: 1 },
          { name: "b", at: 2 },
        ],
      }),
    );
    await journal.append(
      batch({
        ...registration(id, 1),
        timers: [
          { name: "a", at: 9 },
          { name: "b", at: null },
        ],
      }),
    );
    expect(await timers()).toEqual([["a", 9]]);
  });

  test("a snapshot replaces the facts before it", async () => {
    const journal = make();
    const id = randomUUID();
    await journal.append(batch({ ...registration(id), snapshot: { value: "ACTIVE", n: 1 } }, registration(id, 1)));
    const { snapshot, facts } = await journal.load({ kind: "account", id });
    expect(snapshot).toEqual({ seq: 1, state: { value: "ACTIVE", n: 1 } });
    expect(facts.map(({ seq }) => seq)).toEqual([2]);
  });
});

describe("a journal in Postgres", () => {
  test("says that it is unavailable when the database is away", async () => {
    const away = openPool("postgres://nobody@127.0.0.1:1/none", { max: 1, name: "test" });
    const journal = new PostgresJournal(away, away, 128);
    await expect(journal.append(batch(registration(randomUUID())))).rejects.toThrow(StoreUnavailable);
    await expect(journal.load({ kind: "account", id: randomUUID() })).rejects.toThrow(StoreUnavailable);
    await away.end();
  });

  test("a transfer that is there already is a conflict of the actor that repeats it", async () => {
    const id = randomUUID();
    const again = registration(id, 1);
    await fromPostgres.append(batch(registration(id)));
    const fact = again.facts[0]?.body as Parameters<typeof account.postings>[1];
    expect(await fromPostgres.append(batch({ ...again, postings: [account.postings(id, fact)] }))).toEqual(
      new Set([`account:${id}`]),
    );
  });

  test("migrations run once, however many processes start at the same time", async () => {
    const made = await makeDatabase(inject("postgresUrl"));
    const pools = [1, 2, 3, 4].map(() => openPool(made.url, { max: 1, name: "test" }));
    const applied = await Promise.all(pools.map((database) => migrate([database])));
    expect(applied.filter((names) => names.length > 0)).toHaveLength(1);
    await Promise.all(pools.map((pool) => pool.end()));
    await made.drop();
  });
});
