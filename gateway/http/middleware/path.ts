import type { Middleware } from "koa";
import { Problem } from "../problems.ts";

/** Refuses a path that is no percent-encoding of UTF-8, before anything looks for what it names. */
export function wholePath(): Middleware {
  return async function wholePath(context, next) {
    try {
      decodeURIComponent(context.path);
    } catch {
      throw new Problem(400, "MALFORMED_PATH", "The path is not UTF-8 in percent-encoding; write %25 for a % of its own.");
    }
    await next();
  };
}
