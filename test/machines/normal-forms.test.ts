/** Schemas that say the same in other words, as other drafts and tools write them, become the same plain schema. */
import { describe, expect, test } from "vitest";
import { measureSchema } from "../../machines/validation/schema.ts";
import { judgeResult } from "../../machines/validation/verdict.ts";
import type { JsonObject, JsonValue } from "../../machines/vocabulary.ts";

const DRAFT_4 = { $schema: "http://json-schema.org/draft-04/schema#" };
const DRAFT_7 = { $schema: "http://json-schema.org/draft-07/schema#" };
const IN_2019 = { $schema: "https://json-schema.org/draft/2019-09/schema" };
const IN_2020 = { $schema: "https://json-schema.org/draft/2020-12/schema" };
const text = { type: "string" };

const NULLABLE = { nullable: true };

/** Its definitions, by name. */
const plain = (schema: JsonObject) =>
  Object.fromEntries([...measureSchema(schema).plain.defs].map(([name, one]) => [name, one.schema]));
const fits = (schema: JsonObject, value: JsonValue): boolean | string => {
  const verdict = judgeResult({ schema, rules: [] }, value);
  return "problem" in verdict ? verdict.problem : verdict.code === null;
};

test.each<[string, JsonObject, JsonObject]>([
  ["no annotations", { title: "a", default: 1, "x-y": {}, $comment: "b", examples: [1] }, {}],
  ["no definitions that nothing uses", { $defs: { a: {} }, definitions: { b: {} } }, {}],
  ["items that are a list", { items: [text], additionalItems: false }, { prefixItems: [text], items: false }],
  ["items that are a list, without others", { items: [text] }, { prefixItems: [text] }],
  ["additionalItems beside none", { items: text, additionalItems: false }, { items: text }],
  ["additionalItems alone", { additionalItems: false }, {}],
  ["additionalItems beside prefixItems", { prefixItems: [text], additionalItems: false }, { prefixItems: [text] }],
  ["items that are a list beside prefixItems", { prefixItems: [text], items: [true] }, { prefixItems: [text] }],
  ["exclusiveMinimum: true", { minimum: 1, exclusiveMinimum: true }, { exclusiveMinimum: 1 }],
  ["exclusiveMaximum: true", { maximum: 1, exclusiveMaximum: true }, { exclusiveMaximum: 1 }],
  ["exclusiveMinimum: false", { minimum: 1, exclusiveMinimum: false }, { minimum: 1 }],
  ["exclusiveMinimum: true alone", { exclusiveMinimum: true }, {}],
  ["uniqueItems: false", { uniqueItems: false }, {}],
  ["dependencies of names", { dependencies: { a: ["b"] } }, { dependentRequired: { a: ["b"] } }],
  ["dependencies of schemas", { dependencies: { a: text } }, { dependentSchemas: { a: text } }],
  [
    "dependencies of both",
    { dependencies: { a: ["b"], c: text } },
    { dependentSchemas: { c: text }, dependentRequired: { a: ["b"] } },
  ],
  ["dependencies of nothing", { dependencies: {} }, {}],
  [
    "dependencies that repeat names",
    { dependencies: { a: ["b", "c"] }, dependentRequired: { a: ["b"], d: ["e"] } },
    { dependentRequired: { a: ["b", "c"], d: ["e"] } },
  ],
  [
    "dependencies beside schemas",
    { dependencies: { a: text }, dependentSchemas: { a: {}, b: {} } },
    { dependentSchemas: { a: { allOf: [{}, text] }, b: {} } },
  ],
  ["a choice of constants", { anyOf: [{ const: 1 }, { const: "a" }] }, { enum: [1, "a"] }],
  ["a choice that says a constant twice", { anyOf: [{ const: 1 }, { const: 1 }] }, { enum: [1, 1] }],
  ["a choice of exactly one constant", { oneOf: [{ const: 1 }, { const: null }] }, { enum: [1, null] }],
  [
    "constants with their types",
    {
      anyOf: [
        { const: 1, type: "number" },
        { const: "a", type: "string" },
        { const: 2, type: "integer" },
      ],
    },
    { enum: [1, "a", 2] },
  ],
  [
    "constants that are described",
    {
      oneOf: [
        { const: 1, title: "one" },
        { const: 2, title: "two" },
      ],
    },
    { enum: [1, 2] },
  ],
  ["nullable beside a type", { type: "string", nullable: true }, { type: ["string", "null"] }],
  ["nullable beside types", { type: ["string", "number"], nullable: true }, { type: ["string", "number", "null"] }],
  ["nullable beside null", { type: ["string", "null"], nullable: true }, { type: ["string", "null"] }],
  ["nullable: false", { type: "string", nullable: false }, text],
  ["nullable alone", { nullable: true }, {}],
  ["nullable beside an enum", { enum: [1], nullable: true }, { anyOf: [{ enum: [1] }, { type: "null" }] }],
  [
    "nullable beside an enum and a type",
    { type: "number", enum: [1], nullable: true },
    { anyOf: [{ type: "number", enum: [1] }, { type: "null" }] },
  ],
  [
    "what is beside a $ref in draft 7",
    { ...DRAFT_7, definitions: { a: text }, $ref: "#/definitions/a", minLength: 2 },
    { $defs: { a: text }, $ref: "#/$defs/a" },
  ],
  ["keywords that draft 4 has not", { ...DRAFT_4, const: 1, contains: false, propertyNames: false }, {}],
  ["keywords that 2020-12 has not", { ...IN_2020, $recursiveRef: "#/no", $recursiveAnchor: true }, {}],
])("%s", (_name, written, same) => {
  expect(plain(written)).toStrictEqual(plain(same));
});

