/** Writes a part's source, with every mutant in it behind a switch, and its tests as one script that can be run again and again. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { Instrumenter } from "@stryker-mutator/instrumenter";
import { rolldown } from "rolldown";

const SILENT = { isDebugEnabled: () => false, debug() {}, info() {}, warn() {}, error() {}, trace() {}, fatal() {} };

/** @param {string} from */
function filesIn(from) {
  if (!statSync(from).isDirectory()) return [from];
  return readdirSync(from, { recursive: true })
    .map((name) => path.join(from, String(name)))
    .filter((name) => name.endsWith(".ts"));
}

/** @param {readonly string[]} beginnings */
function testsOf(beginnings) {
  return beginnings.flatMap((beginning) =>
    readdirSync(path.dirname(beginning))
      .filter((name) => name.startsWith(path.basename(beginning)) && name.endsWith(".test.ts"))
      .map((name) => path.resolve(path.dirname(beginning), name)),
  );
}

/**
 * @param {import("./parts.mjs").Part} part
 * @param {readonly string[]} [only] files of the part
 */
export async function bundle({ mutate, tests }, only = mutate) {
  const files = only.flatMap(filesIn).map((name) => path.resolve(name));
  const sources = files.map((name) => ({ name, mutate: true, content: readFileSync(name, "utf8") }));
  // The wording of sentences is nobody's promise; words that machines read are held by their types.
  const options = { plugins: null, ignorers: [], excludedMutations: ["StringLiteral"] };
  const { files: instrumented, mutants } = await new Instrumenter(/** @type {any} */ (SILENT)).instrument(
    sources,
    /** @type {any} */ (options),
  );
  const real = mutants.filter(({ status }) => status !== "Ignored");
  const written = new Map(instrumented.map(({ name, content }) => [name, content]));
  const externals = new Set();
  const entry = [...new Set(testsOf(tests))].map((name) => `import ${JSON.stringify(name)};`).join("\n");
  const built = await rolldown({
    input: "entry:tests",
    platform: "node",
    logLevel: "silent",
    plugins: [
      {
        name: "mutants",
        resolveId(id) {
          if (id === "entry:tests") return id;
          if (id.startsWith(".") || path.isAbsolute(id)) return undefined;
          externals.add(id);
          return { id, external: true };
        },
        // Tests read files beside them.
        transform: (code, id) => code.replaceAll("import.meta.url", JSON.stringify(pathToFileURL(id).href)),
        load: (id) => (id === "entry:tests" ? entry : written.get(id)),
      },
    ],
  });
  const { output } = await built.generate({ format: "cjs", codeSplitting: false });
  return { code: output[0].code, externals: [...externals], mutants: real };
}
