/** What a commit writes is what comes back: every field of every row, whatever is in it. */
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { shardOf } from "../../actors/address.ts";
import type { Batch, Entry, OutboxMessage } from "../../actors/ports/journal.ts";
import type { AccountRow, CapabilityRow } from "../../machines/account/row.ts";
import type { Address } from "../../machines/address.ts";
import type { Posting } from "../../machines/money/postings.ts";
import type { TaskRow } from "../../machines/task/row.ts";
import { ACCOUNT_STATUSES, type AccountId, accountId, credits, TASK_STATUSES, taskId } from "../../machines/vocabulary.ts";
import { Databases } from "../../src/adapters/postgres/databases.ts";
import { PostgresJournal } from "../../src/adapters/postgres/journal.ts";
import { migrate, readPlatform } from "../../src/adapters/postgres/migrate.ts";
import { type Database, openPool } from "../../src/adapters/postgres/pool.ts";
import { postgresReadModel } from "../../src/adapters/postgres/read-model.ts";
import {
  ACCOUNTS,
  ACTIONS,
  BIDS,
  CAPABILITIES,
  JOURNAL,
  LEDGER,
  OUTBOX,
  SNAPSHOTS,
  TASKS,
  TIMERS,
} from "../../src/adapters/postgres/tables.ts";
import { makeDatabase } from "../support/postgres.mjs";
import { order } from "../support/world.ts";

let database: Database;
let drop: () => Promise<void>;
let journal: PostgresJournal;
let reads: ReturnType<typeof postgresReadModel>;
let shards: number;

beforeAll(async () => {
  const made = await makeDatabase(inject("postgresUrl"));
  drop = made.drop;
  database = openPool(made.url, { max: 2, name: "test" });
  await migrate([database]);
  ({ shards } = await readPlatform([database]));
  journal = new PostgresJournal(database, database, shards);
  reads = postgresReadModel(new Databases([database], shards));
});
afterAll(async () => {
  await database.end();
  await drop();
});

/** Texts that a quoting mistake would change. No NUL: no text of Postgres can have one. */
const text = fc.oneof(
  fc.constantFrom(
    "",
    '"',
    "'",
    "\\",
    "\\u0000",
    '\\"',
    "{}",
    "{a,b}",
    "NULL",
    "null",
    '{"a":1}',
    "a\tb\r\nc\u2028",
    "é😀𝒳",
    "$1",
  ),
  fc.string({ unit: "binary", maxLength: 40 }).map((chars) => chars.replaceAll("\0", "")),
);
const texts = fc.array(text, { maxLength: 4 });
const uuid = fc.uuid();
const account = uuid.map(accountId);
const accounts = fc.array(account, { maxLength: 4 });
const small = fc.oneof(fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }), fc.constantFrom(0, 2 ** 15 - 1, -(2 ** 15)));
const integer = fc.oneof(fc.integer(), fc.constantFrom(0, 2 ** 31 - 1, -(2 ** 31)));
const large = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(0, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER));
const real = fc
  .oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(5e-324, 1.7976931348623157e308, 0.1 + 0.2))
  .map((value) => value + 0);
/** Anything that JSON.parse gives; a NUL may be in it. */
const json = fc
  .oneof(fc.jsonValue({ stringUnit: "binary" }), fc.constantFrom("\0", { "\0": [] }, { b: 1, a: 2, "1": 3 }, [[]], "1e400", 1e21))
  .map((value) => JSON.parse(JSON.stringify(value)));
const nullable = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: null, freq: 3 });

const taskRow: fc.Arbitrary<TaskRow> = fc.record({
  id: uuid,
  status: fc.constantFrom(...TASK_STATUSES),
  requester: account,
  marks: texts,
  worker: nullable(account),
  taskType: text,
  budget: large,
  minSkill: small,
  // As the first fact has it.
  requesterScore: fc.constant(0.9),
  closedTo: accounts,
  awardedPrice: nullable(large),
  result: json,
  errorCode: nullable(text),
  retriesLeft: small,
  autoRetriesLeft: small,
  expiresAt: nullable(large),
  createdAt: large,
  updatedAt: large,
});

const capabilityRow: fc.Arbitrary<CapabilityRow> = fc.record({
  id: uuid,
  taskType: text,
  description: text,
  tags: texts,
  price: nullable(fc.maxSafeNat().map(credits)),
  concurrency: integer,
  minSeconds: integer,
  minRequesterScore: real,
  available: fc.boolean(),
  createdAt: large,
  score: real,
  tier: small,
  quality: real,
  // A count; the lists' index of it takes none below zero.
  finished: fc.nat(),
  active: fc.boolean(),
});

