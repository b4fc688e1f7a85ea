import Type from "typebox";
import { open } from "../operation.ts";
import { Problem } from "../problems.ts";
import { Nullable } from "../schemas/common.ts";

const Version = Type.String({ pattern: "^\\d+\\.\\d+\\.\\d+$" });

const heartbeat = open(
  {
    id: "heartbeat",
    tag: "System",
    method: "get",
    path: "/api/v1/heartbeat",
    summary: "Versions that clients should have",
    answers: {
      200: {
        about: "Compare with your own",
        schema: Type.Object({ min_sdk_version: Version, latest_sdk_version: Version, announcement: Nullable(Type.String()) }),
      },
    },
  },
  async ({ services }) => ({
    status: 200,
    body: { min_sdk_version: "0.1.0", latest_sdk_version: services.settings.version, announcement: null },
  }),
);

const health = open(
  {
    id: "health",
    tag: "System",
    method: "get",
    path: "/health",
    summary: "Whether this node can serve",
    answers: { 200: { about: "It can", schema: Type.Object({ status: Type.Literal("ok") }) } },
  },
  async ({ services }) => {
    if (await services.healthy()) return { status: 200, body: { status: "ok" } };
    throw new Problem(503, "UNAVAILABLE", "This node cannot serve at the moment; its database does not answer.", {
      retryAfter: 1,
    });
  },
);

export const systemRoutes = [heartbeat, health];
