/** A cluster of real processes, with servers of its own that can be stopped and started. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { startProcess } from "./platform.mjs";
import { freePort } from "./servers.mjs";

/** @typedef {import("./platform.mjs").PlatformProcess} PlatformProcess */
/** @typedef {{ readonly url: string, readonly crash: () => Promise<void>, readonly start: () => Promise<void>, readonly stop: () => Promise<void> }} PrivatePostgres */

/** @param {number} ms */
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @param {number} pid */
function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/**
 * A PostgreSQL that only this test uses.
 * @returns {Promise<PrivatePostgres>}
 */
export async function startPostgres() {
  const built = new URL("../../dist/src/adapters/postgres/embedded.js", import.meta.url);
  const { EmbeddedServer } = await import(built.href);
  const folder = await mkdtemp(path.join(tmpdir(), "nexus-test-"));
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  let server = await EmbeddedServer.open(folder, silent);
  const kill = async () => {
    const [pid] = (await readFile(path.join(folder, "postgres", "data", "postmaster.pid"), "utf8")).split("\n");
    // An immediate shutdown: no checkpoint, so the next start recovers from the log as after a crash.
    process.kill(Number(pid), "SIGQUIT");
    while (isAlive(Number(pid))) await wait(10);
  };
  return {
    url: server.url,
    crash: async () => {
      // While processes are connected this only ends our watch over it, which would start it again.
      await server.close();
      await kill().catch(() => {});
    },
    start: async () => {
      server = await EmbeddedServer.open(folder, silent);
    },
    stop: async () => {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * One process of a cluster, which can be started again on the same port and under the same name.
 * @typedef {{ role: "gateway" | "node", name: string, settings: Record<string, string>, process: PlatformProcess }} Part
 */

export class RealCluster {
  /** @type {Part[]} */
  gateways = [];
  /** @type {Part[]} */
  nodes = [];

  /**
   * @param {Record<string, string>} settings of every process
   * @param {Record<string, string>} [limits] in place of no rate limits
   */
  constructor(settings, limits) {
    this.settings = settings;
    this.limits = limits;
    this.counts = { gateway: 0, node: 0 };
  }

  /** @param {"gateway" | "node"} role @returns {Promise<Part>} */
  async add(role) {
    const number = this.counts[role] + 1;
    this.counts[role] = number;
    const name = `${role}-${number}`;
    const port = String(role === "gateway" ? await freePort() : 0);
    const settings = { ...this.settings, NODE_NAME: name, PORT: port };
    const part = { role, name, settings, process: await startProcess(settings, role, this.limits) };
    (role === "gateway" ? this.gateways : this.nodes).push(part);
    return part;
  }

  /** @param {Part} part @param {NodeJS.Signals} signal */
  async end(part, signal) {
    return part.process.kill(signal);
  }

  /** Starts a process again that has ended. @param {Part} part */
  async again(part) {
    part.process = await startProcess(part.settings, part.role, this.limits);
  }

  async stop() {
    // One that sleeps hears nothing; one that is gone already is not there to be told.
    for (const part of [...this.gateways, ...this.nodes]) void part.process.kill("SIGCONT");
    await Promise.all([...this.gateways, ...this.nodes].map((part) => part.process.kill("SIGTERM")));
  }
}
