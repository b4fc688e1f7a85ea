/**
 * An embedded PostgreSQL for those who have none: under the data folder, on 127.0.0.1 only, with a random password.
 * It may outlive a process that was killed; the next one finds it running and takes it over. The last one to leave stops it.
 *
 * E1  Two servers never run on one folder: one that may be running is waited for, never ignored, and PostgreSQL itself judges
 *     what a dead one has left (postmaster.pid, shared memory).
 * E2  A folder is complete or does not exist: it is created under a temporary name and renamed.
 * E3  `close` ends whatever `open` has started, at any stage.
 */
import type { Log } from "../../../actors/ports/log.ts";
import { DataFolder, INSTEAD, SERVER_USER, type ServerSettings } from "./data-folder.ts";
import { findPrograms, type Programs } from "./installation.ts";
import { isAway, openPool } from "./pool.ts";
import { identifyPostmaster, isRunning, readPostmaster } from "./postmaster.ts";
import { codeOf, type Run, type RunAs, serverUser } from "./programs.ts";

const DATABASE = "postgres";
const WATCH_MS = 2_000;
const POLL_MS = 10;
/** Time for a fast shutdown, which writes a checkpoint (ms); then the server is ended without one. */
const STOP_MS_MAX = 10_000;
/** Time for recovery after a crash, which replays all writes since the last checkpoint (ms). */
const READY_MS_MAX = 120_000;
/** Time for the sessions of a killed server to notice and end, and for another process's failed start to end (ms). */
const LEFTOVER_MS_MAX = 5_000;
const LEFTOVER_LOOK_MS = 100;
const LEFTOVER = /shared memory block|lock file "postmaster\.pid"/;
const FLAGS = [
  "listen_addresses=127.0.0.1",
  "unix_socket_directories=",
  "max_connections=100",
  // The log file is never rotated, and clients are told of their own errors.
  "log_min_messages=fatal",
  "log_min_error_statement=panic",
].flatMap((setting) => ["-c", setting]);

export class EmbeddedServer {
  readonly #folder: DataFolder;
  readonly #log: Log;
  #settings: ServerSettings = { port: 0, password: "" };
  #pid = 0;
  #watch: ReturnType<typeof setInterval> | undefined;
  #reviving = false;
  #closed = false;
  /** The program that was started last, until its outcome is known. */
  #starting: Run | undefined;
  #opening: Promise<unknown> = Promise.resolve();

  constructor(dataDir: string, log: Log) {
    this.#folder = new DataFolder(dataDir);
    this.#log = log;
  }

  /** Starts the server in `dataDir`, or takes over a running one. Throws an Error that says what prevents it. */
  static async open(dataDir: string, log: Log): Promise<EmbeddedServer> {
    const server = new EmbeddedServer(dataDir, log);
    await server.open();
    return server;
  }

  /** The URL of a server that runs in `dataDir` already; undefined if there is none. Starts nothing. */
  static async find(dataDir: string): Promise<string | undefined> {
    const folder = new DataFolder(dataDir);
    const there = await readPostmaster(folder.data);
    if (there === undefined || (await identifyPostmaster(there.pid, folder.data)) !== "server") return undefined;
    const settings = await folder.settings();
    return settings === undefined ? undefined : urlOf({ ...settings, port: there.port });
  }

  /** Like the static one; if it is closed meanwhile, it rejects and leaves nothing running. */
  open(): Promise<void> {
    const opening = this.#begin();
    this.#opening = opening.catch(() => {});
    return opening;
  }

