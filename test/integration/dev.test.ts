/** `npm run dev`, in a copy of the source that is changed under it and that nothing is compiled in. */
import { readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, expect, inject, test, vi } from "vitest";
import { type Background, Checkout } from "../pages/checkout.ts";
import { makeDatabase } from "../support/postgres.mjs";
import { freePort } from "../support/servers.mjs";

let database: Awaited<ReturnType<typeof makeDatabase>>;
let checkout: Checkout;
let running: Background | undefined;

beforeEach(async () => {
  database = await makeDatabase(inject("postgresUrl"));
  checkout = await Checkout.make();
  await symlink(path.resolve("node_modules"), path.join(checkout.folder, "node_modules"));
});
afterEach(async () => {
  await running?.interrupt();
  await checkout.remove();
  await database.drop();
});

test("it starts again with what was changed, outlasts a mistake, and ends at Ctrl-C", { timeout: 180_000 }, async () => {
  const port = String(await freePort());
  const settings = { DATABASE_URL: database.url, PORT: port, LOG_LEVEL: "info" };
  running = await checkout.start("npm run dev", /NexusToken answers/, settings);
  const file = path.join(checkout.folder, "src/app/version.ts");
  const source = await readFile(file, "utf8");
  await writeFile(file, source.replace(/"(.*)"/, '"$1-changed"'));
  await eventually(async () => expect(await versionAt(port)).toMatch(/-changed$/));

  await writeFile(file, "export const VERSION = ;");
  await eventually(async () => expect(running?.said()).toMatch(/it ended with 1: it starts again when a file changes/));
  await expect(versionAt(port)).rejects.toThrow();
  await writeFile(file, source.replace(/"(.*)"/, '"$1-mended"'));
  await eventually(async () => expect(await versionAt(port)).toMatch(/-mended$/));

  expect(await running.interrupt()).toBe(true);
  expect(running.said()).toMatch(/"signal":"SIGINT","msg":"stopping/);
  await expect(versionAt(port)).rejects.toThrow();
});

const eventually = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 40_000, interval: 200 });

async function versionAt(port: string): Promise<string> {
  const document: unknown = await (await fetch(`http://localhost:${port}/openapi.json`)).json();
  return String(Object(Object(document).info).version);
}
