import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import type { Rule } from "../../machines/validation/rules.ts";
import { type Demands, isLight, judgeResult, measureDemands } from "../../machines/validation/verdict.ts";
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

function lightness(demands: Demands, result: JsonValue) {
  const measured = measureDemands(demands);
  if ("problem" in measured) throw new Error(measured.problem);
  return { native: measured.native, light: isLight(measured, result) };
}

function repeated(patterns: number): JsonObject {
  return {
    properties: Object.fromEntries(
      Array.from({ length: patterns }, (_, index) => [`p${index}`, { pattern: `(x{950}|${index})` }]),
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

test("a union of literals is looked up, and says what it takes", () => {
  const kinds = ["circle", "square"].map((kind) => ({ const: kind, type: "string" }));
  expect(judge({ anyOf: kinds }, "square")).toEqual({ code: null, errors: [] });
  expect(judge({ oneOf: kinds }, "line")).toMatchObject({ errors: [{ message: 'must be one of "circle", "square"' }] });
  // Two that are equal are not exactly one.
  expect(judge({ oneOf: [{ const: 1 }, { const: 1.0 }] }, 1)).toMatchObject({ code: "SCHEMA_MISMATCH" });
  expect(judge({ anyOf: [{ const: 1, type: "string" }] }, 1)).toMatchObject({ code: "SCHEMA_MISMATCH" });
  const many = Array.from({ length: 55 }, (_, n) => ({ const: n }));
  const a = Array.from({ length: 9_900 }, () => 99);
  expect(judge({ properties: { a: { items: { anyOf: many } } } }, { a })).toMatchObject({ code: "SCHEMA_MISMATCH" });
});

test("errors of branches are one error, in their words", () => {
  const address = { type: "object", required: ["city"] };
  expect(judge({ properties: { a: { anyOf: [{ type: "string" }, { type: "null" }] } } }, { a: 1 })).toMatchObject({
    errors: [{ field: "a", message: "must be string, or must be null" }],
  });
  expect(judge({ properties: { a: { anyOf: [address, { type: "null" }] } } }, { a: {} })).toMatchObject({
    errors: [
      { field: "a.city", message: "is required" },
      { field: "a", message: "must be null" },
    ],
  });
});

test.each<[string, JsonObject, JsonValue, boolean]>([
  ["$async is a word like any other", { $async: true, required: ["a"] }, {}, false],
  [
    "annotations are not looked at",
    { default: { $ref: "http://x/" }, "x-y": { $ref: "#/no" }, $data: 1, formatMinimum: "x" },
    1,
    true,
  ],
  ["names of Object's own are names", { properties: { toString: { type: "string" } }, required: ["valueOf"] }, {}, false],
  ["and may be there", { required: ["hasOwnProperty"] }, { hasOwnProperty: 1 }, true],
  ["an object against a const", { properties: { a: { const: { b: 1 } } } }, { a: { toString: 1 } }, false],
  ["the empty name", { required: [""] }, {}, false],
  ["a reference into an enum", { enum: [1, { type: "string" }], properties: { a: { $ref: "#/enum/1" } } }, 1, true],
  ["a reference into an unknown keyword", { x: { y: { type: "string" } }, items: { $ref: "#/x/y" } }, [1], false],
  ["escapes in a pointer", { $defs: { "a/b~%": { type: "string" } }, items: { $ref: "#/%24defs/a~1b~0%25" } }, [1], false],
  ["what is beside $ref counts", { $defs: { a: {} }, $ref: "#/$defs/a", type: "string" }, 1, false],
  [
    "but not in draft 7",
    { $schema: "http://json-schema.org/draft-07/schema#", definitions: { a: {} }, $ref: "#/definitions/a", type: "string" },
    1,
    true,
  ],
  ["an $id", { $id: "T", properties: { n: { $ref: "T" } }, type: "object" }, { n: 1 }, false],
  ["nullable beside const", { const: 1, nullable: true }, null, true],
  ["nullable beside a reference", { $defs: { a: { type: "string" } }, $ref: "#/$defs/a", nullable: true }, null, true],
  ["exclusiveMinimum of draft 4", { minimum: 1, exclusiveMinimum: true }, 1, false],
  ["a list of items", { items: [{ type: "string" }], additionalItems: false }, ["a", 1], false],
  ["$recursiveRef", { type: "object", properties: { a: { $recursiveRef: "#" } } }, { a: 1 }, false],
  [
    "a short list before other keywords",
    { not: { prefixItems: [{ minimum: 1 }, { minimum: 1 }], contains: { const: 9 } } },
    [1],
    true,
  ],
  ["no names before other keywords", { not: { propertyNames: { maxLength: 1 }, required: ["a"] } }, {}, true],
])("%s", (_name, schema, result, valid) => {
  expect(judge(schema, result)).toMatchObject({ code: valid ? null : "SCHEMA_MISMATCH" });
});

test("a value 64 levels deep is judged by a schema that goes into itself", () => {
  const chain = Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`n${n}`, { allOf: [{ $ref: `#/$defs/n${n + 1}` }] }]));
  const schema: JsonObject = {
    $defs: { ...chain, n12: { properties: { c: { $ref: "#/$defs/n0" } }, type: "object" } },
    $ref: "#/$defs/n0",
  };
  const deep = (inner: JsonValue) => Array.from({ length: 63 }).reduce<JsonValue>((c) => ({ c }), inner);
  expect(judge(schema, deep({}))).toEqual({ code: null, errors: [] });
  expect(judge(schema, deep(1))).toMatchObject({ code: "SCHEMA_MISMATCH" });
});

