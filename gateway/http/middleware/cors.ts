/** CORS (Fetch standard, 3.2) for the origins that the operator allows. API keys are sent in a header, so credentials are never allowed. */
import type { Middleware } from "koa";

const METHODS = "GET, HEAD, POST, PATCH, DELETE";
/** Response headers that scripts may read. */
const EXPOSED =
  "Allow, Link, Location, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Nexus-Ignored, X-Request-Id";
/** How long browsers cache a preflight (s); Chromium caps it at two hours. */
const MAX_AGE_S = 7_200;
/** A list of header names, as in a preflight. */
const NAMES = /^[\w!#$%&'*+.^`|~-]+(\s*,\s*[\w!#$%&'*+.^`|~-]+)*$/;

/** `origins` as browsers send them, or `*` for all; without any, no header is added. */
export function cors(origins: readonly string[]): Middleware {
  const every = origins.includes("*");
  const known = new Set(origins);
  return async function cors(context, next) {
    if (origins.length === 0) return next();
    if (!every) context.vary("Origin");
    const origin = context.get("Origin");
    if (origin === "" || !(every || known.has(origin))) return next();
    context.set("Access-Control-Allow-Origin", every ? "*" : origin);
    context.set("Access-Control-Expose-Headers", EXPOSED);
    if (context.method !== "OPTIONS" || context.get("Access-Control-Request-Method") === "") return next();
    const asked = context.get("Access-Control-Request-Headers");
    context.vary("Access-Control-Request-Headers");
    context.set("Access-Control-Allow-Methods", METHODS);
    if (NAMES.test(asked)) context.set("Access-Control-Allow-Headers", asked);
    context.set("Access-Control-Max-Age", String(MAX_AGE_S));
    context.status = 204;
  };
}