test.each<[string, JsonObject]>([
  ["a choice of equal constants", { oneOf: [{ const: 1 }, { const: 1.0 }] }],
  ["constants of another type", { anyOf: [{ const: 1, type: "string" }] }],
  ["a fraction that is to be an integer", { anyOf: [{ const: 1.5, type: "integer" }] }],
  ["constants that say more", { anyOf: [{ const: 1, minimum: 2 }] }],
  ["a choice of which one is no constant", { anyOf: [{ const: 1 }, text] }],
  ["a choice of true", { anyOf: [true, { const: 1 }] }],
  ["a choice of null", { anyOf: [{ const: null, type: "null" }] }],
  ["a choice beside an enum", { enum: [1], anyOf: [{ const: 1 }] }],
])("%s stays as it is", (_name, schema) => {
  expect(plain(schema)).toEqual({ d0: schema });
});

test("that what it contains is silent about the others is kept of 2019-09 alone", () => {
  expect(plain({ ...IN_2019, contains: text })).toEqual({ d0: { contains: text, nexusContainsIsSilent: true } });
  expect(plain({ ...IN_2019, items: text })).toEqual({ d0: { items: text } });
  expect(plain({ ...IN_2020, contains: text })).toEqual({ d0: { contains: text } });
});

test("branches are schemas of their own where parts may be unevaluated, and everything else stays in place", () => {
  const branches = { anyOf: [text, true], contains: text, allOf: [text] };
  expect(plain({ ...branches, properties: { a: text } })).toEqual({ d0: { ...branches, properties: { a: text } } });
  const d = (n: number) => ({ $ref: `#/$defs/d${n}` });
  expect(plain({ ...branches, properties: { a: text }, unevaluatedItems: false })).toMatchObject({
    d0: { anyOf: [d(3), true], contains: d(1), allOf: [d(2)], properties: { a: text }, unevaluatedItems: false },
    d1: text,
  });
  expect(plain({ not: text, if: false })).toEqual({ d0: { not: d(1), if: false }, d1: text });
});

