import type { Middleware } from "koa";
import type { Clock } from "../../../actors/ports/clock.ts";
import type { Ids } from "../../../actors/ports/ids.ts";
import type { Log } from "../../../actors/ports/log.ts";

/** Gives each request an id that is in the answer, the log and errors, and logs the request when it ends. */
export function trace(log: Log, clock: Clock, ids: Ids): Middleware {
  return async function trace(context, next) {
    const started = clock.now();
    const request = ids.next();
    context.state["request"] = request;
    context.set("X-Request-Id", request);
    await next();
    const { method, path, status } = context;
    log.debug({ request, method, path, status, ms: clock.now() - started }, "request");
  };
}
