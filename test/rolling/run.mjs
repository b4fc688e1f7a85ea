/**
 * A cluster of an older version is updated to this one while clients work: gateways first, then nodes one by one, then the
 * schema. Once it is taken back half-way, then it goes through. Clients may be told to ask again, and nothing worse.
 */
import { randomUUID } from "node:crypto";
import { Client } from "../support/client.mjs";
import { RETRY_MS, Run, receiveWebhooks, startClients, TYPES, wait } from "../support/load.mjs";
import { finish } from "../support/outcome.mjs";
import { runNexus, startProcess } from "../support/platform.mjs";
import { findServer, makeDatabase } from "../support/postgres.mjs";
import { findShared, freePort } from "../support/servers.mjs";

const GATEWAYS = 2;
const NODES = 2;
const SOCKETS = 64;
const WAIT_MAX_MS = 12_000;
/** How long clients work between two steps, and how long what must come is waited for (ms). */
const STEP_MS = 1_500;
const AGREED_MS_MAX = 30_000;
const BATCH = {
  template: {
    schema: { type: "object" },
    example_output: {},
    budget: 5,
    pending_pool_hours: 1,
    task_type: "data_transformation",
  },
  items: [{ input_data: "one" }, { input_data: "two" }],
  max_concurrent: 2,
};

/**
 * @typedef {{ readonly entry: string, readonly clients: number, readonly print: (line: string) => void }} RollingOptions
 * @typedef {{ readonly tasks: number, readonly ended: Record<string, number>, readonly answers: number, readonly retries: number,
 *   readonly batches: number, readonly formats: unknown, readonly wrong: readonly string[] }} RollingReport
 * @typedef {"old" | "new"} Version
 * @typedef {{ role: "gateway" | "node", name: string, settings: Record<string, string>, version: Version,
 *   process: import("../support/platform.mjs").PlatformProcess }} Part
 */

class Cluster {
  /** @type {Part[]} */
  gateways = [];
  /** @type {Part[]} */
  nodes = [];

  /** @param {RollingOptions} options @param {Record<string, string>} settings */
  constructor(options, settings) {
    this.options = options;
    this.settings = settings;
  }

