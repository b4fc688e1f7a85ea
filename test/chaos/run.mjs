/**
 * Clients over HTTP and worker fleets over NATS work through two gateways on three nodes, while nodes and gateways are killed, put
 * to sleep and replaced, and the NATS of the platform, the NATS of the fleets, Redis and Postgres are each taken away and brought
 * back. What was answered must be true all the while, and after each fault the fleets must go on.
 */
import { Client } from "../support/client.mjs";
import { RealCluster, startPostgres } from "../support/cluster.mjs";
import { END_MS, RETRY_MS, Run, receiveWebhooks, startClients, wait } from "../support/load.mjs";
import { finish } from "../support/outcome.mjs";
import { makeDatabase } from "../support/postgres.mjs";
import { startPrivate } from "../support/servers.mjs";

const NODES = 3;
const GATEWAYS = 2;
/** Longer than any gateway waits; a gateway that sleeps answers nothing. */
const WAIT_MAX_MS = 12_000;
const SOCKETS = 128;

/**
 * @typedef {{ readonly seconds: number, readonly clients: number, readonly leaseMs: number, readonly sleepMs: number,
 *   readonly gapMs: number, readonly databases: number, readonly faults?: readonly string[], readonly print?: (line: string) => void }} ChaosOptions
 * @typedef {{ readonly tasks: number, readonly byFleets: number, readonly ended: Record<string, number>, readonly answers: number,
 *   readonly retries: number, readonly webhooks: number, readonly faults: Record<string, number>, readonly wrong: readonly string[] }} ChaosReport
 */

class Chaos {
  /**
   * @param {ChaosOptions} options
   * @param {Run} run
   * @param {RealCluster} cluster
   * @param {{ nats: any, fleetNats: any, redis: any, postgres: any }} servers
   */
  constructor(options, run, cluster, servers) {
    this.options = options;
    this.run = run;
    this.cluster = cluster;
    this.servers = servers;
    /** @type {Record<string, number>} */
    this.counts = {};
  }

