/**
 * Which process runs in a data folder. PostgreSQL writes its process id to postmaster.pid; after a power cut the file remains,
 * and the id may belong to another process by now, which is usual in containers.
 */
import { execFile } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  /** Whether it says that it takes connections. */
  readonly ready: boolean;
}

/** Lines of the file (PostgreSQL, src/include/utils/pidfile.h). */
const LINE = { pid: 0, port: 3, status: 7 } as const;

/** Parses postmaster.pid; undefined if there is no readable one. */
export async function readPostmaster(data: string): Promise<Postmaster | undefined> {
  try {
    const lines = (await readFile(path.join(data, "postmaster.pid"), "utf8")).split("\n");
    const pid = Number(lines[LINE.pid]);
    if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
    return { pid, port: Number(lines[LINE.port] ?? 0), ready: lines[LINE.status]?.trim() === "ready" };
  } catch {
    return undefined;
  }
}

export function isRunning(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // A process of another user exists too.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/**
 * What a process is:
 *   gone      no process has this id;
 *   stranger  not a PostgreSQL, or one of another folder;
 *   server    maybe the one of this folder, so it is left alone.
 */
export async function identifyPostmaster(pid: number, data: string): Promise<"gone" | "stranger" | "server"> {
  if (!isRunning(pid)) return "gone";
  const command = await commandOf(pid);
  if (command === undefined) return isRunning(pid) ? "server" : "gone";
  const [program = ""] = command;
  if (!/^postgres(\.exe)?$/.test(path.basename(program))) return "stranger";
  const flag = command.indexOf("-D");
  const folder = command[flag + 1];
  return flag > 0 && folder !== undefined && (await areDifferent(folder, data)) ? "stranger" : "server";
}

/** Whether two paths are different folders; false if that cannot be found out. */
async function areDifferent(one: string, other: string): Promise<boolean> {
  try {
    const [a, b] = await Promise.all([stat(one), stat(other)]);
    return a.ino !== b.ino || a.dev !== b.dev;
  } catch {
    return false;
  }
}

/** A process's command line, in parts; undefined if that cannot be found out. */
async function commandOf(pid: number): Promise<readonly string[] | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/cmdline`, "utf8");
    // Kernel processes have none.
    return text.split("\0");
  } catch {
    if (process.platform === "linux" || process.platform === "win32") return undefined;
  }
  try {
    const { stdout } = await promisify(execFile)("ps", ["-p", String(pid), "-o", "command="]);
    return stdout.trim().split(" ");
  } catch {
    return undefined;
  }
}
