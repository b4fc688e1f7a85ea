/** Two processes on one database, and a database that goes away. */

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { expect, inject, test } from "vitest";
import { auditDatabases } from "../../src/adapters/postgres/books.ts";
import { EmbeddedServer } from "../../src/adapters/postgres/embedded.ts";
import { migrate } from "../../src/adapters/postgres/migrate.ts";
import { openPool } from "../../src/adapters/postgres/pool.ts";
import { isAlive } from "../support/alive.ts";
import { Client } from "../support/client.mjs";
import { BUDGET, GRANT, hostOn, postAt, registerAt } from "../support/ledger-host.ts";
import { Market, ORDER } from "../support/market.ts";
import { startProcess } from "../support/platform.mjs";
import { makeDatabase } from "../support/postgres.mjs";
import { SILENT } from "../support/world.ts";

const AWAY_MS = 10_000;
const REQUEST_MS = 2_000;

test("a second process on the same database does not start, says why, and disturbs nobody", async () => {
  const market = await Market.start();
  const party = await market.register();
  await expect(startProcess({ DATABASE_URL: market.databaseUrl })).rejects.toThrow(
    /Another NexusToken works on this database\. Stop it first/,
  );
  expect((await market.balance(party)).credits_balance).toBe(50);
  await market.stop();
});

test("two hosts that both write one database never both win: nothing is lost, doubled or spent twice", async () => {
  const { url, drop } = await makeDatabase(inject("postgresUrl"));
  const database = openPool(url, { max: 8, name: "test" });
  await migrate([database]);
  const hosts = [hostOn(database), hostOn(database)] as const;
  await Promise.all(hosts.map((host) => host.start()));
  const owner = await registerAt(hosts[0]);
  const most = GRANT / BUDGET;
  const posts = Array.from({ length: 3 * most }, (_, index) => postAt(hosts[index % 2 === 0 ? 0 : 1], owner));
  const answers = await Promise.all(posts);
  const taken = answers.filter(({ ok }) => ok).length;
  const codes = new Set(answers.flatMap((answer) => (answer.ok ? [] : [answer.refusal.refused])));
  codes.delete("CONTENDED");
  expect([...codes].filter((code) => code !== "INSUFFICIENT_CREDITS")).toEqual([]);
  const [row] = await database`select available, held from accounts where id = ${owner}`;
  expect(row).toEqual({ available: GRANT - BUDGET * taken, held: BUDGET * taken });
  expect(taken).toBeGreaterThan(0);
  expect(taken).toBeLessThanOrEqual(most);
  await Promise.all(hosts.map((host) => host.stop(5_000)));
  expect((await auditDatabases([database])).flatMap(({ wrong }) => wrong)).toEqual([]);
  await database.end();
  await drop();
});

test("a database that is away for 10 s under load: 503 with Retry-After in between, then all goes on by itself", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "nexus-test-"));
  let server = await EmbeddedServer.open(folder, SILENT);
  const platform = await startProcess({
    DATABASE_URL: server.url,
    REQUEST_TIMEOUT_MS: String(REQUEST_MS),
    ROUTING_WINDOW_MS: "50",
  });
  const client = new Client(platform.port);
  const { body: party } = await client.call("POST", "/auth/register", { email: "ann@test.example" });
  const key = party.api_key;
  await client.call("POST", "/credits/topup", { amount_credits: 900_000 }, { key });
  const created: string[] = [];
  const seen = new Map<string, number>();
  const odd: string[] = [];
  let open = true;
  const load = Array.from({ length: 20 }, async () => {
    while (open) {
      const { status, body, headers } = await client.call("POST", "/tasks", ORDER, { key });
      const away = status === 503 && headers["retry-after"] !== undefined && body.code === "UNAVAILABLE";
      seen.set(away ? "503" : String(status), (seen.get(away ? "503" : String(status)) ?? 0) + 1);
      if (status === 201) created.push(body.id);
      else if (!away) odd.push(JSON.stringify(body));
      else await wait(50);
    }
  });
  await wait(500);
  const before = created.length;
  // The platform uses it, so closing only ends our watch over it; then it is stopped, as its operator would.
  await server.close();
  await stopPostgres(path.join(folder, "postgres", "data"));
  // What was committed before is still answered, at the latest when its deadline ends; after that nothing is taken.
  await wait(REQUEST_MS);
  expect((await client.call("GET", "//health")).status).toBe(503);
  const during = created.length;
  await wait(AWAY_MS - REQUEST_MS);
  expect(created.length).toBe(during);
  server = await EmbeddedServer.open(folder, SILENT);
  for (let waited = 0; created.length < during + 20 && waited < 20_000; waited += 50) await wait(50);
  open = false;
  await Promise.all(load);
  expect(before).toBeGreaterThan(0);
  expect(created.length).toBeGreaterThanOrEqual(during + 20);
  expect(odd).toEqual([]);
  expect(seen.get("503")).toBeGreaterThan(20);
  expect((await client.call("GET", "//health")).status).toBe(200);
  for (const id of created) expect((await client.call("GET", `/tasks/${id}`, undefined, { key })).status).toBe(200);
  const database = openPool(server.url, { max: 1, name: "test" });
  expect((await auditDatabases([database])).flatMap(({ wrong }) => wrong)).toEqual([]);
  await database.end();
  client.close();
  await platform.kill("SIGTERM");
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

/** A fast shutdown: sessions are ended at once, and the server is gone when this returns. */
async function stopPostgres(data: string): Promise<void> {
  const [pid] = (await readFile(path.join(data, "postmaster.pid"), "utf8")).split("\n");
  process.kill(Number(pid), "SIGINT");
  while (isAlive(Number(pid))) await wait(10);
}
