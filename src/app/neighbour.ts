/** Who has a port of this machine already. */

const ASK_MS = 2_000;

/** Where a server of this machine is reached that listens on `host`. */
export function addressOf(host: string, port: number): string {
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  const name = bare === "0.0.0.0" ? "127.0.0.1" : bare === "::" ? "localhost" : bare;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
}

/** Who answers there: a NexusToken, something else, or nobody. */
export async function whoAnswers(base: string): Promise<"nexus" | "other" | "nobody"> {
  const heartbeat = await askJson(`${base}/api/v1/heartbeat`);
  if (heartbeat === "nobody") return "nobody";
  if (heartbeat.ok && "min_sdk_version" in heartbeat.body) return "nexus";
  // One that starts says so in its own words.
  return "detail" in heartbeat.body && /^This process is /.test(String(heartbeat.body.detail)) ? "nexus" : "other";
}

/** Asks for a JSON document; what is none has no fields. */
export async function askJson(url: string): Promise<{ readonly ok: boolean; readonly body: object } | "nobody"> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ASK_MS) });
    const body: unknown = await response.json().catch(() => undefined);
    return { ok: response.ok, body: typeof body === "object" && body !== null ? body : {} };
  } catch (error) {
    return isRefused(error) ? "nobody" : { ok: false, body: {} };
  }
}

/** Codes of a connection that nobody takes, on an address that is ours or on one that we do not have. */
const NOBODY = /^(ECONNREFUSED|EADDRNOTAVAIL|ENETUNREACH)$/;

function isRefused(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && NOBODY.test(String(cause.code));
}
