/** How the programs of the embedded PostgreSQL are run, and as which user. */
import { execFile, spawn } from "node:child_process";
import { stat } from "node:fs/promises";
import { promisify } from "node:util";

/** The alternative, for those on whose machine it does not run. */
export const ELSE = "or set DATABASE_URL to a PostgreSQL that runs";

/** The user that the server runs as; empty for our own. PostgreSQL refuses to run as root. */
export type RunAs = { readonly uid: number; readonly gid: number } | Record<string, never>;

export interface Run {
  readonly pid: number;
  /** Resolves with the exit code, or null if a signal ended it. Never rejects. */
  readonly exited: Promise<number | null>;
  /** Detaches it: this process need not wait for its end. */
  readonly release: () => void;
}

const SERVER_USER = "postgres";

/**
 * The user that the server runs as: our own, or, if we are root, the owner of the existing data, or a user for this purpose,
 * which is created if necessary. Throws an Error with a sentence for the operator.
 */
export async function serverUser(data: string): Promise<RunAs> {
  if (process.getuid?.() !== 0) return {};
  const owner = await stat(data).catch(() => undefined);
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const known = await idsOf(SERVER_USER);
  if (known !== undefined) return known;
  try {
    await promisify(execFile)("useradd", ["--system", "--user-group", "--no-create-home", SERVER_USER]);
  } catch {
    // Reported below: what counts is whether the user exists.
  }
  const made = await idsOf(SERVER_USER);
  if (made !== undefined) return made;
  throw new Error(
    `PostgreSQL does not run as root, and there is no user ${SERVER_USER}: make one, run this as another user than root, ${ELSE}.`,
  );
}

async function idsOf(user: string): Promise<{ readonly uid: number; readonly gid: number } | undefined> {
  try {
    const [uid, gid] = await Promise.all(["-u", "-g"].map((flag) => promisify(execFile)("id", [flag, user])));
    return { uid: Number(uid?.stdout), gid: Number(gid?.stdout) };
  } catch {
    return undefined;
  }
}

/**
 * Starts a program in a session of its own, so that Ctrl-C at the terminal reaches only us, with its output going to an open
 * file. It may outlive us.
 */
export function run(
  program: string,
  args: readonly string[],
  output: number,
  as: RunAs,
  more: { readonly [name: string]: string },
): Run {
  const env = { ...process.env, ...more };
  const child = spawn(program, args, { ...as, cwd: "/", detached: true, stdio: ["ignore", output, output], env });
  const exited = new Promise<number | null>((resolve) => {
    child.once("error", () => resolve(null));
    child.once("exit", resolve);
  });
  return { pid: child.pid ?? 0, exited, release: () => child.unref() };
}

export function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error) return String(error.code);
  return error instanceof Error ? error.message : String(error);
}
