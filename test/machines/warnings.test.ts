/** What a requester is warned of: demands that are valid and perhaps not what is meant. */
import { describe, expect, test } from "vitest";
import { isOneSlip, meantFormat, meantKeyword } from "../../machines/validation/mistaken.ts";
import type { Rule } from "../../machines/validation/rules.ts";
import { WARNING_CODES, warningsOf } from "../../machines/validation/warnings.ts";
import type { JsonObject, JsonValue } from "../../machines/vocabulary.ts";

const of = (schema: JsonObject, rules: readonly Rule[] = []) =>
  warningsOf({ schema, rules }).map(({ code, within, pointer }) =>
    `${code} ${within === "rules" ? "rules" : ""}${pointer}`.trim(),
  );
/** A schema of an honest requester, with this for one of its fields. */
const honest = (field: JsonValue): JsonObject => ({
  type: "object",
  properties: { company: { type: "string" }, a: field },
  required: ["company"],
});
const within = (field: JsonObject) => of(honest(field)).map((one) => one.replace("/properties/a", ""));

const COMPANY = { type: "object", properties: { company: { type: "string" } }, required: ["company"] };

describe("a schema in an envelope", () => {
  test.each<[string, JsonObject, string]>([
    ["of structured outputs", { name: "company", strict: true, schema: COMPANY }, "#/schema"],
    ["of chat completions", { type: "json_schema", json_schema: { name: "c", schema: COMPANY } }, "#/json_schema/schema"],
    ["of responses", { text: { format: { type: "json_schema", name: "c", schema: COMPANY } } }, "#/text/format/schema"],
    ["of a function", { type: "function", function: { name: "c", parameters: COMPANY } }, "#/function/parameters"],
    ["of a tool", { name: "c", description: "", input_schema: COMPANY }, "#/input_schema"],
  ])("%s", (_what, schema, at) => {
    const [first, ...rest] = warningsOf({ schema, rules: [] });
    expect(first).toMatchObject({
      code: "SCHEMA_IN_ENVELOPE",
      within: "schema",
      pointer: "",
      message: expect.stringContaining(`${at} instead`),
    });
    expect(rest).toEqual([]);
  });

  test("is none where the schema itself demands something, or nothing in it is a schema", () => {
    expect(of({ ...COMPANY, schema: COMPANY })).toEqual([]);
    expect(of({ name: "a", schema: { version: 1 } })).toEqual(["DEMANDS_NOTHING"]);
    let deep: JsonObject = COMPANY;
    for (let n = 0; n < 5; n += 1) deep = { schema: deep };
    expect(of(deep)).toEqual(["DEMANDS_NOTHING"]);
  });
});

test.each<[JsonObject, readonly string[]]>([
  [{ company: "string" }, ["SCHEMA_IS_SHORTHAND"]],
  [{ company: "string", lines: [{ price: "number" }], note: "string or null" }, ["SCHEMA_IS_SHORTHAND"]],
  [{ company: { type: "string" }, total: { type: "number" } }, ["SCHEMA_IS_SHORTHAND"]],
  [{ title: "Company", company: "str" }, ["SCHEMA_IS_SHORTHAND"]],
  [{ company: "Apple Inc" }, ["DEMANDS_NOTHING"]],
  [{}, ["DEMANDS_NOTHING"]],
  [{ title: "Anything" }, ["DEMANDS_NOTHING"]],
  [{ type: "object" }, ["DEMANDS_NOTHING"]],
  [{ type: ["object", "null"] }, ["DEMANDS_NOTHING"]],
  [{ type: "object", properties: {} }, ["DEMANDS_NOTHING"]],
  [{ type: "object", properties: { a: {}, b: true }, required: [], additionalProperties: true }, ["DEMANDS_NOTHING"]],
  [{ type: "object", propertyNames: { type: "string" }, additionalProperties: {} }, ["DEMANDS_NOTHING"]],
  [{ $ref: "#/$defs/a", $defs: { a: { allOf: [{ $ref: "#/$defs/b" }, true] }, b: { type: "object" } } }, ["DEMANDS_NOTHING"]],
  [{ anyOf: [COMPANY, {}] }, ["DEMANDS_NOTHING"]],
  [{ minProperties: 0 }, ["DEMANDS_NOTHING"]],
  [{ minProperties: 1 }, []],
  [{ type: "string" }, []],
  [{ type: "array" }, []],
  [{ type: "object", additionalProperties: false }, []],
  [{ type: "object", additionalProperties: { type: "number" } }, []],
  [{ type: "object", patternProperties: { "^a": { type: "number" } } }, []],
  [{ anyOf: [COMPANY, { type: "array" }] }, []],
  [{ allOf: [{}, COMPANY] }, []],
  [{ if: false, else: COMPANY }, []],
  [{ not: { type: "object" } }, []],
  [{ type: "object", properties: { a: { type: "string" } } }, ["ALL_OPTIONAL"]],
  [{ properties: { a: { type: "string" } } }, ["ALL_OPTIONAL"]],
  [{ $ref: "#/$defs/a", $defs: { a: { type: "object", properties: { a: { type: "string" } } } } }, ["ALL_OPTIONAL"]],
  [{ type: "object", properties: { a: { type: "string" } }, minProperties: 1 }, []],
  [{ type: "object", properties: { a: { type: "string" } }, anyOf: [{ required: ["a"] }] }, []],
  [{ type: "array", properties: { a: { type: "string" } } }, []],
  [COMPANY, []],
])("%j demands too little: %j", (schema, expected) => {
  expect(of(schema)).toEqual(expected);
});

