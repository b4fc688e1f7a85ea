import { expect, inject, test } from "vitest";
import { auditDatabases } from "../../src/adapters/postgres/books.ts";
import { openPool } from "../../src/adapters/postgres/pool.ts";
import { makeDatabase } from "../support/postgres.mjs";
import { KINDS, strangers } from "./run.mjs";

const TASKS = 24;

test("strangers who each do one hostile thing at their limits delay no honest task, and leave the platform and its books as they were", async () => {
  const { url, drop } = await makeDatabase(inject("postgresUrl"));
  const report = await strangers({ seconds: 10, tasks: TASKS, seed: 1, databaseUrl: url });
  expect(report.wrong.slice(0, 10)).toEqual([]);
  expect(report.settled).toBe(TASKS);
  // Each of them had its turns, and was answered or hung up on.
  expect(report.strangers).toHaveLength(Object.keys(KINDS).length);
  expect(report.strangers.filter(({ requests, answers }) => requests < 5 || Object.keys(answers).length === 0)).toEqual([]);
  const database = openPool(url, { max: 1, name: "audit" });
  const findings = await auditDatabases([database]);
  expect(findings.flatMap(({ wrong }) => wrong)).toEqual([]);
  await database.end();
  await drop();
}, 180_000);
