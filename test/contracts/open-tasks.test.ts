/** The index of open tasks, and what pulls have won, as PostgreSQL gives them: over two databases, the best first. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { shardOf } from "../../actors/address.ts";
import type { Entry } from "../../actors/ports/journal.ts";
import type { OpenTasks } from "../../actors/ports/open-tasks.ts";
import type { ReadModel } from "../../gateway/ports/read-model.ts";
import { account } from "../../machines/account/index.ts";
import { accountRow } from "../../machines/account/row.ts";
import type { AnyFact } from "../../machines/fact.ts";
import type { PlacedBid, TaskFact, TaskSpec } from "../../machines/task/events.ts";
import { task } from "../../machines/task/index.ts";
import type { TaskSnapshot } from "../../machines/task/machine.ts";
import { type AccountId, accountId, credits, type TaskId, taskId } from "../../machines/vocabulary.ts";
import { Databases } from "../../src/adapters/postgres/databases.ts";
import { PostgresJournal } from "../../src/adapters/postgres/journal.ts";
import { migrate, readPlatform } from "../../src/adapters/postgres/migrate.ts";
import { postgresOpenTasks } from "../../src/adapters/postgres/open-tasks.ts";
import { type Database, openPool } from "../../src/adapters/postgres/pool.ts";
import { postgresReadModel } from "../../src/adapters/postgres/read-model.ts";
import { makeDatabase } from "../support/postgres.mjs";
import { order } from "../support/world.ts";

const AT = 1_800_000_000_000;
const DAY_MS = 86_400_000;

let made: { readonly url: string; readonly drop: () => Promise<void> }[];
let pools: Database[];
let journals: PostgresJournal[];
let index: OpenTasks;
let reads: ReadModel;
let shards: number;
/** A type of its own for each test. */
let type: string;
let types = 0;

beforeAll(async () => {
  made = [await makeDatabase(inject("postgresUrl")), await makeDatabase(inject("postgresUrl"))];
  pools = made.map(({ url }) => openPool(url, { max: 2, name: "test" }));
  await migrate(pools);
  ({ shards } = await readPlatform(pools));
  journals = pools.map((pool) => new PostgresJournal(pool, pool, shards));
  const databases = new Databases(pools, shards);
  [index, reads] = [postgresOpenTasks(databases), postgresReadModel(databases)];
});
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.end()));
  for (const { drop } of made) await drop();
});
beforeEach(() => {
  types += 1;
  type = `type ${types}`;
});

async function append(
  kind: "task" | "account",
  id: string,
  facts: readonly (AnyFact & { readonly at: number })[],
  row: unknown,
): Promise<void> {
  const entry: Entry = {
    address: { kind, id },
    after: 0,
    facts: facts.map((fact) => ({ type: fact.type, version: 1, body: fact, at: fact.at })),
    cause: randomUUID(),
    messages: [],
    timers: [],
    snapshot: undefined,
    row,
    parts: [],
    postings: facts.map(() => []),
  };
  const journal = journals[shardOf(id, shards) % pools.length];
  const refused = await journal?.append({ id: randomUUID(), entries: [entry], delivered: [], dead: [] });
  expect(refused?.size).toBe(0);
}

const someone = () => accountId(randomUUID());
const bidOf = (worker: AccountId, more: Partial<PlacedBid> = {}): PlacedBid => ({
  id: randomUUID(),
  worker,
  credits: credits(10),
  quality: 0.5,
  ...more,
});
const awardedTo = (bid: PlacedBid, at = AT): readonly TaskFact[] => [
  { type: "BidPlaced", bid, at },
  { type: "Awarded", bid, deadline: at + 60_000, explored: false, candidates: [bid], slot: true, at },
];

