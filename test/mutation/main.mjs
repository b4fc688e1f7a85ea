/**
 * Changes the source in small ways, one at a time, and tells which changes no test notices:
 * `npm run mutation -- [part or file ...]`. The mutants are Stryker's; they run in one process that declares all tests anew for
 * each, so that thousands take minutes. Ends with 1 where a part is below its floor.
 */
import { fork } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { bundle } from "./bundle.mjs";
import { notCompiling } from "./compiles.mjs";
import { PARTS } from "./parts.mjs";

/** How long a process may take to answer (ms), whatever else the machine does. */
const ANSWER_MS = 600_000;
/** How much more processor time the tests may take with a mutant before it has been noticed, and how much in any case (ms). */
const LONGER = 5;
const MUTANT_MS = 1_000;
/** How many processes run mutants. */
const PROCESSES = 2;
const FOLDER = "reports/mutation";

/** A process that runs mutants; it is begun anew when it hangs. @param {string} file */
function runner(file) {
  // A mutant that fills the memory ends its process, and so does one whose error comes late; what they print is of no use.
  const start = () =>
    fork(new URL("./run.mjs", import.meta.url), [file], {
      stdio: ["ignore", "ignore", process.env["MUTATION_TRACE"] === undefined ? "ignore" : "inherit", "ipc"],
      execArgv: ["--max-old-space-size=400"],
    });
  /** @type {ReturnType<typeof start> | undefined} */
  let child;
  /** Gives the answer, or undefined when there is none. @param {unknown} asked */
  const ask = async (asked) => {
    if (child === undefined) {
      const begun = start();
      child = begun;
      await new Promise((resolve) => begun.once("message", resolve));
    }
    const one = child;
    return new Promise((resolve) => {
      const end = (/** @type {any} */ answer) => {
        clearTimeout(timer);
        one.removeAllListeners();
        if (answer === undefined) {
          one.kill("SIGKILL");
          child = undefined;
        }
        resolve(answer);
      };
      const timer = setTimeout(() => end(undefined), ANSWER_MS);
      one.once("message", end);
      one.once("exit", () => end(undefined));
      one.send(/** @type {any} */ (asked));
    });
  };
  return { ask, stop: () => child?.kill("SIGKILL") };
}

/** @param {string} name @param {readonly string[] | undefined} only */
async function runPart(name, only) {
  const part = PARTS[name];
  if (part === undefined) throw new Error(`there is no part ${name}; there are: ${Object.keys(PARTS).join(", ")}`);
  const { code, externals, mutants } = await bundle(part, only);
  mkdirSync(FOLDER, { recursive: true });
  const file = path.join(FOLDER, `${name}.bundle.json`);
  writeFileSync(file, JSON.stringify({ code, externals, without: part.without ?? [] }));
  const runners = Array.from({ length: PROCESSES }, () => runner(file));
  const stop = () => {
    for (const one of runners) one.stop();
  };
  const first = await runners[0]?.ask("cover");
  if (first === undefined || first.failed.length > 0) {
    stop();
    throw new Error(`${name}: the tests fail without any mutant: ${first?.failed.join("\n") ?? "they do not end"}`);
  }
  const { coverage, ms } = first;
  /** The quick ones first. @type {number[]} */
  const all = [...ms.keys()].sort((one, other) => ms[one] - ms[other]);
  const always = coverage.static;
  const fileOf = new Map(mutants.map(({ id, fileName }) => [id, fileName]));
  const filesOf = ms.map((/** @type {number} */ _, /** @type {number} */ test) => {
    return new Set(Object.keys(coverage.perTest[test] ?? {}).map((id) => fileOf.get(id)));
  });
  /** What is made as files are loaded is most likely used by the tests that come by its file. @param {string} file */
  const nearFirst = (file) => [
    ...all.filter((test) => filesOf[test].has(file)),
    ...all.filter((test) => !filesOf[test].has(file)),
  ];
  /** @type {(import("./compiles.mjs").Mutant & { readonly uncovered: boolean })[]} */
  const unnoticed = [];
  const left = mutants.values();
  await Promise.all(
    runners.map(async ({ ask }) => {
      for (const mutant of left) {
        const hitsOf = (/** @type {number} */ test) => coverage.perTest[test]?.[mutant.id] ?? 0;
        const tests = always[mutant.id] === undefined ? all.filter((test) => hitsOf(test) > 0) : nearFirst(mutant.fileName);
        const hits = all.reduce((sum, test) => sum + hitsOf(test), always[mutant.id] ?? 0);
        const most = MUTANT_MS + LONGER * tests.reduce((sum, n) => sum + ms[n], 0);
        const answer = tests.length === 0 ? { by: null } : await ask({ id: mutant.id, tests, hits, most });
        if (answer !== undefined && answer.by === null) unnoticed.push({ ...mutant, uncovered: tests.length === 0 });
      }
    }),
  );
  stop();
  unnoticed.sort((one, other) => Number(one.id) - Number(other.id));
  const byCompiler = notCompiling(unnoticed, path.join(FOLDER, `${name}.source`));
  return { part, mutants, byCompiler: byCompiler.size, unnoticed: unnoticed.filter((mutant) => !byCompiler.has(mutant)) };
}

const asked = process.argv.slice(2);
/** @type {readonly { readonly name: string, readonly only: readonly string[] | undefined }[]} */
const wanted = Object.keys(PARTS).flatMap((name) => {
  const files = asked.filter((one) =>
    PARTS[name]?.mutate.some((from) => one.startsWith(`${from}/`) || (one === from && one.endsWith(".ts"))),
  );
  if (files.length === 0 && asked.length > 0 && !asked.includes(name)) return [];
  return [{ name, only: files.length > 0 ? files : undefined }];
});
if (wanted.length === 0) throw new Error(`there is no such part or file; parts are: ${Object.keys(PARTS).join(", ")}`);

for (const { name, only } of wanted) {
  const begun = performance.now();
  const { part, mutants, byCompiler, unnoticed } = await runPart(name, only);
  const lines = unnoticed.map(({ fileName, location, mutatorName, replacement, uncovered }) => {
    const { line, column } = location.start;
    const place = `${path.relative(process.cwd(), fileName)}:${line + 1}:${column + 1}`;
    return `${place}  ${mutatorName} -> ${replacement.replaceAll(/\s+/g, " ").slice(0, 90)}${uncovered ? "  (no test comes by)" : ""}`;
  });
  writeFileSync(path.join(FOLDER, `${name}.txt`), `${lines.join("\n")}\n`);
  const score = mutants.length === 0 ? 100 : (100 * (mutants.length - unnoticed.length)) / mutants.length;
  const seconds = Math.round((performance.now() - begun) / 1_000);
  console.log(`${name}: ${score.toFixed(1)}% of ${mutants.length} noticed (${byCompiler} by the compiler alone) in ${seconds} s`);
  if (unnoticed.length > 0) console.log(`${name}: the others are in ${FOLDER}/${name}.txt`);
  if (only === undefined && score < part.least) {
    console.error(`${name}: at least ${part.least}% must be noticed`);
    process.exitCode = 1;
  }
}
