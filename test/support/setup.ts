/** Once for all tests: builds what they start as processes, and finds PostgreSQL, NATS and Redis. */
import { execFileSync } from "node:child_process";
import type { TestProject } from "vitest/node";
import { findServer } from "./postgres.mjs";
import { findShared } from "./servers.mjs";

declare module "vitest" {
  interface ProvidedContext {
    postgresUrl: string;
    natsUrl: string;
    redisUrl: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"], { stdio: "inherit" });
  const postgres = await findServer();
  const nats = await findShared("nats");
  const redis = await findShared("redis");
  project.provide("postgresUrl", postgres.url);
  project.provide("natsUrl", nats.url);
  project.provide("redisUrl", redis.url);
  return async () => {
    for (const server of [postgres, nats, redis]) await server.stop();
  };
}