/** Stores a task that is in its window, after these facts. */
async function store(
  spec: Partial<TaskSpec>,
  facts: readonly TaskFact[] = [],
  requester = someone(),
  createdAt = AT,
): Promise<TaskId> {
  const id = taskId(randomUUID());
  const all: readonly TaskFact[] = [
    {
      type: "Opened",
      task: id,
      requester,
      marks: ["mail:a"],
      order: order({ taskType: type, ...spec }),
      createdAt,
      at: createdAt,
    },
    { type: "RoutingStarted", until: createdAt + 3_000, at: createdAt },
    ...facts,
  ];
  const state: TaskSnapshot = all.reduce((before, fact) => task.evolve(before, fact).state, task.initial(id));
  await append("task", id, all, task.row(id, state));
  return id;
}

const budget = (amount: number) => ({ budget: credits(amount) });

async function allPages(limit: number): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let after: string | null = null, first = true; first || after !== null; first = false) {
    const page = await index.page(type, after, limit);
    ids.push(...page.tasks.map((one) => one.id));
    after = page.next;
  }
  return ids;
}

describe("a page of the index", () => {
  test("has the open tasks of its type, the highest budget first, then the oldest, whatever tier they want", async () => {
    const [cheap, dear, old] = [
      await store({ ...budget(5), minSkill: 5 }),
      await store({ ...budget(50), minSkill: 3 }),
      await store({ ...budget(20), minSkill: 0 }, [], someone(), AT - 10),
    ];
    const pooled = await store({ ...budget(20), minSkill: 1 }, [{ type: "PoolEntered", until: AT + DAY_MS, at: AT }]);
    await store(budget(60), [{ type: "Cancelled", at: AT }]);
    await store(budget(60), awardedTo(bidOf(someone())));
    await store({ ...budget(60), taskType: `not ${type}` });
    expect(await allPages(100)).toEqual([dear, old, pooled, cheap]);
  });

  test("is followed by the next one, over ties, without a gap and without a double, to the end", async () => {
    const ids: string[] = [];
    for (let n = 0; n < 23; n += 1) ids.push(await store({ ...budget(n % 2 === 0 ? 10 : 11), minSkill: n % 4 }));
    for (const limit of [1, 2, 5, 22, 23, 24]) {
      const found = await allPages(limit);
      expect(new Set(found)).toEqual(new Set(ids));
      expect(found).toHaveLength(23);
      expect(found).toEqual(await allPages(100));
    }
  });

  test("tells the round of a task, and how many workers it is closed to", async () => {
    const failed = bidOf(someone());
    const again: readonly TaskFact[] = [
      ...awardedTo(failed),
      { type: "AwardTimedOut", at: AT },
      { type: "Reopened", until: AT + 3_000, at: AT },
    ];
    const id = await store({ autoRetry: 3 }, [...again, { type: "BidPlaced", bid: bidOf(someone()), at: AT }]);
    expect(await index.page(type, null, 10)).toEqual({ tasks: [{ id, status: "ROUTING", round: 2, closed: 2 }], next: null });
  });

  test("that nobody has given is a bug, and says so", async () => {
    await expect(index.page(type, "nonsense", 10)).rejects.toThrow("not where a page of open tasks ends: nonsense");
  });
});

test("tasks are read as matchers keep them and as strangers see them; those that have ended, and unknown ones, are not", async () => {
  const bidder = someone();
  const open = await store({ ...budget(20), inputData: "x".repeat(500) }, [{ type: "BidPlaced", bid: bidOf(bidder), at: AT }]);
  const ended = await store({}, [{ type: "Cancelled", at: AT }]);
  expect(await index.read([open, ended, taskId(randomUUID())])).toMatchObject([
    {
      task: {
        id: open,
        status: "ROUTING",
        budget: 20,
        marks: ["mail:a"],
        bids: [{ worker: bidder }],
        closedTo: [],
        windowEnds: AT + 3_000,
      },
      shown: { row: { id: open }, order: { inputData: "x".repeat(200) } },
    },
  ]);
  expect(await index.read([])).toEqual([]);
});

