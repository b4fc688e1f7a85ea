/**
 * Compiles the platform to dist/. Without the compiler (`npm ci --omit=optional`, as in an image that brings dist/ from
 * elsewhere) what is compiled already stays; nothing compiled is an error, except with --if-possible.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** @param {string} path */
const here = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const compiler = here("node_modules/typescript/bin/tsc");

if (existsSync(compiler)) {
  const built = spawnSync(process.execPath, [compiler, "-p", here("tsconfig.build.json")], { stdio: "inherit" });
  process.exitCode = built.status ?? 1;
} else if (!existsSync(here("dist/src/app/cli.js"))) {
  process.stderr.write(
    "NexusToken is not built: its compiler is not installed. Run `npm ci --include=optional`, or copy dist/ from a built checkout.\n",
  );
  process.exitCode = process.argv.includes("--if-possible") ? 0 : 1;
}
