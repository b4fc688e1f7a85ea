import Type from "typebox";
import { type Operation, open, type Reply } from "../http/operation.ts";
import { Problem } from "../http/problems.ts";
import type { Health } from "../ports/health.ts";

const RETRY_AFTER_S = 1;
const Ok = Type.Object({ status: Type.Literal("ok") });

/** 200 if this process can serve; else throws a Problem (503) that says why not. */
export async function readiness(health: Health): Promise<Reply> {
  const unavailable = await health.unavailable();
  if (unavailable === null) return { status: 200, body: { status: "ok" } };
  throw new Problem(503, "UNAVAILABLE", unavailable, { retryAfter: RETRY_AFTER_S });
}

/** 200 as long as this process answers at all. */
export function liveness(): Reply {
  return { status: 200, body: { status: "ok" } };
}

function ready(id: string, path: string, summary: string): Operation {
  const answers = { 200: { about: "It can serve", schema: Ok } };
  return open(
    { id, tag: "System", method: "get", path, door: "always", summary, answers },
    function checkReadiness({ services }) {
      return readiness(services.health);
    },
  );
}

const live = open(
  {
    id: "checkLiveness",
    tag: "System",
    method: "get",
    path: "/health/live",
    door: "always",
    summary: "Whether this process is alive",
    description: "For process supervisors: it says nothing about the database or other processes.",
    answers: { 200: { about: "It is alive", schema: Ok } },
  },
  async function checkLiveness() {
    return liveness();
  },
);

export const healthRoutes = [
  ready("checkHealth", "/health", "Whether this process can serve"),
  ready("checkReadiness", "/health/ready", "Whether this process should get requests: not while it is shutting down"),
  live,
];
