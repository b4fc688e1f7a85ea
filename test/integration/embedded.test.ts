/** The embedded PostgreSQL: what is left of a server that was killed, and folders that it cannot use. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { EmbeddedServer } from "../../src/adapters/postgres/embedded.ts";
import { openPool } from "../../src/adapters/postgres/pool.ts";
import { identifyPostmaster } from "../../src/adapters/postgres/postmaster.ts";
import { isAlive } from "../support/alive.ts";
import { SILENT } from "../support/world.ts";

const ENTRY = fileURLToPath(new URL("../../bin/nexus.js", import.meta.url));
const ROOT = process.getuid?.() === 0;
/** A user that has no name in /etc/passwd, and one that has one everywhere. */
const NAMELESS = 12_345;
const NOBODY = 65_534;

let folder = "";
let data = "";
const others: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "nexus-embedded-"));
  data = path.join(folder, "postgres", "data");
  await chmod(folder, 0o755);
});
afterEach(async () => {
  for (const other of others.splice(0)) other.kill("SIGKILL");
  for (const pid of await serversIn(folder)) cut(pid);
  await rm(folder, { recursive: true, force: true });
});

/** Postmasters of this folder; a process that one has just made looks like it for a moment. */
async function serversIn(where: string): Promise<readonly number[]> {
  const found = await processesOf(where);
  const children = await Promise.all(found.map((pid) => familyOf(pid).catch(() => [])));
  const made = new Set(children.flatMap(([, ...of]) => of));
  return found.filter((pid) => !made.has(pid));
}

async function processesOf(where: string): Promise<readonly number[]> {
  const found: number[] = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (command.includes(`-D\0${where}`)) found.push(Number(pid));
  }
  return found;
}

/** Every process of the server that this one has started. */
async function familyOf(pid: number): Promise<readonly number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  return [pid, ...children.trim().split(" ").filter(Boolean).map(Number)];
}

async function postmasterPid(): Promise<number> {
  return Number((await readFile(path.join(data, "postmaster.pid"), "utf8")).split("\n")[0]);
}

/** Ends a server and all its processes at once, as a power cut does; its files stay as they are, and nobody watches over it. */
async function cutPower(server: EmbeddedServer): Promise<void> {
  const session = openPool(server.url, { max: 1, name: "test" });
  await session`select 1`;
  await server.close();
  const family = await familyOf(await postmasterPid());
  for (const pid of family) cut(pid);
  while (family.some(isAlive)) await wait(10);
  await session.end({ timeout: 1 });
}

