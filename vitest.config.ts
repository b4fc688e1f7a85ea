import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/setup.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // The tests start processes of their own; more files at once would only make each of them slower.
    maxWorkers: 2,
    coverage: {
      provider: "v8",
      // Also what no test imports. What runs in processes of its own (the command line, validator threads) is not seen.
      include: ["machines/**/*.ts", "actors/**/*.ts", "gateway/**/*.ts", "src/**/*.ts"],
      reporter: ["text-summary", "html", "json-summary"],
    },
  },
});
