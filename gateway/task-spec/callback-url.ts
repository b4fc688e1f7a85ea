/** Which callback_url can be reached: what is refused here is what the courier's guard would refuse, told when it can still be mended. */
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import type { GatewaySettings } from "../services.ts";

/** Names of this machine in every resolver (RFC 6761 6.3) and in usual hosts files. */
const LOCAL = /^(.+\.)?(localhost|localhost\.localdomain|ip6-localhost|ip6-loopback)$/;

/** The only addresses of IPv6 that are given out (RFC 4291 2.4, IANA's registry). */
const GLOBAL_IPV6 = ipaddr.parseCIDR("2000::/3");

/** Says what is wrong with a callback_url; undefined when nothing is. */
export function wrongCallback(
  text: string,
  settings: Pick<GatewaySettings, "allowPrivateCallbacks" | "production">,
): string | undefined {
  if (!URL.canParse(text)) return "must be a URL";
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") return "must begin with https:// or http://";
  if (url.username !== "" || url.password !== "") return "must carry no user name or password; check the signature instead";
  if (url.port === "0") return "has port 0, which nothing listens at; give the port of your server";
  if (settings.allowPrivateCallbacks || !isPrivate(url.hostname)) return undefined;
  const next = settings.production
    ? "give an address that the internet reaches (the operator can set ALLOW_PRIVATE_CALLBACKS)"
    : "start the platform with ALLOW_PRIVATE_CALLBACKS=true to allow it, or give a public address";
  return `leads to ${url.hostname}, an address that is not public; ${next}`;
}

/** Takes the host of a URL that was parsed, so that an IPv4 address has one spelling, whatever it was written as. */
function isPrivate(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  if (isIP(bare) !== 0) {
    const address = ipaddr.parse(bare);
    const global = address.kind() === "ipv4" || address.match(GLOBAL_IPV6);
    return !global || address.range() !== "unicast";
  }
  return LOCAL.test(bare.replace(/\.$/, ""));
}
