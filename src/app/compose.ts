/** The composition root: joins every port with its adapter, for a gateway, a node, or both in one process, alone or in a cluster. */

import type { RequestListener } from "node:http";
import { hostname } from "node:os";
import type { Log } from "../../actors/ports/log.ts";
import { Router } from "../../actors/router.ts";
import { Guard } from "../../gateway/doors/guard.ts";
import { createApp, createHealthApp, createStartingApp } from "../../gateway/http/app.ts";
import { Honeypots } from "../../gateway/live/honeypots.ts";
import { KeyRing } from "../../gateway/live/key-ring.ts";
import type { Health } from "../../gateway/ports/health.ts";
import { Secrets } from "../../gateway/secrets.ts";
import type { Services } from "../../gateway/services.ts";
import { warmUp } from "../../machines/validation/verdict.ts";
import { GitHubIdentity } from "../adapters/github/identity.ts";
import { localSignals } from "../adapters/in-process/signals.ts";
import { DatabaseLock } from "../adapters/postgres/database-lock.ts";
import { Databases } from "../adapters/postgres/databases.ts";
import { EmbeddedServer } from "../adapters/postgres/embedded.ts";
import { postgresHoneypots } from "../adapters/postgres/honeypots.ts";
import { migrate, missingMigrations, NotSetUp, readPlatform } from "../adapters/postgres/migrate.ts";
import { postgresOperators } from "../adapters/postgres/operators.ts";
import { type Database, openPool } from "../adapters/postgres/pool.ts";
import { probe } from "../adapters/postgres/probe.ts";
import { postgresReadModel } from "../adapters/postgres/read-model.ts";
import { openLimiter } from "../adapters/redis/limiter.ts";
import { systemClock as clock } from "../adapters/system/clock.ts";
import { randomIds as ids } from "../adapters/system/ids.ts";
import { checkThread } from "../adapters/validator/check-thread.ts";
import { VALIDATOR_LIMITS, ValidatorPool } from "../adapters/validator/pool.ts";
import { isClustered, openBus } from "./bus.ts";
import { DRAIN_MS, type Engine, type Frame, localEngine, nodeEngine, remoteEngine } from "./engine.ts";
import { aborted, Finalizers } from "./finalizers.ts";
import { openFleetDoor } from "./fleet/door.ts";
import { healthOf } from "./health.ts";
import { connectInspector } from "./inspector.ts";
import { openLive, RETURN_MS_MAX } from "./live.ts";
import { addressOf, identifyServer } from "./running-server.ts";
import { CONNECTION_BOUNDS, type ConnectionBounds } from "./server/connections.ts";
import { serveHttp } from "./server/server.ts";
import type { Config } from "./settings/config.ts";
import { creditTerms } from "./settings/rules.ts";
import { VERSION } from "./version.ts";

/** Compiled or source, like this file. */
const VALIDATOR_THREAD = new URL(`../adapters/validator/thread${import.meta.url.slice(-3)}`, import.meta.url);
/** Poll interval of a gateway while it waits for the database to be set up (ms). */
const SCHEMA_LOOK_MS = 500;
/** How long one of several gateways caches an API key (ms); they usually learn of rotated ones sooner, by signals. */
const KEY_TTL_MS = 1_000;

/** What a process does: answer clients, run actors, or both. */
export type Role = "gateway" | "node" | "both";

export interface Platform {
  readonly port: number;
  /** A URL of this server on this machine. */
  readonly url: string;
  /** Lets running work finish for at most `drainMs`, then closes everything. Never rejects. */
  stop(drainMs?: number): Promise<void>;
}

/**
 * Starts a process. `lost` is called if another one takes over the database. Throws an Error with a sentence for the operator
 * if something is missing or wrong, and the reason of `stop` if that is aborted; whatever was started is then undone.
 */
export async function startPlatform(
  config: Config,
  role: Role,
  log: Log,
  lost: () => void,
  stop: AbortSignal = new AbortController().signal,
): Promise<Platform> {
  const finalizers = new Finalizers(log);
  try {
    return await Promise.race([start(config, role, log, lost, finalizers), aborted(stop)]);
  } catch (error) {
    await finalizers.run();
    throw error;
  }
}

