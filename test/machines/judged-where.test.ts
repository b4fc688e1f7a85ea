/** What is surely cheap is judged where other work waits; rules and equality by value. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isLight, judgeResult, LIGHT_STEPS_MAX, measureDemands } from "../../machines/validation/verdict.ts";
import { Count } from "../../machines/validation/work.ts";
import type { JsonObject, JsonValue } from "../../machines/vocabulary.ts";

type Rules = Parameters<typeof measureDemands>[0]["rules"];

function light(schema: JsonObject, rules: Rules, result: JsonValue): boolean {
  const measured = measureDemands({ schema, rules });
  if ("problem" in measured) throw new Error(measured.problem);
  return isLight(measured, result);
}
const judged = (rules: Rules, result: JsonValue) => judgeResult({ schema: {}, rules }, result);

describe("a pattern is judged where it can be ended", () => {
  // Patterns of their own, so that nothing is compiled already.
  test.each<[string, JsonObject, Rules]>([
    ["in a rule", {}, [{ type: "regex", field: "a", pattern: "^first rule$" }]],
    [
      "in a rule behind others",
      {},
      [
        { type: "required_fields", fields: ["a"] },
        { type: "regex", field: "a", pattern: "second" },
      ],
    ],
    ["in a rule that only the native engine runs", {}, [{ type: "regex", field: "a", pattern: "(?=third)t" }]],
    ["in a schema", { properties: { a: { pattern: "^fourth$" } } }, []],
    ["in the names of a schema", { patternProperties: { "^fifth$": true } }, []],
  ])("%s", (_name, schema, rules) => {
    expect(light(schema, rules, { a: "x" })).toBe(false);
  });

  test("even when it is compiled, where only the native engine runs it", () => {
    const rules: Rules = [{ type: "regex", field: "a", pattern: "^(?=sixth)(s|s)*" }];
    judged(rules, { a: "x" });
    expect(light({}, rules, { a: "x" })).toBe(false);
  });

  test("and may be judged at once when the linear engine has compiled it", () => {
    const rules: Rules = [{ type: "regex", field: "a", pattern: "^seventh$" }];
    judged(rules, { a: "x" });
    expect(light({}, rules, { a: "x" })).toBe(true);
    expect(light({}, rules, { a: "x".repeat(LIGHT_STEPS_MAX) })).toBe(false);
  });
});

test("rules of every other kind are light, and what is large is not", () => {
  const rules: Rules = [
    { type: "required_fields", fields: ["a"] },
    { type: "min_length", field: "a", min: 1 },
    { type: "max_length", field: "a", max: 5 },
    { type: "enum", field: "a", values: ["x"] },
    { type: "field_type", field: "a", expected: "str" },
  ];
  expect(light({}, rules, { a: "x" })).toBe(true);
  for (const rule of rules.slice(1, 4)) expect(light({ title: rule.type }, [rule], { a: "x".repeat(60_000) })).toBe(false);
});

test("a count is over once it is past its bound, and not at it", () => {
  const count = new Count(3);
  count.add(3);
  expect(count.over).toBe(false);
  count.add(1);
  expect(count.over).toBe(true);
});

describe("the rule enum compares values", () => {
  const oneOf = (values: JsonValue[], value: JsonValue) => {
    const verdict = judged([{ type: "enum", field: "f", values }], { f: value });
    return "code" in verdict && verdict.code === null;
  };

  test("not by which object they are, nor by the order of their keys", () => {
    expect(oneOf([{ a: 1, b: [2, { c: 3 }] }], { b: [2, { c: 3 }], a: 1 })).toBe(true);
    expect(oneOf([{ a: 1, b: [2] }], { a: 1, b: [3] })).toBe(false);
    expect(oneOf([[1, 2]], [1, 2])).toBe(true);
    expect(oneOf([[1, 2]], [2, 1])).toBe(false);
    expect(oneOf([1], 1)).toBe(true);
    expect([oneOf(["1"], 1), oneOf([0], false), oneOf([null], false), oneOf([[]], {})]).toEqual([false, false, false, false]);
  });

  test("for any value: a copy is one of them", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ maxDepth: 3 }), { minLength: 1, maxLength: 4 }), (values) => {
        const plain = JSON.parse(JSON.stringify(values)) as JsonValue[];
        for (const value of plain) expect(oneOf(plain, structuredClone(value))).toBe(true);
        expect(oneOf(plain, "none of them, surely")).toBe(false);
      }),
    );
  });
});

describe("a rule at its boundary", () => {
  test.each<[string, Rules[number], JsonValue, boolean]>([
    ["min_length of a text", { type: "min_length", field: "f", min: 2 }, "ab", true],
    ["min_length, one less", { type: "min_length", field: "f", min: 2 }, "a", false],
    ["min_length of a list", { type: "min_length", field: "f", min: 1 }, [0], true],
    ["min_length of an empty list", { type: "min_length", field: "f", min: 1 }, [], false],
    ["min_length counts characters", { type: "min_length", field: "f", min: 2 }, "😀", false],
    ["min_length of 0 of a number", { type: "min_length", field: "f", min: 0 }, 5, false],
    ["max_length of a text", { type: "max_length", field: "f", max: 2 }, "😀😀", true],
    ["max_length, one more", { type: "max_length", field: "f", max: 2 }, "abc", false],
    ["max_length of a list", { type: "max_length", field: "f", max: 1 }, [1, 2], false],
    ["max_length of a number", { type: "max_length", field: "f", max: 9 }, 5, false],
    ["field_type int of 1.0", { type: "field_type", field: "f", expected: "int" }, 1, true],
    ["field_type int of 1.5", { type: "field_type", field: "f", expected: "int" }, 1.5, false],
    ["field_type float of 1", { type: "field_type", field: "f", expected: "float" }, 1, true],
    ["field_type dict of a list", { type: "field_type", field: "f", expected: "dict" }, [], false],
    ["field_type dict of null", { type: "field_type", field: "f", expected: "dict" }, null, false],
    ["field_type list of an object", { type: "field_type", field: "f", expected: "list" }, {}, false],
    ["field_type bool of 0", { type: "field_type", field: "f", expected: "bool" }, 0, false],
    ["required_fields of null", { type: "required_fields", fields: ["f"] }, null, true],
    ["regex of what is no text", { type: "regex", field: "f", pattern: "5" }, 5, false],
    ["regex found within", { type: "regex", field: "f", pattern: "b" }, "abc", true],
  ])("%s", (_name, rule, value, fits) => {
    expect(judged([rule], { f: value })).toMatchObject({ code: fits ? null : "RULE_VIOLATION" });
  });

  test("a field that is not there is required_fields' matter alone; paths go down, and names with dots come first", () => {
    const long: Rules[number] = { type: "min_length", field: "a.b", min: 2 };
    expect(judged([long], {})).toMatchObject({ code: null });
    expect(judged([long], { a: { b: "x" } })).toMatchObject({ code: "RULE_VIOLATION", errors: [{ field: "a.b" }] });
    expect(judged([long], { "a.b": "xx", a: { b: "x" } })).toMatchObject({ code: null });
    expect(judged([{ type: "required_fields", fields: ["a.b", "c", "d"] }], { a: {}, c: 1 })).toMatchObject({
      errors: [{ field: "a.b" }, { field: "d" }],
    });
    expect(judged([{ type: "required_fields", fields: ["a.toString"] }], { a: {} })).toMatchObject({ code: "RULE_VIOLATION" });
  });
});
