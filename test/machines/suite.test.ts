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
/** For each draft and reason, the groups of which some tests are judged otherwise than the suite wants, and how many. */
type Differences = Record<string, Record<string, Record<string, number>>>;

const read = <T>(name: string): T => JSON.parse(readFileSync(new URL(`../suite/${name}.json`, import.meta.url), "utf8"));
const differences = read<Differences>("differences");

const DRAFTS = {
  draft6: "http://json-schema.org/draft-06/schema#",
  draft7: "http://json-schema.org/draft-07/schema#",
  "draft2019-09": "https://json-schema.org/draft/2019-09/schema",
  "draft2020-12": "https://json-schema.org/draft/2020-12/schema",
} as const;

function kindOf(file: string): "required" | "optional" | "format" {
  return file.startsWith("optional/format/") ? "format" : file.startsWith("optional/") ? "optional" : "required";
}

/** An order's schema is an object, so `true` and `false` are said as one; drafts 6 and 7 of the suite do not name themselves. */
function asOrdered(schema: JsonObject | boolean, $schema: string): JsonObject {
  if (typeof schema === "boolean") return schema ? {} : { not: {} };
  return "$schema" in schema ? schema : { $schema, ...schema };
}

function run(draft: keyof typeof DRAFTS) {
  const table = { required: [0, 0, 0], optional: [0, 0, 0], format: [0, 0, 0] };
  const found: Record<string, Record<string, number>> = {};
  for (const [file, groups] of Object.entries(read<Suite>(draft))) {
    for (const { description, schema, tests } of groups) {
      for (const { data, valid } of tests) {
        const verdict = judgeResult({ schema: asOrdered(schema, DRAFTS[draft]), rules: [] }, data);
        const refused = "problem" in verdict;
        const right = !refused && (verdict.code === null) === valid;
        const cells = table[kindOf(file)];
        const column = right ? 0 : refused ? 2 : 1;
        cells[column] = (cells[column] ?? 0) + 1;
        if (right) continue;
        const reason = !refused
          ? "is an annotation"
          : /refers to|names a dialect/.test(verdict.problem)
            ? "points outside"
            : verdict.problem;
        const name = `${file} | ${description}`;
        const groupsOf = found[reason] ?? {};
        found[reason] = { ...groupsOf, [name]: (groupsOf[name] ?? 0) + 1 };
      }
    }
  }
  return { table, found };
}

/** Right, wrong, refused. Every wrong one is of a keyword or format that is an annotation here: see differences.json. */
const TABLE = {
  draft6: { required: [752, 0, 25], optional: [96, 0, 0], format: [207, 0, 0] },
  draft7: { required: [836, 0, 25], optional: [102, 4, 2], format: [385, 29, 0] },
  "draft2019-09": { required: [1121, 0, 55], optional: [139, 0, 3], format: [431, 29, 0] },
  "draft2020-12": { required: [1110, 0, 66], optional: [139, 0, 6], format: [438, 29, 0] },
} as const;

describe("the official suite of JSON Schema", () => {
  test.each(["draft6", "draft7", "draft2019-09", "draft2020-12"] as const)("%s is judged as it says", (draft) => {
    const { table, found } = run(draft);
    expect(table).toEqual(TABLE[draft]);
    expect(found).toEqual(differences[draft]);
    for (const name of Object.keys(found["is an annotation"] ?? {}))
      expect(name).toMatch(/^optional\/(content|format\/idn-hostname) /);
  });
});
