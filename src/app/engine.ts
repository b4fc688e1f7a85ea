/** The part of a process that brings commands to actors: its own, those of its shards as a node, or those of other nodes. */

import { monitorEventLoopDelay } from "node:perf_hooks";
import { shardOf } from "../../actors/address.ts";
import { Host } from "../../actors/host/host.ts";
import type { Inspect } from "../../actors/host/live.ts";
import type { Log } from "../../actors/ports/log.ts";
import type { NoticeListeners } from "../../actors/ports/notices.ts";
import type { ClusterTransport, Transport } from "../../actors/ports/transport.ts";
import { Node } from "../../actors/shards/node.ts";
import type { StoredTask } from "../../gateway/ports/read-model.ts";
import type { SignalHub } from "../../gateway/ports/signals.ts";
import type { Secrets } from "../../gateway/secrets.ts";
import { entitiesUnder } from "../../machines/entities.ts";
import { agreedFormats, FORMATS, type Formats } from "../../machines/formats.ts";
import type { AccountId } from "../../machines/vocabulary.ts";
import { LocalTransport } from "../adapters/in-process/transport.ts";
import { type Databases, databaseOf, shardsAt } from "../adapters/postgres/databases.ts";
import { PostgresJournal } from "../adapters/postgres/journal.ts";
import { postgresOpenTasks } from "../adapters/postgres/open-tasks.ts";
import { openPool } from "../adapters/postgres/pool.ts";
import { agreeAlone, PostgresRegistry } from "../adapters/postgres/registry.ts";
import { systemClock as clock } from "../adapters/system/clock.ts";
import { randomIds as ids } from "../adapters/system/ids.ts";
import type { ValidatorPool } from "../adapters/validator/pool.ts";
import { WebhookCourier } from "../adapters/webhooks/courier.ts";
import type { Bus } from "./bus.ts";
import type { Config } from "./settings/config.ts";
import { marketRules } from "./settings/rules.ts";
import { VERSION } from "./version.ts";

/** Concurrent journal transactions. The second one runs only while the event loop would wait for the first (actors/host/commit.ts). */
const WRITERS = 2;
/** Connections of the registry: heartbeats must not queue behind the closing of a shard. */
const REGISTRARS = 3;
/** How long a stopping process may take, and how long the next one waits for its database lock (ms). */
export const DRAIN_MS = 10_000;
/** The event loop's lag is sampled this often (ms). */
const LAG_RESOLUTION_MS = 20;

/** What the parts of a process share. */
export interface Frame {
  readonly config: Config;
  readonly log: Log;
  /** Takes finalizers, which run newest first when the process stops. */
  readonly finalizers: { add(step: () => Promise<unknown>): void };
  /** The databases, in order. */
  readonly urls: readonly string[];
  readonly read: Databases;
  readonly secrets: Secrets;
  readonly validator: ValidatorPool;
  /** null if one process does everything. */
  readonly bus: Bus | null;
  readonly signals: SignalHub;
  /** Hears all that actors do, in development. */
  readonly inspect: Inspect | undefined;
  readonly ending: Ending;
}

/** The state of shutting down. */
export interface Ending {
  /** Whether it has begun. */
  begun: boolean;
  /** How long running work may take to finish (ms). */
  drainMs: number;
}

export interface Engine {
  readonly transport: Transport;
  /** A sentence that says why it cannot serve, or null. */
  unavailable(): string | null;
  /** Moves the shards of this process to other nodes. */
  drain(): Promise<void>;
}

/** The lease of a host, if it has one. */
interface Membership {
  readonly leased?: () => boolean;
  readonly fenced?: () => void;
  readonly formats?: () => Formats;
}

