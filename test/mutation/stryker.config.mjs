/** How Stryker runs one part; started by main.mjs. */
import { PARTS } from "./parts.mjs";

const name = process.env["MUTATION_PART"] ?? "";
const part = PARTS[name];
if (part === undefined) throw new Error("start this with npm run mutation");

export default {
  mutate: part.mutate,
  testRunner: "vitest",
  plugins: ["@stryker-mutator/vitest-runner"],
  vitest: { configFile: "test/mutation/vitest.config.ts", related: false },
  coverageAnalysis: "perTest",
  // The wording of sentences is nobody's promise; words that machines read are held by their types.
  mutator: { excludedMutations: ["StringLiteral"] },
  concurrency: 1,
  incremental: true,
  incrementalFile: `reports/mutation/${name}.json`,
  reporters: ["clear-text", "html"],
  clearTextReporter: { logTests: false, reportTests: false },
  htmlReporter: { fileName: `reports/mutation/${name}.html` },
  thresholds: { high: 90, low: part.least, break: part.least },
  // Its own reading of tsconfig.json asks for a compiler before TypeScript 7; mutants that do not compile are run all the same.
  tsconfigFile: "none.json",
  tempDirName: "reports/mutation/sandbox",
  ignorePatterns: ["dist", "reports", "coverage", ".nexus"],
};
