/** Listens on one address, and on the other loopback too, so that localhost works however it resolves. */
import type { Server } from "node:http";
import { createServer as createRelay, isIPv6, type Server as Relay } from "node:net";

export interface Listening {
  readonly port: number;
  /** A URL of this server on this machine. */
  readonly url: string;
  /** Takes no new connection; resolves when all have ended. */
  close(): Promise<void>;
}

/** For each host that includes one loopback, the address of the other. `::` has both by itself. */
const OTHER_LOOPBACK: { readonly [host: string]: string } = { "127.0.0.1": "::1", "0.0.0.0": "::1", "::1": "127.0.0.1" };

/** What is wrong with a port on a host that this machine has. */
const PORT_WHY: { readonly [code: string]: string } = {
  EADDRINUSE: "is taken by another process; stop it or set PORT",
  EACCES: "may not be used by this user; set PORT to 1024 or more",
};

/** What is wrong with a host, whatever the port. */
const HOST_WHY: { readonly [code: string]: string } = {
  EADDRNOTAVAIL: "this machine does not have that address; set HOST to one that it has, or to 0.0.0.0 for all",
  EAFNOSUPPORT: "this machine does not have that kind of address; set HOST=0.0.0.0 for all of IPv4",
  ENOTFOUND: "no such host name is known; set HOST to an address of this machine",
  EAI_AGAIN: "no such host name is known; set HOST to an address of this machine",
};

function whyNot(code: string, port: number, host: string): string {
  const wrongHost = HOST_WHY[code];
  if (wrongHost !== undefined) return `HOST=${host} cannot be used: ${wrongHost}.`;
  return `Port ${port} on ${host} ${PORT_WHY[code] ?? `cannot be used (${code})`}.`;
}

/**
 * Listens on a host (an address, a name, or `localhost` for both loopbacks); port 0 takes a free one. Rejects with a sentence for
 * the operator if that fails.
 */
export async function listen(server: Server, port: number, host: string): Promise<Listening> {
  const bare = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  const address = bare === "localhost" ? "127.0.0.1" : bare;
  try {
    await bind(server, port, address);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new Error(whyNot(code, port, host));
  }
  const bound = server.address();
  const taken = typeof bound === "object" && bound !== null ? bound.port : port;
  const relay = await relayFrom(OTHER_LOOPBACK[address], server, taken);
  const close = async () => {
    const servers = relay === undefined ? [server] : [server, relay];
    await Promise.all(servers.map((one) => new Promise((resolve) => one.close(resolve))));
  };
  return { port: taken, url: `http://${nameOf(address, relay !== undefined)}:${taken}`, close };
}

/** Passes connections to the other loopback to the server. undefined if that address cannot be used. */
async function relayFrom(host: string | undefined, server: Server, port: number): Promise<Relay | undefined> {
  if (host === undefined) return undefined;
  const relay = createRelay({ noDelay: true }, (socket) => void server.emit("connection", socket));
  try {
    await bind(relay, port, host);
    return relay;
  } catch {
    return undefined;
  }
}

function nameOf(address: string, both: boolean): string {
  if (both || address === "::") return "localhost";
  if (address === "0.0.0.0") return "127.0.0.1";
  return isIPv6(address) ? `[${address}]` : address;
}

function bind(server: Relay, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
