/** Which server already has a port of this machine. */
import type { RefusalCode } from "../../machines/refusal.ts";

const ASK_MS = 2_000;
const UNAVAILABLE: RefusalCode = "UNAVAILABLE";

/** URL of a server of this machine that listens on `host`. */
export function addressOf(host: string, port: number): string {
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  const name = bare === "0.0.0.0" ? "127.0.0.1" : bare === "::" ? "localhost" : bare;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
}

/** What answers there: a NexusToken, another server, or nobody. */
export async function identifyServer(base: string): Promise<"nexus" | "other" | "nobody"> {
  const heartbeat = await askJson(`${base}/api/v1/heartbeat`);
  if (heartbeat === "nobody") return "nobody";
  if (heartbeat.ok && "min_sdk_version" in heartbeat.body) return "nexus";
  // One that is starting or cannot serve now: the code of its problem document is a part of the contract, its sentence is not.
  return "code" in heartbeat.body && heartbeat.body.code === UNAVAILABLE ? "nexus" : "other";
}

/** Fetches a JSON document; anything else gives an object without fields. */
export async function askJson(url: string): Promise<{ readonly ok: boolean; readonly body: object } | "nobody"> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ASK_MS) });
    const body: unknown = await response.json().catch(() => undefined);
    return { ok: response.ok, body: typeof body === "object" && body !== null ? body : {} };
  } catch (error) {
    return isRefused(error) ? "nobody" : { ok: false, body: {} };
  }
}

/** Error codes if nothing listens, on an address of this machine or one that it does not have. */
const NOBODY = /^(ECONNREFUSED|EADDRNOTAVAIL|ENETUNREACH)$/;

function isRefused(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && NOBODY.test(String(cause.code));
}