/** Ends a process, unless it has just ended by itself, as workers of a server do. */
function cut(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** Puts another number into what was left, as that of a process that runs. */
async function reuseNumber(pid: number): Promise<void> {
  const file = path.join(data, "postmaster.pid");
  const lines = (await readFile(file, "utf8")).split("\n");
  await writeFile(file, [pid, ...lines.slice(1)].join("\n"));
}

/** A process of the user whose the data is, which is no PostgreSQL. */
async function sleeper(): Promise<number> {
  const { uid, gid } = await stat(data);
  const child = spawn("sleep", ["60"], { stdio: "ignore", ...(ROOT ? { uid, gid } : {}) });
  others.push(child);
  return child.pid ?? 0;
}

async function keep(server: EmbeddedServer, note: string): Promise<void> {
  const database = openPool(server.url, { max: 1, name: "test" });
  await database`create table if not exists notes (note text)`;
  await database`insert into notes values (${note})`;
  await database.end();
}

async function notes(server: EmbeddedServer): Promise<readonly string[]> {
  const database = openPool(server.url, { max: 1, name: "test" });
  const rows = await database<{ note: string }[]>`select note from notes order by note`;
  await database.end();
  return rows.map(({ note }) => note);
}

/** Runs `nexus migrate` as another user; gives what it said and its exit code. */
function migrateAs(uid: number, more: { readonly [name: string]: string } = {}) {
  const env = { PATH: process.env["PATH"], HOME: folder, NEXUS_DATA_DIR: folder, ...more };
  const { stdout, stderr, status } = spawnSync(process.execPath, [ENTRY, "migrate"], { env, uid, gid: uid, cwd: "/" });
  return { out: `${stdout}${stderr}`.trim(), code: status };
}

test("after a power cut it starts, whoever has the old number by now, and nothing that was committed is lost", async () => {
  let server = await EmbeddedServer.open(folder, SILENT);
  await keep(server, "0");
  const numbers = [async () => 0, async () => process.pid, async () => 1, sleeper];
  for (const [round, number] of numbers.entries()) {
    await cutPower(server);
    const taken = await number();
    if (taken > 0) await reuseNumber(taken);
    if (taken > 0) expect(await identifyPostmaster(taken, data)).toBe("stranger");
    server = await EmbeddedServer.open(folder, SILENT);
    // What it has just made and has ended again may have been seen.
    await vi.waitFor(async () => expect(await serversIn(folder)).toEqual([await postmasterPid()]), { timeout: 5_000 });
    await keep(server, String(round + 1));
  }
  expect(await notes(server)).toEqual(["0", "1", "2", "3", "4"]);
  await server.close();
  expect(await serversIn(folder)).toEqual([]);
});

test("a server of another folder that has the old number is left alone", async () => {
  const elsewhere = await mkdtemp(path.join(tmpdir(), "nexus-embedded-"));
  const other = await EmbeddedServer.open(elsewhere, SILENT);
  await (await EmbeddedServer.open(folder, SILENT)).close();
  const [pid = 0] = await serversIn(elsewhere);
  await writeFile(path.join(data, "postmaster.pid"), `${pid}\n${data}\n1\n1\n\n127.0.0.1\n\nready   \n`);
  const server = await EmbeddedServer.open(folder, SILENT);
  await keep(server, "mine");
  await server.close();
  expect(await serversIn(elsewhere)).toEqual([pid]);
  await other.close();
  await rm(elsewhere, { recursive: true });
});

test("a server that runs is taken over, never started twice, and stopped by who leaves last", async () => {
  const [one, two] = await Promise.all([EmbeddedServer.open(folder, SILENT), EmbeddedServer.open(folder, SILENT)]);
  expect(one.url).toBe(two.url);
  const [pid, ...more] = await serversIn(folder);
  expect(more).toEqual([]);
  expect(await identifyPostmaster(pid ?? 0, data)).toBe("server");
  expect(await EmbeddedServer.find(folder)).toBe(one.url);
  const user = openPool(two.url, { max: 1, name: "test" });
  await user`select 1`;
  await one.close();
  expect(await serversIn(folder)).toEqual([pid]);
  await user.end();
  await two.close();
  expect(await serversIn(folder)).toEqual([]);
  expect(await EmbeddedServer.find(folder)).toBeUndefined();
});

test("when its first process alone is killed, it starts again while sessions of the old one are still there", async () => {
  const server = await EmbeddedServer.open(folder, SILENT);
  await keep(server, "before");
  const all = [server];
  // It is opened while the killed one is about to end, or has just ended.
  for (let times = 0; times < 5; times += 1) {
    const session = openPool(all.at(-1)?.url ?? "", { max: 1, name: "test" });
    const sleeping = session`select pg_sleep(0.5)`.catch(() => {});
    await wait(100);
    process.kill(await postmasterPid(), "SIGKILL");
    const again = await EmbeddedServer.open(folder, SILENT);
    expect(await notes(again)).toEqual(["before"]);
    all.push(again);
    await sleeping;
    await session.end({ timeout: 1 });
  }
  for (const one of all.reverse()) await one.close();
});

test("closed while it is set up or starts, it leaves no process and nothing half made", async () => {
  for (const ms of [0, 20, 100, 300, 500]) {
    const server = new EmbeddedServer(folder, SILENT);
    const opening = server.open().then(
      () => "opened",
      () => "ended",
    );
    await wait(ms);
    await server.close();
    await opening;
    const busy = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
    const commands = await Promise.all(busy.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
    expect(commands.filter((command) => command.includes(folder))).toEqual([]);
    expect((await readdir(path.join(folder, "postgres")).catch(() => [""])).filter((name) => /new/.test(name))).toEqual([]);
  }
  const server = await EmbeddedServer.open(folder, SILENT);
  await keep(server, "after");
  await server.close();
});

test("what a setting up that was killed has left is cleared away; what is no PostgreSQL's is not touched", async () => {
  await mkdir(path.join(folder, "postgres", "data.new-999999999", "base"), { recursive: true });
  await mkdir(data, { recursive: true });
  await writeFile(path.join(data, "diary.txt"), "mine");
  await expect(EmbeddedServer.open(folder, SILENT)).rejects.toThrow(
    `${data} is there, but is no PostgreSQL's: move it away, set NEXUS_DATA_DIR to another folder, or DATABASE_URL to a PostgreSQL of yours.`,
  );
  expect(await readdir(data)).toEqual(["diary.txt"]);
  await rm(data, { recursive: true });
  await mkdir(data);
  await (await EmbeddedServer.open(folder, SILENT)).close();
  expect((await readdir(path.join(folder, "postgres"))).sort()).toEqual(["data", "server.json", "server.log"]);
});

test("settings that are lost or spoilt are told of", async () => {
  await (await EmbeddedServer.open(folder, SILENT)).close();
  const file = path.join(folder, "postgres", "server.json");
  for (const text of ["", "{", "[]", '{"port": "x"}', '{"port": 99999, "password": "x"}']) {
    await writeFile(file, text);
    await expect(EmbeddedServer.open(folder, SILENT)).rejects.toThrow(
      /^.*server\.json cannot be read \(.*\): put it back as it was/,
    );
  }
  await rm(file);
  const server = new EmbeddedServer(folder, SILENT);
  await expect(server.open()).rejects.toThrow(/^The password in .*server\.json is not the one of the data beside it/);
  await server.close();
  expect(await serversIn(folder)).toEqual([]);
});

test.skipIf(!ROOT)("data that another user has made: root runs its server as that user, others are told", async () => {
  await (await EmbeddedServer.open(folder, SILENT)).close();
  const { uid } = await stat(data);
  await chmod(path.join(folder, "postgres"), 0o777);
  await chmod(path.join(folder, "postgres", "server.json"), 0o644);
  expect(migrateAs(NOBODY)).toEqual({
    out: `The data in ${data} belongs to the user with the id ${uid}, and this one has the id ${NOBODY}: run it as that user or as root, set NEXUS_DATA_DIR to another folder, or DATABASE_URL to a PostgreSQL of yours.`,
    code: 1,
  });
  expect(spawnSync("chown", ["-R", String(NOBODY), data]).status).toBe(0);
  await (await EmbeddedServer.open(folder, SILENT)).close();
});

test.skipIf(!ROOT)("a folder that may not be written, or one in which there is a file, is told of", async () => {
  const { out, code } = migrateAs(NOBODY);
  expect(out).toMatch(/^The data folder .* cannot be written \(EACCES\): mend that, set NEXUS_DATA_DIR to another folder/);
  expect(code).toBe(1);
  await writeFile(path.join(folder, "file"), "");
  await expect(EmbeddedServer.open(path.join(folder, "file"), SILENT)).rejects.toThrow(/cannot be written \(ENOTDIR\)/);
});

test.skipIf(!ROOT)("a user without a name is told what to do, before and not after data is there", async () => {
  await chown(folder, NAMELESS, NAMELESS);
  const { out, code } = migrateAs(NAMELESS);
  expect(out).toMatch(/^PostgreSQL is not set up by a user without a name \(uid 12345\): give it one in \/etc\/passwd/);
  expect(code).toBe(1);
  await (await EmbeddedServer.open(folder, SILENT)).close();
  expect(spawnSync("chown", ["-R", String(NAMELESS), folder]).status).toBe(0);
  expect(migrateAs(NAMELESS)).toEqual({
    out: "Applied: 0001-market, 0002-cluster, 0003-guide, 0004-formats, 0005-lists, 0006-bids, 0007-honeypots, 0008-terms",
    code: 0,
  });
});
