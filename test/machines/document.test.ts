/** What a reference in a schema leads to: its addresses, anchors and pointers, and which dialect is in force there. */
import { expect, test } from "vitest";
import { judgeResult } from "../../machines/validation/verdict.ts";
import type { JsonObject, JsonValue } from "../../machines/vocabulary.ts";

/** What is wrong with the schema, or whether the value fits. */
function said(schema: JsonObject, value: JsonValue): boolean | string {
  const verdict = judgeResult({ schema, rules: [] }, value);
  return "problem" in verdict ? verdict.problem : verdict.code === null;
}

const text = { type: "string" };
const DRAFT = {
  4: { $schema: "http://json-schema.org/draft-04/schema#" },
  6: { $schema: "http://json-schema.org/draft-06/schema#" },
  7: { $schema: "http://json-schema.org/draft-07/schema#" },
  2019: { $schema: "https://json-schema.org/draft/2019-09/schema" },
  2020: { $schema: "https://json-schema.org/draft/2020-12/schema" },
} as const;
const OUTSIDE = /^refers to .* at #\/items\/\$ref; only references inside the schema/;
const MISSING = /^refers to .* at #\/items\/\$ref, which is not there$/;
const NO_SCHEMA = /^refers to .* at #\/items\/\$ref, which is no schema \(an object, true or false\)$/;
const TWICE = /^refers to .* at #\/items\/\$ref, a name that two schemas have; rename one$/;

/** A schema whose items refer to what the rest of it has: a text fits there, a number does not. */
test.each<[string, JsonObject, string, RegExp | null]>([
  ["a pointer through a list", { $defs: { l: { allOf: [true, text] } } }, "#/$defs/l/allOf/1", null],
  ["the first of a list", { $defs: { l: { anyOf: [text, true] } } }, "#/$defs/l/anyOf/0", null],
  ["the eleventh of a list", { $defs: { a: { allOf: [...Array(10).fill(true), text] } } }, "#/$defs/a/allOf/10", null],
  ["one past the end of a list", { $defs: { l: { allOf: [true, true] } } }, "#/$defs/l/allOf/2", MISSING],
  ["a number with a leading zero", { $defs: { l: { allOf: [true, true] } } }, "#/$defs/l/allOf/01", MISSING],
  ["a number that is none", { $defs: { l: { allOf: [true, true] } } }, "#/$defs/l/allOf/1e0", MISSING],
  ["a list's own length", { $defs: { l: { allOf: [true, true] } } }, "#/$defs/l/allOf/length", MISSING],
  ["no number", { $defs: { l: { allOf: [true, true] } } }, "#/$defs/l/allOf/", MISSING],
  ["a number below zero", { $defs: { l: { allOf: [true, true] } } }, "#/$defs/l/allOf/-1", MISSING],
  ["what every object has", { $defs: {} }, "#/$defs/toString", MISSING],
  ["a pointer through a text", { title: "abc" }, "#/title/0", MISSING],
  ["a number", { $defs: { l: { enum: [1, "a"] } } }, "#/$defs/l/enum/0", NO_SCHEMA],
  ["a list", { $defs: { l: { allOf: [true] } } }, "#/$defs/l/allOf", NO_SCHEMA],
  ["null", { $defs: { l: { const: null } } }, "#/$defs/l/const", NO_SCHEMA],
  ["an escaped name", { $defs: { "a/b~c": text } }, "#/$defs/a~1b~0c", null],
  ["a name that is written in percents", { $defs: { "a b": text } }, "#/$defs/a%20b", null],
  ["percents that mean nothing", { $defs: { "a%zz": text } }, "#/$defs/a%zz", null],
  ["an anchor", { $defs: { a: { $anchor: "x", ...text } } }, "#x", null],
  ["an anchor that two have", { $defs: { a: { $anchor: "x", ...text }, b: { $anchor: "x" } } }, "#x", TWICE],
  ["a dynamic anchor of the same name on one", { $defs: { a: { $anchor: "x", $dynamicAnchor: "x", ...text } } }, "#x", null],
  ["a dynamic anchor and an anchor", { $defs: { a: { $dynamicAnchor: "x", ...text }, b: { $anchor: "x" } } }, "#x", TWICE],
  ["an anchor of nobody", {}, "#x", MISSING],
  ["an address", { $defs: { a: { $id: "http://a.example/b", ...text } } }, "http://a.example/b", null],
  ["one that is relative to the whole", { $id: "http://a.example/b/c", $defs: { a: { $id: "d", ...text } } }, "/b/d", null],
  ["one of which two have the name: the first", { $defs: { a: { $id: "d", ...text }, b: { $id: "d" } } }, "d", null],
  ["a pointer below an address", { $defs: { a: { $id: "d", $defs: { b: text } } } }, "d#/$defs/b", null],
  ["an anchor below an address", { $defs: { a: { $id: "d", $defs: { b: { $anchor: "x", ...text } } } } }, "d#x", null],
  ["which is no anchor of the whole", { $defs: { a: { $id: "d", $defs: { b: { $anchor: "x", ...text } } } } }, "#x", MISSING],
  ["an anchor of the whole, below an address", { $defs: { a: { $id: "d" }, b: { $anchor: "x", ...text } } }, "d#x", MISSING],
  ["an address that nobody has", {}, "http://a.example/b", OUTSIDE],
  ["an address that is none", {}, "http://[", OUTSIDE],
  ["an id that is no address", { $defs: { a: { $id: "http://[", ...text } } }, "#/$defs/a", null],
  ["an id in draft 4", { ...DRAFT[4], definitions: { a: { id: "d", ...text } } }, "d", null],
  ["an $id in draft 4", { ...DRAFT[4], definitions: { a: { $id: "d", ...text } } }, "d", OUTSIDE],
  ["an id in draft 7", { ...DRAFT[7], definitions: { a: { id: "d", ...text } } }, "d", OUTSIDE],
  ["an id that is only a fragment, in draft 7", { ...DRAFT[7], definitions: { a: { $id: "#x", ...text } } }, "#x", null],
  ["with an address before it", { ...DRAFT[7], definitions: { a: { $id: "d#x", ...text } } }, "d#x", null],
  ["an $anchor in draft 7", { ...DRAFT[7], definitions: { a: { $anchor: "x", ...text } } }, "#x", MISSING],
  ["a $dynamicAnchor in 2019-09", { ...DRAFT[2019], $defs: { a: { $dynamicAnchor: "x", ...text } } }, "#x", MISSING],
  [
    "an $id beside a $ref in draft 7",
    { ...DRAFT[7], definitions: { a: { $id: "d", $ref: "#/definitions/b" }, b: text } },
    "d",
    OUTSIDE,
  ],
  ["and since", { ...DRAFT[2019], $defs: { a: { $id: "d", ...text, $ref: "#/x" }, x: {} }, x: {} }, "d", null],
])("a reference to %s", (_name, rest, reference, problem) => {
  const schema = { ...rest, items: { $ref: reference } };
  if (problem !== null) expect(said(schema, [])).toMatch(problem);
  else expect([said(schema, ["a"]), said(schema, [1])]).toEqual([true, false]);
});

