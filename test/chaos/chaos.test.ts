import { expect, test } from "vitest";
import { auditDatabases } from "../../src/adapters/postgres/books.ts";
import { openPool } from "../../src/adapters/postgres/pool.ts";
import { chaos } from "./run.mjs";

test("nodes, gateways, both NATS, Redis and Postgres fail under load: fleets go on, every answer stays true, every task ends, the books are clean", async () => {
  const audit = async (urls: readonly string[]) => {
    const pools = urls.map((url) => openPool(url, { max: 2, name: "audit" }));
    const findings = await auditDatabases(pools);
    await Promise.all(pools.map((pool) => pool.end()));
    // No penalty need be taken back, and at the end no task is open.
    const unchecked = findings.filter(({ checked }) => checked === 0).map(({ promise }) => promise);
    expect(unchecked.filter((promise) => !/a penalty is taken back|every open task/.test(promise))).toEqual([]);
    return findings.flatMap(({ wrong }) => wrong);
  };
  const report = await chaos({ seconds: 1, clients: 30, leaseMs: 2_000, sleepMs: 5_000, gapMs: 1_500, databases: 2 }, audit);
  expect(report.wrong).toEqual([]);
  expect(Object.keys(report.faults)).toHaveLength(11);
  expect(report.tasks).toBeGreaterThan(30);
  expect(report.byFleets).toBeGreaterThanOrEqual(11);
  expect(report.ended["SETTLED"]).toBeGreaterThanOrEqual(30);
  expect(report.webhooks).toBe(report.tasks);
}, 400_000);
