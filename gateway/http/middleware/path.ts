import type { Middleware } from "koa";
import { Problem } from "../problems.ts";

/** Refuses a path that is not percent-encoded UTF-8, before it is routed. */
export function checkPath(): Middleware {
  return async function checkPath(context, next) {
    try {
      decodeURIComponent(context.path);
    } catch {
      throw new Problem(400, "MALFORMED_PATH", "The path is not percent-encoded UTF-8; write %25 for a literal %.");
    }
    await next();
  };
}
