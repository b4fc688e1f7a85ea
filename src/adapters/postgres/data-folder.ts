/** The folder of the embedded PostgreSQL: settings (server.json), data, and the programs' output (server.log). */
import { randomBytes } from "node:crypto";
import { chmod, chown, link, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { type Programs, requireName, requireOpen } from "./installation.ts";
import { isRunning } from "./postmaster.ts";
import { codeOf, type Run, type RunAs, run } from "./programs.ts";

export interface ServerSettings {
  readonly port: number;
  readonly password: string;
}

export const SERVER_USER = "nexus";
export const INSTEAD = "set NEXUS_DATA_DIR to another folder, or DATABASE_URL to a PostgreSQL of yours";
const SAID_CHARACTERS_MAX = 500;
/** Folders that this process is setting up. */
const SETTING_UP = new Set<string>();

export class DataFolder {
  /** The whole folder. */
  readonly path: string;
  /** PostgreSQL's data directory in it. */
  readonly data: string;
  readonly #log: string;

  constructor(dataDir: string) {
    this.path = path.resolve(dataDir, "postgres");
    this.data = path.join(this.path, "data");
    this.#log = path.join(this.path, "server.log");
  }

  /** Reads the settings; undefined if there are none. Throws an Error with a sentence for the operator. */
  async settings(): Promise<ServerSettings | undefined> {
    const file = path.join(this.path, "server.json");
    try {
      const { port, password } = JSON.parse(await readFile(file, "utf8"));
      const isPort = Number.isInteger(port) && port > 0 && port < 65_536;
      if (!isPort || typeof password !== "string") throw new Error("no port or no password in it");
      return { port, password };
    } catch (error) {
      if (codeOf(error) === "ENOENT") return undefined;
      throw new Error(`${file} cannot be read (${codeOf(error)}): put it back as it was, ${INSTEAD}.`, { cause: error });
    }
  }

  /** Reads the settings, or creates them; of several processes that do so at once, the first one wins. */
  async makeSettings(): Promise<ServerSettings> {
    await this.#writing(() => mkdir(this.path, { recursive: true }));
    const known = await this.settings();
    if (known !== undefined) return known;
    const made = { port: await freePort(), password: randomBytes(24).toString("hex") };
    const draft = path.join(this.path, `server.json.new-${randomBytes(4).toString("hex")}`);
    await this.#writing(async () => {
      await writeFile(draft, JSON.stringify(made), { mode: 0o600 });
      await link(draft, path.join(this.path, "server.json")).catch((error: unknown) => {
        if (codeOf(error) !== "EEXIST") throw error;
      });
      await rm(draft);
    });
    return (await this.settings()) ?? made;
  }

  /** Keeps the port, or takes another one if it is in use by now. */
  async freePort(settings: ServerSettings): Promise<ServerSettings> {
    if (await isFree(settings.port)) return settings;
    const moved = { ...settings, port: await freePort() };
    const draft = path.join(this.path, `server.json.new-${randomBytes(4).toString("hex")}`);
    await this.#writing(async () => {
      await writeFile(draft, JSON.stringify(moved), { mode: 0o600 });
      await rename(draft, path.join(this.path, "server.json"));
    });
    return moved;
  }

  /** Gives the server's user access and checks that it has it. Throws an Error with a sentence for the operator. */
  async admit(programs: Programs, as: RunAs): Promise<void> {
    if (as.uid !== undefined) for (const folder of [path.dirname(this.path), this.path]) await chmod(folder, 0o755);
    await requireOpen([programs.postgres, this.data], as);
    const there = await stat(this.data).catch(() => undefined);
    const me = as.uid ?? process.getuid?.();
    if (there !== undefined && me !== undefined && there.uid !== me && (await this.#names())?.includes("PG_VERSION") !== false) {
      throw new Error(
        `The data in ${this.data} belongs to the user with the id ${there.uid}, and this one has the id ${me}: run it as that user or as root, ${INSTEAD}.`,
      );
    }
  }

  /** Whether the data directory exists. */
  async isSetUp(): Promise<boolean> {
    return (await this.#names())?.includes("PG_VERSION") === true;
  }

  /** The contents of the data directory; undefined if it does not exist or we may not read it. */
  #names(): Promise<readonly string[] | undefined> {
    return readdir(this.data).catch(() => undefined);
  }

  /**
   * Creates the data directory under a temporary name and renames it, so that a kill in between leaves nothing half done.
   * `started` is called with the program that does it. Throws an Error with a sentence for the operator.
   */
  async setUp(programs: Programs, as: RunAs, { password }: ServerSettings, started: (run: Run) => void): Promise<void> {
    requireName();
    await this.#removeUnfinished();
    const unfinished = `${this.data}.new-${process.pid}-${randomBytes(4).toString("hex")}`;
    const secret = `${unfinished}.password`;
    SETTING_UP.add(path.basename(unfinished));
    try {
      await this.#writing(async () => {
        await mkdir(unfinished, { mode: 0o700 });
        await writeFile(secret, `${password}\n`, { mode: 0o600 });
        if (as.uid !== undefined) for (const file of [unfinished, secret]) await chown(file, as.uid, as.gid);
      });
      const flags = [`--pgdata=${unfinished}`, "--auth=password", `--username=${SERVER_USER}`, `--pwfile=${secret}`];
      const initdb = await this.run(programs.initdb, [...flags, "--encoding=UTF8", "--locale=C"], as);
      started(initdb);
      if ((await initdb.exited) !== 0) throw await this.failure("could not be set up");
      await rename(unfinished, this.data).catch(async (error: unknown) => {
        // Another process of ours was faster.
        if (await this.isSetUp()) return;
        throw new Error(`${this.data} is there, but is no PostgreSQL's: move it away, ${INSTEAD}.`, { cause: error });
      });
    } finally {
      await rm(unfinished, { recursive: true, force: true });
      await rm(secret, { force: true });
      SETTING_UP.delete(path.basename(unfinished));
    }
  }

  /** Runs one of the programs; its output overwrites the log file. */
  async run(program: string, args: readonly string[], as: RunAs, more: { readonly [name: string]: string } = {}): Promise<Run> {
    const file = await this.#writing(() => open(this.#log, "w", 0o600));
    try {
      return run(program, args, file.fd, as, more);
    } finally {
      await file.close();
    }
  }

  /** The output of the last program. */
  async said(): Promise<string> {
    return (await readFile(this.#log, "utf8").catch(() => "")).trim();
  }

  /** The error for a program that failed, with the reason from its output. */
  async failure(what: string): Promise<Error> {
    const lines = (await this.said()).split("\n");
    const reason = /^.*\b(?:FATAL|PANIC|ERROR|error): +/;
    const hint = /^.*\b(?:HINT|hint): +/;
    const [first = lines.at(-1) ?? ""] = lines.filter((line) => reason.test(line));
    const [more = ""] = lines.filter((line) => hint.test(line));
    const said = [first.replace(reason, ""), more.replace(hint, "")].filter((text) => text !== "").join(" ");
    return new Error(
      `The embedded PostgreSQL in ${this.path} ${what}: ${said.slice(0, SAID_CHARACTERS_MAX) || "it says nothing"} Mend that, ${INSTEAD}.`,
    );
  }

  /** Removes temporary directories of processes that have ended. */
  async #removeUnfinished(): Promise<void> {
    for (const name of await readdir(this.path)) {
      const [, pid] = /^data\.new-(\d+)/.exec(name) ?? [];
      if (pid === undefined && name !== "data.new") continue;
      // The process id may belong to another process by now, even to ours.
      const mine = Number(pid) === process.pid;
      if (mine ? SETTING_UP.has(name.replace(/\.password$/, "")) : isRunning(Number(pid))) continue;
      await rm(path.join(this.path, name), { recursive: true, force: true });
    }
  }

  async #writing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw new Error(`The data folder ${this.path} cannot be written (${codeOf(error)}): mend that, ${INSTEAD}.`, {
        cause: error,
      });
    }
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
