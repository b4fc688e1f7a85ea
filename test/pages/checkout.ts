/** A fresh clone of the working tree, in which the pages' commands are run as a newcomer would. */
import { execFileSync, spawn } from "node:child_process";
import { chmod, cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

/** What does not say by then that it has started does not start (ms). */
const START_MS = 90_000;
/** What was told to end may take this long (ms). */
const STOP_MS = 30_000;

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
}

export interface Background {
  /** What it has said so far. */
  said(): string;
  /** Ctrl-C: to it and all that it has started. Gives whether all of it ended by that; what does not is killed. */
  interrupt(): Promise<boolean>;
}

export class Checkout {
  readonly folder: string;
  readonly env: Record<string, string>;

  private constructor(folder: string, env: Record<string, string>) {
    this.folder = folder;
    this.env = env;
  }

  /** Copies what git knows or would add. Its commands are told PATH and HOME, and what they are given. */
  static async make(): Promise<Checkout> {
    const folder = await mkdtemp(path.join(tmpdir(), "nexus-pages-"));
    // mkdtemp's folders are closed to others, and PostgreSQL started by root runs as another user.
    await chmod(folder, 0o755);
    const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { encoding: "utf8" });
    for (const file of files.split("\0").filter((name) => name !== ""))
      await cp(file, path.join(folder, file)).catch(ignoreDeleted);
    const { PATH = "", HOME = "" } = process.env;
    return new Checkout(folder, { PATH, HOME, npm_config_prefer_offline: "true" });
  }

  /** Has a shell read `text` as if it was pasted. */
  run(text: string, shell: readonly [string, ...string[]] = ["sh"], settings: Record<string, string> = {}): Promise<Outcome> {
    const child = this.#spawn(shell, settings);
    child.stdin.end(text);
    let out = "";
    const keep = (chunk: Buffer) => {
      out += chunk.toString();
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    return new Promise((resolve) => child.once("close", (code) => resolve({ code, out })));
  }

  /** Runs what does not end by itself, and resolves when it `says` so. Rejects with what it said when it ends before. */
  start(text: string, says: RegExp, settings: Record<string, string> = {}): Promise<Background> {
    const child = this.#spawn(["sh"], settings);
    child.stdin.end(text);
    let out = "";
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    const signal = (name: NodeJS.Signals) => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, name);
      } catch {
        // All of it has ended.
      }
    };
    const interrupt = async () => {
      signal("SIGINT");
      let killed = false;
      const timer = setTimeout(() => {
        killed = true;
        signal("SIGKILL");
      }, STOP_MS);
      await ended;
      clearTimeout(timer);
      return !killed;
    };
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        signal("SIGKILL");
        reject(new Error(`it did not say ${says} within ${START_MS} ms:\n${out}`));
      }, START_MS);
      void ended.then(() => clearTimeout(timer));
      const keep = (chunk: Buffer) => {
        out += chunk.toString();
        if (!says.test(out)) return;
        clearTimeout(timer);
        resolve({ said: () => out, interrupt });
      };
      child.stdout.on("data", keep);
      child.stderr.on("data", keep);
      void ended.then((code) => reject(new Error(`it ended with ${code} before it said ${says}:\n${out}`)));
    });
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }

  #spawn([program, ...args]: readonly [string, ...string[]], settings: Record<string, string>) {
    // A process group of its own, so that an interruption reaches all of it.
    return spawn(program, args, { cwd: this.folder, env: { ...this.env, ...settings }, detached: true, stdio: "pipe" });
  }
}

/** A file that git knows may have been deleted and not yet committed. */
function ignoreDeleted(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
}