  /** Each leaves the cluster whole again. @type {Record<string, () => Promise<void>>} */
  faults = {
    killNode: async () => {
      const node = this.#one(this.cluster.nodes);
      await this.cluster.end(node, "SIGKILL");
      await wait(this.#some(2_000));
      await this.cluster.again(node);
    },
    sleepNode: async () => {
      const node = this.#one(this.cluster.nodes);
      process.kill(node.process.pid, "SIGSTOP");
      await wait(this.options.sleepMs);
      process.kill(node.process.pid, "SIGCONT");
    },
    drainNode: async () => {
      const node = this.#one(this.cluster.nodes);
      const code = await this.cluster.end(node, "SIGTERM");
      if (code !== 0) throw new Error(`${node.name} ended with ${code} when it was told to stop:\n${node.process.log()}`);
      await this.cluster.again(node);
    },
    killGateway: async () => {
      const gateway = this.#one(this.cluster.gateways);
      await this.cluster.end(gateway, "SIGKILL");
      await this.cluster.again(gateway);
    },
    sleepGateway: async () => {
      const gateway = this.#one(this.cluster.gateways);
      process.kill(gateway.process.pid, "SIGSTOP");
      await wait(this.options.sleepMs);
      process.kill(gateway.process.pid, "SIGCONT");
    },
    natsAway: async () => {
      await this.servers.nats.kill();
      await wait(this.#some(5_000));
      await this.servers.nats.start();
    },
    fleetNatsAway: async () => {
      await this.servers.fleetNats.kill();
      await wait(this.#some(5_000));
      await this.servers.fleetNats.start();
    },
    redisAway: async () => {
      await this.servers.redis.kill();
      await wait(this.#some(5_000));
      await this.servers.redis.start();
    },
    postgresAway: async () => {
      await this.servers.postgres.crash();
      await wait(this.#some(8_000));
      await this.servers.postgres.start();
    },
    killAtOnce: async () => {
      const [node, gateway] = [this.#one(this.cluster.nodes), this.#one(this.cluster.gateways)];
      const { nats, fleetNats } = this.servers;
      await Promise.all([this.cluster.end(node, "SIGKILL"), this.cluster.end(gateway, "SIGKILL"), nats.kill(), fleetNats.kill()]);
      await wait(this.#some(2_000));
      // Without their NATS they would not start.
      await Promise.all([nats.start(), fleetNats.start()]);
      await Promise.all([this.cluster.again(node), this.cluster.again(gateway)]);
    },
    killTwo: async () => {
      const [one, two] = this.cluster.nodes;
      if (one === undefined || two === undefined) return;
      await Promise.all([this.cluster.end(one, "SIGKILL"), this.cluster.end(two, "SIGKILL")]);
      await Promise.all([this.cluster.again(one), this.cluster.again(two)]);
    },
  };

  /** Every fault once (or those that are chosen), then whichever, until the time is over. */
  async disturb() {
    const until = Date.now() + this.options.seconds * 1_000;
    const names = this.options.faults ?? Object.keys(this.faults);
    for (let turn = 0; turn < names.length || Date.now() < until; turn += 1) {
      const name = names[turn < names.length ? turn : Math.floor(Math.random() * names.length)] ?? "";
      this.options.print?.(`${new Date().toISOString()} ${name}`);
      const fault = this.faults[name];
      if (fault === undefined) throw new Error(`there is no fault ${name}; there are ${Object.keys(this.faults).join(", ")}`);
      await fault();
      this.counts[name] = (this.counts[name] ?? 0) + 1;
      await this.#fleetsGoOn(name);
      await wait(this.#some(this.options.gapMs));
    }
  }

  /** Waits until a fleet has brought a task to its end. @param {string} name of the fault before */
  async #fleetsGoOn(name) {
    const before = this.run.byFleets;
    for (const until = Date.now() + END_MS; this.run.byFleets === before; await wait(RETRY_MS)) {
      if (Date.now() < until) continue;
      this.run.wrong.push(`after ${name} no fleet completed a task within ${END_MS} ms`);
      return;
    }
  }

  /** @template T @param {T[]} from @returns {T} */
  #one(from) {
    const one = from[Math.floor(Math.random() * from.length)];
    if (one === undefined) throw new Error("nothing there to disturb");
    return one;
  }

  /** @param {number} ms */
  #some(ms) {
    return Math.round(ms * (0.3 + 0.7 * Math.random()));
  }
}

/**
 * Runs it. `audit` is called with the databases' URLs when all is over, and gives what is wrong in the books.
 * @param {ChaosOptions} options
 * @param {(databaseUrls: readonly string[]) => Promise<readonly string[]>} audit
 * @returns {Promise<ChaosReport>}
 */
export async function chaos(options, audit) {
  const [postgres, nats, fleetNats, redis] = await Promise.all([
    startPostgres(),
    startPrivate("nats"),
    startPrivate("nats"),
    startPrivate("redis"),
  ]);
  const more = await Promise.all(Array.from({ length: options.databases - 1 }, () => makeDatabase(postgres.url)));
  const databaseUrls = [postgres.url, ...more.map(({ url }) => url)];
  const cluster = new RealCluster({
    DATABASE_URL: databaseUrls.join(","),
    DATABASE_CONNECTIONS: "4",
    NATS_URL: nats.url,
    FLEET_NATS_URL: fleetNats.url,
    REDIS_URL: redis.url,
    LEASE_MS: String(options.leaseMs),
    ROUTING_WINDOW_MS: "100",
    ALLOW_PRIVATE_CALLBACKS: "true",
    // High, but there, so that every request passes Redis.
    RATE_LIMIT_PER_SECOND: "100000",
  });
  await cluster.add("node");
  await Promise.all(Array.from({ length: NODES - 1 }, () => cluster.add("node")));
  await Promise.all(Array.from({ length: GATEWAYS }, () => cluster.add("gateway")));
  const run = new Run();
  run.clients = cluster.gateways.map(({ process }) => new Client(process.port, SOCKETS, WAIT_MAX_MS));
  run.fleetUrl = fleetNats.url;
  const receiver = await receiveWebhooks(run);
  const working = startClients(run, options.clients, receiver.url);
  const disturbance = new Chaos(options, run, cluster, { postgres, nats, fleetNats, redis });
  try {
    await disturbance.disturb();
    const until = Date.now() + END_MS;
    while (run.completed < options.clients && Date.now() < until) await wait(RETRY_MS);
    const ended = await finish(run, working, databaseUrls);
    const wrong = [...run.wrong, ...(await audit(databaseUrls))];
    return {
      tasks: run.tasks.size,
      byFleets: run.byFleets,
      ended,
      answers: run.answers,
      retries: run.retries,
      webhooks: run.heard.size,
      faults: disturbance.counts,
      wrong,
    };
  } finally {
    run.posting = run.open = false;
    await cluster.stop();
    for (const client of run.clients) client.close();
    receiver.close();
    await Promise.all([postgres.stop(), nats.stop(), fleetNats.stop(), redis.stop()]);
  }
}
