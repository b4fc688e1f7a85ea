/**
 * What a nats-server needs so that fleets, gateways and the platform's own processes are kept apart: two accounts, and for each
 * fleet a user who may ask in its own name and hear its own answers. Only public keys are in it.
 */
import type { AccountId } from "../../../machines/vocabulary.ts";

/** Users who are no fleet. */
export type House = "door" | "operator";

/** The name of the file with the users of fleets, which the server's configuration includes. */
export const USERS_FILE = "fleet-users.conf";

interface Permissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** What a fleet may do: ask in the name of its account, hear what it is answered and what is pushed to it. Nobody may answer for the door. */
export function fleetPermissions(prefix: string, account: AccountId): Permissions {
  return {
    publish: [`${prefix}.api.v1.${account}.>`],
    subscribe: [`_INBOX.${account}.>`, `${prefix}.push.v1.${account}`],
  };
}

function housePermissions(prefix: string, house: House): Permissions {
  return house === "door"
    ? { publish: ["_INBOX.>", `${prefix}.push.v1.>`], subscribe: [`${prefix}.api.v1.>`, "$SRV.>", "_INBOX.door.>"] }
    : { publish: ["$SRV.>"], subscribe: ["_INBOX.operator.>"] };
}

/** Gives the server's configuration. `listen` is its address and port, `inner` the public key of the platform's own processes. */
export function serverConfig(prefix: string, listen: string, inner: string): string {
  return `# Written by \`nexus fleet config\`. Start it: nats-server -c <this file>
listen: ${JSON.stringify(listen)}

# API keys pass through here: encrypt where the network is not yours.
# tls { cert_file: "server.crt", key_file: "server.key" }

accounts {
  # Gateways and nodes, among themselves: NATS_URL, with NATS_NKEY_FILE.
  NEXUS {
    users: [
      { nkey: ${inner}, permissions: { publish: ["${prefix}.>", "_INBOX.>"], subscribe: ["${prefix}.>", "_INBOX.>"] } }
    ]
  }
  # Fleets, and the gateways that answer them: FLEET_NATS_URL, with FLEET_NATS_NKEY_FILE. Nothing leads from here to NEXUS.
  FLEET {
    include "${USERS_FILE}"
  }
}
`;
}

/** Gives the file of users before there is a fleet. */
export function firstUsers(prefix: string, keys: { readonly [H in House]: string }): string {
  return `# Users of fleets: \`nexus fleet credentials\` adds, replaces and removes lines. Have the server read it: nats-server --signal reload
users: [
${userLine(keys.door, housePermissions(prefix, "door"), "door")}
${userLine(keys.operator, housePermissions(prefix, "operator"), "operator")}
]
`;
}

/**
 * Gives the file of users with this account's user in place of the one that it had; without a key, with none. Undefined if
 * nothing is to be removed. Throws an Error with a sentence if the file is not as `nexus fleet config` writes it.
 */
export function withUser(users: string, prefix: string, account: AccountId, publicKey: string | null): string | undefined {
  const lines = users.split("\n");
  const others = lines.filter((line) => !line.endsWith(` # ${account}`));
  const end = others.lastIndexOf("]");
  if (end === -1)
    throw new Error(
      `${USERS_FILE} does not end its list of users with a line "]"; restore it, or write it anew with nexus fleet config.`,
    );
  if (publicKey === null) return others.length === lines.length ? undefined : others.join("\n");
  return others.toSpliced(end, 0, userLine(publicKey, fleetPermissions(prefix, account), account)).join("\n");
}

function userLine(publicKey: string, { publish, subscribe }: Permissions, name: string): string {
  return `  { nkey: ${publicKey}, permissions: { publish: ${JSON.stringify(publish)}, subscribe: ${JSON.stringify(subscribe)} } } # ${name}`;
}
