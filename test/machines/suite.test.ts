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

const cells = () => ({ required: [0, 0, 0, 0], optional: [0, 0, 0, 0], format: [0, 0, 0, 0] });
type Found = Record<string, Record<string, string[]>>;

function judged(draft: Draft, file: string, groups: readonly Group[]) {
  const table = cells();
  const found: Found = {};
  for (const { description: group, schema, tests } of groups) {
    for (const { description, data, valid } of tests) {
      const verdict = judgeResult({ schema: asOrdered(schema, DRAFTS[draft]), rules: [] }, data);
      const refused = "problem" in verdict;
      const right = !refused && (verdict.code === null) === valid;
      const reason = refused
        ? (REFUSED.find(([said]) => said.test(verdict.problem))?.[1] ?? `wrong: ${verdict.problem}`)
        : (ON_PURPOSE[file] ?? "wrong");
      const column = right ? 0 : reason.startsWith("wrong") ? 3 : refused ? 2 : 1;
      const counts = table[kindOf(file)];
      counts[column] = (counts[column] ?? 0) + 1;
      if (right) continue;
      found[reason] ??= {};
      const ofReason = found[reason];
      ofReason[`${file} | ${group}`] = [...(ofReason[`${file} | ${group}`] ?? []), description];
    }
  }
  return { table, found };
}

/** What `differences.json` lists of a file. */
function listed(draft: Draft, file: string): Differences {
  const ofFile = Object.entries(differences[draft] ?? {}).map(([reason, groups]): [string, Differences[string]] => [
    reason,
    Object.fromEntries(Object.entries(groups).filter(([group]) => group.startsWith(`${file} | `))),
  ]);
  return Object.fromEntries(ofFile.filter(([, groups]) => Object.keys(groups).length > 0));
}

/** The README's row: right, otherwise on purpose, refused, wrong, of each kind. */
function row(draft: Draft, table: ReturnType<typeof cells>): string {
  const texts = Object.values(table).map((counts) => counts.map((count) => count.toLocaleString("en")).join(" / "));
  return `| ${draft} | ${texts.join(" | ")} |`;
}

describe.each(Object.keys(DRAFTS) as Draft[])("the official suite of JSON Schema, %s", (draft) => {
  const files = Object.entries(read<Suite>(`${draft}.json`));

  test.each(files)("%s is judged as it says, but for the tests that are listed", (file, groups) => {
    expect(judged(draft, file, groups).found).toEqual(listed(draft, file));
  });

  test("every difference that is listed has a reason and a file, and the README counts them", () => {
    const names = Object.values(differences[draft] ?? {}).flatMap((groups) => Object.keys(groups));
    expect(names.filter((name) => !files.some(([file]) => name.startsWith(`${file} | `)))).toEqual([]);
    const reasons = [...REFUSED.map(([, reason]) => reason), ...Object.values(ON_PURPOSE)];
    expect(reasons).toEqual(expect.arrayContaining(Object.keys(differences[draft] ?? {})));
    const table = cells();
    for (const [file, groups] of files) {
      const more = judged(draft, file, groups).table[kindOf(file)];
      const counts = table[kindOf(file)];
      for (const [column, count] of more.entries()) counts[column] = (counts[column] ?? 0) + count;
    }
    expect(readme).toContain(row(draft, table));
  });
});