async function start(config: Config, role: Role, log: Log, lost: () => void, finalizers: Finalizers): Promise<Platform> {
  if (!isClustered(config) && role !== "both") {
    throw new Error(
      `A ${role} is part of a cluster: set NATS_URL and DATABASE_URL, or run \`nexus start\`, which needs neither.`,
    );
  }
  if (isClustered(config) && config.databaseUrls === null) {
    throw new Error(
      "NATS_URL is set, but DATABASE_URL is not: the processes of a cluster share a PostgreSQL; set DATABASE_URL to it.",
    );
  }
  // The port is taken first: a process that cannot have it has started nothing yet, and one that has it can answer health checks.
  const starting = { unavailable: "This process is starting." };
  const server = await serveHttp(
    createStartingApp(() => starting.unavailable, log).callback(),
    config.port,
    config.host,
    boundsOf(config),
  ).catch(async (error: unknown) => {
    if (!(await isNexusAt(config))) throw error;
    throw new Error(
      `A NexusToken already runs on port ${config.port}: use that one, stop it, or set PORT and a NEXUS_DATA_DIR or DATABASE_URL of its own.`,
    );
  });
  finalizers.add(() => server.close(0));
  const frame = await openFrame(config, role, log, lost, finalizers, starting);
  const { ending } = frame;
  const transport = frame.bus?.transport({ cluster: frame.secrets.clusterId(), shards: frame.read.shards, clock, log }) ?? null;
  const engine =
    transport === null
      ? await localEngine(frame)
      : role === "gateway"
        ? remoteEngine(transport)
        : await nodeEngine(frame, transport, nodeName(config));
  const app = await serve(frame, role, engine, healthOf(frame, engine));
  server.answer(app.callback);
  finalizers.add(async () => {
    server.endKeepAlive();
    await new Promise((resolve) => setTimeout(resolve, Math.min(config.graceMs, ending.drainMs)));
    app.endStreams();
    await server.close(ending.drainMs);
  });
  // First the shards are moved, while the gateway of the same process still answers.
  finalizers.add(() => engine.drain());
  // Before all else: whoever waits gets an answer, and what fleets ask from then on goes to other gateways.
  finalizers.add(() => app.closeDoors(ending.drainMs));
  const doing = role === "node" ? "A node of NexusToken serves its health" : "NexusToken answers";
  log.info({ port: server.port, role }, `${doing} on ${server.url}`);
  const stop = (drainMs = DRAIN_MS) => {
    ending.begun = true;
    ending.drainMs = Math.min(ending.drainMs, drainMs);
    return finalizers.run();
  };
  return { port: server.port, url: server.url, stop };
}

/** Whether the configured port belongs to another platform. */
async function isNexusAt({ host, port }: Config): Promise<boolean> {
  return port !== 0 && (await identifyServer(addressOf(host, port))) === "nexus";
}

async function openFrame(
  config: Config,
  role: Role,
  log: Log,
  lost: () => void,
  finalizers: Finalizers,
  starting: { unavailable: string },
): Promise<Frame> {
  // In parallel with the following steps, which mostly wait.
  const thread = checkThread(VALIDATOR_THREAD, VALIDATOR_LIMITS.heapMb);
  thread.catch(() => {});
  const urls = await databaseUrls(config, log, finalizers);
  const pools = urls.map((url) => openPool(url, { max: config.databaseConnections, name: "read" }));
  finalizers.add(() => Promise.all(pools.map((pool) => pool.end({ timeout: 1 }))));
  await probe(pools, urls);
  if (role !== "gateway") {
    const onlyAlone = isClustered(config);
    for (const url of urls) await lockDatabase(url, onlyAlone, lost, finalizers);
    const applied = await migrate(pools, { shards: config.shards ?? undefined, leaseMs: config.leaseMs, onlyAlone });
    if (applied.length > 0) log.info({ applied }, "the database is set up");
    // Others work on it, and this code cannot: only `nexus migrate` changes that.
    await readPlatform(pools);
    const missing = await missingMigrations(pools);
    if (missing.length > 0) log.warn({ missing }, "an older schema: run `nexus migrate` once every node is updated");
  }
  const { secret, shards } = await platformOf(pools, log, finalizers, starting);
  if (config.shards !== null && config.shards !== shards) {
    throw new Error(
      `SHARDS is ${config.shards}, but this database was created with ${shards} shards, which cannot change; set SHARDS=${shards} or unset it.`,
    );
  }
  const secrets = new Secrets(secret);
  const bus = await openBus(config, nodeName(config), log);
  if (bus !== null) finalizers.add(() => bus.close());
  warmUp();
  const failed = (error: unknown) => log.error({ err: error }, "a result could not be judged; this is a bug");
  const validator = new ValidatorPool(VALIDATOR_THREAD, VALIDATOR_LIMITS, failed);
  finalizers.add(() => validator.close());
  await thread;
  const signals = bus?.signals ?? localSignals();
  const inspector = config.inspectorUrl === null ? undefined : await connectInspector(config.inspectorUrl, log);
  finalizers.add(async () => inspector?.stop());
  const inspect = inspector?.inspect;
  const ending = { begun: false, drainMs: DRAIN_MS };
  return { config, log, finalizers, urls, read: new Databases(pools, shards), secrets, validator, bus, signals, inspect, ending };
}

