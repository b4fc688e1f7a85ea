/** Installs the peers, with all that they depend on, in the versions of package-lock.json beside this file. */
import { execFileSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const LOCK = `${FOLDER}package-lock.json`;
const INSTALLED = `${FOLDER}node_modules/.package-lock.json`;

/** Loads one of the peers' packages. */
export const load = createRequire(import.meta.url);

/** Installs them unless that is done. They are no dependencies of the platform: whoever runs no such bench has none of them. */
export function install() {
  if (existsSync(INSTALLED) && statSync(INSTALLED).mtimeMs >= statSync(LOCK).mtimeMs) return;
  console.log("installing the peers, once");
  execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: FOLDER, stdio: "inherit" });
}

/** The version of a peer that is installed. @param {string} name @returns {string} */
export function versionOf(name) {
  return load(`${name}/package.json`).version;
}
