/** Which mutants the compiler notices: those that no longer compile. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

/** What the source of a part may import. */
const SOURCE = ["machines", "actors", "gateway", "src"];
/** @typedef {Awaited<ReturnType<import("@stryker-mutator/instrumenter").Instrumenter["instrument"]>>["mutants"][number]} Mutant */

/** @param {Mutant} mutant */
function withMutant({ fileName, location: { start, end }, replacement }) {
  const lines = readFileSync(fileName, "utf8").split("\n");
  const before = [...lines.slice(0, start.line), lines[start.line]?.slice(0, start.column)].join("\n");
  const after = [lines[end.line]?.slice(end.column), ...lines.slice(end.line + 1)].join("\n");
  return `${before}${replacement}${after}`;
}

/**
 * Writes each mutant as a file of its own beside a copy of its original, and compiles them all at once. What a mutant breaks in
 * other files is not seen.
 *
 * @template {Mutant} M
 * @param {readonly M[]} mutants
 * @param {string} folder
 * @returns {Set<M>}
 */
export function notCompiling(mutants, folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of SOURCE) cpSync(name, path.join(folder, name), { recursive: true });
  const files = mutants.map((mutant) => {
    const file = path.relative(".", mutant.fileName).replace(/\.ts$/, `.mutant${mutant.id}.ts`);
    writeFileSync(path.join(folder, file), withMutant(mutant));
    return file;
  });
  // That something is no longer used is no mistake by itself.
  const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false, noEmit: true };
  const config = path.join(folder, "tsconfig.json");
  writeFileSync(config, JSON.stringify({ extends: path.resolve("tsconfig.json"), compilerOptions, include: [], files }));
  const { stdout, status } = spawnSync("npx", ["tsc", "-p", config, "--pretty", "false"], {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  const wrong = new Set([...stdout.matchAll(/\.mutant(\d+)\.ts\(\d+,\d+\): error/g)].map(([, id]) => id));
  if (status !== 0 && wrong.size === 0) throw new Error(stdout);
  rmSync(folder, { recursive: true, force: true });
  return new Set(mutants.filter(({ id }) => wrong.has(id)));
}
