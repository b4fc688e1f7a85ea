/** What a schema costs, whatever value it is applied to: each schema as often as it is applied, and where that is refused. */
import { expect, test } from "vitest";
import { measureDemands } from "../../machines/validation/verdict.ts";
import type { JsonObject, JsonValue } from "../../machines/vocabulary.ts";

/** An object with this name looks like a promise; here it is none. */
const THEN = "then";

/** The cost, or what is said of a schema that costs too much. */
function costOf(schema: JsonObject): number | string {
  const measured = measureDemands({ schema, rules: [] });
  return "problem" in measured ? measured.problem : measured.cost;
}

test.each<[JsonObject, number]>([
  [{}, 1],
  [{ type: "string", minLength: 1, title: "a" }, 1],
  // To the same value.
  [{ allOf: [{}, {}] }, 3],
  [{ anyOf: [{}, {}, {}] }, 4],
  [{ oneOf: [{}] }, 2],
  [{ if: true, [THEN]: {}, else: {} }, 4],
  [{ not: true }, 2],
  [{ dependentSchemas: { a: {}, b: {} } }, 3],
  [{ allOf: [{ anyOf: [{}, {}] }, {}] }, 5],
  // To what is in it.
  [{ properties: { a: {}, b: {} } }, 3],
  [{ patternProperties: { a: {} } }, 2],
  [{ prefixItems: [{}, {}] }, 3],
  [{ items: {} }, 2],
  [{ contains: {} }, 2],
  [{ additionalProperties: {} }, 2],
  [{ propertyNames: {} }, 2],
  [{ unevaluatedItems: true }, 2],
  [{ unevaluatedProperties: true }, 2],
  [{ properties: { a: { items: { properties: { b: {} } } } } }, 4],
  [{ properties: { a: { allOf: [{}, {}] } } }, 4],
  [{ allOf: [{ properties: { a: {} } }, { items: { anyOf: [{}] } }] }, 6],
  // A definition once for itself, and once wherever it is referred to.
  [{ $defs: { a: {} }, $ref: "#/$defs/a" }, 3],
  [{ $defs: { a: {} }, properties: { x: { $ref: "#/$defs/a" }, y: { $ref: "#/$defs/a" } } }, 6],
  [{ $defs: { a: { allOf: [{}, {}] } }, items: { $ref: "#/$defs/a" } }, 8],
  [{ $defs: { a: {} } }, 1],
  [{ not: {} }, 4],
])("%j costs %i", (schema, cost) => {
  expect(costOf(schema)).toBe(cost);
});

test("a cost of 5,000 is taken, and one more is not", () => {
  const refers = Object.fromEntries(Array.from({ length: 499 }, (_, n) => [`p${n}`, { $ref: "#/$defs/a" }]));
  const schema = (more: JsonObject): JsonObject => ({
    $defs: { a: { allOf: Array.from({ length: 8 }, () => true) } },
    properties: { ...refers, ...more },
  });
  expect(costOf(schema({}))).toBe(5_000);
  expect(costOf(schema({ one: {} }))).toBe("would cost 5001 checks; at most 5000 are taken, so repeat fewer references");
});

test("a cost beyond all bounds is still said as a number with few digits", () => {
  const many = (n: number): JsonValue => ({ anyOf: Array.from({ length: 30 }, () => ({ $ref: `#/$defs/d${n + 1}` })) });
  const $defs = Object.fromEntries(Array.from({ length: 15 }, (_, n) => [`d${n}`, n === 14 ? {} : many(n)]));
  expect(costOf({ $defs, $ref: "#/$defs/d0" })).toMatch(/^would cost \d{11} checks/);
});

/** A definition that refers on `levels` times. */
function chain(levels: number): JsonObject {
  const one = (n: number): JsonValue => (n === levels ? {} : { $ref: `#/$defs/c${n + 1}` });
  return Object.fromEntries(Array.from({ length: levels + 1 }, (_, n) => [`c${n}`, one(n)]));
}
const start = { $ref: "#/$defs/c0" };
const nested = (levels: number): JsonObject => (levels === 0 ? {} : { allOf: [nested(levels - 1)] });

test.each<[string, (levels: number) => JsonObject, number]>([
  ["references", (levels) => ({ $defs: chain(levels), ...start }), 31],
  ["references below one branch", (levels) => ({ $defs: chain(levels), anyOf: [start] }), 30],
  ["the same below two", (levels) => ({ $defs: chain(levels), anyOf: [{ anyOf: [start] }] }), 29],
  ["the same after it was met higher up", (levels) => ({ $defs: chain(levels), anyOf: [start, { anyOf: [start] }] }), 29],
  ["and where the lower one is met first", (levels) => ({ $defs: chain(levels), anyOf: [{ anyOf: [start] }, start] }), 29],
  [
    "the longer of two branches",
    (levels) => ({ $defs: chain(levels), anyOf: [start, true, { anyOf: [{ allOf: [start] }] }] }),
    28,
  ],
  ["branches in a definition", (levels) => ({ $defs: { a: nested(levels) }, $ref: "#/$defs/a" }), 31],
])("%s for one value go 32 levels deep, and no deeper", (_name, schema, levels) => {
  expect(costOf(schema(levels))).toEqual(expect.any(Number));
  expect(costOf(schema(levels + 1))).toMatch(/^(refers on|nests) deeper than 32 levels/);
});

test.each<[string, JsonObject, string | null]>([
  ["itself", { anyOf: [{ $ref: "#" }] }, "#"],
  [
    "itself by way of another",
    { $defs: { a: { allOf: [{ $ref: "#/$defs/b" }] }, b: { if: { $ref: "#/$defs/a" } } }, $ref: "#/$defs/a" },
    "#/$defs/a",
  ],
  ["itself when a name is there", { dependentSchemas: { a: { $ref: "#" } } }, "#"],
  ["itself for its items", { items: { $ref: "#" } }, null],
  ["itself for its properties", { properties: { a: { $ref: "#" } } }, null],
  ["another one twice", { $defs: { a: {} }, allOf: [{ $ref: "#/$defs/a" }, { $ref: "#/$defs/a" }] }, null],
])("a schema may not refer to %s without going into the value", (_name, schema, at) => {
  const said = costOf(schema);
  if (at === null) expect(said).toEqual(expect.any(Number));
  else expect(said).toContain(`refers to itself at ${at} without going into the value, so checking by it would never end`);
});