/** Resources with a dynamic anchor each; the ways through them reach each with other anchors in force. */
function dynamicWeb(resources: number): JsonObject {
  const to = (name: number) => ({ $ref: `r${name % resources}` });
  const one = (n: number): JsonValue => ({
    $id: `r${n}`,
    $dynamicAnchor: `x${n}`,
    properties: { a: to(7 * n + 3), b: to(5 * n + 1) },
  });
  return { $defs: Object.fromEntries(Array.from({ length: resources }, (_, n) => [`d${n}`, one(n)])), ...to(0) };
}

describe("a hostile schema is refused before it is compiled", () => {
  const hostile: readonly [string, JsonObject, RegExp][] = [
    ["doubled anyOf", bomb("anyOf", 13), /checks/],
    ["doubled anyOf, deeper", bomb("anyOf", 24), /deeper/],
    ["doubled allOf", bomb("allOf", 13), /checks/],
    ["a schema that refers to itself", { allOf: [{ $ref: "#" }] }, /refers to itself/],
    ["a remote reference", { $ref: "http://example.com/schema.json" }, /only references inside/],
    ["a reference to nothing", { $ref: "#/$defs/none" }, /not there/],
    ["a dynamic reference to nothing", { $dynamicRef: "#x" }, /not there/],
    [
      "3,000 definitions",
      { $defs: Object.fromEntries(Array.from({ length: 3_000 }, (_, n) => [n, {}])) },
      /more than 2000 schemas/,
    ],
    ["an address of 1,001 characters", { $defs: { a: { $id: `http://a/${"b".repeat(992)}` } } }, /\$id of more than 1000/],
    [
      "addresses that grow",
      { $id: "a".repeat(600), items: { $id: `${"b/".repeat(400)}c`, items: { $id: "d".repeat(300) } } },
      /\$id of more than 1000/,
    ],
    ["a web of dynamic anchors", dynamicWeb(300), /too many ways/],
  ];
  test.each(hostile)("%s", (_name, schema, why) => {
    const measured = measureDemands({ schema, rules: [] });
    expect("problem" in measured ? measured.problem : "accepted").toMatch(why);
  });

  test("many dynamic anchors that are reached in one way are taken", () => {
    const names = Array.from({ length: 300 }, (_, n) => `x${n}`);
    const schema: JsonObject = {
      $defs: Object.fromEntries(names.map((name) => [name, { $dynamicAnchor: name, type: "integer" }])),
      properties: Object.fromEntries(names.map((name) => [name, { $dynamicRef: `#${name}` }])),
    };
    expect(judge(schema, { x0: 1, x299: 1 })).toEqual({ code: null, errors: [] });
    expect(judge(schema, { x299: "1" })).toMatchObject({ code: "SCHEMA_MISMATCH" });
  });

  test("schemas below long names are kept without a pointer for each", () => {
    setFlagsFromString("--expose-gc");
    const collect: () => void = runInNewContext("gc");
    const heapMb = () => {
      collect();
      return process.memoryUsage().heapUsed / 2 ** 20;
    };
    /** 300 branches below 28 names of 1,000 characters. */
    const deep = (n: number): JsonObject => {
      let schema: JsonObject = { anyOf: Array.from({ length: 300 }, () => ({})) };
      for (let level = 0; level < 28; level += 1) schema = { properties: { [`${"q".repeat(1_000)}${n}`]: schema } };
      return { ...schema, unevaluatedProperties: false };
    };
    const before = heapMb();
    for (let n = 0; n < 10; n += 1) expect(measureDemands({ schema: deep(n), rules: [] })).toHaveProperty("cost");
    expect(heapMb() - before).toBeLessThan(32);
  });

  test("a pattern that only the native engine can run is never light", () => {
    const schema: JsonObject = { type: "string", pattern: "^(a)\\1$" };
    expect(judge(schema, "aa")).toEqual({ code: null, errors: [] });
    expect(judge(schema, "ab")).toMatchObject({ code: "SCHEMA_MISMATCH" });
    expect(lightness({ schema, rules: [] }, "aa")).toEqual({ native: true, light: false });
    const rules: readonly Rule[] = [{ type: "regex", field: "a", pattern: "(?=a)" }];
    expect(lightness({ schema: {}, rules }, {})).toEqual({ native: true, light: false });
  });

  test("patterns that grow too much together, in schema and rules, run natively too", () => {
    const rules = Array.from({ length: 12 }, (): Rule => ({ type: "regex", field: "a", pattern: "(ab){300}" }));
    expect(lightness({ schema: {}, rules: rules.slice(1) }, {})).toMatchObject({ native: false });
    expect(lightness({ schema: {}, rules }, {})).toMatchObject({ native: true });
    expect(lightness({ schema: repeated(9), rules: rules.slice(10) }, {})).toMatchObject({ native: true });
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
    expect(lightness({ schema, rules: [] }, {})).toEqual({ native: false, light: true });
    expect(judge(schema, { a: "x", b: "y", c: 3 })).toMatchObject({ code: "SCHEMA_MISMATCH", errors: [{ field: "c" }] });
  });

  test("draft-07 and 2020-12 are both understood, others are refused", () => {
    const draft7 = { $schema: "http://json-schema.org/draft-07/schema#", type: "array", items: [{ type: "string" }] };
    expect(judge(draft7, [7])).toMatchObject({ code: "SCHEMA_MISMATCH" });
    expect(judge({ type: "array", prefixItems: [{ type: "string" }] }, [7])).toMatchObject({ code: "SCHEMA_MISMATCH" });
    expect(judge({ $schema: "http://json-schema.org/draft-03/schema#" }, 1)).toMatchObject({
      problem: expect.stringContaining("dialect"),
    });
  });
});
