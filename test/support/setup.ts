/** Once for all tests: builds what they start as processes, and finds a PostgreSQL. */
import { execFileSync } from "node:child_process";
import type { TestProject } from "vitest/node";
import { findServer } from "./postgres.mjs";

declare module "vitest" {
  interface ProvidedContext {
    postgresUrl: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"], { stdio: "inherit" });
  const server = await findServer();
  project.provide("postgresUrl", server.url);
  return () => server.stop();
}
