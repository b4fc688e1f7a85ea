import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { judgeResult } from "../../machines/validation/verdict.ts";
import type { JsonObject, JsonValue } from "../../machines/vocabulary.ts";

/** Each draft's files by their path, as test/suite/README.md says. */
type Suite = Record<string, readonly Group[]>;
interface Group {
  readonly description: string;
  readonly schema: JsonObject | boolean;
  readonly tests: readonly { readonly description: string; readonly data: JsonValue; readonly valid: boolean }[];
}
/** By reason, then by file and group: the tests that are judged otherwise than the suite wants. */
type Differences = Record<string, Record<string, readonly string[]>>;

const read = <T>(name: string): T => JSON.parse(readFileSync(new URL(`../suite/${name}`, import.meta.url), "utf8"));
const readme = readFileSync(new URL("../suite/README.md", import.meta.url), "utf8");
const differences = read<Record<string, Differences>>("differences.json");

const DRAFTS = {
  draft6: "http://json-schema.org/draft-06/schema#",
  draft7: "http://json-schema.org/draft-07/schema#",
  "draft2019-09": "https://json-schema.org/draft/2019-09/schema",
  "draft2020-12": "https://json-schema.org/draft/2020-12/schema",
} as const;
type Draft = keyof typeof DRAFTS;

/** Why a schema is refused, by what is said of it. */
const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/^refers to .* only references inside the schema/, "refused: refers to what is outside the schema"],
  [/^names a dialect at .* that is not known/, "refused: names a dialect of its own"],
];
/** Why a verdict is another one on purpose, by the suite's file. */
const ON_PURPOSE: { readonly [file: string]: string } = {
  format: "formats are asserted here",
  "optional/content": "what a text encodes is not looked into",
  "optional/format/duration": "ISO 8601 durations of common libraries are taken",
};

/** The suite's file `format` is among the required: it wants formats to be annotations. */
function kindOf(file: string): "required" | "optional" | "format" {
  return file.startsWith("optional/format/") ? "format" : file.startsWith("optional/") ? "optional" : "required";
}

/** An order's schema is an object, so `true` and `false` are said as one; drafts 6 and 7 of the suite do not name themselves. */
function asOrdered(schema: JsonObject | boolean, $schema: string): JsonObject {
  if (typeof schema === "boolean") return schema ? {} : { not: {} };
  return "$schema" in schema ? schema : { $schema, ...schema };
}

function run(draft: Draft) {
  const table = { required: [0, 0, 0, 0], optional: [0, 0, 0, 0], format: [0, 0, 0, 0] };
  const found: Record<string, Record<string, string[]>> = {};
  for (const [file, groups] of Object.entries(read<Suite>(`${draft}.json`))) {
    for (const { description: group, schema, tests } of groups) {
      for (const { description, data, valid } of tests) {
        const verdict = judgeResult({ schema: asOrdered(schema, DRAFTS[draft]), rules: [] }, data);
        const refused = "problem" in verdict;
        const right = !refused && (verdict.code === null) === valid;
        const reason = refused
          ? (REFUSED.find(([said]) => said.test(verdict.problem))?.[1] ?? `wrong: ${verdict.problem}`)
          : (ON_PURPOSE[file] ?? "wrong");
        const column = right ? 0 : reason.startsWith("wrong") ? 3 : refused ? 2 : 1;
        const cells = table[kindOf(file)];
        cells[column] = (cells[column] ?? 0) + 1;
        if (right) continue;
        found[reason] ??= {};
        const ofReason = found[reason];
        ofReason[`${file} | ${group}`] = [...(ofReason[`${file} | ${group}`] ?? []), description];
      }
    }
  }
  return { table, found };
}

/** The README's row: right, otherwise on purpose, refused, wrong, of each kind. */
function row(draft: Draft, table: ReturnType<typeof run>["table"]): string {
  const cells = Object.values(table).map((counts) => counts.map((count) => count.toLocaleString("en")).join(" / "));
  return `| ${draft} | ${cells.join(" | ")} |`;
}

describe("the official suite of JSON Schema", () => {
  test.each(Object.keys(DRAFTS) as Draft[])("%s is judged as it says, but for the tests that are listed", (draft) => {
    const { table, found } = run(draft);
    expect(found).toEqual(differences[draft]);
    const reasons = [...REFUSED.map(([, reason]) => reason), ...Object.values(ON_PURPOSE)];
    expect(reasons).toEqual(expect.arrayContaining(Object.keys(found)));
    expect(readme).toContain(row(draft, table));
  });
});
