/** Shows live actors in Stately's inspector: for development only. */
import type { Inspect } from "../../actors/host/live.ts";
import type { Log } from "../../actors/ports/log.ts";

/** What is not shown, wherever it is: the inspector is a page of somebody else's. `before` is the hash of an earlier key. */
const SECRET = /hash|secret|code|token|^before$/i;

export interface Inspector {
  readonly inspect: Inspect;
  /** Ends the connection. */
  readonly stop: () => void;
}

/** Gives a copy without values of fields that may be secret. */
function withoutSecrets<T extends object>(value: T): T {
  return JSON.parse(JSON.stringify(value, (name, inner: unknown) => (SECRET.test(name) ? "…" : inner)));
}

/**
 * Connects to an inspector's relay (`npm run inspector`), ws:// and a port of this machine; connects again when that was away.
 * Throws an Error that says what to do when the package is not installed.
 */
export async function connectInspector(url: string, log: Log): Promise<Inspector> {
  const { createWebSocketInspector } = await import("@statelyai/inspect").catch((cause: unknown) => {
    throw new Error("INSPECTOR_URL needs @statelyai/inspect; install it with `npm ci --include=dev`, or unset INSPECTOR_URL.", {
      cause,
    });
  });
  const inspector = createWebSocketInspector({ url, sanitizeEvent: withoutSecrets, sanitizeContext: withoutSecrets });
  log.warn({ url }, "everything that actors do is sent to an inspector: for development only");
  return {
    inspect: (event) => inspector.inspect.next?.(event),
    stop: () => inspector.stop(),
  };
}