test("null is one more type beside every keyword that says nothing of it", () => {
  const silent: JsonObject = {
    ...{ properties: {}, patternProperties: {}, additionalProperties: true, propertyNames: true, required: [], minProperties: 0 },
    ...{ maxProperties: 1, items: true, prefixItems: [], minItems: 0, maxItems: 1, uniqueItems: true, contains: true },
    ...{ minContains: 1, maxContains: 1, minLength: 0, maxLength: 1, pattern: "", format: "x", minimum: 0, maximum: 1 },
    ...{ exclusiveMinimum: 0, exclusiveMaximum: 1, multipleOf: 1, dependentRequired: {}, dependentSchemas: {} },
    ...{ unevaluatedItems: true, unevaluatedProperties: true },
  };
  for (const [keyword, value] of Object.entries(silent)) {
    expect(plain({ type: "object", [keyword]: value, ...NULLABLE })).toEqual({
      d0: { type: ["object", "null"], [keyword]: value },
    });
  }
  for (const [keyword, value] of Object.entries({ enum: [], const: 1, not: false, allOf: [], anyOf: [], oneOf: [], if: true })) {
    expect(plain({ type: "object", [keyword]: value, ...NULLABLE })).toEqual({
      d0: { anyOf: [{ type: "object", [keyword]: value }, { type: "null" }] },
    });
  }
});

test.each<[string, JsonObject, readonly JsonValue[], readonly JsonValue[]]>([
  [
    "nullable beside what says nothing of null",
    { type: "string", minLength: 2, pattern: "a", format: "date", ...NULLABLE },
    [null],
    ["a", 1],
  ],
  [
    "nullable beside what numbers must be",
    { type: "number", minimum: 1, maximum: 9, exclusiveMinimum: 0, exclusiveMaximum: 10, multipleOf: 1, ...NULLABLE },
    [null, 1],
    [0, "a"],
  ],
  [
    "nullable beside what lists must be",
    {
      type: "array",
      items: text,
      prefixItems: [text],
      minItems: 1,
      maxItems: 2,
      uniqueItems: true,
      contains: text,
      minContains: 1,
      maxContains: 2,
      ...NULLABLE,
    },
    [null, ["a"]],
    [[], [1]],
  ],
  [
    "nullable beside what objects must be",
    {
      type: "object",
      properties: { a: text },
      required: ["a"],
      additionalProperties: false,
      propertyNames: text,
      minProperties: 1,
      maxProperties: 1,
      ...NULLABLE,
    },
    [null, { a: "b" }],
    [{}, { a: 1 }],
  ],
  ["nullable beside a not", { type: "string", not: { type: "null" }, ...NULLABLE }, [null, "a"], [1]],
  ["nullable beside a choice", { type: "string", anyOf: [text], ...NULLABLE }, [null, "a"], [1]],
  [
    "nullable beside a $ref in draft 7",
    { ...DRAFT_7, definitions: { a: text }, $ref: "#/definitions/a", ...NULLABLE },
    [null, "a"],
    [1],
  ],
  [
    "$ref and $dynamicRef together",
    { $defs: { a: text, b: { $dynamicAnchor: "x", minLength: 2 } }, $ref: "#/$defs/a", $dynamicRef: "#x" },
    ["ab"],
    ["a", 1],
  ],
  [
    "beside an allOf",
    {
      $defs: { a: text, b: { $dynamicAnchor: "x", minLength: 2 } },
      $ref: "#/$defs/a",
      $dynamicRef: "#x",
      allOf: [{ maxLength: 3 }],
    },
    ["ab"],
    ["a", 1, "abcd"],
  ],
])("%s", (_name, schema, fit, unfit) => {
  expect([fit.map((value) => fits(schema, value)), unfit.map((value) => fits(schema, value))]).toEqual([
    fit.map(() => true),
    unfit.map(() => false),
  ]);
});

