/** A database that not every text fits in: refused at the start, and past that check one text still fails alone. */
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { Host } from "../../actors/host/host.ts";
import { account } from "../../machines/account/index.ts";
import { batch } from "../../machines/batch/index.ts";
import { task } from "../../machines/task/index.ts";
import { accountId, credits, taskId } from "../../machines/vocabulary.ts";
import { auditDatabases } from "../../src/adapters/postgres/books.ts";
import { PostgresJournal } from "../../src/adapters/postgres/journal.ts";
import { migrate } from "../../src/adapters/postgres/migrate.ts";
import { openPool } from "../../src/adapters/postgres/pool.ts";
import { systemClock as clock } from "../../src/adapters/system/clock.ts";
import { randomIds as ids } from "../../src/adapters/system/ids.ts";
import { runNexus } from "../support/platform.mjs";
import { makeDatabase } from "../support/postgres.mjs";
import { order, SILENT } from "../support/world.ts";

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
  const host = new Host({
    entities: { task, account, batch },
    journal: new PostgresJournal(database, database, 128, null),
    validator: { judge: () => ({ because: "busy", unjudged: "nothing is judged here" }) },
    courier: { deliver: async () => ({ id: ids.next(), ms: 0, result: "delivered", status: 200 }) },
    clock,
    ids,
    log: SILENT,
    lanes: 1,
  });
  await host.start();
  const owner = accountId(ids.next());
  const ask = (command: { type: string; [field: string]: unknown }) =>
    host.request({
      to: { kind: "account", id: owner },
      command,
      commandId: ids.next(),
      origin: "client",
      delivery: "first",
      deadline: clock.now() + 20_000,
    });
  const email = `${owner}@test.example`;
  await ask({ type: "register", account: owner, email, source: null, keyHash: "h", grant: credits(100), marks: [] });
  const texts = Array.from({ length: 20 }, (_, index) => (index === 3 ? "an emoji 😀" : `text ${index}`));
  const answers = await Promise.all(
    texts.map((inputData) =>
      ask({
        type: "hold",
        task: taskId(ids.next()),
        order: order({ inputData, budget: credits(5), windowMs: 60_000 }),
        fresh: true,
      }),
    ),
  );
  expect(answers.flatMap((answer, index) => (answer.ok ? [] : [{ index, code: answer.refusal.refused }]))).toEqual([
    { index: 3, code: "INTERNAL" },
  ]);
  const [row] = await database`select available, held from accounts where id = ${owner}`;
  expect(row).toEqual({ available: 5, held: 95 });
  await host.stop(5_000);
  expect((await auditDatabases([database])).flatMap(({ wrong }) => wrong)).toEqual([]);
  await database.end();
});
