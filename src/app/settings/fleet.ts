/** Settings of the door through which fleets of workers ask over NATS. */
import { natsUrl } from "./values.ts";

const optional = (name: string, unit: string, about: string) => ({
  name,
  fallback: null as string | null,
  unit,
  about,
  read: String,
});

export const FLEET = {
  fleetNatsUrl: {
    name: "FLEET_NATS_URL",
    fallback: null as string | null,
    unit: "URL",
    about:
      "The NATS server at which gateways answer fleets of workers, in an account that cannot reach the one of NATS_URL; without it, fleets work over HTTP alone.",
    secret: true,
    read: natsUrl,
  },
  fleetNatsUser: optional("FLEET_NATS_USER", "name", "User name of the gateways there."),
  fleetNatsPassword: { ...optional("FLEET_NATS_PASSWORD", "text", "Password of the gateways there."), secret: true },
  fleetNatsNkeyFile: optional(
    "FLEET_NATS_NKEY_FILE",
    "file",
    "File with the NKey seed of the gateways there, as `nexus fleet config` writes it.",
  ),
  fleetNatsCredsFile: optional("FLEET_NATS_CREDS_FILE", "file", "Credentials file (JWT and seed) of the gateways there."),
  fleetNatsTlsCa: optional("FLEET_NATS_TLS_CA", "file", "CA certificate to check that server's certificate with."),
  fleetNatsTlsCert: optional("FLEET_NATS_TLS_CERT", "file", "Client certificate for that server."),
  fleetNatsTlsKey: optional("FLEET_NATS_TLS_KEY", "file", "Private key of that certificate."),
};