describe("the going price", () => {
  /** A task that this worker was paid a share of the budget of 100 NC for. */
  async function settle(requester: AccountId, worker: AccountId, price: number, at: number): Promise<void> {
    const bid = bidOf(worker, { credits: credits(price) });
    const result = { type: "ResultAccepted", submission: randomUUID(), result: {}, firstTry: true, at } as const;
    const paid = { type: "Settled", payout: credits(price), fee: credits(1), refund: credits(99 - price), at } as const;
    await store(budget(100), [...awardedTo(bid, at), result, paid], requester, at);
  }

  /** Registers an account with these marks. */
  async function member(marks: readonly string[]): Promise<AccountId> {
    const id = someone();
    const known = { account: id, email: `${id}@test.example`, source: null, keyHash: id, grant: credits(1) };
    const facts = [
      { type: "Registered", ...known, at: AT },
      { type: "Marked", marks, kin: [], at: AT },
    ] as const;
    const state = facts.reduce((before, fact) => account.evolve(before, fact).state, account.initial(id));
    await append("account", id, facts, accountRow(state));
    return id;
  }

  test("is worked out of the settlements of the last seven days, of one type, between different identities", async () => {
    for (let n = 0; n < 20; n += 1) await settle(someone(), someone(), 40, AT - DAY_MS);
    expect(await index.going(type, AT)).toBeCloseTo(0.4);
    // Those that are seven days old count, and a moment later no more.
    expect(await index.going(type, AT + 6 * DAY_MS)).toBeCloseTo(0.4);
    expect(await index.going(type, AT + 6 * DAY_MS + 1)).toBeNull();
    expect(await index.going(`not ${type}`, AT)).toBeNull();
  });

  test("does not count what accounts of one person settle among themselves, or one requester over and over", async () => {
    for (let n = 0; n < 19; n += 1) await settle(someone(), someone(), 40, AT);
    const [one, other] = [await member(["mail:me"]), await member(["git:x", "mail:me"].sort())];
    const alone = await member(["mail:me"]);
    await settle(one, alone, 90, AT);
    await settle(other, await member(["git:x", "mail:me"].sort()), 90, AT);
    expect(await index.going(type, AT)).toBeNull();
    const requester = someone();
    for (let n = 0; n < 5; n += 1) await settle(requester, someone(), 90, AT);
    expect(await index.going(type, AT)).toBeCloseTo(0.4);
  });
});

describe("what a pull has won", () => {
  const pull = (id: string) => ({ pull: { id, most: 2 } });

  test("is every task of its worker that is still AWARDED, by the key, with the id under which it was won", async () => {
    const [worker, key] = [someone(), randomUUID()];
    const won = async (id: string, by = worker, ...more: readonly TaskFact[]) =>
      store({}, [...awardedTo(bidOf(by, pull(id))), ...more]);
    const first = await won(`${key}.a`);
    const second = await won(`${key}.b`);
    await won(`${key}.a`, someone());
    await won(`${randomUUID()}.a`);
    await won(`${key}.a`, worker, { type: "ExecutionStarted", worker, at: AT });
    await store({}, awardedTo(bidOf(worker)));
    const found = await reads.pulled(worker, key);
    expect(found.map(({ task: { row }, pull: id }) => [row.id, id]).sort()).toEqual(
      [
        [first, `${key}.a`],
        [second, `${key}.b`],
      ].sort(),
    );
    expect(found[0]?.task.order.inputData).toBe(order().inputData);
    expect(await reads.pulled(worker, randomUUID())).toEqual([]);
  });

  test("is not a task that its worker has by another bid now", async () => {
    const [worker, key] = [someone(), randomUUID()];
    const again: readonly TaskFact[] = [
      { type: "AwardTimedOut", at: AT },
      { type: "Reopened", until: AT, at: AT },
    ];
    await store({}, [...awardedTo(bidOf(worker, pull(`${key}.a`))), ...again, ...awardedTo(bidOf(worker))]);
    expect(await reads.pulled(worker, key)).toEqual([]);
  });
});
