/** A process that runs mutants, one after the other, and tells its parent of each: the name of the test that noticed it, or null. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Script } from "node:vm";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import * as vitest from "./vitest.mjs";

const [, , file = ""] = process.argv;
const { code, externals, without } = JSON.parse(readFileSync(file, "utf8"));
const fromHere = createRequire(`${process.cwd()}/package.json`);
/** @param {string} name */
async function load(name) {
  try {
    return fromHere(name);
  } catch {
    return import(name);
  }
}
// The same random values for each mutant, and few: what is to be noticed is wrong more often than what a property is for.
const RUNS = 50;
const fewer = Object.assign({}, fc, {
  assert: (/** @type {any} */ property, /** @type {any} */ options) =>
    fc.assert(property, { ...options, seed: 1, numRuns: Math.min(options?.numRuns ?? RUNS, RUNS) }),
});
/** @type {{ readonly [name: string]: unknown }} */
const STAND_INS = { vitest, "fast-check": { __esModule: true, ...fewer, default: fewer } };
const modules = new Map(
  await Promise.all(externals.map(async (/** @type {string} */ name) => [name, STAND_INS[name] ?? (await load(name))])),
);

const script = new Script(`(function (require, module, exports) {${code}\n})`);
/** @type {any} */
const world = globalThis;
/** How long a test may wait for something (ms). */
const WAIT_MS = 10_000;
/** How much more often than without it a mutant may be come by before it counts as endless. */
const HITS = 20;

/** The processor time (ms of this process) at which it is ended; a busy machine is no reason to take a mutant for noticed. */
const until = new Float64Array(new SharedArrayBuffer(8)).fill(Number.POSITIVE_INFINITY);
new Worker(new URL("./watch.mjs", import.meta.url), { workerData: { until } });
function usedMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

const declared = () =>
  vitest
    .collect(() => script.runInThisContext()((/** @type {string} */ name) => modules.get(name), { exports: {} }, {}))
    .filter(({ name }) => !without.some((/** @type {string} */ ending) => name.endsWith(ending)));

/** Gives what is wrong, or undefined if a test passes. @param {any} test @returns {Promise<string | undefined>} */
async function wrongWith(test) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("too late")), WAIT_MS);
  });
  try {
    await Promise.race([vitest.runTest(test), late]);
    return undefined;
  } catch (error) {
    return `${test.name}: ${error instanceof Error ? error.message : error}`;
  } finally {
    clearTimeout(timer);
  }
}

/** Which mutants each test comes by, and those that are come by while tests are declared. */
async function cover() {
  world.__stryker__ = { mutantCoverage: { static: {}, perTest: {} } };
  const tests = declared();
  const failed = [];
  const ms = [];
  for (const [n, test] of tests.entries()) {
    world.__stryker__.currentTestId = String(n);
    const begun = usedMs();
    const wrong = await wrongWith(test);
    if (wrong !== undefined) failed.push(wrong);
    ms.push(usedMs() - begun);
  }
  return { coverage: world.__stryker__.mutantCoverage, ms, failed };
}

/** @param {{ readonly id: string, readonly tests: readonly number[], readonly hits: number, readonly most: number }} mutant */
async function notice({ id, tests: by, hits, most }) {
  until[0] = usedMs() + most;
  world.__stryker__ = { activeMutant: id, hitCount: 0, hitLimit: HITS * (hits + 1_000) };
  try {
    const tests = declared();
    for (const n of by) if ((await wrongWith(tests[n])) !== undefined) return tests[n]?.name ?? "";
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