test("rules that ask for fields make up for a schema that does not", () => {
  const rules: Rule[] = [{ type: "required_fields", fields: ["a"] }];
  expect([of({}, rules), of({ properties: { a: { type: "string" } } }, rules)]).toEqual([[], []]);
  expect(of({}, [{ type: "min_length", field: "a", min: 1 }])).toEqual(["DEMANDS_NOTHING"]);
});

test.each<[JsonObject, readonly string[]]>([
  [{ const: { company: "Apple" } }, ["ONLY_THE_EXAMPLE"]],
  [{ enum: ["spam"] }, ["ONLY_THE_EXAMPLE"]],
  [
    { type: "object", properties: { a: { const: 1 }, b: { properties: { c: { enum: ["x"] } } } }, required: ["a"] },
    ["ONLY_THE_EXAMPLE"],
  ],
  [{ enum: ["spam", "ham"] }, []],
  [{ type: "object", properties: { kind: { const: "a" }, name: { type: "string" } }, required: ["kind"] }, []],
])("%j takes only the example: %j", (schema, expected) => {
  expect(of(schema)).toEqual(expected);
});

describe("nearly a keyword or a format", () => {
  test.each([
    ["require", "required"],
    ["Required", "required"],
    ["requried", "required"],
    ["additionalproperties", "additionalProperties"],
    ["additional_properties", "additionalProperties"],
    ["additionalPropertys", undefined],
    ["additionalPropertie", "additionalProperties"],
    ["min_length", "minLength"],
    ["minimun", "minimum"],
    ["pattren", "pattern"],
    ["max", "maximum"],
    ["regex", "pattern"],
    ["one_of", "oneOf"],
    ["item", "items"],
    ["type", undefined],
    ["title", undefined],
    ["note", undefined],
    ["cost", undefined],
    ["then", undefined],
    ["when", undefined],
    ["x-max", undefined],
    ["description", undefined],
    ["default", undefined],
    ["examples", undefined],
    ["discriminator", undefined],
    ["deprecated", undefined],
    ["readOnly", undefined],
    ["toString", undefined],
    ["r".repeat(33), undefined],
  ])("the keyword %s: %s", (name, right) => {
    expect(meantKeyword(name)).toBe(right);
  });

  test.each([
    ["date_time", "date-time"],
    ["datetime", "date-time"],
    ["DateTime", "date-time"],
    ["emial", "email"],
    ["e-mail", "email"],
    ["url", "uri"],
    ["uuidv4", undefined],
    ["hostnam", "hostname"],
    ["email", undefined],
    ["ulid", undefined],
    ["cuid", undefined],
    ["int32", undefined],
    ["phone", undefined],
    ["toString", undefined],
  ])("the format %s: %s", (name, right) => {
    expect(meantFormat(name)).toBe(right);
  });

  test.each([
    ["abcde", "abcde", false],
    ["abcde", "abcd", true],
    ["abcd", "abcde", true],
    ["abcde", "bcde", true],
    ["abcde", "abxde", true],
    ["abcde", "abdce", true],
    ["abcde", "abcdx", true],
    ["abcde", "abxdx", false],
    ["abcde", "abc", false],
    ["abcde", "baced", false],
    ["abcde", "abcxy", false],
  ])("%s and %s are one slip apart: %s", (one, other, expected) => {
    expect(isOneSlip(one, other)).toBe(expected);
  });

  test("is told with its place; a property of such a name is none, nor what stands beside the right one", () => {
    expect(of({ ...COMPANY, require: ["a"] })).toEqual([]);
    expect(
      of({ type: "object", properties: { company: { type: "string", min_length: 1, format: "emial" } }, required: ["company"] }),
    ).toEqual(["KEYWORD_UNKNOWN /properties/company/min_length", "FORMAT_UNKNOWN /properties/company/format"]);
    expect(
      of({
        ...COMPANY,
        properties: { company: { type: "string" }, require: { type: "string" }, "a/b": { type: "string", Pattern: "a" } },
      }),
    ).toEqual(["KEYWORD_UNKNOWN /properties/a~1b/Pattern"]);
    const { required: names, ...rest } = COMPANY;
    expect(of({ ...rest, require: names })).toEqual(["ALL_OPTIONAL", "KEYWORD_UNKNOWN /require"]);
  });

  test("no more are told than a few, and no more compared than many", () => {
    expect(of(honest(Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`p${n}`, 1]))))).toEqual([]);
    const wrong = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`p${n}`, { type: "string", format: "emial" }]));
    expect(of({ ...COMPANY, properties: { company: { type: "string" }, ...wrong } })).toHaveLength(20);
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`unknown ${n}`, 1]));
    expect(of({ ...COMPANY, ...many, regexp: "a" })).toEqual([]);
  });
});