test.each<[string, JsonObject, readonly JsonValue[], readonly JsonValue[]]>([
  [
    "a pointer of the whole is found from a part with an address too",
    { $defs: { a: text, b: { $id: "b", items: { $ref: "#/$defs/a" } } }, items: { $ref: "b" } },
    [[["a"]]],
    [[[1]]],
  ],
  [
    "a part with an address may be of another dialect",
    { ...DRAFT[2020], $defs: { b: { $id: "b", ...DRAFT[7], items: [text] } }, $ref: "b" },
    [["a", 1]],
    [[1]],
  ],
  [
    "of draft 4 by its id",
    { ...DRAFT[2020], $defs: { b: { id: "b", ...DRAFT[4], items: [text] } }, $ref: "b" },
    [["a", 1]],
    [[1]],
  ],
  [
    "but not one without",
    { ...DRAFT[2020], $defs: { b: { ...DRAFT[7], prefixItems: [text] } }, $ref: "#/$defs/b" },
    [["a", 1]],
    [[1]],
  ],
  ["nor one without whose dialect is unknown", { $defs: { b: { $schema: "http://x", ...text } }, $ref: "#/$defs/b" }, ["a"], [1]],
  ["nor one whose $schema is no text", { $defs: { b: { $id: "b", $schema: 7, ...text } }, $ref: "b" }, ["a"], [1]],
  [
    "what is below such a part is of its dialect",
    {
      ...DRAFT[7],
      definitions: { b: { $id: "b", ...DRAFT[2020], items: { $ref: "#/$defs/a", ...text }, $defs: { a: {} } } },
      $ref: "b",
    },
    [["a"]],
    [[1]],
  ],
  [
    "the first of two dynamic anchors of a name stands for it",
    {
      $dynamicAnchor: "x",
      $defs: {
        second: { $dynamicAnchor: "x", ...text },
        list: { $id: "list", items: { $dynamicRef: "#x" }, $defs: { own: { $dynamicAnchor: "x" } } },
      },
      minLength: 2,
      $ref: "list",
    },
    [["ab", 1]],
    [["a"]],
  ],
  [
    "a dynamic reference to an anchor that is not dynamic is a plain one",
    {
      $dynamicAnchor: "x",
      ...text,
      $defs: {},
      allOf: [{ $id: "b", $dynamicRef: "#x", $defs: { a: { $anchor: "x" } }, minLength: 2 }],
    },
    ["ab"],
    [1, "a"],
  ],
  [
    "only a whole part is a recursive anchor",
    { ...DRAFT[2019], $defs: { a: { $recursiveAnchor: true, ...text } }, type: "array", items: { $recursiveRef: "#" } },
    [[[]]],
    [["a"]],
  ],
  [
    "one that is not has $recursiveRef lead to itself",
    {
      ...DRAFT[2019],
      $recursiveAnchor: true,
      maxItems: 1,
      $defs: { b: { $id: "b", $recursiveAnchor: false, items: { $recursiveRef: "#" } } },
      $ref: "b",
    },
    [[[1, 2]]],
    [[1, 2]],
  ],
  [
    "and one that is, to the outermost",
    {
      ...DRAFT[2019],
      $recursiveAnchor: true,
      maxItems: 1,
      $defs: { b: { $id: "b", $recursiveAnchor: true, items: { $recursiveRef: "#" } } },
      $ref: "b",
    },
    [[[1]]],
    [[[1, 2]]],
  ],
  [
    "which 2020-12 has no more",
    {
      ...DRAFT[2020],
      $recursiveAnchor: true,
      maxItems: 1,
      $defs: { b: { $id: "b", ...DRAFT[2019], $recursiveAnchor: true, items: { $recursiveRef: "#" } } },
      $ref: "b",
    },
    [[[1, 2]]],
    [[1, 2]],
  ],
])("%s", (_name, schema, fit, unfit) => {
  expect(fit.map((value) => said(schema, value))).toEqual(fit.map(() => true));
  expect(unfit.map((value) => said(schema, value))).toEqual(unfit.map(() => false));
});

