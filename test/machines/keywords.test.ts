/** Which keywords each draft has, what they may say, and how it is said that one says something else. */
import { describe, expect, test } from "vitest";
import { type Dialect, dialectOf, refStandsAlone } from "../../machines/validation/keywords.ts";
import { measureDemands } from "../../machines/validation/verdict.ts";
import type { JsonObject, JsonValue } from "../../machines/vocabulary.ts";

const DRAFTS = {
  4: "http://json-schema.org/draft-04/schema#",
  6: "http://json-schema.org/draft-06/schema#",
  7: "http://json-schema.org/draft-07/schema#",
  2019: "https://json-schema.org/draft/2019-09/schema",
  2020: "https://json-schema.org/draft/2020-12/schema",
} as const;

/** What is wrong with a schema; undefined if it is taken. */
function wrongWith(schema: JsonObject): string | undefined {
  const measured = measureDemands({ schema, rules: [] });
  return "problem" in measured ? measured.problem : undefined;
}

describe("a $schema", () => {
  const NAMES: { readonly [dialect in Dialect]: readonly string[] } = {
    "draft-04": ["http://json-schema.org/draft-04/schema#", "https://json-schema.org/draft-04/schema"],
    "draft-06": ["http://json-schema.org/draft-06/schema#", "https://json-schema.org/draft-06/schema"],
    "draft-07": ["http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft-07/schema"],
    "2019-09": ["https://json-schema.org/draft/2019-09/schema", "http://json-schema.org/draft/2019-09/schema#"],
    "2020-12": ["https://json-schema.org/draft/2020-12/schema", "http://json-schema.org/draft/2020-12/schema#"],
    open: [
      ...["http://json-schema.org/schema#", "https://json-schema.org/schema"],
      ...["https://spec.openapis.org/oas/3.1/dialect/base", "http://spec.openapis.org/oas/3.1/dialect/base"],
    ],
  };
  test.each(Object.entries(NAMES))("of %s is one of its addresses, to the letter", (dialect, names) => {
    for (const name of names) {
      expect([name, dialectOf(name)]).toEqual([name, dialect]);
      for (const other of [`x${name}`, `${name}x`, name.replace("http", "ftp"), name.replace("schema", "scheme")]) {
        if (other !== name) expect([other, dialectOf(other)]).toEqual([other, undefined]);
      }
    }
  });

  test("that is none of them is refused where it stands", () => {
    const said = (at: string) =>
      `names a dialect at ${at}/$schema that is not known; leave $schema out, or use draft-04, draft-06, draft-07, 2019-09 or 2020-12`;
    expect(wrongWith({ $schema: "http://json-schema.org/draft-03/schema#" })).toBe(said("#"));
    expect(wrongWith({ $schema: 7 })).toBe(said("#"));
    expect(wrongWith({ $defs: { a: { $id: "a", $schema: "x" } } })).toBe(said("#/$defs/a"));
  });

  test("tells whether a $ref stands alone", () => {
    const dialects = Object.keys(NAMES) as Dialect[];
    expect(dialects.filter(refStandsAlone)).toEqual(["draft-04", "draft-06", "draft-07"]);
  });
});

const ALL = "4 6 7 2019 2020 none";
const SINCE_6 = "6 7 2019 2020 none";
const SINCE_7 = "7 2019 2020 none";
const SINCE_2019 = "2019 2020 none";
const SINCE_2020 = "2020 none";
const ONLY_2019 = "2019 none";
const SCHEMA = "a schema (an object, true or false)";
const SCHEMAS = "a list of schemas";
const MAP = "an object of schemas";
const COUNT = "a whole number of at least 0";
const FLAG = "true or false";
const TEXT = "a text";

