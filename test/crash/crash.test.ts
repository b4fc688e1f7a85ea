import { expect, inject, test } from "vitest";
import { auditDatabases } from "../../src/adapters/postgres/books.ts";
import { openPool } from "../../src/adapters/postgres/pool.ts";
import { makeDatabase } from "../support/postgres.mjs";
import { crash } from "./run.mjs";

test("15 kills while 50 clients work: every answer stays true, every task ends, every webhook arrives, the books are clean", async () => {
  const { url, drop } = await makeDatabase(inject("postgresUrl"));
  const report = await crash({ kills: 15, clients: 50, gapMs: 600, databaseUrl: url });
  expect(report.wrong).toEqual([]);
  expect(report.kills).toBe(15);
  expect(report.tasks).toBeGreaterThan(100);
  expect(report.ended["SETTLED"]).toBeGreaterThanOrEqual(50);
  expect(report.webhooks).toBe(report.tasks);
  const database = openPool(url, { max: 1, name: "audit" });
  const findings = await auditDatabases([database]);
  expect(findings.flatMap(({ wrong }) => wrong)).toEqual([]);
  // No penalty is taken back, and no task is open.
  const unchecked = findings.filter(({ checked }) => checked === 0).map(({ promise }) => promise);
  expect(unchecked.filter((promise) => !/a penalty is taken back|every open task/.test(promise))).toEqual([]);
  await database.end();
  await drop();
}, 300_000);