const tally = fc.record({
  created: large,
  paid: large,
  earned: large,
  failed: large,
  timedOut: large,
  firstTry: large,
  durationMs: real,
  honeypotsPassed: large,
  honeypotsFailed: large,
});
const record = fc.record({ finished: large, settled: large, firstTry: large, timeShare: real, ratings: large, ratingSum: real });
const accountRow: fc.Arbitrary<AccountRow> = fc.record({
  id: account,
  email: text.map((chars) => chars + randomUUID()),
  marks: texts,
  status: fc.constantFrom(...ACCOUNT_STATUSES),
  keyHash: text.map((chars) => chars + randomUUID()),
  available: large,
  held: large,
  reputation: large,
  cooldownUntil: nullable(large),
  counterparties: integer,
  debtSince: nullable(large),
  tally,
  records: fc.dictionary(text, record, { maxKeys: 3 }),
  customer: nullable(text),
  github: nullable(fc.record({ id: text, login: text, score: real, token: text })),
  createdAt: large,
  updatedAt: large,
});

function entry(address: Address, row: unknown, body: unknown, after = 0, parts: Entry["parts"] = []): Entry {
  return {
    address,
    after,
    facts: [{ type: "Opened", version: 1, body, at: 1 }],
    cause: randomUUID(),
    postings: [[]],
    messages: [],
    timers: [],
    row,
    parts,
    snapshot: undefined,
  };
}

async function append(...entries: readonly Entry[]): Promise<void> {
  const batch: Batch = { id: randomUUID(), entries, delivered: [], dead: [] };
  expect(await journal.append(batch)).toEqual(new Set());
}

/** The order of keys is the worker's too. */
function expectSame(found: unknown, written: unknown): void {
  expect(found).toEqual(written);
  expect(JSON.stringify(found)).toBe(JSON.stringify(written));
}

const RUNS = { numRuns: 40 };

test("a task's row, first and replaced, comes back as it was written", async () => {
  await fc.assert(
    fc.asyncProperty(taskRow, taskRow, json, async (first, second, inputData) => {
      const opened = { type: "Opened", order: { ...order(), inputData } };
      const address = { kind: "task", id: first.id } as const;
      await append(entry(address, first, opened));
      expect(await reads.task(first.id)).toEqual({ row: first, order: opened.order });
      const next = { ...second, id: first.id };
      await append(entry(address, first, opened, 1), entry(address, next, opened, 2));
      const found = await reads.task(first.id);
      expect(found?.row).toEqual(next);
      expectSame(found?.row.result, next.result);
      expectSame(found?.order, opened.order);
    }),
    RUNS,
  );
});

const someCapabilities = fc.uniqueArray(capabilityRow, { minLength: 1, maxLength: 3, selector: ({ id }) => id });

test("the rows of an account and its capabilities, first and replaced, come back as they were written", async () => {
  await fc.assert(
    fc.asyncProperty(accountRow, accountRow, someCapabilities, someCapabilities, async (first, second, early, late) => {
      const address = { kind: "account", id: first.id } as const;
      // Some of the later ones replace earlier ones, and the others of these stay.
      const [head] = early;
      const replaced = late.map((one, n) => (n === 0 && head !== undefined ? { ...one, id: head.id } : one));
      const there = new Map<string, CapabilityRow>();
      for (const [after, [row, parts]] of [[first, early] as const, [{ ...second, id: first.id }, replaced] as const].entries()) {
        await append(entry(address, row, {}, after, parts));
        for (const part of parts) there.set(part.id, part);
        expect(await reads.account(first.id)).toEqual(row);
        const rows = [...there.values()].map((one) => ({ ...one, account: first.id }));
        for (const found of await Promise.all([reads.accountByKey(row.keyHash), reads.storedAccount(first.id)])) {
          expect(found?.row).toEqual(row);
          expect(found?.capabilities).toEqual(await reads.capabilities(first.id));
        }
        expect(new Set(await reads.capabilities(first.id))).toEqual(new Set(rows));
        for (const one of rows) expect(await reads.capability(one.id)).toEqual(one);
      }
    }),
    RUNS,
  );
});

test("of several entries of an account in one batch, each capability is as the last one that has it says", async () => {
  const [row, other] = fc.sample(accountRow, 2);
  const [one, two] = fc.sample(capabilityRow, 2);
  if (row === undefined || other === undefined || one === undefined || two === undefined) throw new Error("they were asked for");
  const address = { kind: "account", id: row.id } as const;
  const [before, now] = [
    { ...one, finished: 1 },
    { ...one, finished: 2 },
  ];
  await append(
    entry(address, row, {}, 0, [before, two]),
    entry({ kind: "account", id: other.id }, other, {}),
    entry(address, row, {}, 1, [now]),
    entry(address, row, {}, 2),
  );
  const rows = [now, two].map((part) => ({ ...part, account: row.id }));
  expect(new Set(await reads.capabilities(row.id))).toEqual(new Set(rows));
});