describe("what nobody can meet", () => {
  test.each<[string, JsonObject, string]>([
    ["limits of numbers", { type: "number", minimum: 5, maximum: 4 }, "minimum"],
    ["equal ones, one of them excluded", { type: "number", minimum: 5, exclusiveMaximum: 5 }, "minimum"],
    ["both excluded", { exclusiveMinimum: 5, exclusiveMaximum: 5 }, "exclusiveMinimum"],
    ["no whole number between", { type: "integer", minimum: 1.2, maximum: 1.8 }, "minimum"],
    ["lengths", { type: "string", minLength: 3, maxLength: 2 }, "minLength"],
    ["items", { type: "array", minItems: 3, maxItems: 2 }, "minItems"],
    ["properties", { type: "object", minProperties: 3, maxProperties: 2 }, "minProperties"],
    ["contained items", { contains: true, minContains: 2, maxContains: 1 }, "minContains"],
    ["a required property that is forbidden", { type: "object", properties: { b: false }, required: ["b"] }, "required"],
    [
      "one that is not among the only ones",
      { properties: { b: true }, required: ["c"], additionalProperties: false },
      "required",
    ],
    ["more required than allowed", { required: ["b", "c"], maxProperties: 1 }, "maxProperties"],
    ["a list of values of other types", { type: "string", enum: [1, 2] }, "enum"],
    ["values outside of the limits", { enum: ["a", "b"], minLength: 2 }, "enum"],
    ["numbers outside of them", { enum: [1, 9], minimum: 2, maximum: 8 }, "enum"],
    ["no value at all", { enum: [] }, "enum"],
    ["a constant of another type", { type: "integer", const: 1.5 }, "const"],
    ["more items than places", { prefixItems: [true], items: false, minItems: 2 }, "minItems"],
    ["the same in older drafts", { items: [true], additionalItems: false, minItems: 2 }, "minItems"],
    ["more different items than values", { items: { enum: [1, 2] }, uniqueItems: true, minItems: 3 }, "minItems"],
    ["an item in an empty list", { contains: { type: "string" }, maxItems: 0 }, "maxItems"],
    ["everything excluded", { not: {} }, "not"],
    ["two types at once", { type: "string", allOf: [{ type: "number" }] }, "allOf"],
    ["of parts", { allOf: [{ type: "string" }, { type: ["number", "null"] }] }, "allOf"],
  ])("%s", (_what, field, keyword) => {
    expect(within(field)).toEqual([`CANNOT_BE_MET /${keyword}`]);
  });

  test("also through references", () => {
    const schema = { ...honest({ type: "string", $ref: "#/$defs/n" }), $defs: { n: { type: "number" } } };
    expect(of(schema)).toEqual(["CANNOT_BE_MET /properties/a"]);
    // Before 2019-09 a reference overrides what stands beside it.
    expect(of({ $schema: "http://json-schema.org/draft-07/schema#", ...schema })).toEqual([]);
  });

  test.each<[string, JsonObject]>([
    ["equal limits", { type: "number", minimum: 5, maximum: 5 }],
    ["equal lengths", { type: "string", minLength: 2, maxLength: 2 }],
    ["one whole number", { type: "integer", minimum: 1.2, maximum: 2 }],
    ["fractions too", { type: ["integer", "number"], minimum: 1.2, maximum: 1.8 }],
    ["one value that fits", { type: "string", enum: [1, "a"], minLength: 1 }],
    ["a whole number", { type: "integer", enum: [1] }],
    ["null where that is allowed", { type: "string", nullable: true, const: null }],
    [
      "a required property that a pattern allows",
      { required: ["b"], additionalProperties: false, patternProperties: { "^b": true } },
    ],
    ["as many required as allowed, one twice", { required: ["b", "b"], maxProperties: 1 }],
    ["a property that is forbidden and not required", { type: "object", properties: { b: false }, required: ["c"] }],
    ["as many items as places", { prefixItems: [true], items: false, minItems: 1 }],
    ["as many different items as values", { items: { enum: [1, 2] }, uniqueItems: true, minItems: 2 }],
    ["nothing contained", { contains: true, minContains: 0, maxItems: 0 }],
    ["integers that are numbers", { type: "number", allOf: [{ type: "integer" }] }],
    ["a length that is counted in characters", { enum: ["\u{1f600}"], maxLength: 1 }],
    ["something excluded", { not: { type: "string" } }],
  ])("but not %s", (_what, field) => {
    expect(within(field)).toEqual([]);
  });
});

