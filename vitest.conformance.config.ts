/** The tests of what clients are promised, against a cluster of two nodes. */
import { defineConfig, mergeConfig } from "vitest/config";
import config from "./vitest.config.ts";

const SUITES = [
  "market",
  "webhooks",
  "limits",
  "recovery",
  "credit",
  "identity",
  "capabilities",
  "stripe",
  "github",
  "stream",
  "batches",
  "admin",
  "honeypots",
  "docs",
];

export default mergeConfig(
  { ...config, test: { ...config.test, include: [] } },
  defineConfig({
    test: {
      include: ["test/conformance/*.test.ts", ...SUITES.map((suite) => `test/integration/${suite}.test.ts`)],
      env: { TEST_TOPOLOGY: "cluster" },
    },
  }),
);