/** The drafts that read a keyword, `none` being a schema that names no draft, and what it must be there. */
test.each<[string, string, string]>([
  ["$ref", ALL, TEXT],
  ["$id", SINCE_6, TEXT],
  ["$anchor", SINCE_2019, TEXT],
  ["$dynamicRef", SINCE_2020, TEXT],
  ["$dynamicAnchor", SINCE_2020, TEXT],
  ["$recursiveRef", ONLY_2019, TEXT],
  ["$recursiveAnchor", ONLY_2019, FLAG],
  ["$defs", ALL, MAP],
  ["definitions", ALL, MAP],
  ["allOf", ALL, SCHEMAS],
  ["anyOf", ALL, SCHEMAS],
  ["oneOf", ALL, SCHEMAS],
  ["not", ALL, SCHEMA],
  ["if", SINCE_7, SCHEMA],
  ["then", SINCE_7, SCHEMA],
  ["else", SINCE_7, SCHEMA],
  ["dependentSchemas", SINCE_2019, MAP],
  ["dependentRequired", SINCE_2019, "an object of lists of names"],
  ["dependencies", ALL, "an object of schemas or lists of names"],
  ["properties", ALL, MAP],
  ["patternProperties", ALL, MAP],
  ["additionalProperties", ALL, SCHEMA],
  ["propertyNames", SINCE_6, SCHEMA],
  ["unevaluatedProperties", SINCE_2019, SCHEMA],
  ["items", ALL, "a schema or a list of schemas"],
  ["prefixItems", SINCE_2020, SCHEMAS],
  ["additionalItems", ALL, SCHEMA],
  ["contains", SINCE_6, SCHEMA],
  ["minContains", SINCE_2019, COUNT],
  ["maxContains", SINCE_2019, COUNT],
  ["unevaluatedItems", SINCE_2019, SCHEMA],
  ["type", ALL, "one or a list of null, boolean, object, array, number, string, integer"],
  ["enum", ALL, "a list of values"],
  ["nullable", ALL, FLAG],
  ["multipleOf", ALL, "a number above 0"],
  ["maximum", ALL, "a number"],
  ["minimum", ALL, "a number"],
  ["exclusiveMaximum", ALL, "a number"],
  ["exclusiveMinimum", ALL, "a number"],
  ["maxLength", ALL, COUNT],
  ["minLength", ALL, COUNT],
  ["pattern", ALL, TEXT],
  ["format", ALL, TEXT],
  ["maxItems", ALL, COUNT],
  ["minItems", ALL, COUNT],
  ["uniqueItems", ALL, FLAG],
  ["maxProperties", ALL, COUNT],
  ["minProperties", ALL, COUNT],
  ["required", ALL, "a list of names"],
])("%s is a keyword of %s, where it is %s", (keyword, drafts, words) => {
  const schemas = { ...DRAFTS, none: undefined };
  const refused = Object.entries(schemas).flatMap(([draft, $schema]) => {
    const said = wrongWith({ ...($schema === undefined ? {} : { $schema }), [keyword]: null });
    if (said !== undefined) expect(said).toBe(`is not a JSON Schema at #/${keyword}: it must be ${words}`);
    return said === undefined ? [] : [draft];
  });
  expect(refused.join(" ")).toBe(drafts);
});

