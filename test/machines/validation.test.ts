import { describe, expect, test } from "vitest";
import type { Rule } from "../../machines/validation/rules.ts";
import { judgeResult, measureDemands } from "../../machines/validation/verdict.ts";
import type { JsonObject, JsonValue } from "../../machines/vocabulary.ts";

const judge = (schema: JsonObject, result: JsonValue, rules: readonly Rule[] = []) => judgeResult({ schema, rules }, result);
const person: JsonObject = {
  type: "object",
  properties: {
    name: { type: "string" },
    address: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
  required: ["name"],
  additionalProperties: false,
};

describe("a result", () => {
  test("that matches is accepted", () => {
    expect(judge(person, { name: "Ada" })).toEqual({ code: null, errors: [] });
  });
  test("that does not match names every field that failed", () => {
    expect(judge(person, { name: 7, address: {}, extra: 1 })).toMatchObject({
      code: "SCHEMA_MISMATCH",
      errors: expect.arrayContaining([
        expect.objectContaining({ field: "name" }),
        expect.objectContaining({ field: "address.city" }),
        expect.objectContaining({ field: "extra" }),
      ]),
    });
  });

  const rules: readonly [Rule, JsonValue, JsonValue, string][] = [
    [{ type: "required_fields", fields: ["a", "b"] }, { a: 1, b: 2 }, { a: 1 }, "b"],
    [{ type: "min_length", field: "a", min: 2 }, { a: "xy" }, { a: "x" }, "a"],
    [{ type: "max_length", field: "a", max: 2 }, { a: [1, 2] }, { a: [1, 2, 3] }, "a"],
    [{ type: "regex", field: "a", pattern: "^[0-9]+%$" }, { a: "5%" }, { a: "five" }, "a"],
    [{ type: "enum", field: "a.b", values: ["x", 1] }, { a: { b: 1 } }, { a: { b: 2 } }, "a.b"],
    [{ type: "field_type", field: "a", expected: "int" }, { a: 3 }, { a: 3.5 }, "a"],
    [{ type: "field_type", field: "a", expected: "float" }, { a: 3 }, { a: "3" }, "a"],
    [{ type: "field_type", field: "a", expected: "str" }, { a: "3" }, { a: 3 }, "a"],
    [{ type: "field_type", field: "a", expected: "bool" }, { a: true }, { a: "true" }, "a"],
    [{ type: "field_type", field: "a", expected: "list" }, { a: [] }, { a: {} }, "a"],
    [{ type: "field_type", field: "a", expected: "dict" }, { a: {} }, { a: [] }, "a"],
  ];
  test.each(rules)("rule %j", (rule, good, bad, field) => {
    expect(judge({ type: "object" }, good, [rule])).toEqual({ code: null, errors: [] });
    expect(judge({ type: "object" }, bad, [rule])).toMatchObject({ code: "RULE_VIOLATION", errors: [{ field }] });
  });

  test("the schema is checked before the rules", () => {
    expect(judge({ type: "object", required: ["a"] }, {}, [{ type: "required_fields", fields: ["b"] }])).toMatchObject({
      code: "SCHEMA_MISMATCH",
    });
  });
});

function repeated(patterns: number): JsonObject {
  return {
    properties: Object.fromEntries(
      Array.from({ length: patterns }, (_, index) => [`p${index}`, { pattern: `(x{1000}|${index})` }]),
    ),
  };
}

/** Levels, each of which refers twice to the next: 24 of them are 16 million checks in 1.5 KB. */
function bomb(keyword: string, levels: number): JsonObject {
  const defs: JsonObject = { d0: { type: "string" } };
  for (let level = 1; level <= levels; level += 1) {
    const below = { $ref: `#/$defs/d${level - 1}` };
    defs[`d${level}`] = { [keyword]: [below, { ...below }] };
  }
  return { $defs: defs, $ref: `#/$defs/d${levels}` };
}

describe("a hostile schema is refused before it is compiled", () => {
  const hostile: readonly [string, JsonObject, RegExp][] = [
    ["doubled anyOf", bomb("anyOf", 13), /checks/],
    ["doubled anyOf, deeper", bomb("anyOf", 24), /deeper/],
    ["doubled allOf", bomb("allOf", 13), /checks/],
    ["a schema that refers to itself", { allOf: [{ $ref: "#" }] }, /refers to itself/],
    ["a remote reference", { $ref: "http://example.com/schema.json" }, /only references inside/],
    ["a reference to nothing", { $ref: "#/$defs/none" }, /not there/],
    ["uniqueItems without a bound", { type: "array", uniqueItems: true }, /maxItems/],
    ["patterns that grow when they are compiled", repeated(200), /grow to/],
    ["a dynamic reference", { $dynamicRef: "#x" }, /not supported/],
  ];
  test.each(hostile)("%s", (_name, schema, why) => {
    const measured = measureDemands({ schema, rules: [] });
    expect("problem" in measured ? measured.problem : "accepted").toMatch(why);
  });

  test("a pattern with a back-reference", () => {
    expect(judge({ type: "string", pattern: "(a)\\1" }, "aa")).toMatchObject({
      field: "schema",
      problem: expect.stringContaining("linear"),
    });
    const rule: Rule = { type: "regex", field: "a", pattern: "(?=a)" };
    expect(judge({}, {}, [rule])).toMatchObject({ field: "rules", problem: expect.stringContaining("linear") });
  });

  test("rules whose patterns grow, with and without those of the schema", () => {
    const rules = Array.from({ length: 6 }, (): Rule => ({ type: "regex", field: "a", pattern: "(ab){1000}" }));
    expect(measureDemands({ schema: {}, rules })).toMatchObject({ field: "rules", problem: expect.stringContaining("grow to") });
    expect(measureDemands({ schema: repeated(9), rules: rules.slice(5) })).toMatchObject({ field: "schema" });
    expect(measureDemands({ schema: repeated(3), rules: rules.slice(4) })).not.toHaveProperty("problem");
  });

  test("one that nests deeper than 32 levels", () => {
    let schema: JsonObject = { type: "string" };
    for (let level = 0; level < 40; level += 1) schema = { type: "object", properties: { a: schema } };
    expect(measureDemands({ schema, rules: [] })).toMatchObject({ field: "schema", problem: expect.stringContaining("deeper") });
  });

  test("a pattern that would backtrack for ages ends at once", () => {
    const result = judge(
      { type: "object", properties: { a: { type: "string", pattern: "^(a|a)*$" } } },
      { a: `${"a".repeat(5_000)}b` },
    );
    expect(result).toMatchObject({ code: "SCHEMA_MISMATCH" });
  });

  test("an honest schema with references shared by many fields is taken", () => {
    const name = { $ref: "#/$defs/name" };
    const schema = {
      $defs: { name: { type: "string", maxLength: 80 } },
      type: "object",
      properties: { a: name, b: name, c: name },
    };
    expect(measureDemands({ schema, rules: [] })).toMatchObject({ light: true });
    expect(judge(schema, { a: "x", b: "y", c: 3 })).toMatchObject({ code: "SCHEMA_MISMATCH", errors: [{ field: "c" }] });
  });

  test("draft-07 and 2020-12 are both understood, others are named", () => {
    const draft7 = { $schema: "http://json-schema.org/draft-07/schema#", type: "array", items: [{ type: "string" }] };
    expect(judge(draft7, [7])).toMatchObject({ code: "SCHEMA_MISMATCH" });
    expect(judge({ type: "array", prefixItems: [{ type: "string" }] }, [7])).toMatchObject({ code: "SCHEMA_MISMATCH" });
    expect(judge({ $schema: "http://json-schema.org/draft-03/schema#" }, 1)).toMatchObject({
      problem: expect.stringContaining("dialect"),
    });
  });
});
