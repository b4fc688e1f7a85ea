import { defineConfig } from "vitest/config";

/** Tests that need no server and nothing built; which of them, the command says. */
const tests = (process.env["MUTATION_TESTS"] ?? "").split(" ");

export default defineConfig({
  test: {
    include: tests.filter((pattern) => !pattern.startsWith("!")),
    exclude: tests.filter((pattern) => pattern.startsWith("!")).map((pattern) => pattern.slice(1)),
    // The machine may be busy with other things; a mutant that never ends is ended by Stryker.
    testTimeout: 60_000,
  },
});
