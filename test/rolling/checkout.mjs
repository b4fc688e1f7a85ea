/** Another version of the platform, built in a folder of its own. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Whether this clone has a commit; a shallow one may not. @param {string} commit */
function hasCommit(commit) {
  return spawnSync("git", ["-C", ROOT, "cat-file", "-e", `${commit}^{commit}`], { stdio: "ignore" }).status === 0;
}

/**
 * Builds a commit with the packages of this checkout. Throws with a sentence when it cannot be had.
 * @param {string} commit
 * @returns {{ readonly entry: string, readonly remove: () => void }}
 */
export function buildCommit(commit) {
  if (!hasCommit(commit)) {
    throw new Error(
      `This clone does not have the commit ${commit}; fetch it with \`git fetch --unshallow\`, or name another with --from.`,
    );
  }
  const folder = mkdtempSync(path.join(tmpdir(), "nexus-rolling-"));
  const archive = execFileSync("git", ["-C", ROOT, "archive", commit], { maxBuffer: 1 << 30 });
  execFileSync("tar", ["-x", "-C", folder], { input: archive });
  symlinkSync(path.join(ROOT, "node_modules"), path.join(folder, "node_modules"));
  execFileSync(process.execPath, [path.join(folder, "bin", "build.js")], { cwd: folder, stdio: "inherit" });
  return { entry: path.join(folder, "bin", "nexus.js"), remove: () => rmSync(folder, { recursive: true, force: true }) };
}
