/** Who the client is: the address that the outermost trusted proxy saw (X-Forwarded-For), or the connection's own. */
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import type { Middleware } from "koa";

/** `[2001:db8::1]:443`, `2001:db8::1`, `203.0.113.9:50001`, each maybe quoted; proxies write all of them. */
const BRACKETED = /^\[([^\]]*)\](?::\d{1,5})?$/;
/** Of 16 bits each. */
const NETWORK_PARTS = 4;
const WITH_PORT = /^(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}$/;

/** Sets `context.ip` for everything below; `hops` is how many proxies stand in front. */
export function clientAddress(hops: number): Middleware {
  return async function clientAddress(context, next) {
    context.request.ip = forwarded(context.req.socket.remoteAddress ?? "", context.get("X-Forwarded-For"), hops);
    await next();
  };
}

/**
 * Each proxy adds at the end whom it saw, so the entry of the outermost of `hops` trusted ones counts, and what stands
 * before it is the client's own tale. Where that entry is no address, the nearest hop after it that is one counts.
 */
export function forwarded(connection: string, header: string, hops: number): string {
  const entries = header.split(",");
  const trusted = hops === 0 || header === "" ? [] : entries.slice(-hops);
  for (const entry of [...trusted, connection]) {
    const address = addressIn(entry);
    if (address !== undefined) return address;
  }
  return connection;
}

/** What limits count as one client: an IPv4 address, or the /64 of an IPv6 one, of which each client has a whole. */
export function networkOf(address: string): string {
  const known = addressIn(address);
  if (known === undefined) return address;
  const parsed = ipaddr.parse(known);
  if (!(parsed instanceof ipaddr.IPv6)) return known;
  return parsed.parts
    .slice(0, NETWORK_PARTS)
    .map((part) => part.toString(16))
    .join(":");
}

/** The address in canonical form, an IPv4 one that is dressed as IPv6 (RFC 4291 2.5.5.2) without the dress. */
function addressIn(entry: string): string | undefined {
  const text = entry.trim().replace(/^"(.*)"$/, "$1");
  const bare = BRACKETED.exec(text)?.[1] ?? WITH_PORT.exec(text)?.[1] ?? text;
  // Only what is an address as everybody writes it: the library also reads 127.1 and octal numbers.
  return isIP(bare) === 0 ? undefined : ipaddr.process(bare.replace(/%.*$/, "")).toString();
}
