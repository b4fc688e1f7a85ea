/**
 * Runs the platform from its source, and starts it again whenever a source file changes, until SIGTERM or Ctrl-C.
 *
 *   npm run dev [-- gateway | node]
 *
 * A process is running -> stopping, because a file changed or a signal came -> ended. One that ends by itself (a syntax error, a
 * wrong setting) is started again at the next change.
 */
import { spawn } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const ENTRY = path.join(ROOT, "src/app/cli.ts");
const FOLDERS = ["machines", "actors", "gateway", "src"];
/** How often the files are looked at (ms). Looking works on every file system and with every editor; events do not. */
const LOOK_MS = 500;
const HOOKS = new URL("strip-types.js", import.meta.url).href;
/** Threads inherit these, so a thread's file is run from its source too. */
const NODE_OPTIONS =
  "typescript" in process.features && process.features.typescript
    ? ["--disable-warning=ExperimentalWarning"]
    : [
        "--enable-source-maps",
        `--import=data:text/javascript,${encodeURIComponent(`import { register } from "node:module"; register(${JSON.stringify(HOOKS)});`)}`,
      ];

/** What would be different after a change: each source file with its time and size. */
function look() {
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true }).map((name) => path.join(ROOT, folder, String(name))),
  ).filter((file) => file.endsWith(".ts"));
  return files
    .map((file) => {
      const found = statSync(file, { throwIfNoEntry: false });
      return `${file} ${found?.mtimeMs} ${found?.size}`;
    })
    .join("\n");
}

/** @param {string} line */
const say = (line) => process.stderr.write(`dev: ${line}\n`);

const args = process.argv.slice(2);
let seen = look();
let changed = false;
let ending = false;
/** @type {import("node:child_process").ChildProcess | undefined} */
let child;
/** Ends the waiting for a change. */
let wake = () => {};

setInterval(() => {
  const now = look();
  if (now === seen) return;
  seen = now;
  if (changed) return;
  changed = true;
  say("a file changed: starting again");
  child?.kill("SIGTERM");
  wake();
}, LOOK_MS);
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
  process.on(signal, () => {
    ending = true;
    child?.kill(signal);
    wake();
  });
}

/** @type {number | null} */
let code = 0;
while (!ending) {
  changed = false;
  child = spawn(process.execPath, [...NODE_OPTIONS, ENTRY, ...(args.length > 0 ? args : ["start"])], { stdio: "inherit" });
  code = await new Promise((resolve) => child?.once("exit", resolve));
  child = undefined;
  if (changed || ending) continue;
  say(`it ended with ${code}: it starts again when a file changes`);
  await new Promise((resolve) => {
    wake = () => resolve(undefined);
  });
}
process.exit(code ?? 1);
