/** A database that not every text fits in: refused at the start, and past that check one text still fails alone. */

import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { auditDatabases } from "../../src/adapters/postgres/books.ts";
import { migrate } from "../../src/adapters/postgres/migrate.ts";
import { openPool } from "../../src/adapters/postgres/pool.ts";
import { BUDGET, GRANT, hostOn, postAt, registerAt } from "../support/ledger-host.ts";
import { runNexus } from "../support/platform.mjs";
import { makeDatabase } from "../support/postgres.mjs";

const ENCODINGS = ["LATIN1", "SQL_ASCII"] as const;
let databases: { readonly [E in (typeof ENCODINGS)[number]]: Awaited<ReturnType<typeof makeDatabase>> };

beforeAll(async () => {
  const [LATIN1, SQL_ASCII] = await Promise.all(ENCODINGS.map((encoding) => makeDatabase(inject("postgresUrl"), encoding)));
  if (LATIN1 === undefined || SQL_ASCII === undefined) throw new Error("two databases were made");
  databases = { LATIN1, SQL_ASCII };
});
afterAll(async () => {
  for (const { drop } of Object.values(databases)) await drop();
});

test.each(["start", "node", "gateway", "migrate", "audit", "cluster", "drain one", "demo"])(
  "nexus %s refuses it in one sentence",
  async (command) => {
    for (const encoding of ENCODINGS) {
      const { url } = databases[encoding];
      const { host, pathname } = new URL(url);
      const NATS_URL = /^(node|gateway)$/.test(command) ? inject("natsUrl") : "";
      const { code, out } = await runNexus(command.split(" "), { DATABASE_URL: url, NATS_URL });
      expect(out.trim()).toBe(
        `DATABASE_URL (${host}${pathname}): its encoding is ${encoding}, which cannot hold every text; make a database with \`create database nexus encoding 'UTF8' template template0\`, and name that.`,
      );
      expect(code).toBe(1);
    }
  },
);

test("past that check, of 20 tasks that one account posts at once, the one whose text does not fit fails alone", async () => {
  const database = openPool(databases.LATIN1.url, { max: 4, name: "test" });
  await migrate([database]);
  const host = hostOn(database, 1);
  await host.start();
  const owner = await registerAt(host);
  const texts = Array.from({ length: GRANT / BUDGET }, (_, index) => (index === 3 ? "an emoji 😀" : `text ${index}`));
  const answers = await Promise.all(texts.map((text) => postAt(host, owner, text)));
  expect(answers.flatMap((answer, index) => (answer.ok ? [] : [{ index, code: answer.refusal.refused }]))).toEqual([
    { index: 3, code: "INTERNAL" },
  ]);
  const [row] = await database`select available, held from accounts where id = ${owner}`;
  expect(row).toEqual({ available: BUDGET, held: GRANT - BUDGET });
  await host.stop(5_000);
  expect((await auditDatabases([database])).flatMap(({ wrong }) => wrong)).toEqual([]);
  await database.end();
});
