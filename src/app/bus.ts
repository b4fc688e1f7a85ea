/** The bus that connects the processes of a platform. Another bus takes an adapter of these ports, its settings, and a row of BUSES. */
import type { NatsConnection } from "nats";
import type { Clock } from "../../actors/ports/clock.ts";
import type { Log } from "../../actors/ports/log.ts";
import type { ClusterTransport } from "../../actors/ports/transport.ts";
import type { SignalHub } from "../../gateway/ports/signals.ts";
import type { NatsSettings } from "../adapters/nats/connect.ts";
import type { Config } from "./settings/config.ts";

/** A connection to the bus; `cluster` keeps platforms on one bus apart. */
export interface Bus {
  transport(platform: {
    readonly cluster: string;
    readonly shards: number;
    readonly clock: Clock;
    readonly log: Log;
  }): ClusterTransport;
  readonly signals: SignalHub;
  /** Whether a connection for fleets could reach what is on this bus. */
  meets(fleet: NatsConnection): Promise<boolean>;
  /** Why it cannot be used now, in a sentence, or null. */
  unavailable(): string | null;
  close(): Promise<void>;
}

/** Connects under a name that operators see. Rejects with a sentence for the operator. */
type Open = (name: string, log: Log) => Promise<Bus>;

/** Each gives how to open it, or null where the settings do not name it. */
const BUSES: readonly ((config: Config) => Open | null)[] = [
  (config) => {
    const { natsUrl } = config;
    return natsUrl === null ? null : (name, log) => openNats(natsSettings(config, natsUrl), name, log);
  },
];

function named(config: Config): Open | undefined {
  return BUSES.map((bus) => bus(config)).find((open) => open !== null) ?? undefined;
}

/** Whether this process is part of a cluster. */
export function isClustered(config: Config): boolean {
  return named(config) !== undefined;
}

/** Opens the configured bus; null if one process does everything. */
export async function openBus(config: Config, name: string, log: Log): Promise<Bus | null> {
  return (await named(config)?.(name, log)) ?? null;
}

async function openNats(settings: NatsSettings, name: string, log: Log): Promise<Bus> {
  // Loaded only here: a platform that is alone needs none of it.
  const [{ connectNats }, { natsSignals }, { NatsTransport }, { meet }] = await Promise.all([
    import("../adapters/nats/connect.ts"),
    import("../adapters/nats/signals.ts"),
    import("../adapters/nats/transport.ts"),
    import("../adapters/nats/isolation.ts"),
  ]);
  const { connection, up } = await connectNats(settings, name, log);
  const { prefix } = settings;
  return {
    transport: ({ clock, log, ...platform }) => new NatsTransport(connection, { prefix, ...platform }, clock, log),
    signals: natsSignals(connection, prefix),
    meets: (fleet) => meet(connection, fleet, prefix),
    unavailable: () => (up() ? null : "NATS does not answer this process."),
    close: () => connection.close(),
  };
}

function natsSettings(config: Config, url: string): NatsSettings {
  return {
    named: "NATS",
    url,
    prefix: config.natsPrefix,
    user: config.natsUser,
    password: config.natsPassword,
    nkeyFile: config.natsNkeyFile,
    credsFile: config.natsCredsFile,
    tlsCa: config.natsTlsCa,
    tlsCert: config.natsTlsCert,
    tlsKey: config.natsTlsKey,
  };
}
