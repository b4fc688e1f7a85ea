/** What operators store as honeypots comes back, and a day's budget is never overdrawn, however many take of it at once. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { StoreUnavailable } from "../../actors/ports/journal.ts";
import { STARTERS } from "../../gateway/honeypots/starters/index.ts";
import type { HoneypotStore, StoredHoneypot } from "../../gateway/ports/honeypots.ts";
import { Secrets } from "../../gateway/secrets.ts";
import { taskId } from "../../machines/vocabulary.ts";
import { Databases } from "../../src/adapters/postgres/databases.ts";
import { postgresHoneypots } from "../../src/adapters/postgres/honeypots.ts";
import { migrate } from "../../src/adapters/postgres/migrate.ts";
import { type Database, openPool } from "../../src/adapters/postgres/pool.ts";
import { makeDatabase } from "../support/postgres.mjs";
import { id, order } from "../support/world.ts";

const SHARDS = 2;
const drops: (() => Promise<void>)[] = [];
let databases: readonly Database[];
let store: HoneypotStore;

beforeAll(async () => {
  const made = await Promise.all([makeDatabase(inject("postgresUrl")), makeDatabase(inject("postgresUrl"))]);
  drops.push(...made.map(({ drop }) => drop));
  databases = made.map(({ url }) => openPool(url, { max: 4, name: "test" }));
  await migrate(databases, { shards: SHARDS });
  store = postgresHoneypots(new Databases(databases, SHARDS));
});
afterAll(async () => {
  for (const database of databases) await database.end();
  for (const drop of drops) await drop();
});

const [starter = undefined] = STARTERS;
function template(at: number): StoredHoneypot {
  if (starter === undefined) throw new Error("there are templates");
  return { id: randomUUID(), at, kind: "template", template: starter };
}
const task = (at: number): StoredHoneypot => ({
  id: randomUUID(),
  at,
  kind: "task",
  order: { ...order(), known: { name: "Ada" } },
});

test("tasks and templates are listed together, the oldest first, by pages; stored once, and removed alike", async () => {
  const all = [task(1), template(2), template(3), task(4), task(5)];
  for (const one of all.toReversed()) expect(await store.add(one)).toEqual(one);
  const [first, second] = all;
  if (first === undefined || second === undefined) throw new Error("there are five");
  expect(await store.add({ ...first, at: 99 })).toEqual(first);
  expect(await store.add({ ...second, at: 99 })).toEqual(second);
  expect(await store.all()).toEqual(all);
  const page = await store.list(3, null);
  expect(page?.items).toEqual(all.slice(0, 3));
  expect((await store.list(3, page?.next ?? null))?.items).toEqual(all.slice(3));
  expect(await store.list(3, "nonsense")).toBeUndefined();
  for (const { id: one } of all) expect([await store.remove(one), await store.remove(one)]).toEqual([true, false]);
  expect(await store.all()).toEqual([]);
});

test("a day's budget is taken to the last credit and not beyond, by all at once; another day has its own", async () => {
  expect(await store.take("2026-01-30", 101, 100)).toBe(false);
  const taken = await Promise.all(Array.from({ length: 12 }, () => store.take("2026-01-31", 30, 100)));
  expect(taken.filter(Boolean)).toHaveLength(3);
  expect(await store.take("2026-01-31", 11, 100)).toBe(false);
  expect(await store.take("2026-01-31", 10, 100)).toBe(true);
  expect(await store.take("2026-01-31", 1, 100)).toBe(false);
  expect(await store.take("2026-01-31", 1, 101)).toBe(true);
  expect(await store.take("2026-02-01", 100, 100)).toBe(true);
});

test("before `nexus migrate` has been run they are away, and nothing else is", async () => {
  await databases[0]?.unsafe("alter table honeypot_days rename to later");
  await expect(store.take("2026-03-01", 1, 100)).rejects.toThrow(StoreUnavailable);
  await databases[0]?.unsafe("alter table later rename to honeypot_days");
  expect(await store.take("2026-03-01", 1, 100)).toBe(true);
});

test("who knows the secret can tell an account of the house from any other, and nobody else can", () => {
  const [ours, others] = [new Secrets(Buffer.alloc(32, 1)), new Secrets(Buffer.alloc(32, 2))];
  const houses = Array.from({ length: 50 }, (_, n) => ours.houseId(taskId(id(n))));
  expect(houses.every((house) => ours.isHouse(house))).toBe(true);
  expect(houses.some((house) => others.isHouse(house))).toBe(false);
  expect(new Set(houses).size).toBe(50);
  expect(ours.houseId(taskId(id(3)))).toBe(houses[3]);
  expect(Array.from({ length: 50 }, (_, n) => ours.accountId(`p${n}@x.example`)).some((one) => ours.isHouse(one))).toBe(false);
  expect(["mail:abc", "", "house"].some((one) => ours.isHouse(one))).toBe(false);
  // The same form as the id of any account.
  expect(houses.every((house) => /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(house))).toBe(true);
});