describe("rules", () => {
  const schema: JsonObject = {
    type: "object",
    properties: {
      s: { type: "string", maxLength: 5 },
      n: { type: "integer" },
      e: { enum: ["a", "b"] },
      l: { type: "array", minItems: 2 },
      o: { $ref: "#/$defs/o" },
      "p.q": { type: "string" },
      x: false,
      any: {},
    },
    required: ["s"],
    additionalProperties: false,
    $defs: { o: { type: "object", properties: { b: { type: "boolean" } }, additionalProperties: false } },
  };

  test.each<[readonly Rule[], readonly string[]]>([
    [[{ type: "required_fields", fields: ["s", "z"] }], ["CANNOT_BE_MET rules/0"]],
    [[{ type: "required_fields", fields: ["o.c"] }], ["CANNOT_BE_MET rules/0"]],
    [[{ type: "required_fields", fields: ["x"] }], ["CANNOT_BE_MET rules/0"]],
    [[{ type: "required_fields", fields: ["o.b", "p.q", "any.z"] }], []],
    [[{ type: "grounded", field: "company" }], ["RULE_WITHOUT_FIELD rules/0"]],
    [[{ type: "grounded", field: "s" }], []],
    [[{ type: "min_length", field: "s", min: 6 }], ["CANNOT_BE_MET rules/0"]],
    [[{ type: "min_length", field: "s", min: 5 }], []],
    [[{ type: "max_length", field: "l", max: 1 }], ["CANNOT_BE_MET rules/0"]],
    [[{ type: "max_length", field: "l", max: 2 }], []],
    [[{ type: "min_length", field: "n", min: 0 }], ["CANNOT_BE_MET rules/0"]],
    [[{ type: "regex", field: "n", pattern: "a" }], ["CANNOT_BE_MET rules/0"]],
    [[{ type: "regex", field: "l", pattern: "a" }], ["CANNOT_BE_MET rules/0"]],
    [[{ type: "enum", field: "e", values: ["c"] }], ["CANNOT_BE_MET rules/0"]],
    [[{ type: "enum", field: "e", values: ["c", "b"] }], []],
    [[{ type: "enum", field: "n", values: ["1"] }], ["CANNOT_BE_MET rules/0"]],
    [[{ type: "enum", field: "n", values: [1] }], []],
    [[{ type: "enum", field: "s", values: ["longer"] }], ["CANNOT_BE_MET rules/0"]],
    [[{ type: "field_type", field: "n", expected: "float" }], []],
    [[{ type: "field_type", field: "n", expected: "str" }], ["CANNOT_BE_MET rules/0"]],
    [[{ type: "field_type", field: "o.b", expected: "bool" }], []],
    [[{ type: "field_type", field: "o.b", expected: "dict" }], ["CANNOT_BE_MET rules/0"]],
    [
      [
        { type: "min_length", field: "any", min: 4 },
        { type: "max_length", field: "any", max: 3 },
        { type: "regex", field: "any", pattern: "a" },
      ],
      ["CANNOT_BE_MET rules/1"],
    ],
    [
      [
        { type: "field_type", field: "any", expected: "int" },
        { type: "field_type", field: "any", expected: "float" },
      ],
      [],
    ],
    [
      [
        { type: "field_type", field: "any", expected: "int" },
        { type: "field_type", field: "any", expected: "list" },
      ],
      ["CANNOT_BE_MET rules/1"],
    ],
    [
      [
        { type: "enum", field: "any", values: ["a", "b"] },
        { type: "enum", field: "any", values: ["c"] },
      ],
      ["CANNOT_BE_MET rules/1"],
    ],
    [
      [
        { type: "min_length", field: "any", min: 4 },
        { type: "max_length", field: "s", max: 3 },
      ],
      [],
    ],
  ])("%j: %j", (rules, expected) => {
    expect(of(schema, rules)).toEqual(expected);
  });

  test("of an open schema say nothing of fields that it does not name", () => {
    expect(
      of(COMPANY, [
        { type: "required_fields", fields: ["z", "company.a"] },
        { type: "grounded", field: "z" },
      ]),
    ).toEqual([]);
  });
});

