import Type from "typebox";
import { open } from "../http/operation.ts";
import { Nullable } from "../schemas/common.ts";
import { healthRoutes } from "./health.ts";

const Version = Type.String({ pattern: "^\\d+\\.\\d+\\.\\d+$", examples: ["0.1.0"] });

const heartbeat = open(
  {
    id: "getHeartbeat",
    tag: "System",
    method: "get",
    path: "/api/v1/heartbeat",
    summary: "Versions that clients should have",
    answers: {
      200: {
        about: "Compare them with your own version",
        schema: Type.Object({ min_sdk_version: Version, latest_sdk_version: Version, announcement: Nullable(Type.String()) }),
      },
    },
  },
  async function getHeartbeat({ services }) {
    return {
      status: 200,
      body: { min_sdk_version: "0.1.0", latest_sdk_version: services.settings.version, announcement: null },
    };
  },
);

export const systemRoutes = [heartbeat, ...healthRoutes];
