/**
 * Changes the source in small ways, one at a time, and tells which changes no test notices:
 * `npm run mutation -- [part or file ...]`. The mutants are Stryker's; they run in one process that declares all tests anew for
 * each, so that thousands take minutes. Ends with 1 where a part is below its floor.
 */
import { fork } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { bundle } from "./bundle.mjs";
import { PARTS } from "./parts.mjs";

/** How long one mutant may take (ms); one that takes longer has been noticed. */
const MUTANT_MS = 60_000;
const FOLDER = "reports/mutation";

/** A process that runs mutants; it is begun anew when it hangs. @param {string} file */
function runner(file) {
  const start = () => fork(new URL("./run.mjs", import.meta.url), [file], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  /** @type {ReturnType<typeof start> | undefined} */
  let child;
  /** Gives the answer, or undefined when none came in time. @param {unknown} asked @param {number} ms */
  const ask = async (asked, ms) => {
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
      const timer = setTimeout(() => end(undefined), ms);
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
  writeFileSync(file, JSON.stringify({ code, externals }));
  const { ask, stop } = runner(file);
  const first = await ask("cover", 10 * MUTANT_MS);
  if (first === undefined || first.failed.length > 0) {
    stop();
    throw new Error(`${name}: the tests fail without any mutant: ${first?.failed.join("; ") ?? "they do not end"}`);
  }
  const { static: always, perTest } = first.coverage;
  const counts = Object.entries(perTest);
  const unnoticed = [];
  for (const mutant of mutants) {
    const covering = counts.filter(([, hits]) => hits[mutant.id] !== undefined);
    const tests = (always[mutant.id] === undefined ? covering : counts).map(([n]) => Number(n));
    const hits = covering.reduce((sum, [, of]) => sum + of[mutant.id], always[mutant.id] ?? 0);
    const answer = tests.length === 0 ? { by: null } : await ask({ id: mutant.id, tests, hits }, MUTANT_MS);
    if (answer !== undefined && answer.by === null) unnoticed.push({ ...mutant, uncovered: tests.length === 0 });
  }
  stop();
  return { part, mutants, unnoticed };
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
  const { part, mutants, unnoticed } = await runPart(name, only);
  const lines = unnoticed.map(({ fileName, location, mutatorName, replacement, uncovered }) => {
    const { line, column } = location.start;
    const place = `${path.relative(process.cwd(), fileName)}:${line + 1}:${column + 1}`;
    return `${place}  ${mutatorName} -> ${replacement.replaceAll(/\s+/g, " ").slice(0, 90)}${uncovered ? "  (no test comes by)" : ""}`;
  });
  writeFileSync(path.join(FOLDER, `${name}.txt`), `${lines.join("\n")}\n`);
  const score = mutants.length === 0 ? 100 : (100 * (mutants.length - unnoticed.length)) / mutants.length;
  console.log(`${name}: ${score.toFixed(1)}% of ${mutants.length} noticed; the others are in ${FOLDER}/${name}.txt`);
  if (score < part.least) {
    console.error(`${name}: at least ${part.least}% must be noticed`);
    process.exitCode = 1;
  }
}
