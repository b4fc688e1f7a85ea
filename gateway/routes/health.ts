import Type from "typebox";
import { type Operation, open, type Reply } from "../http/operation.ts";
import { Problem } from "../http/problems.ts";
import type { Health } from "../ports/health.ts";

const RETRY_AFTER_S = 1;
const Ok = Type.Object({ status: Type.Literal("ok") });

/** 200 when this process can serve; throws a Problem (503) that says why it cannot. */
export async function readiness(health: Health): Promise<Reply> {
  const unavailable = await health.unavailable();
  if (unavailable === null) return { status: 200, body: { status: "ok" } };
  throw new Problem(503, "UNAVAILABLE", unavailable, { retryAfter: RETRY_AFTER_S });
}

/** 200 as long as this process answers anything. */
export function liveness(): Reply {
  return { status: 200, body: { status: "ok" } };
}

function ready(id: string, path: string, summary: string): Operation {
  const answers = { 200: { about: "It can", schema: Ok } };
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
    description: "For whoever restarts processes: it says nothing of the database or of other processes.",
    answers: { 200: { about: "It is", schema: Ok } },
  },
  async function checkLiveness() {
    return liveness();
  },
);

export const healthRoutes = [
  ready("checkHealth", "/health", "Whether this process can serve"),
  ready("checkReadiness", "/health/ready", "Whether this process should be sent requests; no longer once it was told to stop"),
  live,
];
