/** Judgements against plain ways to say the same: the standard written down, equality by hand, and counts of what it does. */
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isMultipleOf } from "../../machines/validation/decimals.ts";
import { canonicalText, oneOf } from "../../machines/validation/equality.ts";
import { measureSchema } from "../../machines/validation/schema.ts";
import { isLight, judgeResult, LIGHT_STEPS_MAX, measureDemands } from "../../machines/validation/verdict.ts";
import { Count, countWork } from "../../machines/validation/work.ts";
import type { JsonObject, JsonValue } from "../../machines/vocabulary.ts";
import { fits, same } from "../support/json-schema.ts";

const NAMES = ["a", "b", "c", "toString", "constructor", "hasOwnProperty", "length", "valueOf", "", "a/b", "a~b", "é"] as const;
const name = fc.constantFrom(...NAMES);
const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<JsonValue>(null, true, false, 0, -0, 1, 1.5, -1, 2, 1e21, "", "a", "ab", "😀", "é"),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(name, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

/** Schemas of the keywords that every dialect has, and of 2020-12, with references to two definitions. */
const { schema } = fc.letrec((tie) => {
  const inner = tie("schema") as fc.Arbitrary<JsonValue>;
  const map = fc.dictionary(name, inner, { maxKeys: 3, noNullPrototype: true });
  const few = fc.array(inner, { minLength: 1, maxLength: 3 });
  const count = fc.integer({ min: 0, max: 3 });
  const some = (of: Record<string, fc.Arbitrary<JsonValue>>) => fc.record(of, { requiredKeys: [], noNullPrototype: true });
  return {
    schema: fc.oneof(
      { depthSize: "small" },
      fc.boolean(),
      fc.constantFrom<JsonValue>({ $ref: "#/$defs/x" }, { $ref: "#/%24defs/y" }, { $ref: "#/$defs/%78" }),
      some({
        type: fc.constantFrom<JsonValue>("object", "array", "string", "number", "integer", "null", ["string", "object"]),
        minLength: count,
        maxLength: count,
        minimum: fc.constantFrom(0, 1, 1.5),
        exclusiveMaximum: fc.constantFrom(0, 1, 2),
      }),
      some({ enum: fc.array(value, { minLength: 1, maxLength: 3 }), const: value }),
      some({ properties: map, required: fc.array(name, { maxLength: 2 }), additionalProperties: inner, propertyNames: inner }),
      some({ prefixItems: few, items: inner, contains: inner, minItems: count, maxItems: count, minContains: count }),
      some({ allOf: few, anyOf: few, not: inner }),
      some(Object.fromEntries([["oneOf", few], ...["if", "then", "else"].map((key) => [key, inner])])),
      some({
        dependentSchemas: map,
        dependentRequired: fc.dictionary(name, fc.array(name, { maxLength: 2 }), { maxKeys: 2, noNullPrototype: true }),
        maxProperties: count,
      }),
    ),
  };
});
const document = fc
  .tuple(schema, schema, schema)
  .map(([root, x, y]): JsonObject => JSON.parse(JSON.stringify({ $defs: { x, y }, allOf: [root] })));

const OPTIONS = { strict: false, ownProperties: true, logger: false, allErrors: true, code: { optimize: false } } as const;

/** How the standard judges it; undefined where a reference never goes into the value. */
function plainly(one: JsonObject, data: JsonValue): boolean | undefined {
  try {
    return fits(one, data);
  } catch {
    return undefined;
  }
}

test("random schemas judge random values as the standard says, keyword by keyword", () => {
  let compared = 0;
  fc.assert(
    fc.property(document, fc.array(value, { minLength: 3, maxLength: 6 }), (one, all) => {
      for (const data of all) {
        const verdict = judgeResult({ schema: one, rules: [] }, data);
        if ("problem" in verdict) {
          expect(verdict.problem).toMatch(/refers to itself|refers on deeper|would cost/);
          return;
        }
        const expected = plainly(one, data);
        if (expected === undefined) continue;
        compared += 1;
        expect([one, data, verdict.code === null]).toEqual([one, data, expected]);
      }
    }),
    { numRuns: 200 },
  );
  expect(compared).toBeGreaterThan(250);
});

test.each<[string, JsonObject, JsonValue, boolean]>([
  // The engine alone ends a `not` at its first error, and takes what stands beside a longer `prefixItems` for checked.
  ["contains beside a longer prefixItems, in a not", { not: { prefixItems: [false], contains: false } }, [], true],
  ["the same where one is contained", { not: { prefixItems: [true, true], contains: true } }, [1], false],
  ["minItems beside a longer prefixItems, in an anyOf", { anyOf: [{ prefixItems: [{}, {}], minItems: 1 }, false] }, [], false],
  ["what stands beside propertyNames of {}, in a not", { not: { propertyNames: {}, required: ["a"] } }, {}, true],
])("%s", (_name, one, data, expected) => {
  expect([judgeResult({ schema: one, rules: [] }, data), fits(one, data)]).toMatchObject([
    { code: expected ? null : "SCHEMA_MISMATCH" },
    expected,
  ]);
});

const MAPS = new Set(["properties", "patternProperties", "dependentSchemas"]);
const INNER = new Set(["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "items", "prefixItems", "contains"]);

/** The schema with one more keyword in each of its schemas. */
function marked(node: JsonValue): JsonValue {
  if (Array.isArray(node)) return node.map(marked);
  if (typeof node !== "object" || node === null) return node;
  const entries = Object.entries(node).map(([key, inner]): [string, JsonValue] => {
    if (MAPS.has(key)) return [key, Object.fromEntries(Object.entries(inner ?? {}).map(([name, one]) => [name, marked(one)]))];
    return [key, INNER.has(key) || key === "additionalProperties" || key === "propertyNames" ? marked(inner) : inner];
  });
  return Object.fromEntries([...entries, ["asked", true]]);
}

/** How often the engine comes to a schema with a value. */
function asked(one: JsonObject, data: JsonValue): number {
  let times = 0;
  const ajv = new Ajv2020({ ...OPTIONS, inlineRefs: false, validateSchema: false });
  const validate = () => {
    times += 1;
    return true;
  };
  ajv.addKeyword({ keyword: "asked", validate });
  // Its own equality calls what a value has under the name of toString.
  for (const keyword of ["enum", "const"]) ajv.removeKeyword(keyword);
  const { defs, root } = measureSchema(one).plain;
  const $defs = Object.fromEntries([...defs].map(([key, definition]) => [key, marked(definition.schema)]));
  ajv.compile({ $defs, $ref: `#/$defs/${root}` })(data);
  return times;
}

test("the count of steps is never below what the engine does", () => {
  fc.assert(
    fc.property(document, value, (one, data) => {
      if ("problem" in measureDemands({ schema: one, rules: [] })) return;
      const count = new Count(Number.MAX_SAFE_INTEGER);
      countWork(measureSchema(one).plain, data, count);
      expect(count.steps).toBeGreaterThanOrEqual(asked(one, data));
    }),
    { numRuns: 300 },
  );
});

describe("what is costly is never light, and finding that out is cheap", () => {
  const list = <T>(length: number, make: (index: number) => T) => Array.from({ length }, (_, index) => make(index));
  test.each<[string, JsonObject, JsonValue]>([
    [
      "a list against many branches",
      { properties: { a: { items: { anyOf: list(9, (n) => ({ minimum: n })) } } } },
      { a: list(9_900, (n) => n) },
    ],
    ["an enum of objects", { items: { enum: list(560, (n) => ({ n, x: [n] })) } }, list(2_000, (n) => ({ n, x: [n] }))],
    ["unique items", { uniqueItems: true }, list(5_000, (n) => [n])],
    ["a long text with a format", { format: "email" }, "a".repeat(60_000)],
    ["names", { propertyNames: { minLength: 1 } }, Object.fromEntries(list(4_000, (n) => [`k${n}`, n]))],
    [
      "a deep value",
      { $defs: { n: { items: { $ref: "#/$defs/n" } } }, $ref: "#/$defs/n" },
      list(64, (n) => n).reduce<JsonValue>((inner) => [inner, inner].slice(0, 1).concat(list(60, (n) => n)), []),
    ],
    ["required names", { required: list(1_200, (n) => `k${n}`) }, {}],
  ])("%s", (_name, one, data) => {
    const measured = measureDemands({ schema: one, rules: [] });
    if ("problem" in measured) throw new Error(measured.problem);
    expect(isLight(measured, data)).toBe(false);
    const count = new Count(LIGHT_STEPS_MAX);
    countWork(measured.schema.plain, data, count);
    // It stops where it is over: what one value adds at once is bounded by its own size.
    expect(count.steps).toBeLessThan(LIGHT_STEPS_MAX + 31_000);
  });
});

test("two values have one text exactly when they are equal", () => {
  fc.assert(
    fc.property(value, value, (a, b) => {
      expect(canonicalText(a) === canonicalText(b)).toBe(same(a, b));
      expect(oneOf([a, "x"])(b)).toBe(same(a, b) || b === "x");
    }),
    { numRuns: 5_000 },
  );
});

test.each([
  [19.99, 0.01, true],
  [0.07, 0.01, true],
  [1.005, 0.01, false],
  [1e308, 1e-8, true],
  [1e308, 0.123456789, false],
  [5e-324, 5e-324, true],
  [1.7976931348623157e308, 5e-324, true],
  [-4.5, 1.5, true],
  [-0, 3, true],
  [9007199254740991, 2, false],
  [1e21, 7, false],
])("%d is a multiple of %d: %s", (number, divisor, expected) => {
  expect(isMultipleOf(number, divisor)).toBe(expected);
});
