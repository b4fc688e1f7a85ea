import type { Middleware } from "koa";
import type { Log } from "../../../actors/ports/log.ts";
import { failureOf } from "../../doors/failure.ts";
import { Problem, shortened } from "../problems.ts";

/** Turns every error into a problem document (RFC 9457). Unexpected ones are logged and answered with 500. */
export function errors(log: Log): Middleware {
  return async function errors(context, next) {
    try {
      await next();
      if (context.status === 404 && context.body === undefined) {
        throw new Problem(
          404,
          "NOT_FOUND",
          `There is nothing at ${context.method} ${shortened(context.path)}; see /docs for what there is.`,
        );
      }
    } catch (error) {
      const request: unknown = context.state["request"];
      const { status, body, headers } = failureOf(error, typeof request === "string" ? request : undefined, log);
      context.status = status;
      context.body = body;
      context.type = "application/problem+json";
      context.set({ ...headers });
    }
  };
}
