/** The door of fleets in this process: what is asked over NATS, joined with the operations that answer it. */
import type { Log } from "../../../actors/ports/log.ts";
import { FleetDoor } from "../../../gateway/doors/fleet.ts";
import { serve } from "../../../gateway/doors/serve.ts";
import { FLEET_OPERATIONS, OPERATIONS } from "../../../gateway/routes/index.ts";
import type { Services } from "../../../gateway/services.ts";
import type { NatsSettings } from "../../adapters/nats/connect.ts";
import type { Bus } from "../bus.ts";
import type { Config } from "../settings/config.ts";

export interface OpenDoor {
  /**
   * Takes no more requests, answers those that it has for at most `ms`, calls `last`, after which nothing is pushed any more, and
   * disconnects. Never rejects.
   */
  close(ms: number, last: () => void): Promise<void>;
}

/** Opens the door if the settings name a server for it; null if not. Rejects with a sentence for the operator. */
export async function openFleetDoor(
  config: Config,
  services: Services,
  bus: Bus | null,
  name: string,
  log: Log,
): Promise<OpenDoor | null> {
  const { fleetNatsUrl } = config;
  if (fleetNatsUrl === null) return null;
  const { FleetLine } = await import("../../adapters/nats/fleet.ts");
  const door = new FleetDoor([...OPERATIONS, ...FLEET_OPERATIONS], {
    clock: services.clock,
    ids: services.ids,
    log,
    version: services.settings.version,
    serve: (operation, visit) => serve(operation, services, visit),
  });
  const line = await FleetLine.open(fleetSettings(config, fleetNatsUrl), door, {
    name,
    production: services.settings.production,
    exposed: async (fleet) => (await bus?.meets(fleet)) ?? false,
    log,
  });
  log.info({ verbs: door.verbs.map(({ verb }) => verb) }, `fleets are answered on ${config.natsPrefix}.api.v1.>`);
  return line;
}

function fleetSettings(config: Config, url: string): NatsSettings {
  return {
    named: "FLEET_NATS",
    url,
    prefix: config.natsPrefix,
    user: config.fleetNatsUser,
    password: config.fleetNatsPassword,
    nkeyFile: config.fleetNatsNkeyFile,
    credsFile: config.fleetNatsCredsFile,
    tlsCa: config.fleetNatsTlsCa,
    tlsCert: config.fleetNatsTlsCert,
    tlsKey: config.fleetNatsTlsKey,
  };
}
