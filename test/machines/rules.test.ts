/** What an order may write as a rule: the fields of each, at their bounds. */
import { expect, test } from "vitest";
import { isRule, RULE_SCHEMAS } from "../../machines/validation/rules.ts";
import { judgeResult } from "../../machines/validation/verdict.ts";
import type { JsonObject, JsonValue } from "../../machines/vocabulary.ts";

const list = <T>(length: number, of: T): T[] => Array.from({ length }, () => of);
const name = (length: number) => "n".repeat(length);

function isTaken(rule: JsonObject): boolean {
  const schema = RULE_SCHEMAS.find(({ title }) => title === rule["type"]);
  if (schema === undefined) throw new Error(`no rule ${String(rule["type"])}`);
  const verdict = judgeResult({ schema, rules: [] }, rule);
  return "code" in verdict && verdict.code === null;
}

/** A rule that is taken, one of its fields, and what else it may be and may not. */
test.each<[JsonObject, string, readonly JsonValue[], readonly JsonValue[]]>([
  [
    { type: "required_fields", fields: ["a"] },
    "fields",
    [["a.b", "c"], list(100, "a"), [name(200)]],
    [[], list(101, "a"), [""], [name(201)], [1], "a"],
  ],
  [{ type: "min_length", field: "a", min: 1 }, "field", ["a.b", name(200)], ["", name(201), 1, null]],
  [{ type: "min_length", field: "a", min: 1 }, "min", [0, 1_000_000], [-1, 1_000_001, 1.5, "1"]],
  [{ type: "max_length", field: "a", max: 1 }, "field", [name(200)], ["", name(201), ["a"]]],
  [{ type: "max_length", field: "a", max: 1 }, "max", [0, 1_000_000], [-1, 1_000_001, 1.5, "1"]],
  [{ type: "regex", field: "a", pattern: "b" }, "field", [name(200)], ["", name(201)]],
  [{ type: "regex", field: "a", pattern: "b" }, "pattern", ["^", name(5_000)], ["", 1, null]],
  [{ type: "enum", field: "a", values: [1] }, "field", [name(200)], ["", name(201)]],
  [{ type: "enum", field: "a", values: [1] }, "values", [[null, {}, []], list(1_000, 1)], [[], list(1_001, 1), 1, {}]],
  [{ type: "grounded", field: "a" }, "field", ["a.b", name(200)], ["", name(201), 1, null, ["a"]]],
  [{ type: "field_type", field: "a", expected: "str" }, "field", [name(200)], ["", name(201)]],
  [{ type: "field_type", field: "a", expected: "str" }, "expected", ["int", "float", "bool", "list", "dict"], ["string", "", 1]],
])("%j: %s", (rule, field, right, wrong) => {
  const { [field]: _left, ...without } = rule;
  expect([isTaken(rule), isTaken(without)]).toEqual([true, false]);
  expect(right.filter((value) => !isTaken({ ...rule, [field]: value }))).toEqual([]);
  expect(wrong.filter((value) => isTaken({ ...rule, [field]: value }))).toEqual([]);
});

test("each rule says what it is for, and a schema of one takes no other", () => {
  expect(RULE_SCHEMAS.map(({ title }) => title)).toEqual([
    "required_fields",
    "min_length",
    "max_length",
    "regex",
    "enum",
    "field_type",
    "grounded",
  ]);
  for (const { description, properties } of RULE_SCHEMAS) {
    expect(description).toEqual(expect.stringMatching(/\w/));
    expect(properties).toEqual(expect.objectContaining({ type: { const: expect.any(String) } }));
  }
});

const field = "a";

/** Of another process and of the database; the gateway has seen to the bounds. */
test.each<[readonly unknown[], readonly unknown[]]>([
  [
    [
      { type: "required_fields", fields: ["a", "b"] },
      { type: "required_fields", fields: [] },
    ],
    [{ type: "required_fields", fields: "a" }, { type: "required_fields", fields: ["a", 1] }, { type: "required_fields" }],
  ],
  [
    [{ type: "min_length", field, min: 1 }],
    [
      { type: "min_length", field: 1, min: 1 },
      { type: "min_length", field, min: "1" },
      { type: "min_length", field },
    ],
  ],
  [
    [{ type: "max_length", field, max: 0 }],
    [
      { type: "max_length", field: [], max: 1 },
      { type: "max_length", field, max: null },
    ],
  ],
  [
    [{ type: "regex", field, pattern: "" }],
    [
      { type: "regex", field, pattern: 1 },
      { type: "regex", pattern: "a" },
    ],
  ],
  [
    [
      { type: "enum", field, values: [1, null, { a: [] }] },
      { type: "enum", field, values: [] },
    ],
    [
      { type: "enum", field, values: 1 },
      { type: "enum", field, values: {} },
      { type: "enum", field, values: [undefined] },
    ],
  ],
  [
    [
      { type: "field_type", field, expected: "str" },
      { type: "field_type", field, expected: "dict" },
    ],
    [
      { type: "field_type", field, expected: "string" },
      { type: "field_type", field, expected: null },
    ],
  ],
  [[{ type: "grounded", field }], [{ type: "grounded" }, { type: "grounded", field: ["a"] }, { type: "Grounded", field }]],
  [[], [null, undefined, "a", 7, [], {}, { type: "other" }, { type: 7 }, { type: "toString" }, { field, min: 1 }]],
])("%j are rules, and %j are not", (rules, others) => {
  expect(rules.filter((rule) => !isRule(rule))).toEqual([]);
  expect(others.filter(isRule)).toEqual([]);
});
