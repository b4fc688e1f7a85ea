/** The steps of checking a value, counted before it is checked: one for each schema and keyword, and more where there is more to do. */
import { describe, expect, test } from "vitest";
import { countRule, type Rule } from "../../machines/validation/rules.ts";
import { measureSchema } from "../../machines/validation/schema.ts";
import { addSize, Count, countWork } from "../../machines/validation/work.ts";
import type { JsonObject, JsonValue } from "../../machines/vocabulary.ts";

/** An object with this name looks like a promise; here it is none. */
const THEN = "then";
const list = <T>(length: number, make: (n: number) => T) => Array.from({ length }, (_, n) => make(n));
const ten = "x".repeat(10);

function stepsOf(schema: JsonObject, value: JsonValue, most = Number.MAX_SAFE_INTEGER): number {
  const count = new Count(most);
  countWork(measureSchema(schema).plain, value, count);
  return count.steps;
}

describe("a schema is a step, and so is each of its keywords", () => {
  test.each<[string, JsonObject, JsonValue, number]>([
    ["none", {}, 1, 1],
    ["annotations", { title: "a", default: 1 }, 1, 1],
    ["two", { minimum: 1, maximum: 5 }, 1, 3],
    ["each branch", { allOf: [{}, {}] }, 1, 4],
    ["each branch, with what it says", { anyOf: [{}, { type: "string" }] }, 1, 5],
    ["each branch, whichever holds", { oneOf: [true, true] }, 1, 4],
    ["what is excluded", { not: true }, 1, 3],
    ["what is excluded by a definition", { not: {} }, 1, 5],
    ["both ways of a condition", { if: true, [THEN]: {}, else: {} }, 1, 7],
    ["what is referred to", { $defs: { a: { type: "string" } }, $ref: "#/$defs/a" }, 1, 4],
  ])("%s", (_name, schema, value, steps) => {
    expect(stepsOf(schema, value)).toBe(steps);
  });
});

describe("texts take steps for their characters", () => {
  test.each<[string, JsonObject, JsonValue, number]>([
    ["half a step for each where they are counted", { minLength: 1 }, ten, 7],
    ["at most as well", { maxLength: 1 }, ten, 7],
    ["none where there is no text", { minLength: 1, maxLength: 1, pattern: "ab", format: "date" }, 5, 5],
    ["one for each in a light pattern", { pattern: "ab" }, ten, 14],
    ["one for each in a pattern of four steps", { pattern: "abcd" }, ten, 14],
    ["two for each in one of eight", { pattern: "abcdefgh" }, ten, 24],
    ["half for each in a format", { format: "date" }, ten, 7],
    ["one for each in the format regex", { format: "regex" }, ten, 12],
    ["an eighth for each where they are compared", { enum: [1, 2] }, "x".repeat(16), 5],
  ])("%s", (_name, schema, value, steps) => {
    expect(stepsOf(schema, value)).toBe(steps);
  });
});

describe("what is compared is read whole", () => {
  test.each<[JsonValue, number]>([
    [1, 1],
    [null, 1],
    ["x".repeat(8), 2],
    [[], 1],
    [[1, [2, "x".repeat(8)]], 6],
    [{ ab: 1, cdefghij: { x: null } }, 8.375],
  ])("%j takes %d steps", (value, steps) => {
    const count = new Count(Number.MAX_SAFE_INTEGER);
    addSize(value, count);
    expect(count.steps).toBe(steps);
    expect(stepsOf({ const: 7 }, value)).toBe(steps + 2);
    expect(stepsOf({ enum: [7, 8] }, value)).toBe(steps + 2);
    expect(stepsOf({ uniqueItems: true }, value)).toBe(steps + 2);
  });
});

describe("objects and lists take steps for what is in them", () => {
  const a: JsonObject = { properties: { a: true } };
  test.each<[string, JsonObject, JsonValue, number]>([
    ["each property of the schema, and those that are there", { properties: { a: {}, b: {} } }, { a: 1 }, 5],
    ["none for what is no object", { properties: { a: {} }, required: ["a"], minProperties: 1, additionalProperties: {} }, 1, 5],
    ["each name against each pattern", { patternProperties: { ab: {}, abcdefgh: {} } }, { abc: 1, d: 2 }, 26],
    ["each property", { additionalProperties: {} }, { a: 1, b: 2 }, 4],
    ["each name", { propertyNames: { minLength: 1 } }, { abcd: 1, b: 2 }, 8.5],
    ["each schema that a name asks for", { dependentSchemas: { a: {}, b: {} } }, { a: 1 }, 4],
    ["three for each name that must be there", { required: ["a", "b"] }, {}, 8],
    ["three for each that another one asks for", { dependentRequired: { a: ["b", "c"], d: [] } }, {}, 10],
    ["one for each that is counted", { minProperties: 1 }, { a: 1, b: 2 }, 4],
    ["at most as well", { maxProperties: 1 }, { a: 1, b: 2 }, 4],
    ["each item of a list, as far as it goes", { prefixItems: [{}, {}] }, [1], 3],
    ["and no further", { prefixItems: [{}, {}] }, [1, 2, 3], 4],
    ["each item", { items: {} }, [1, 2, 3], 5],
    ["each other item", { prefixItems: [{}], items: {} }, [1, 2, 3], 6],
    ["each that may be contained", { contains: {} }, [1, 2], 4],
    ["none for what is no list", { items: {}, contains: {}, prefixItems: [{}] }, { a: 1 }, 4],
    ["nothing for the length of a list", { minItems: 1, maxItems: 9 }, [1, 2], 3],
    ["each item that may be unevaluated", { unevaluatedItems: false }, [1, 2], 5],
    ["none in an object", { unevaluatedItems: false }, { a: 1 }, 2],
    ["each property that may be unevaluated", { unevaluatedProperties: false }, { a: 1, b: 2 }, 7],
    ["none in a list", { unevaluatedProperties: false }, [1], 2],
    ["branches twice", { anyOf: [a], unevaluatedProperties: false }, { a: 1 }, 23],
    ["of either kind", { oneOf: [a], unevaluatedProperties: false }, { a: 1 }, 23],
    ["conditions too", { if: a, unevaluatedProperties: false }, { a: 1 }, 23],
    ["but not what always holds", { allOf: [a], unevaluatedProperties: false }, { a: 1 }, 17],
    ["names against patterns twice", { patternProperties: { a: true }, unevaluatedProperties: false }, { a: 1 }, 15],
    ["what is contained twice", { contains: { type: "string" }, unevaluatedItems: false }, [1, 2], 22],
    ["below a reference too", { $defs: { a: { anyOf: [true] } }, $ref: "#/$defs/a", unevaluatedItems: false }, [1], 11],
  ])("%s", (_name, schema, value, steps) => {
    expect(stepsOf(schema, value)).toBe(steps);
  });
});