describe("__proto__ is a name like any other", () => {
  const parse = (json: string): JsonObject => JSON.parse(json);
  test.each<[string, string, readonly string[], readonly string[]]>([
    [
      "of a property",
      '{"properties":{"__proto__":{"type":"string"}}}',
      ['{"__proto__":"a"}', "{}", '{"x__proto__":1}', "1"],
      ['{"__proto__":1}'],
    ],
    [
      "beside a pattern that is the same",
      '{"properties":{"__proto__":{"type":"string"}},"patternProperties":{"^__proto__$":{"minLength":2}}}',
      ['{"__proto__":"ab"}'],
      ['{"__proto__":"a"}', '{"__proto__":1}'],
    ],
    [
      "beside another pattern",
      '{"properties":{"__proto__":{"type":"string"}},"patternProperties":{"^a":{"type":"number"}}}',
      ['{"__proto__":"a","a":1}'],
      ['{"__proto__":1}', '{"a":"a"}'],
    ],
    ["of a property that may not be there", '{"properties":{"__proto__":false}}', ['{"a":1}'], ['{"__proto__":1}']],
    ["of the only property", '{"properties":{"__proto__":{}},"additionalProperties":false}', ['{"__proto__":1}'], ['{"a":1}']],
    [
      "that asks for a schema",
      '{"dependentSchemas":{"__proto__":{"required":["a"]}}}',
      ['{"__proto__":1,"a":1}', "{}", "1"],
      ['{"__proto__":1}'],
    ],
    [
      "that asks for one in old drafts",
      '{"dependencies":{"__proto__":{"required":["a"]}}}',
      ['{"__proto__":1,"a":1}', "{}"],
      ['{"__proto__":1}'],
    ],
    ["that asks for nothing that can be", '{"dependentSchemas":{"__proto__":false}}', ["{}", "1"], ['{"__proto__":1}']],
    ["that must be there", '{"required":["__proto__"]}', ['{"__proto__":1}', "1"], ["{}"]],
    ["that another one asks for", '{"dependentRequired":{"a":["__proto__"]}}', ['{"a":1,"__proto__":1}', "{}"], ['{"a":1}']],
  ])("%s", (_name, schema, fit, unfit) => {
    const one = parse(schema);
    expect(fit.filter((json) => fits(one, parse(json)) !== true)).toEqual([]);
    expect(unfit.filter((json) => fits(one, parse(json)) !== false)).toEqual([]);
  });
});

describe("dynamic anchors", () => {
  test("stand for what is outermost on each way, and for themselves where nothing is", () => {
    const own = (type: string) => ({ x: { $dynamicAnchor: "x", type } });
    const schema: JsonObject = {
      $defs: {
        list: { $id: "list", items: { $dynamicRef: "#x" }, $defs: { own: { $dynamicAnchor: "x" } } },
        s: { $id: "s", $ref: "list" },
        a: { $id: "a", $ref: "s", $defs: own("string") },
        b: { $id: "b", $ref: "s", $defs: own("number") },
      },
      prefixItems: [{ $ref: "a" }, { $ref: "b" }, { $ref: "s" }, { $ref: "a" }],
    };
    expect(fits(schema, [["t"], [1], [true, "t", 1], ["t"]])).toBe(true);
    for (const wrong of [[[1]], [["t"], ["t"]], [["t"], [1], [], [1]]])
      expect([wrong, fits(schema, wrong)]).toEqual([wrong, false]);
  });

  test("are anchors like any other for a $ref", () => {
    const schema: JsonObject = {
      $defs: {
        list: { $id: "list", items: { $ref: "#x" }, $defs: { own: { $dynamicAnchor: "x" } } },
        outer: { $dynamicAnchor: "x", type: "string" },
      },
      $ref: "list",
    };
    expect(fits(schema, [1])).toBe(true);
  });

  test("in all scopes together are up to 2,000", () => {
    /** 40 that lead to each other, and one with `more` anchors below all of them; each scope is looked at twice. */
    const chain = (more: number): JsonObject => ({
      $defs: Object.fromEntries([
        ...Array.from({ length: 40 }, (_, n) => [
          `r${n}`,
          { $id: `r${n}`, $dynamicAnchor: `x${n}`, items: { $ref: `r${n + 1}` } },
        ]),
        [
          "last",
          { $id: "r40", $defs: Object.fromEntries(Array.from({ length: more }, (_, n) => [n, { $dynamicAnchor: `y${n}` }])) },
        ],
      ]),
      items: { $ref: "r0" },
    });
    expect(fits(chain(80), [])).toBe(true);
    expect(fits(chain(81), [])).toMatch(
      /^leads to the dynamic anchors of #\/\$defs\/last in too many ways; write \$anchor and \$ref where nothing is to be replaced$/,
    );
  });
});