test("an address of 1,000 characters is taken, and one more is not, as it is written and as it is resolved", () => {
  const id = (length: number) => `HTTP://A/${"b".repeat(length - 9)}`;
  const schema = ($id: string): JsonObject => ({ $defs: { a: { $id, ...text } }, $ref: $id.replace("HTTP://A", "http://a") });
  const LONG = "has an $id of more than 1000 characters at #/$defs/a; shorten it";
  expect([said(schema(id(1_000)), "a"), said(schema(id(1_000)), 1), said(schema(id(1_001)), 1)]).toEqual([true, false, LONG]);
  const dots = `HTTP://A/${"a/../".repeat(200)}b`;
  expect(said({ $defs: { a: { $id: dots } } }, 1)).toBe(LONG);
  const below = (length: number): JsonObject => ({ $id: "http://a/", $defs: { a: { $id: "b".repeat(length) } } });
  expect([said(below(991), 1), said(below(992), 1)]).toEqual([true, LONG]);
});

const nested = (levels: number, inner: JsonValue): JsonValue => (levels === 0 ? inner : { items: nested(levels - 1, inner) });
const DEEP = `nests deeper than 32 levels at #${"/items".repeat(33)}; name the inner schemas in $defs`;

test.each<[string, (size: number) => JsonObject, number, string]>([
  ["levels", (levels) => ({ items: nested(levels - 1, {}) }), 32, DEEP],
  [
    "schemas",
    (count) => ({ $defs: Object.fromEntries(Array.from({ length: count - 1 }, (_, n) => [n, true])) }),
    2_000,
    "has more than 2000 schemas in it; say less",
  ],
  [
    "schemas in use",
    (count) => ({ allOf: Array.from({ length: count - 1 }, () => true) }),
    2_000,
    "has more than 2000 schemas in it; say less",
  ],
  [
    "schemas, of which one is used in two scopes",
    (count) => ({
      $defs: {
        a: { $id: "a", $dynamicAnchor: "x", $ref: "c" },
        b: { $id: "b", $dynamicAnchor: "x", $ref: "c" },
        c: { $id: "c", $dynamicAnchor: "x", prefixItems: Array.from({ length: (count - 8) / 2 }, () => true) },
      },
      prefixItems: [{ $ref: "a" }, { $ref: "b" }],
    }),
    1_998,
    "has more than 2000 schemas in it once its references are followed; say less",
  ],
  ["characters", (length) => ({ title: "a".repeat(length - 12) }), 32_768, "is 32769 characters long; at most 32768 are taken"],
])("%s up to a bound are taken", (name, schema, most, problem) => {
  expect(said(schema(most), [])).toBe(true);
  expect(said(schema(name.includes("scopes") ? most + 6 : most + 1), [])).toBe(problem);
});