describe("a value may have schemas go into each other 800 times, and no more", () => {
  const again: JsonObject = { $ref: "#" };
  const inList = (levels: number): JsonValue => (levels === 0 ? 1 : [inList(levels - 1)]);
  const inObject = (levels: number): JsonValue => (levels === 0 ? 1 : { a: inObject(levels - 1) });
  test.each<[JsonObject, (levels: number) => JsonValue, number]>([
    [{ items: again }, inList, 2],
    [{ contains: again }, inList, 2],
    [{ prefixItems: [again] }, inList, 2],
    [{ properties: { a: again } }, inObject, 2],
    [{ patternProperties: { a: again } }, inObject, 2],
    [{ additionalProperties: again }, inObject, 2],
    [{ unevaluatedItems: again }, inList, 3],
    [{ unevaluatedProperties: again }, inObject, 3],
    [{ dependentSchemas: { a: { properties: { a: again } } } }, inObject, 3],
    [{ items: { allOf: [again] } }, inList, 3],
    [{ items: { anyOf: [again] } }, inList, 3],
    [{ items: { oneOf: [again] } }, inList, 3],
    [{ items: { [THEN]: again } }, inList, 3],
    [{ items: { else: again } }, inList, 3],
    [{ items: { not: again } }, inList, 4],
    [{ items: { if: again } }, inList, 4],
  ])("%j", (schema, value, steps) => {
    const levels = Math.floor(800 / steps);
    expect(stepsOf(schema, value(levels), 1_000_000)).toBeLessThan(1_000_000);
    expect(stepsOf(schema, value(levels + 1), 1_000_000)).toBeGreaterThan(1_000_000);
  });
});

describe("counting ends soon after the bound", () => {
  const numbers = list(1_000, (n) => n);
  const named = Object.fromEntries(numbers.map((n) => [`n${n}`, n]));
  const schemas: JsonObject = Object.fromEntries(numbers.map((n) => [`n${n}`, true]));
  const all = numbers.map(() => true);
  test.each<[string, JsonObject, JsonValue]>([
    ["items", { items: { minimum: 1 } }, numbers],
    ["what is contained", { contains: { minimum: 1 } }, numbers],
    ["branches", { anyOf: all }, 1],
    ["properties that are there", { properties: schemas }, named],
    ["and that are not", { properties: schemas }, {}],
    ["other properties", { additionalProperties: { minimum: 1 } }, named],
    ["names", { propertyNames: { minLength: 1 } }, named],
    ["names against a pattern", { patternProperties: { a: true } }, named],
    ["a pattern for each name", { patternProperties: schemas }, { a: 1 }],
    ["a list that is compared", { const: 1 }, numbers],
    ["an object that is compared", { const: 1 }, named],
    ["lists in lists that are compared", { const: 1 }, list(30, () => numbers)],
    ["keywords", { minLength: 1, maxLength: 1, const: 1, enum: [1], not: true, allOf: all }, "x".repeat(60)],
    ["branches that are unevaluated", { allOf: list(99, () => ({ anyOf: [true] })), unevaluatedItems: false }, [1]],
  ])("for %s", (_name, schema, value) => {
    const steps = stepsOf(schema, value, 50);
    expect(steps).toBeGreaterThan(50);
    expect(steps).toBeLessThan(70);
  });
});

describe("a rule takes steps for its field, and for what it reads", () => {
  const field = "abc";
  const rules: readonly [Rule, JsonValue, number][] = [
    [{ type: "required_fields", fields: ["abc", "a"] }, { abc: ten }, 8],
    [{ type: "min_length", field, min: 1 }, { abc: ten }, 15],
    [{ type: "min_length", field, min: 1 }, { abc: [1, 2] }, 5],
    [{ type: "max_length", field, max: 1 }, { abc: ten }, 15],
    [{ type: "field_type", field, expected: "str" }, { abc: ten }, 5],
    [{ type: "regex", field, pattern: "ab" }, { abc: ten }, 12],
    [{ type: "regex", field, pattern: "abcdefgh" }, { abc: ten }, 22],
    [{ type: "regex", field, pattern: "ab" }, { abc: [ten] }, 0],
    [{ type: "enum", field, values: [1] }, { abc: "x".repeat(16) }, 3],
    [{ type: "enum", field, values: [1] }, { abc: [1, 2] }, 3],
    [{ type: "enum", field, values: [1] }, {}, 1],
  ];
  test.each(rules)("%j of %j takes %d", (rule, result, steps) => {
    const count = new Count(Number.MAX_SAFE_INTEGER);
    countRule(rule, result, count);
    expect(count.steps).toBe(steps);
  });
});
