import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/setup.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // The tests start processes of their own; more files at once would only make each of them slower.
    maxWorkers: 2,
  },
});
