/** Checks a callback_url when the task is posted, with the same rules that delivery applies to its address later. */
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import type { GatewaySettings } from "../services.ts";

/** Names of this machine in every resolver (RFC 6761 6.3) and in usual hosts files. */
const LOCAL = /^(.+\.)?(localhost|localhost\.localdomain|ip6-localhost|ip6-loopback)$/;

/** The only IPv6 range that is allocated for unicast (RFC 4291 2.4, IANA's registry). */
const GLOBAL_IPV6 = ipaddr.parseCIDR("2000::/3");

/** Says what is wrong with a callback_url; undefined if nothing is. */
export function wrongCallback(
  text: string,
  settings: Pick<GatewaySettings, "allowPrivateCallbacks" | "production">,
): string | undefined {
  if (!URL.canParse(text)) return "must be a URL";
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") return "must begin with https:// or http://";
  if (url.username !== "" || url.password !== "") return "must contain no user name or password; verify the signature instead";
  if (url.port === "0") return "has port 0, on which nothing can listen; give the port of your server";
  if (settings.allowPrivateCallbacks || !isPrivate(url.hostname)) return undefined;
  const next = settings.production
    ? "give a public address (or ask the operator to set ALLOW_PRIVATE_CALLBACKS)"
    : "start the platform with ALLOW_PRIVATE_CALLBACKS=true to allow it, or give a public address";
  return `leads to ${url.hostname}, which is not public; ${next}`;
}

/** Takes the host of a parsed URL, in which every IPv4 address has one spelling. */
function isPrivate(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  if (isIP(bare) !== 0) {
    const address = ipaddr.parse(bare);
    const global = address.kind() === "ipv4" || address.match(GLOBAL_IPV6);
    return !global || address.range() !== "unicast";
  }
  return LOCAL.test(bare.replace(/\.$/, ""));
}