test("facts and snapshots come back as they were written", async () => {
  const fact = fc.record({ type: text, version: small, body: json.filter((body) => body !== null), at: large });
  await fc.assert(
    fc.asyncProperty(
      uuid,
      fc.array(fact, { minLength: 1, maxLength: 4 }),
      nullable(json),
      uuid,
      async (id, facts, state, cause) => {
        const address = { kind: "batch", id } as const;
        const written = facts.map((one, index) => ({ seq: index + 1, ...one }));
        const snapshot = state ?? undefined;
        await append({ ...entry(address, undefined, {}), facts, postings: facts.map(() => []), cause, snapshot });
        expectSame(
          (await journal.caused(address, cause)).map((one) => ({ ...one })),
          written,
        );
        const loaded = await journal.load(address);
        expectSame(loaded.snapshot, snapshot === undefined ? null : { seq: facts.length, state: snapshot });
        expectSame(loaded.facts, snapshot === undefined ? written : []);
      },
    ),
    RUNS,
  );
});

const LEGS = ["available", "held", "issuance", "fees", "transit"] as const;
function leg(transfer: string, task: string, owner: AccountId | null, amount: number, n: number): Posting {
  return { transfer, leg: n, account: LEGS[n] ?? "held", owner, amount: credits(amount), task: taskId(task), reason: "HOLD" };
}

test("the ledger, messages and timers come back as they were written", async () => {
  const amount = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
  await fc.assert(
    fc.asyncProperty(
      account,
      uuid,
      nullable(account),
      amount,
      text,
      json,
      large,
      async (id, task, owner, sum, words, field, at) => {
        const from = { kind: "account", id } as const;
        const to = { kind: "task", id: task } as const;
        const legs = LEGS.map((_, n) => leg(`${words}${id}`, task, n === 2 ? null : owner, sum - n || 1, n));
        const result = field === undefined ? null : JSON.parse(JSON.stringify(field));
        const command = { type: "submit", submission: words, worker: accountId(id), result } as const;
        const message: OutboxMessage = { id: randomUUID(), from, seq: 1, leg: 3, to, command };
        const facts = [{ type: "Held", version: 1, body: {}, at }];
        const timers = [{ name: words, at }];
        await append({ ...entry(from, undefined, {}), facts, postings: [legs], messages: [message], timers });
        expect(await reads.ledger(task)).toEqual(legs.map((one) => ({ ...one, at })));
        const shard = shardOf(id, shards);
        const waiting = (await journal.outbox(shard, null, 10_000)).find((one) => one.id === message.id);
        expect(waiting).toEqual(message);
        expectSame(waiting?.command, command);
        const set = (await journal.timers(shard, null, 10_000)).find(({ address }) => address.id === id);
        expect(set).toEqual({ address: from, name: words, at });
      },
    ),
    RUNS,
  );
});

test("half of a surrogate pair and a NUL are kept in a body, and refused in a text", async () => {
  const id = randomUUID();
  const body = { "\ud800": "\udc00", nul: "\0" };
  await append({ ...entry({ kind: "batch", id }, undefined, body), snapshot: undefined });
  expect((await journal.load({ kind: "batch", id })).facts.map((fact) => fact.body)).toEqual([body]);
  for (const type of ["\0", "\ud800"]) {
    const wrong = { ...entry({ kind: "batch", id: randomUUID() }, undefined, {}), facts: [{ type, version: 1, body, at: 1 }] };
    await expect(append(wrong)).rejects.toThrow(/unsupported Unicode escape sequence|invalid input syntax for type json/);
  }
});

test("a column that a later migration adds has its default when it is written by those who do not know it", async () => {
  const made = await makeDatabase(inject("postgresUrl"));
  const later = openPool(made.url, { max: 1, name: "test" });
  await migrate([later]);
  await later`alter table journal add column origin text not null default 'unknown'`;
  await later`alter table tasks add column urgency integer not null default 7`;
  const [row] = fc.sample(taskRow, 1);
  if (row === undefined) throw new Error("one was asked for");
  const address = { kind: "task", id: row.id } as const;
  const batch = { id: randomUUID(), delivered: [], dead: [] };
  const old = new PostgresJournal(later, later, shards);
  await old.append({ ...batch, entries: [entry(address, row, {})] });
  await later`update tasks set urgency = 9`;
  await old.append({ ...batch, id: randomUUID(), entries: [entry(address, row, {}, 1)] });
  expect(await later`select distinct origin, urgency from journal, tasks`).toEqual([{ origin: "unknown", urgency: 9 }]);
  await later.end();
  await made.drop();
});

test.each([
  [JOURNAL, []],
  [LEDGER, []],
  // An operator's mark, set when a message is refused for good.
  [OUTBOX, ["dead text"]],
  [TIMERS, []],
  [SNAPSHOTS, []],
  [TASKS, []],
  [ACCOUNTS, []],
  [CAPABILITIES, []],
  [BIDS, []],
  [ACTIONS, []],
] as const)("$name has the columns that are declared, of their types", async ({ name, columns }, others) => {
  const rows = await database<{ name: string; type: string }[]>`
    select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
    where attrelid = ${name}::regclass and attnum > 0 and not attisdropped`;
  const snake = (field: string) => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const declared = Object.entries(columns).map(([field, type]) => `${snake(field)} ${type}`);
  expect(new Set(rows.map((row) => `${row.name} ${row.type}`))).toEqual(new Set([...declared, ...others]));
});