test("every warning is a sentence's end with what to do, and its code is one that the document lists", () => {
  const all = [
    ...warningsOf({ schema: { a: "string" }, rules: [] }),
    ...warningsOf({ schema: {}, rules: [] }),
    ...warningsOf({ schema: { ...honest({ enum: [] }), require: [] }, rules: [{ type: "regex", field: "a", pattern: "a" }] }),
  ];
  expect(all.length).toBeGreaterThan(3);
  for (const { code, message } of all) {
    expect(WARNING_CODES).toContain(code);
    expect(message).toMatch(/^[a-z].+(; .+[^.]|\?)$/s);
  }
});

test("what is refused for other reasons is not warned of, nor is it thrown", () => {
  expect(of({ properties: 5 })).toEqual([]);
  expect(of({ $ref: "#/$defs/none" })).toEqual([]);
  expect(of({ title: "x".repeat(40_000) })).toEqual([]);
});

test("schemas that refer to one another in very many ways, or to themselves, take no time", () => {
  const $defs = Object.fromEntries(
    Array.from({ length: 28 }, (_, n) => [
      `d${n}`,
      n === 27 ? {} : { allOf: [{ $ref: `#/$defs/d${n + 1}` }, { $ref: `#/$defs/d${n + 1}` }] },
    ]),
  );
  const began = process.cpuUsage();
  expect(of({ $ref: "#/$defs/d0", $defs })).toEqual(["DEMANDS_NOTHING"]);
  of({ allOf: [{ $ref: "#" }] });
  of({ $ref: "#" });
  of({ properties: { a: { $ref: "#" } } });
  const { user, system } = process.cpuUsage(began);
  expect((user + system) / 1_000).toBeLessThan(500);
});
