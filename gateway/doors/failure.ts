/** What a client is told when a request fails, whichever door it came through. */
import type { Log } from "../../actors/ports/log.ts";
import { asProblem, Problem, problemBody } from "../http/problems.ts";

export interface Failure {
  readonly status: number;
  /** A problem document (RFC 9457). */
  readonly body: ReturnType<typeof problemBody>;
  readonly headers: { readonly [name: string]: string };
}

/** Gives the answer of an error. An unexpected one is logged under the id of its request (undefined if it has none), and answered with 500. */
export function failureOf(error: unknown, request: string | undefined, log: Log): Failure {
  const known = asProblem(error);
  if (known === undefined) log.error({ err: error, request }, "a request failed; this is a bug");
  const problem =
    known ??
    new Problem(500, "INTERNAL", "Something failed inside and was logged. Tell the operator the X-Request-Id of this answer.");
  return {
    status: problem.status,
    body: problemBody(problem),
    headers: {
      ...(problem.retryAfter === undefined ? {} : { "Retry-After": String(problem.retryAfter) }),
      ...(problem.status === 401 ? { "WWW-Authenticate": 'ApiKey header="X-API-Key"' } : {}),
    },
  };
}
