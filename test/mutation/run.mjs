/** A process that runs mutants, one after the other, and tells its parent of each: the name of the test that noticed it, or null. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Script } from "node:vm";
import fc from "fast-check";
import * as vitest from "./vitest.mjs";

const [, , file = ""] = process.argv;
const { code, externals } = JSON.parse(readFileSync(file, "utf8"));
const fromHere = createRequire(`${process.cwd()}/package.json`);
const modules = new Map(
  await Promise.all(externals.map(async (/** @type {string} */ name) => [name, name === "vitest" ? vitest : await load(name)])),
);
/** @param {string} name */
async function load(name) {
  try {
    return fromHere(name);
  } catch {
    return import(name);
  }
}
// The same random values for each mutant.
(fromHere("fast-check") ?? fc).configureGlobal({ seed: 1 });
fc.configureGlobal({ seed: 1 });

const script = new Script(`(function (require, module, exports) {${code}\n})`);
/** @type {any} */
const world = globalThis;
/** How long a test may take (ms); a machine may be busy while it is found out which mutants each comes by. */
const TEST_MS = { cover: 120_000, notice: 10_000 };
/** How much more often than without it a mutant may be come by before it counts as endless. */
const HITS = 100;

const declared = () =>
  vitest.collect(() => script.runInThisContext()((/** @type {string} */ name) => modules.get(name), { exports: {} }, {}));

/** @param {any} test @param {number} [ms] */
async function passes(test, ms = TEST_MS.notice) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("too late")), ms);
  });
  try {
    await Promise.race([vitest.runTest(test), late]);
    return true;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}

/** Which mutants each test comes by, and those that are come by while tests are declared. */
async function cover() {
  world.__stryker__ = { mutantCoverage: { static: {}, perTest: {} } };
  const tests = declared();
  const failed = [];
  for (const [n, test] of tests.entries()) {
    world.__stryker__.currentTestId = String(n);
    if (!(await passes(test, TEST_MS.cover))) failed.push(test.name);
  }
  return { coverage: world.__stryker__.mutantCoverage, failed };
}

/** @param {{ readonly id: string, readonly tests: readonly number[], readonly hits: number }} mutant */
async function notice({ id, tests: by, hits }) {
  world.__stryker__ = { activeMutant: id, hitCount: 0, hitLimit: HITS * (hits + 100) };
  try {
    const tests = declared();
    for (const n of by) if (!(await passes(tests[n]))) return tests[n]?.name ?? "";
    return null;
  } catch {
    return "while tests are declared";
  }
}

process.on("unhandledRejection", () => {});
process.on("message", async (/** @type {any} */ asked) => {
  process.send?.(asked === "cover" ? await cover() : { id: asked.id, by: await notice(asked) });
});
process.send?.("ready");