  /** @param {"gateway" | "node"} role @param {Record<string, string>} settings @param {Version} version */
  #start(role, settings, version) {
    return startProcess(settings, role, undefined, version === "old" ? this.options.entry : undefined);
  }

  /** @param {"gateway" | "node"} role @param {number} number */
  async add(role, number) {
    const name = `${role}-${number}`;
    const settings = { ...this.settings, NODE_NAME: name, PORT: String(role === "gateway" ? await freePort() : 0) };
    const part = {
      role,
      name,
      settings,
      version: /** @type {const} */ ("old"),
      process: await this.#start(role, settings, "old"),
    };
    (role === "gateway" ? this.gateways : this.nodes).push(part);
  }

  /** Stops a process in order and starts another version in its place. @param {Part} part @param {Version} version */
  async replace(part, version) {
    const code = await part.process.kill("SIGTERM");
    if (code !== 0) throw new Error(`${part.name} ended with ${code} when it was told to stop:\n${part.process.log()}`);
    part.process = await this.#start(part.role, part.settings, version);
    part.version = version;
    this.options.print(`${part.name} is ${version}`);
    await wait(STEP_MS);
  }

  /** Whether an old node may still come. @returns {Promise<string | null>} why not */
  async refusesOld() {
    const settings = { ...this.settings, NODE_NAME: "late", PORT: "0" };
    try {
      const late = await this.#start("node", settings, "old");
      await late.kill("SIGKILL");
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  async stop() {
    await Promise.all([...this.gateways, ...this.nodes].map(({ process: one }) => one.kill("SIGTERM")));
  }
}

/** Opens a batch, waits until all of its tasks are open, and cancels them. @param {Run} run @param {string} key @param {string} callback */
async function batch(run, key, callback) {
  const body = { ...BATCH, template: { ...BATCH.template, callback_url: callback } };
  const made = await run.call("POST", "/tasks/batch", body, key);
  if (made.status >= 400) return void run.wrong.push(`batch: ${JSON.stringify(made.body)}`);
  for (;;) {
    const shown = await run.call("GET", `/batches/${made.body.batch_id}`, undefined, key);
    if (shown.status !== 200) return void run.wrong.push(`batch: ${JSON.stringify(shown.body)}`);
    const { waiting, items } = shown.body;
    if (waiting > 0) {
      await wait(RETRY_MS);
      continue;
    }
    for (const { task_id: id } of items) {
      run.tasks.set(id, { owner: key });
      await run.call("DELETE", `/tasks/${id}`, undefined, key);
    }
    return;
  }
}

/** Opens batches as long as the run goes on. @param {Run} run @param {string} callback @returns {Promise<number>} how many */
async function batches(run, callback) {
  const key = await run.register();
  await run.topUp(key, 10_000);
  let count = 0;
  for (; run.posting; count += 1) {
    await batch(run, key, callback);
    await run.call("GET", "/credits/credit-info", undefined, key);
    await wait(500);
  }
  return count;
}

/**
 * Updates half of it, and back, and then all of it. `updated` is called when no gateway is old any more.
 * @param {Cluster} cluster @param {Record<string, string>} settings @param {string[]} wrong @param {(line: string) => void} print
 * @param {() => void} updated
 */
async function update(cluster, settings, wrong, print, updated) {
  const [first] = cluster.nodes;
  if (first === undefined) throw new Error("a cluster has a node");
  print("round 1: half-way, and back");
  for (const gateway of cluster.gateways) await cluster.replace(gateway, "new");
  await cluster.replace(first, "new");
  const early = await runNexus(["migrate"], settings);
  print(`nexus migrate beside an old node: ${early.code} ${early.out.trim()}`);
  const isSame = early.code === 0 && early.out.includes("up to date");
  if (!isSame && (early.code !== 1 || !early.out.includes("The schema was not changed")))
    wrong.push(`early migrate: ${early.out}`);
  await cluster.replace(first, "old");
  for (const gateway of cluster.gateways) await cluster.replace(gateway, "old");
  print("round 2: all the way");
  for (const gateway of cluster.gateways) await cluster.replace(gateway, "new");
  updated();
  for (const node of cluster.nodes) await cluster.replace(node, "new");
  const migrated = await runNexus(["migrate"], settings);
  print(`nexus migrate: ${migrated.code} ${migrated.out.trim()}`);
  if (migrated.code !== 0) wrong.push(`migrate: ${migrated.out}`);
  return agreed(settings, wrong);
}

/** Waits until what is written is what every node reads. @param {Record<string, string>} settings @param {string[]} wrong */
async function agreed(settings, wrong) {
  let out = "";
  for (const until = Date.now() + AGREED_MS_MAX; Date.now() < until; await wait(500)) {
    ({ out } = await runNexus(["cluster", "--json"], settings));
    const { members, formats } = JSON.parse(out);
    const read = members.map((/** @type {any} */ { reads }) => JSON.stringify(reads?.formats));
    if (members.length === NODES && read.every((/** @type {string} */ one) => one === JSON.stringify(formats))) return formats;
  }
  wrong.push(`the new formats were not agreed upon: ${out}`);
  return null;
}

/** @param {RollingOptions} options @returns {Promise<RollingReport>} */
export async function rolling(options) {
  const [server, nats] = [await findServer(), await findShared("nats")];
  const { url, drop } = await makeDatabase(server.url);
  const settings = {
    DATABASE_URL: url,
    DATABASE_CONNECTIONS: "4",
    NATS_URL: nats.url,
    NATS_PREFIX: `rolling-${randomUUID().slice(0, 8)}`,
    ROUTING_WINDOW_MS: "100",
    ALLOW_PRIVATE_CALLBACKS: "true",
  };
  const cluster = new Cluster(options, settings);
  const run = new Run();
  const receiver = await receiveWebhooks(run);
  try {
    for (let n = 1; n <= NODES; n += 1) await cluster.add("node", n);
    for (let n = 1; n <= GATEWAYS; n += 1) await cluster.add("gateway", n);
    run.clients = cluster.gateways.map(({ process: one }) => new Client(one.port, SOCKETS, WAIT_MAX_MS));
    // An older version may not know pulls; its nodes have no matchers.
    const working = startClients(run, options.clients, receiver.url, false);
    const batched = batches(run, receiver.url);
    await wait(STEP_MS);
    const formats = await update(cluster, settings, run.wrong, options.print, () => {
      working.workers.push(...TYPES.map((_, number) => run.puller(number)));
    });
    const until = Date.now() + AGREED_MS_MAX;
    while (run.completed < options.clients && Date.now() < until) await wait(RETRY_MS);
    run.posting = false;
    const count = await batched;
    const why = await cluster.refusesOld();
    if (why === null) run.wrong.push("an old node could come back");
    else options.print(`an old node is refused: ${why.split("\n").at(-2) ?? why}`);
    const ended = await finish(run, working, [url]);
    const audit = await runNexus(["audit"], settings);
    options.print(audit.out.trim());
    if (audit.code !== 0) run.wrong.push(`audit: ${audit.out}`);
    for (const { name, process: one } of [...cluster.nodes, ...cluster.gateways]) {
      for (const line of one.alarms) run.wrong.push(`${name}: ${line}`);
    }
    return {
      tasks: run.tasks.size,
      ended,
      answers: run.answers,
      retries: run.retries,
      batches: count,
      formats,
      wrong: run.wrong,
    };
  } finally {
    run.posting = run.open = false;
    await cluster.stop();
    for (const client of run.clients) client.close();
    receiver.close();
    await drop();
    await Promise.all([server.stop(), nats.stop()]);
  }
}