/** Gives what the databases were set up with; a gateway, which sets up none, waits until a node has done so. */
async function platformOf(pools: readonly Database[], log: Log, finalizers: Finalizers, starting: { unavailable: string }) {
  let waiting = true;
  finalizers.add(async () => {
    waiting = false;
  });
  for (let told = ""; ; ) {
    try {
      return await readPlatform(pools);
    } catch (error) {
      if (!(error instanceof NotSetUp) || !waiting) throw error;
      if (told !== error.message) log.warn({}, `waiting: ${error.message}`);
      told = error.message;
      starting.unavailable = `This process is starting and waits: ${error.message}`;
    }
    await new Promise((resolve) => setTimeout(resolve, SCHEMA_LOOK_MS));
  }
}

async function databaseUrls(config: Config, log: Log, finalizers: Finalizers): Promise<readonly string[]> {
  if (config.databaseUrls !== null) return config.databaseUrls;
  const server = new EmbeddedServer(config.dataDir, log);
  finalizers.add(() => server.close());
  await server.open();
  return [server.url];
}

async function lockDatabase(url: string, shared: boolean, lost: () => void, finalizers: Finalizers): Promise<void> {
  const taken = await DatabaseLock.acquire(url, shared, DRAIN_MS, lost);
  if (taken === undefined) {
    throw new Error(
      shared
        ? "A NexusToken without NATS_URL works on this database alone. Stop it first, or point DATABASE_URL at another database."
        : "Another NexusToken works on this database. Stop it first, set NATS_URL so that they share the work, or point DATABASE_URL (or NEXUS_DATA_DIR) elsewhere.",
    );
  }
  finalizers.add(() => taken.release());
}

function nodeName(config: Config): string {
  return config.nodeName ?? `${hostname()}-${process.pid}`;
}

/** The HTTP application of this process. */
interface App {
  readonly callback: RequestListener;
  /** Ends event streams, which never end by themselves; clients reconnect to another gateway. */
  endStreams(): void;
  /** Answers pulls, and what else fleets have asked for, and takes no more of it. */
  closeDoors(ms: number): Promise<void>;
}

