/** The client's address: the one that the outermost trusted proxy saw (X-Forwarded-For), or that of the connection. */
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import type { Middleware } from "koa";

/** Proxies write `[2001:db8::1]:443`, `2001:db8::1` and `203.0.113.9:50001`, with or without quotes. */
const BRACKETED = /^\[([^\]]*)\](?::\d{1,5})?$/;
/** Parts of 16 bits: a /64. */
const NETWORK_PARTS = 4;
const WITH_PORT = /^(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}$/;

/** Sets `context.ip`; `hops` is the number of proxies in front. */
export function clientAddress(hops: number): Middleware {
  return async function clientAddress(context, next) {
    context.request.ip = forwarded(context.req.socket.remoteAddress ?? "", context.get("X-Forwarded-For"), hops);
    await next();
  };
}

/**
 * Each proxy appends the address that it saw, so the entry of the outermost of the `hops` trusted proxies counts; entries
 * before it may be forged by the client. If that entry is not an address, the next one that is counts.
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

/** What rate limits count as one client: an IPv4 address, or the /64 of an IPv6 address, since one client usually has all of it. */
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

/** The address in canonical form; an IPv4-mapped IPv6 address (RFC 4291 2.5.5.2) becomes IPv4. */
function addressIn(entry: string): string | undefined {
  const text = entry.trim().replace(/^"(.*)"$/, "$1");
  const bare = BRACKETED.exec(text)?.[1] ?? WITH_PORT.exec(text)?.[1] ?? text;
  // Only the usual notation: the library would also accept 127.1 and octal numbers.
  return isIP(bare) === 0 ? undefined : ipaddr.process(bare.replace(/%.*$/, "")).toString();
}
