/** The demo as a newcomer runs it: the real command, with the limits that a platform has by itself. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { startProcess } from "../support/platform.mjs";
import { makeDatabase } from "../support/postgres.mjs";
import { freePort } from "../support/servers.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const NEXUS = [process.execPath, path.join(ROOT, "bin/nexus.js"), "demo"] as const;

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "nexus-demo-"));
});
afterEach(async () => {
  expect(await processesIn(folder)).toEqual([]);
  await rm(folder, { recursive: true, force: true });
});

/** Processes that know of this folder: the embedded PostgreSQL and what sets it up. */
async function processesIn(where: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (command.includes(where)) found.push(`${pid} ${command.replaceAll("\0", " ")}`);
  }
  return found;
}

interface Ended {
  readonly code: number | null;
  readonly out: string;
}

class Command {
  readonly #child: ChildProcess;
  readonly ended: Promise<Ended>;
  out = "";

  /** Started as a shell on a terminal does it: in a process group of its own. */
  constructor(command: readonly string[], settings: { readonly [name: string]: string }) {
    const [program = "", ...args] = command;
    const env = { PATH: process.env["PATH"] ?? "", HOME: folder, NEXUS_DATA_DIR: folder, ...settings };
    this.#child = spawn(program, args, { env, cwd: ROOT, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const keep = (chunk: Buffer) => {
      this.out += chunk.toString();
    };
    this.#child.stdout?.on("data", keep);
    this.#child.stderr?.on("data", keep);
    this.ended = new Promise((resolve) => this.#child.once("close", (code) => resolve({ code, out: this.out })));
  }

  /** Waits until it has printed this. */
  async says(text: string): Promise<void> {
    for (let waited = 0; !this.out.includes(text) && waited < 30_000; waited += 10) await wait(10);
    expect(this.out).toContain(text);
  }

  /** What Ctrl-C does: the signal goes to the whole group. */
  interrupt(signal: NodeJS.Signals = "SIGINT"): void {
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, signal);
  }
}

function expectWhole({ code, out }: Ended): void {
  expect(out).toMatch(/requester +\d+ NC available, 0 NC held\nada +\d+ NC available, 0 NC held\nben +\d+ NC/);
  for (const text of ["01-earnings", "10-recall"]) expect(out).toMatch(new RegExp(`${text}.* SETTLED +\\d+  \\{`));
  expect(out.match(/ SETTLED /g)).toHaveLength(10);
  expect(out).not.toMatch(/\b429\b|More than|ECONN|at .*\.js:\d/);
  expect(code).toBe(0);
}

/** One sentence, and no stack. */
function expectOneLine({ out }: Ended): void {
  expect(out).not.toMatch(/^\s+at /m);
  expect(out.trim().split("\n").at(-1)).toMatch(/^[A-Z].*\.$/);
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

test("on a bare machine `npm run demo` goes from posted to paid and audited, and a second time", {
  timeout: 180_000,
}, async () => {
  const PORT = String(await freePort());
  for (const command of [["npm", "run", "demo"], NEXUS]) {
    const ended = await new Command(command, { PORT }).ended;
    expectWhole(ended);
    expect(ended.out).toContain("Started a platform on");
    expect(ended.out.match(/^ok {3}\d/gm)).toHaveLength(9);
    expect(await processesIn(folder)).toEqual([]);
  }
});

test("beside a running platform it keeps within the limits, twice in a row, and audits that platform's books", async () => {
  const platform = await startProcess({ NEXUS_DATA_DIR: folder }, "start", {});
  for (let round = 0; round < 2; round += 1) {
    const ended = await new Command(NEXUS, { PORT: String(platform.port) }).ended;
    expectWhole(ended);
    expect(ended.out).toContain("Using the platform on");
    expect(ended.out.match(/^ok {3}\d/gm)).toHaveLength(9);
  }
  expect(await platform.kill("SIGTERM")).toBe(0);
});

test("beside a platform with another database it says that it cannot audit that one, and leaves its own alone", async () => {
  const database = await makeDatabase(inject("postgresUrl"));
  const platform = await startProcess({ DATABASE_URL: database.url }, "start", { RATE_LIMIT_PER_SECOND: "4" });
  const ended = await new Command(NEXUS, { PORT: String(platform.port) }).ended;
  expectWhole(ended);
  expect(ended.out).toContain("The platform uses another database than these settings");
  expect(await readdir(folder)).toEqual([]);
  await platform.kill("SIGTERM");
  await database.drop();
});

test("beside a gateway of a cluster, with the cluster's settings", async () => {
  const database = await makeDatabase(inject("postgresUrl"));
  const settings = { DATABASE_URL: database.url, NATS_URL: inject("natsUrl"), NATS_PREFIX: `t${randomUUID()}` };
  const node = await startProcess(settings, "node", {});
  const gateway = await startProcess(settings, "gateway", {});
  const ended = await new Command(NEXUS, { ...settings, PORT: String(gateway.port) }).ended;
  expectWhole(ended);
  expect(ended.out.match(/^ok {3}\d/gm)).toHaveLength(9);
  for (const process of [gateway, node]) expect(await process.kill("SIGTERM")).toBe(0);
  await database.drop();
});

test("a port that something else has is left to it", async () => {
  const other = createServer((_, response) => void response.end("{}"));
  const port = await freePort();
  await new Promise((resolve) => other.listen(port, "127.0.0.1", () => resolve(undefined)));
  const ended = await new Command(NEXUS, { PORT: String(port) }).ended;
  other.closeAllConnections();
  other.close();
  expectWhole(ended);
});

test.each([
  ["while PostgreSQL is set up", "", "SIGINT"],
  ["when the platform has just started", "Started a platform", "SIGTERM"],
  ["half way", "SETTLED", "SIGINT"],
] as const)(
  "a signal %s stops all that was started, says so in one sentence, and ends with 128 + its number",
  async (_, until, signal) => {
    const command = new Command(NEXUS, { PORT: String(await freePort()) });
    if (until === "") while ((await processesIn(folder)).length === 0) await wait(5);
    else await command.says(until);
    command.interrupt(signal);
    await wait(20);
    command.interrupt(signal);
    const ended = await command.ended;
    expectOneLine(ended);
    expect(ended.code).toBe(signal === "SIGINT" ? 130 : 143);
    expect(await processesIn(folder)).toEqual([]);
  },
);

test("Ctrl-C beside a running platform leaves that alone and takes the demo's workers off it", async () => {
  const platform = await startProcess({ NEXUS_DATA_DIR: folder }, "start", {});
  const command = new Command(NEXUS, { PORT: String(platform.port) });
  await command.says("AWARDED");
  command.interrupt();
  const ended = await command.ended;
  expect(ended.code).toBe(130);
  expectOneLine(ended);
  expectWhole(await new Command(NEXUS, { PORT: String(platform.port) }).ended);
  expect(await platform.kill("SIGTERM")).toBe(0);
});

test("a data folder that cannot be used, a wrong setting, a database that is away: one sentence, exit code 1", async () => {
  const PORT = String(await freePort());
  for (const settings of [
    { NEXUS_DATA_DIR: "/dev/null/nexus" },
    { DATABASE_URL: "postgres://nobody@127.0.0.1:1/none" },
    { ROUTING_WINDOW_MS: "soon" },
  ]) {
    const ended = await new Command(NEXUS, { PORT, ...settings }).ended;
    expectOneLine(ended);
    expect(ended.code).toBe(1);
  }
});
