/** The platform as a process of its own, as an operator runs it; for benches and for tests that kill it. */
import { execFile, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ENTRY = fileURLToPath(new URL("../../bin/nexus.js", import.meta.url));
const START_MS = 90_000;
/** Lines that no input may cause, how many of them are kept, and how much of each. */
const ALARM = /a bug|"level":60|unhandled|FATAL ERROR/i;
const ALARMS_MAX = 100;
const ALARM_CHARACTERS_MAX = 400;

/**
 * @typedef {{ readonly port: number, readonly pid: number, readonly log: () => string,
 *   readonly alarms: readonly string[], readonly exited: Promise<number | null>, readonly kill: (signal: NodeJS.Signals) => Promise<number | null> }} PlatformProcess
 */

/** Tests and benches ask more than one client may. */
const NO_LIMITS = {
  RATE_LIMIT_PER_SECOND: "0",
  RATE_LIMIT_TASKS_PER_MINUTE: "0",
  RATE_LIMIT_AUTH_FAILURES_PER_MINUTE: "0",
  RATE_LIMIT_RECOVERIES_PER_HOUR: "0",
};

/** What its first line gives to Node.js where it is started by its name. @param {string} entry */
export function flagsOf(entry) {
  const [first = ""] = readFileSync(entry, "utf8").split("\n", 1);
  return first.split(" ").filter((word) => word.startsWith("--"));
}

/**
 * Starts `nexus start` (or another role) with these settings besides PORT=0 and no rate limits, and waits until it answers.
 * @param {Record<string, string>} settings
 * @param {"start" | "gateway" | "node"} [role]
 * @param {Record<string, string>} [limits]
 * @param {string} [entry] of another checkout
 * @returns {Promise<PlatformProcess>}
 */
export async function startProcess(settings, role = "start", limits = NO_LIMITS, entry = ENTRY) {
  const env = { PATH: process.env["PATH"] ?? "", HOST: "127.0.0.1", PORT: "0", LOG_LEVEL: "info", ...limits, ...settings };
  const child = spawn(process.execPath, [...flagsOf(entry), entry, role], { env, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  /** @type {(chunk: Buffer) => void} */
  const keep = (chunk) => {
    log = (log + chunk.toString()).slice(-100_000);
  };
  /** @type {string[]} */
  const alarms = [];
  for (const output of [child.stdout, child.stderr]) {
    output.on("data", keep);
    createInterface(output).on("line", (line) => {
      if (ALARM.test(line) && alarms.length < ALARMS_MAX) alarms.push(line.slice(0, ALARM_CHARACTERS_MAX));
    });
  }
  /** @type {Promise<number | null>} */
  const exited = new Promise((resolve) => child.once("exit", (code) => resolve(code)));
  const port = await listening(child.stdout, exited, () => log);
  /** @param {NodeJS.Signals} signal */
  const kill = (signal) => {
    child.kill(signal);
    return exited;
  };
  return { port, pid: child.pid ?? 0, log: () => log, alarms, exited, kill };
}

/**
 * @param {import("node:stream").Readable} output
 * @param {Promise<number | null>} exited
 * @param {() => string} log
 * @returns {Promise<number>}
 */
function listening(output, exited, log) {
  return new Promise((resolve, reject) => {
    const fail = () => reject(new Error(`the platform did not start:\n${log()}`));
    const timer = setTimeout(fail, START_MS);
    void exited.then(fail);
    output.on("data", () => {
      const match = /"port":(\d+)/.exec(log());
      if (match === null) return;
      clearTimeout(timer);
      resolve(Number(match[1]));
    });
  });
}

/**
 * Runs a command of the command line to its end; gives what it printed and its exit code.
 * @param {readonly string[]} args
 * @param {Record<string, string>} settings
 * @returns {Promise<{ readonly code: number, readonly out: string }>}
 */
export function runNexus(args, settings) {
  const env = { PATH: process.env["PATH"] ?? "", HOST: "127.0.0.1", PORT: "0", LOG_LEVEL: "error", ...settings };
  return new Promise((resolve) => {
    execFile(process.execPath, [ENTRY, ...args], { env, timeout: START_MS }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ code, out: `${stdout}${stderr}` });
    });
  });
}