async function serve(frame: Frame, role: Role, { transport }: Engine, health: Health): Promise<App> {
  const { config, log, finalizers, read, secrets, validator, bus, signals } = frame;
  if (role === "node")
    return { callback: createHealthApp(health, log).callback(), endStreams: () => {}, closeDoors: async () => {} };
  const reads = postgresReadModel(read);
  const keys = new KeyRing(reads, signals, clock, bus === null ? 0 : KEY_TTL_MS);
  const router = new Router(transport, clock, ids, config.requestTimeoutMs);
  const live = openLive({ config, log, finalizers, signals, clock, ids, router, reads, keys });
  const limits = {
    requests: config.ratePerSecond,
    tasks: config.rateTasksPerMinute,
    visits: config.rateVisitsPerSecond,
    registrations: config.rateRegistrationsPerHour,
    failures: config.rateAuthFailuresPerMinute,
    recoveries: config.rateRecoveriesPerHour,
  };
  const limiter = openLimiter(limits, config.redisUrl, config.natsPrefix, log);
  finalizers.add(() => limiter.close());
  const mailer = await mailerOf(config);
  finalizers.add(async () => mailer?.close());
  const operators = postgresOperators(read);
  const honeypotStore = postgresHoneypots(read);
  const honeypots = new Honeypots({
    ...{ store: honeypotStore, reads, router, validator, secrets, clock, ids, log },
    settings: {
      rate: config.honeypotRate,
      budgetPerDay: config.honeypotBudgetPerDay,
      delayMs: 1_000 * config.honeypotDelaySeconds,
      routingWindowMs: config.routingWindowMs,
    },
  });
  finalizers.add(async () => honeypots.close());
  const services: Services = {
    router,
    honeypots,
    honeypotStore,
    reads,
    validator,
    secrets,
    keys,
    ...live,
    signals,
    clock,
    ids,
    log,
    settings: {
      signupGrant: config.signupGrant,
      routingWindowMs: config.routingWindowMs,
      tasksPerMinute: config.rateTasksPerMinute,
      taskTypes: config.taskTypes,
      allowSimulatedTopup: config.allowSimulatedTopup,
      credit: creditTerms(config),
      publicUrl: publicUrlOf(config),
      adminToken: config.adminToken,
      trustedProxies: config.trustProxy,
      corsOrigins: config.corsOrigins,
      allowPrivateCallbacks: config.allowPrivateCallbacks,
      production: config.environment === "production",
      version: VERSION,
    },
    health,
    limiter,
    guard: new Guard(limiter),
    mailer,
    operators,
    payments: await paymentsOf(config),
    identity: identityOf(config),
  };
  const door = await openFleetDoor(config, services, bus, nodeName(config), log);
  const endListenings = () => live.listenings.close();
  finalizers.add(async () => door?.close(0, endListenings));
  const closeDoors = async (ms: number) => {
    live.pulls.drain();
    await Promise.all([live.undelivered.drain(Math.min(ms, RETURN_MS_MAX)), door?.close(ms, endListenings)]);
  };
  return { callback: createApp(services).callback(), endStreams: () => live.feed.close(), closeDoors };
}

/** Behind a proxy, all connections come from the proxy. */
function boundsOf({ connections: inAll, connectionsPerAddress, trustProxy }: Config): ConnectionBounds {
  return { ...CONNECTION_BOUNDS, inAll, ofAddress: trustProxy > 0 ? 0 : connectionsPerAddress };
}

function publicUrlOf({ publicUrl, port }: Config): string {
  return publicUrl ?? `http://localhost:${port}`;
}

function identityOf(config: Config) {
  const { githubClientId: clientId, githubClientSecret: clientSecret, githubBaseUrl: baseUrl, githubApiUrl: apiUrl } = config;
  if (clientId === null && clientSecret === null) return null;
  if (clientId === null || clientSecret === null) {
    throw new Error("GitHub needs both GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET: set both, or neither.");
  }
  const callbackUrl = `${publicUrlOf(config)}/api/v1/oauth/github/callback`;
  return new GitHubIdentity({ clientId, clientSecret, baseUrl, apiUrl, callbackUrl });
}

/** Adapters that few platforms need are loaded where they are asked for: their libraries take longer to load than all of ours. */
async function mailerOf({ smtpUrl, mailFrom }: Config) {
  if (smtpUrl === null) return null;
  const { smtpMailer } = await import("../adapters/mail/mailer.ts");
  return smtpMailer(smtpUrl, mailFrom);
}

async function paymentsOf({ stripeSecretKey: secretKey, stripeWebhookSecret: webhookSecret, stripeApiBase: apiBase }: Config) {
  if (secretKey === null && webhookSecret === null) return null;
  if (secretKey === null || webhookSecret === null) {
    throw new Error("Stripe needs both STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET: set both, or neither.");
  }
  const { StripePayments } = await import("../adapters/stripe/payments.ts");
  return new StripePayments({ secretKey, webhookSecret, apiBase });
}