/** Makes hosts on the databases of this process. `member` is the member that commits; null if there is no cluster. */
function hostMaker({ config, log, finalizers, urls, read, secrets, validator, signals, inspect }: Frame, transport: Transport) {
  const writers = urls.map((url) => openPool(url, { max: WRITERS, name: "write", keep: true }));
  finalizers.add(() => Promise.all(writers.map((pool) => pool.end({ timeout: 1 }))));
  const courier = new WebhookCourier({
    allowPrivate: config.allowPrivateCallbacks,
    secretOf: (id) => secrets.webhookSecret(id),
    clock,
    ids,
  });
  const { shards } = read;
  const notices = {
    newTask: (gateway: string, task: StoredTask, { workers, streams }: NoticeListeners) =>
      signals.sendTo(gateway, { type: "new", task, workers, streams }),
  };
  const common = {
    matching: {
      notices,
      index: postgresOpenTasks(read),
      partitions: config.queuePartitions,
      announcedMax: config.streamsPerTask,
    },
    entities: entitiesUnder(marketRules(config)),
    validator,
    calls: courier,
    clock,
    ids,
    log,
    shards,
    writers: WRITERS,
    requestMsMax: config.requestTimeoutMs,
    transport,
    wake: (account: AccountId) => signals.wake(account),
    inspect,
  };
  return (index: number, member: string | null, membership: Membership = {}): Host => {
    const [reader, writer] = [read.all[index], writers[index]];
    if (reader === undefined || writer === undefined) throw new Error(`there is no database ${index}`);
    return new Host({ ...common, ...membership, journal: new PostgresJournal(reader, writer, shards, member) });
  };
}

/** All shards in this process: one host per database. */
export async function localEngine(frame: Frame): Promise<Engine> {
  const { urls, read, finalizers, log, ending } = frame;
  const transport = new LocalTransport(read.shards);
  const makeHost = hostMaker(frame, transport);
  const hosts = urls.map((_, index) => makeHost(index, null));
  // After the gateway, because no other process could answer its last requests.
  finalizers.add(() => Promise.all(hosts.map((host) => host.stop(ending.drainMs))));
  await Promise.all(read.all.map((database) => agreeAlone(database, VERSION, FORMATS)));
  for (const [index, host] of hosts.entries()) {
    const routes = transport.routesOf(host, () => {});
    const shards = shardsAt(index, urls.length, read.shards);
    for (const shard of shards) routes.serve(shard);
    log.info(await host.open(shards), "resumed timers and undelivered messages");
  }
  const unavailable = () => (hosts.some(({ healthy }) => healthy) ? null : "The database does not answer this process.");
  return { transport, unavailable, drain: async () => {} };
}

/** No actors in this process: all commands go to nodes. */
export function remoteEngine(transport: Transport): Engine {
  return { transport, unavailable: () => null, drain: async () => {} };
}

/** A node of a cluster under this name: one member and one host per database. */
export async function nodeEngine(frame: Frame, transport: ClusterTransport, name: string): Promise<Engine> {
  const { config, log, urls, read, finalizers, ending } = frame;
  const makeHost = hostMaker(frame, transport);
  // A message may go from one database to another, so what is written is what the members of all of them read.
  const formats = (): Formats => agreedFormats(nodes.map((node) => node.formats));
  const nodes: readonly Node[] = urls.map((url, index) => {
    const registry = openPool(url, { max: REGISTRARS, name: "registry", keep: true });
    finalizers.add(() => registry.end({ timeout: 1 }));
    const hostOf = (life: string, leased: () => boolean, fenced: () => void) =>
      makeHost(index, life, { leased, fenced, formats });
    const ports = { registry: new PostgresRegistry(registry, VERSION), routes: transport, clock, ids, log, hostOf };
    return new Node(
      { ...ports, lagMs: lagMeter() },
      { name, weight: config.nodeWeight, leaseMs: config.leaseMs, formats: FORMATS },
    );
  });
  const nodeOf = (shard: number): Node => {
    const node = nodes[databaseOf(shard, nodes.length)];
    if (node === undefined) throw new Error("a process has a node for each database");
    return node;
  };
  transport.attach(
    {
      owns: (shard) => nodeOf(shard).owns(shard),
      request: (envelope) => nodeOf(shardOf(envelope.to.id, read.shards)).request(envelope),
    },
    () => {
      for (const node of nodes) node.look();
    },
  );
  const drain = async () => void (await Promise.all(nodes.map((node) => node.drain(ending.drainMs))));
  // Added before it joins: whatever fails from here on, it leaves again.
  finalizers.add(drain);
  await Promise.all(nodes.map((node) => node.start()));
  const unavailable = () => {
    if (nodes.some(({ draining }) => draining)) return "This node is being drained.";
    return nodes.some(({ healthy }) => healthy) ? null : "The database does not answer this node.";
  };
  return { transport, unavailable, drain };
}

/** Gives the worst lag of the event loop since the last call (ms). */
function lagMeter(): () => number {
  const delay = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  delay.enable();
  return () => {
    const ms = Math.max(0, Math.round(delay.max / 1e6) - LAG_RESOLUTION_MS);
    delay.reset();
    return ms;
  };
}