  /** Its URL; the port stays the same while anybody uses it. */
  get url(): string {
    return urlOf(this.#settings);
  }

  /** Stops the server, unless another process of ours is connected to it. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#watch);
    if (this.#starting !== undefined) await end(this.#starting.pid, true);
    await this.#opening;
    if (isRunning(this.#pid) && !(await this.#inUse())) await end(this.#pid);
  }

  async #begin(): Promise<void> {
    this.#settings = await this.#folder.makeSettings();
    // One that is taken over may be about to end: then it is started anew.
    for (let waited = 0; !(await this.#reach(waited >= LEFTOVER_MS_MAX)); waited += LEFTOVER_LOOK_MS)
      await wait(LEFTOVER_LOOK_MS);
    this.#watch = setInterval(() => this.#look(), WATCH_MS);
    this.#watch.unref();
  }

  /** Takes a running server over, or starts it; gives whether it answers. The last time it throws if it does not. */
  async #reach(isLast: boolean): Promise<boolean> {
    if (!(await this.#takeOver())) {
      const programs = await findPrograms();
      const as = await serverUser(this.#folder.data);
      await this.#folder.admit(programs, as);
      if (!(await this.#folder.isSetUp())) {
        await this.#folder.setUp(programs, as, this.#settings, (run) => this.#began(run));
        this.#starting = undefined;
      }
      await this.#start(programs, as);
    }
    try {
      await this.#checkPassword();
      return true;
    } catch (error) {
      if (isLast || this.#closed || !isAway(error)) throw error;
      return false;
    }
  }

  /** Notes the program that `close` has to end; one that is started after `close` is ended at once. */
  #began(run: Run): void {
    this.#starting = run;
    if (this.#closed) void end(run.pid, true);
  }

  /** Whether a running server takes connections; waits for one that is starting or recovering. */
  async #takeOver(): Promise<boolean> {
    for (let waited = 0; waited < READY_MS_MAX && !this.#closed; waited += POLL_MS) {
      const there = await readPostmaster(this.#folder.data);
      if (there === undefined || (await identifyPostmaster(there.pid, this.#folder.data)) !== "server") return false;
      if (there.ready) {
        this.#pid = there.pid;
        this.#settings = { ...this.#settings, port: there.port };
        return true;
      }
      await wait(POLL_MS);
    }
    throw new Error(`The PostgreSQL that runs in ${this.#folder.data} does not become ready: stop it, and start again.`);
  }

  async #start(programs: Programs, as: RunAs): Promise<void> {
    for (let waited = 0; ; waited += LEFTOVER_LOOK_MS) {
      this.#settings = await this.#folder.freePort(this.#settings);
      if (this.#closed) throw new Error("It was stopped before it had started.");
      if (await this.#launch(programs, as)) return;
      // Another process of ours was faster, or is about to be.
      if (await this.#takeOver()) return;
      const leftover = LEFTOVER.test(await this.#folder.said());
      if (!leftover || waited >= LEFTOVER_MS_MAX || this.#closed) throw await this.#folder.failure("does not start");
      await wait(LEFTOVER_LOOK_MS);
    }
  }

  /** Tries to start it once; gives whether it takes connections. */
  async #launch({ postgres }: Programs, as: RunAs): Promise<boolean> {
    const { data } = this.#folder;
    const args = ["-D", data, "-p", String(this.#settings.port), ...FLAGS];
    const run = await this.#folder.run(postgres, args, as, await staleness(data));
    this.#began(run);
    let ended = false;
    void run.exited.then(() => {
      ended = true;
    });
    while (!ended) {
      const there = await readPostmaster(data);
      if (there?.pid === run.pid && there.ready) {
        this.#pid = run.pid;
        this.#starting = undefined;
        run.release();
        return true;
      }
      await wait(POLL_MS);
    }
    this.#starting = undefined;
    return false;
  }

  async #checkPassword(): Promise<void> {
    const database = openPool(this.url, { max: 1, name: "embedded" });
    try {
      await database`select 1`;
    } catch (error) {
      if (codeOf(error) !== "28P01") throw error;
      throw new Error(
        `The password in ${this.#folder.path}/server.json is not the one of the data beside it: put the right file back, ${INSTEAD}.`,
        { cause: error },
      );
    } finally {
      await database.end({ timeout: 1 });
    }
  }

  /** Restarts a server that died (killed, out of memory), on the same port. */
  #look(): void {
    if (this.#reviving || isRunning(this.#pid)) return;
    this.#reviving = true;
    this.#opening = this.#revive().finally(() => {
      this.#reviving = false;
    });
  }

  async #revive(): Promise<void> {
    this.#log.error({}, "the embedded PostgreSQL is gone; starting it again");
    try {
      if (!(await this.#takeOver())) await this.#start(await findPrograms(), await serverUser(this.#folder.data));
    } catch (error) {
      if (!this.#closed) this.#log.error({ err: error }, "the embedded PostgreSQL could not be started again");
    }
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

function urlOf({ port, password }: ServerSettings): string {
  return `postgres://${SERVER_USER}:${password}@127.0.0.1:${port}/${DATABASE}`;
}

/**
 * PostgreSQL takes the process id in an old postmaster.pid for a live server if any process of the same user has that id. It is
 * told that this process is none, as pg_ctl does for itself; it still makes all of its other checks.
 */
async function staleness(data: string): Promise<{ readonly [name: string]: string }> {
  const left = await readPostmaster(data);
  if (left === undefined || (await identifyPostmaster(left.pid, data)) !== "stranger") return {};
  return { PG_GRANDPARENT_PID: String(left.pid) };
}

/** Ends a server, or the program that sets one up, and waits for its end. `whole`: with all its children, as Ctrl-C does. */
async function end(pid: number, whole = false): Promise<void> {
  for (const signal of ["SIGINT", "SIGQUIT", "SIGKILL"] as const) {
    if (!isRunning(pid)) return;
    process.kill(whole ? -pid : pid, signal);
    for (let waited = 0; isRunning(pid) && waited < STOP_MS_MAX; waited += POLL_MS) await wait(POLL_MS);
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
