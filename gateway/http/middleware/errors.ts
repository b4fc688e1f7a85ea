import type { Middleware } from "koa";
import type { Log } from "../../../actors/ports/log.ts";
import { asProblem, Problem, problemBody, shortened } from "../problems.ts";

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
      const known = asProblem(error);
      if (known === undefined) log.error({ err: error, request: context.state["request"] }, "a request failed; this is a bug");
      const problem =
        known ??
        new Problem(
          500,
          "INTERNAL",
          "Something failed inside and was logged. Tell the operator the X-Request-Id of this answer.",
        );
      context.status = problem.status;
      context.body = problemBody(problem);
      context.type = "application/problem+json";
      if (problem.retryAfter !== undefined) context.set("Retry-After", String(problem.retryAfter));
      if (problem.status === 401) context.set("WWW-Authenticate", 'ApiKey header="X-API-Key"');
    }
  };
}
