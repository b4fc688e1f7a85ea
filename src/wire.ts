/** Joins every port with its adapter: one process, gateway and actors together. */
import { createServer, type Server } from "node:http";
import { Host } from "../actors/host/host.ts";
import type { Log } from "../actors/ports.ts";
import { Router } from "../actors/router.ts";
import { createApp } from "../gateway/app.ts";
import { KeyRing } from "../gateway/keyring.ts";
import { Presence } from "../gateway/presence.ts";
import { Secrets } from "../gateway/secrets.ts";
import { account } from "../machines/account/index.ts";
import { task } from "../machines/task/index.ts";
import { warmUp } from "../machines/validation/schema.ts";
import { systemClock as clock } from "./clock.ts";
import type { Config } from "./config.ts";
import { randomIds as ids } from "./ids.ts";
import { Claim } from "./postgres/claim.ts";
import { EmbeddedServer } from "./postgres/embedded.ts";
import { PostgresJournal } from "./postgres/journal.ts";
import { migrate, readPlatform } from "./postgres/migrate.ts";
import { openPool } from "./postgres/pool.ts";
import { postgresReadModel } from "./postgres/read-model.ts";
import { ValidatorPool } from "./validator/pool.ts";
import { VERSION } from "./version.ts";
import { WebhookCourier } from "./webhooks/courier.ts";

/** Transactions of the journal at once. One gathers larger batches, and two did a tenth less work in the lifecycle bench. */
const LANES = 1;
const READERS = 8;
/** A process that was told to go may take this long (ms); its claim is waited for as long. */
const DRAIN_MS = 10_000;
const PING_MS = 1_000;

export interface Platform {
  readonly port: number;
  readonly host: Host;
  /** Lets what is under way finish, then closes everything. */
  stop(): Promise<void>;
}

/** What is to be undone, the newest first. */
class Closing {
  readonly #steps: (() => Promise<unknown>)[] = [];

  add(step: () => Promise<unknown>): void {
    this.#steps.push(step);
  }

  async run(): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) await step();
  }
}

/**
 * Starts everything. `lost` is called when another process has taken the database over. Throws an Error with a
 * sentence for the operator when something that is needed is missing; then nothing stays open.
 */
export async function startPlatform(config: Config, log: Log, lost: () => void): Promise<Platform> {
  const closing = new Closing();
  try {
    return await start(config, log, lost, closing);
  } catch (error) {
    await closing.run();
    throw error;
  }
}

async function start(config: Config, log: Log, lost: () => void, closing: Closing): Promise<Platform> {
  const url = await databaseUrl(config, log, closing);
  const read = openPool(url, { max: READERS, name: "read" });
  closing.add(() => read.end({ timeout: 1 }));
  const applied = await migrate(read);
  if (applied.length > 0) log.info({ applied }, "the database is set up");
  const claim = await Claim.acquire(url, DRAIN_MS, lost);
  if (claim === undefined) {
    throw new Error("Another NexusToken works on this database. Stop it first, or point DATABASE_URL at another database.");
  }
  closing.add(() => claim.release());
  const { secret, shards } = await readPlatform(read);
  const write = openPool(url, { max: LANES, name: "write", keep: true });
  closing.add(() => write.end({ timeout: 1 }));

  warmUp();
  const secrets = new Secrets(secret);
  const validator = new ValidatorPool(new URL("./validator/thread.js", import.meta.url));
  closing.add(() => validator.close());
  const courier = new WebhookCourier({
    allowPrivate: config.allowPrivateCallbacks,
    secretOf: (id) => secrets.webhookSecret(id),
    clock,
    ids,
  });
  const journal = new PostgresJournal(read, write, shards);
  const host = new Host({ entities: { task, account }, journal, validator, courier, clock, ids, log, lanes: LANES });
  closing.add(() => host.stop(DRAIN_MS));
  const resumed = await host.start();

  const reads = postgresReadModel(read);
  const app = createApp({
    router: new Router(host, clock, ids, config.requestTimeoutMs),
    reads,
    validator,
    secrets,
    keys: new KeyRing(reads),
    presence: new Presence(),
    clock,
    ids,
    log,
    settings: {
      signupGrant: config.signupGrant,
      routingWindowMs: config.routingWindowMs,
      taskTypes: config.taskTypes,
      allowSimulatedTopup: config.allowSimulatedTopup,
      version: VERSION,
    },
    healthy: async () => host.healthy && (await withinMs(reads.ping(), PING_MS)),
  });
  const server = createServer(app.callback());
  const port = await listen(server, config.port, config.host);
  closing.add(() => hangUp(server));
  log.info({ port, ...resumed }, `NexusToken answers on http://localhost:${port}`);
  return { port, host, stop: () => closing.run() };
}

async function databaseUrl(config: Config, log: Log, closing: Closing): Promise<string> {
  if (config.databaseUrl !== null) return config.databaseUrl;
  const server = await EmbeddedServer.open(config.dataDir, log);
  closing.add(() => server.close());
  return server.url;
}

function listen(server: Server, port: number, host: string): Promise<number> {
  // Bounds for those who send slowly; Node's own defaults are in minutes.
  server.requestTimeout = 30_000;
  server.headersTimeout = 10_000;
  server.keepAliveTimeout = 65_000;
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why =
        error.code === "EADDRINUSE" ? "is taken by another process; stop it or set PORT" : `cannot be used (${error.code})`;
      reject(new Error(`Port ${port} on ${host} ${why}.`));
    });
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

/** Takes no new connection, lets requests finish, and closes what is left. */
async function hangUp(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await closed;
  clearTimeout(timer);
}

async function withinMs(work: Promise<void>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const done = work.then(
    () => true,
    () => false,
  );
  const answer = await Promise.race([done, late]);
  clearTimeout(timer);
  return answer;
}