test.each<[string, readonly JsonValue[], readonly JsonValue[]]>([
  ["not", [{}, true, false], [0, "a", [], null]],
  ["allOf", [[], [{}, true]], [{}, true, [1], [{}, null]]],
  ["items", [{}, false, [], [{}, true]], [1, [1], "a"]],
  ["properties", [{}, { a: {}, b: false }], [[], true, { a: {}, b: 1 }, { a: [] }]],
  ["dependentRequired", [{}, { a: [] }, { a: ["b"], c: [] }], [[], { a: "b" }, { a: [1] }, { a: {} }]],
  ["dependencies", [{}, { a: ["b"], c: {}, d: true }], [[], { a: [1] }, { a: "b" }]],
  ["required", [[], ["a", ""]], ["a", [1], ["a", null], {}]],
  ["maximum", [0, -1.5, 1e300], ["1", true, [], {}]],
  ["multipleOf", [1, 0.01, 5e-324], [0, -1, "1", true]],
  ["exclusiveMaximum", [0, -1, true, false], ["1", [], {}]],
  ["minLength", [0, 1, 2.0], [-1, 1.5, "1", true]],
  ["uniqueItems", [true, false], [0, 1, "true"]],
  ["format", ["", "x"], [1, true, []]],
  ["type", ["null", "integer", ["string", "null"]], ["any", [], ["string", "any"], {}, true]],
  ["enum", [[], [1, null]], [{}, "a"]],
  ["const", [null, 1, {}], []],
  ["default", [null, 1, {}], []],
])("%s takes %j, and not %j", (keyword, right, wrong) => {
  const taken = (value: JsonValue) => wrongWith({ [keyword]: value }) === undefined;
  expect(right.filter((value) => !taken(value))).toEqual([]);
  expect(wrong.filter(taken)).toEqual([]);
});

test.each<[string, JsonObject, string | undefined]>([
  ["in a map", { properties: { "a/b~": { minimum: "x" } } }, "#/properties/a~1b~0/minimum"],
  ["in a list", { anyOf: [{}, { minimum: "x" }] }, "#/anyOf/1/minimum"],
  ["in a schema of its own", { not: { minimum: "x" } }, "#/not/minimum"],
  ["in items that are a list", { items: [{}, { minimum: "x" }] }, "#/items/1/minimum"],
  ["in items that are a schema", { items: { minimum: "x" } }, "#/items/minimum"],
  ["in dependencies", { dependencies: { a: ["minimum"], b: { minimum: "x" } } }, "#/dependencies/b/minimum"],
  ["in a definition that nothing uses", { definitions: { a: { minimum: "x" } } }, "#/definitions/a/minimum"],
  ["under a name that is no keyword", { "x-a": { minimum: "x" }, default: { minimum: "x" } }, undefined],
  ["among values", { enum: [{ minimum: "x" }], const: { minimum: "x" } }, undefined],
  ["beside a $ref", { $ref: "#/$defs/a", $defs: { a: {} }, minimum: "x" }, "#/minimum"],
  ["beside a $ref in draft 7", { $schema: DRAFTS[7], $ref: "#/definitions/a", definitions: { a: {} }, minimum: "x" }, undefined],
  ["beside a $ref that is none in draft 7", { $schema: DRAFTS[7], properties: { $ref: {} }, minimum: "x" }, "#/minimum"],
])("a wrong keyword %s", (_name, schema, at) => {
  expect(wrongWith(schema)).toBe(at === undefined ? undefined : `is not a JSON Schema at ${at}: it must be a number`);
});

test("definitions and the reference itself are checked even where a $ref stands alone", () => {
  const alone = (more: JsonObject): JsonObject => ({
    $schema: DRAFTS[7],
    $ref: "#/definitions/a",
    definitions: { a: {} },
    ...more,
  });
  expect(wrongWith(alone({ definitions: { a: {}, b: 1 } }))).toBe(
    "is not a JSON Schema at #/definitions: it must be an object of schemas",
  );
  expect(wrongWith(alone({ properties: 1 }))).toBe("is not a JSON Schema at #/properties: it must be an object of schemas");
  expect(wrongWith(alone({ $ref: 1 }))).toBe("is not a JSON Schema at #/$ref: it must be a text");
});

test("a required of draft 3 is said how to write", () => {
  const help = "; list the names in required of the object that has the property";
  const said = "is not a JSON Schema at #/properties/a/required: it must be a list of names";
  expect(wrongWith({ properties: { a: { required: true } } })).toBe(`${said}${help}`);
  expect(wrongWith({ properties: { a: { required: "a" } } })).toBe(said);
  expect(wrongWith({ items: true, minLength: false })).toBe(
    "is not a JSON Schema at #/minLength: it must be a whole number of at least 0",
  );
});
