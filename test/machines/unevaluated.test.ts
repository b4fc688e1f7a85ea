/** Which parts of a value count as evaluated: what the schemas that hold for it name, and nothing else. */
import { expect, test } from "vitest";
import { judgeResult } from "../../machines/validation/verdict.ts";
import type { JsonObject, JsonValue } from "../../machines/vocabulary.ts";

/** An object with this name looks like a promise; here it is none. */
const THEN = "then";

const a: JsonObject = { properties: { a: true } };
const PROPERTIES: JsonObject = { unevaluatedProperties: false };
const ITEMS: JsonObject = { unevaluatedItems: false };
const in2019: JsonObject = { $schema: "https://json-schema.org/draft/2019-09/schema" };

test.each<[string, JsonObject, JsonValue, boolean]>([
  ["an if that is always true leads to then", { if: true, [THEN]: a, ...PROPERTIES }, { a: 1 }, true],
  ["and not to else", { if: true, else: a, ...PROPERTIES }, { a: 1 }, false],
  ["an if that is never true leads to else", { if: false, else: a, ...PROPERTIES }, { a: 1 }, true],
  ["and not to then", { if: false, [THEN]: a, ...PROPERTIES }, { a: 1 }, false],
  ["what an if that holds names counts without then", { if: a, ...PROPERTIES }, { a: 1 }, true],
  ["what one that does not hold names does not", { if: { ...a, required: ["b"] }, ...PROPERTIES }, { a: 1 }, false],
  ["a branch that does not hold does not count", { anyOf: [{ ...a, required: ["b"] }, {}], ...PROPERTIES }, { a: 1 }, false],
  ["one of two that holds counts", { oneOf: [a, { required: ["b"] }], ...PROPERTIES }, { a: 1 }, true],
  ["what is excluded does not count", { not: { ...a, required: ["b"] }, ...PROPERTIES }, { a: 1 }, false],
  ["what a name asks for counts when the name is there", { dependentSchemas: { a }, ...PROPERTIES }, { a: 1 }, true],
  ["and not when it is not", { dependentSchemas: { b: a }, ...PROPERTIES }, { a: 1 }, false],
  ["a pattern takes each name in which it is found", { patternProperties: { "^a": true }, ...PROPERTIES }, { a: 1, ab: 2 }, true],
  ["and no other", { patternProperties: { "^a": true }, ...PROPERTIES }, { a: 1, ba: 2 }, false],
  [
    "all others, below a reference",
    { $defs: { x: { additionalProperties: true } }, $ref: "#/$defs/x", ...PROPERTIES },
    { b: 1 },
    true,
  ],
  ["an unevaluatedProperties in a branch takes all", { allOf: [{ unevaluatedProperties: true }], ...PROPERTIES }, { b: 1 }, true],
  ["the others must fit its schema", { ...a, unevaluatedProperties: { type: "string" } }, { a: 1, b: 2 }, false],
  ["and may", { ...a, unevaluatedProperties: { type: "string" } }, { a: 1, b: "2" }, true],
  ["a schema that all fit", { unevaluatedProperties: true }, { b: 1 }, true],
  ["items that it contains count", { contains: { const: 1 }, ...ITEMS }, [1, 1], true],
  ["and others do not", { contains: { const: 1 }, ...ITEMS }, [1, 2], false],
  ["whatever it contains counts", { contains: true, ...ITEMS }, [1, 2], true],
  ["but not in 2019-09", { ...in2019, contains: true, ...ITEMS }, [1], false],
  ["where only a list does", { ...in2019, items: [true], contains: true, ...ITEMS }, [1], true],
  ["a list takes as many as it has", { prefixItems: [true, true], ...ITEMS }, [1, 2], true],
  ["and no more", { prefixItems: [true, true], ...ITEMS }, [1, 2, 3], false],
  ["the longest list of all", { allOf: [{ prefixItems: [true] }, { prefixItems: [true, true] }], ...ITEMS }, [1, 2], true],
  ["all items, in a branch", { anyOf: [{ items: true }], ...ITEMS }, [1, 2], true],
  ["an unevaluatedItems in a branch takes all", { allOf: [{ unevaluatedItems: true }], ...ITEMS }, [1], true],
  ["the other items must fit its schema", { prefixItems: [true], unevaluatedItems: { type: "string" } }, [1, 2], false],
  ["and may as well", { prefixItems: [true], unevaluatedItems: { type: "string" } }, [1, "2"], true],
  ["what is no list has no items", ITEMS, { a: 1 }, true],
  ["what is no object has no properties", PROPERTIES, [1], true],
])("%s", (_name, schema, value, valid) => {
  expect(judgeResult({ schema, rules: [] }, value)).toMatchObject({ code: valid ? null : "SCHEMA_MISMATCH" });
});
