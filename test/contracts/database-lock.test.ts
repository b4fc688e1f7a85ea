/** The lock of a process on its database: held by one, and taken again after its connection was lost, however the database answers then. */
import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, expect, inject, test, vi } from "vitest";
import { DatabaseLock } from "../../src/adapters/postgres/database-lock.ts";
import { type Database, openPool } from "../../src/adapters/postgres/pool.ts";
import { makeDatabase } from "../support/postgres.mjs";

let pool: Database;
let url: string;
let drop: () => Promise<void>;
beforeEach(async () => {
  ({ url, drop } = await makeDatabase(inject("postgresUrl")));
  pool = openPool(url, { max: 1, name: "lock test" });
});
afterEach(async () => {
  await pool.end();
  await drop();
});

const unasked = () => {
  throw new Error("the lock was not taken by others");
};

/** Whether nobody holds the lock. */
async function isFree(): Promise<boolean> {
  const lock = await DatabaseLock.acquire(url, false, 0, unasked);
  await lock?.release();
  return lock !== undefined;
}

test("one process holds it, until it lets go", async () => {
  const lock = await DatabaseLock.acquire(url, false, 0, unasked);
  expect(await isFree()).toBe(false);
  await lock?.release();
  expect(await isFree()).toBe(true);
});

test("it is taken again after a database that lets its role in no more does so again", async () => {
  const role = `nexus_lock_${randomBytes(4).toString("hex")}`;
  const password = randomBytes(8).toString("hex");
  await pool.unsafe(`create role ${role} login password '${password}'`);
  try {
    const ofRole = new URL(url);
    ofRole.username = role;
    ofRole.password = password;
    const lock = await DatabaseLock.acquire(ofRole.href, false, 0, unasked);
    expect(lock).toBeDefined();
    await pool.unsafe(`alter role ${role} nologin`);
    await pool`select pg_terminate_backend(pid) from pg_stat_activity where usename = ${role}`;
    await vi.waitFor(async () => expect(await isFree()).toBe(true), { timeout: 5_000 });
    // Longer than it takes to be refused once.
    await new Promise((resolve) => setTimeout(resolve, 600));
    await pool.unsafe(`alter role ${role} login`);
    await vi.waitFor(async () => expect(await isFree()).toBe(false), { timeout: 5_000 });
    await lock?.release();
  } finally {
    await pool`select pg_terminate_backend(pid) from pg_stat_activity where usename = ${role}`;
    await pool.unsafe(`drop role ${role}`);
  }
});
