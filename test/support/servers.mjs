/**
 * NATS and Redis for tests: from the environment, at the default port, or a private one from the binary on PATH. Tests that
 * stop and start a server always take a private one.
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

/** @typedef {"nats" | "redis"} Kind */
/** @typedef {{ readonly url: string, readonly stop: () => Promise<void> }} Server */
/** @typedef {{ readonly url: string, readonly pid: () => number, readonly kill: () => Promise<void>, readonly start: () => Promise<void>, readonly stop: () => Promise<void> }} PrivateServer */

const KINDS = {
  nats: { title: "NATS", program: "nats-server", debian: "nats-server", port: 4222, named: ["TEST_NATS_URL", "NATS_URL"] },
  redis: { title: "Redis", program: "redis-server", debian: "redis-server", port: 6379, named: ["TEST_REDIS_URL", "REDIS_URL"] },
};
const START_MS = 10_000;

/** @param {number} ms */
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @param {string} host @param {number} port @returns {Promise<boolean>} */
function answers(host, port) {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1_000 });
    /** @param {boolean} there */
    const end = (there) => {
      socket.destroy();
      resolve(there);
    };
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
    socket.once("timeout", () => end(false));
  });
}

/** A port that is free now. @returns {Promise<number>} */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

/**
 * Finds a server that tests may share, or starts one. Throws with a sentence that says what is missing.
 * @param {Kind} kind
 * @returns {Promise<Server>}
 */
export async function findShared(kind) {
  const { title, port, named } = KINDS[kind];
  const url = named.map((name) => process.env[name]).find((value) => value !== undefined && value !== "");
  if (url !== undefined) {
    const { hostname, port: given } = new URL(url);
    if (await answers(hostname, Number(given || port))) return { url, stop: async () => {} };
    throw new Error(`The ${title} of ${named.join(" or ")} (${hostname}:${given || port}) cannot be reached.`);
  }
  if (await answers("127.0.0.1", port)) return { url: `${kind}://127.0.0.1:${port}`, stop: async () => {} };
  return startPrivate(kind);
}

/** @param {Kind} kind */
function programOf(kind) {
  const { title, program, debian } = KINDS[kind];
  const find = () =>
    ["/usr/sbin", "/usr/local/sbin", ...(process.env["PATH"] ?? "").split(path.delimiter)]
      .map((folder) => path.join(folder, program))
      .find((file) => existsSync(file));
  const found = find();
  if (found !== undefined) return found;
  if (process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    try {
      const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
      // A machine that is new has no list of packages.
      execFileSync("apt-get", ["update", "-q"], { stdio: "ignore", env });
      execFileSync("apt-get", ["install", "-y", "-q", "--no-install-recommends", debian], { stdio: "ignore", env });
    } catch {
      // What it could not install is told below.
    }
  }
  const installed = find();
  if (installed !== undefined) return installed;
  const named = KINDS[kind].named[0];
  throw new Error(
    `No ${title} at its default port and no ${program} on PATH. Install it (Debian: apt-get install ${debian}), or set ${named}.`,
  );
}

/**
 * Starts a server of our own, on a port that it keeps through restarts.
 * @param {Kind} kind
 * @param {readonly string[]} [more] arguments besides
 * @returns {Promise<PrivateServer>}
 */
export async function startPrivate(kind, more = []) {
  const program = programOf(kind);
  const port = await freePort();
  const folder = await mkdtemp(path.join(tmpdir(), `nexus-${kind}-`));
  const args =
    kind === "nats"
      ? ["-a", "127.0.0.1", "-p", String(port), ...more]
      : ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", ...more];
  /** @type {import("node:child_process").ChildProcess | undefined} */
  let child;
  const start = async () => {
    child = spawn(program, args, { stdio: "ignore" });
    for (let waited = 0; !(await answers("127.0.0.1", port)); waited += 25) {
      if (waited > START_MS) throw new Error(`${program} ${args.join(" ")} does not start.`);
      await wait(25);
    }
  };
  const kill = async () => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child?.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  };
  await start();
  const stop = async () => {
    await kill();
    await rm(folder, { recursive: true, force: true });
  };
  return { url: `${kind}://127.0.0.1:${port}`, pid: () => child?.pid ?? 0, kill, start, stop };
}
