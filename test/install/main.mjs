/**
 * Every way to install it, each in a clone of HEAD of its own: what a newcomer types, and whether the platform answers then, or
 * which sentence says what to do instead.
 *
 *   npm run try:install [-- <a part of the names of those to try>]
 */
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const STEP_MS = 180_000;
const ANSWERS = /NexusToken answers on (http:\/\/\S+?)["\s]/;

/**
 * A way: how to install, with what in the environment, and what is expected: that it answers, or a sentence.
 * @typedef {{ readonly name: string, readonly install: string, readonly env?: Record<string, string>, readonly closed?: boolean,
 *   readonly uid?: number, readonly expected: RegExp }} Way
 */

const root = process.getuid?.() === 0;
/** A user that no /etc/passwd knows. */
const NOBODYS = 54_321;

/** @type {readonly Way[]} */
const WAYS = [
  { name: "npm ci", install: "npm ci", expected: ANSWERS },
  { name: "NODE_ENV=production npm ci", install: "npm ci", env: { NODE_ENV: "production" }, expected: ANSWERS },
  { name: "npm ci --omit=dev", install: "npm ci --omit=dev", expected: ANSWERS },
  { name: "npm ci --ignore-scripts", install: "npm ci --ignore-scripts", expected: ANSWERS },
  { name: "npm ci --omit=dev --ignore-scripts", install: "npm ci --omit=dev --ignore-scripts", expected: ANSWERS },
  {
    name: "npm ci --omit=optional",
    install: "npm ci --omit=optional",
    expected: /NexusToken is not built: its compiler is not installed\. Run `npm ci --include=optional`/,
  },
  { name: "npm install", install: "npm install", expected: ANSWERS },
  { name: "HOST=::", install: "npm ci", env: { HOST: "::" }, expected: ANSWERS },
  { name: "HOST=[::1]", install: "npm ci", env: { HOST: "[::1]" }, expected: ANSWERS },
  ...(root
    ? [
        {
          name: "root, below a folder closed to others",
          install: "npm ci",
          closed: true,
          expected: /Started by root, PostgreSQL runs as another user \(uid \d+\), who may not enter (\S+): run `chmod o\+x \1`/,
        },
        {
          name: "a user without a name",
          install: "npm ci",
          uid: NOBODYS,
          expected: /PostgreSQL is not set up by a user without a name \(uid 54321\): give it one in/,
        },
      ]
    : []),
];

/**
 * Runs a command until it ends or has said what is awaited; then it is interrupted.
 * @param {string} command
 * @param {{ readonly cwd: string, readonly env: Record<string, string>, readonly uid?: number }} where
 * @param {RegExp} [awaited]
 * @param {(said: string) => Promise<string>} [then] what is looked at when it has said so
 * @returns {Promise<{ readonly code: number | null, readonly said: string, readonly seen: string }>}
 */
function run(command, { cwd, env, uid }, awaited, then) {
  const identity = uid === undefined ? {} : { uid, gid: uid };
  const child = spawn("sh", ["-c", command], { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"], ...identity });
  let said = "";
  let seen = "";
  let looked = false;
  /** @param {NodeJS.Signals} signal */
  const end = (signal) => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, signal);
  };
  const timer = setTimeout(() => end("SIGKILL"), STEP_MS);
  /** @param {Buffer} chunk */
  const keep = (chunk) => {
    said += chunk.toString();
    if (looked || awaited?.test(said) !== true) return;
    looked = true;
    void (then === undefined ? Promise.resolve("") : then(said)).then((sight) => {
      seen = sight;
      end("SIGINT");
    });
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  return new Promise((resolve) => {
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({ code, said, seen });
    });
  });
}

/** Whether the address that it printed answers. @param {string} said */
async function visit(said) {
  const address = ANSWERS.exec(said)?.[1] ?? "";
  try {
    return `${(await fetch(`${address}/health`)).status} from ${address.replace(/:\d+$/, "")}`;
  } catch (error) {
    return `no answer from ${address}: ${error instanceof Error ? error.message : error}`;
  }
}

/** @param {Way} way @returns {Promise<{ readonly good: boolean, readonly came: string }>} */
async function attempt({ install, env: more = {}, closed = false, uid, expected }) {
  const outer = mkdtempSync(path.join(tmpdir(), "nexus-install-"));
  const folder = path.join(outer, "nexustoken");
  try {
    chmodSync(outer, 0o755);
    execFileSync("git", ["clone", "--quiet", ROOT, folder]);
    if (uid !== undefined) execFileSync("chown", ["-R", `${uid}:${uid}`, outer]);
    if (closed) chmodSync(outer, 0o700);
    const home = uid === undefined ? (process.env["HOME"] ?? "") : path.join(outer, "home");
    if (uid !== undefined) {
      mkdirSync(home);
      execFileSync("chown", [`${uid}:${uid}`, home]);
    }
    const env = { PATH: process.env["PATH"] ?? "", HOME: home, PORT: "0", npm_config_prefer_offline: "true", ...more };
    const where = { cwd: folder, env, ...(uid === undefined ? {} : { uid }) };
    const installed = await run(install, where);
    if (installed.code !== 0)
      return { good: false, came: `${install} ended with ${installed.code}: ${lastLine(installed.said)}` };
    const started = await run("npm start", where, ANSWERS, visit);
    const sentence = expected.exec(started.said)?.[0];
    const good = sentence !== undefined && (expected !== ANSWERS || started.seen.startsWith("200 "));
    return { good, came: good ? started.seen || lineWith(started.said, sentence) : lastLine(started.said) };
  } finally {
    rmSync(outer, { recursive: true, force: true });
  }
}

/** @param {string} said @param {string} part */
const lineWith = (said, part) => said.split("\n").find((line) => line.includes(part)) ?? "";
/** @param {string} said */
const lastLine = (said) => said.trim().split("\n").at(-1) ?? "";

let failed = 0;
const [wanted = ""] = process.argv.slice(2);
for (const way of WAYS.filter(({ name }) => name.includes(wanted))) {
  const started = Date.now();
  const { good, came } = await attempt(way);
  if (!good) failed += 1;
  console.log(
    `${good ? "ok   " : "WRONG"} ${way.name.padEnd(38)} ${String(Math.round((Date.now() - started) / 1_000)).padStart(3)} s  ${came}`,
  );
}
process.exitCode = failed === 0 ? 0 : 1;
