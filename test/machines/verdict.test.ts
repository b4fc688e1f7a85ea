/** What is said of a result that does not fit: which field, in which words, and how much of it. */
import { describe, expect, test } from "vitest";
import type { FieldError, Rule } from "../../machines/validation/rules.ts";
import { isLight, isQuicklyMeasured, judgeResult, LIGHT_STEPS_MAX, measureDemands } from "../../machines/validation/verdict.ts";
import type { JsonObject, JsonValue } from "../../machines/vocabulary.ts";

/** An object with this name looks like a promise; here it is none. */
const THEN = "then";
const WHOLE = "(the whole result)";
const list = <T>(length: number, make: (n: number) => T) => Array.from({ length }, (_, n) => make(n));

function errorsOf(schema: JsonObject, result: JsonValue, rules: readonly Rule[] = []): readonly FieldError[] {
  const verdict = judgeResult({ schema, rules }, result);
  if ("problem" in verdict) throw new Error(verdict.problem);
  return verdict.errors;
}
/** Fields and messages as `field: message`. */
const said = (schema: JsonObject, result: JsonValue) =>
  errorsOf(schema, result).map(({ field, message }) => `${field}: ${message}`);

test.each<[JsonObject, JsonValue, readonly string[]]>([
  [{ type: "string" }, 1, [`${WHOLE}: must be string`]],
  [{ type: ["string", "null"] }, 1, [`${WHOLE}: must be string,null`]],
  [{ minimum: 2 }, 1, [`${WHOLE}: must be >= 2`]],
  [{ const: { b: 1, a: "x" } }, 1, [`${WHOLE}: must be {"a":"x","b":1}`]],
  [{ enum: [1, "a", null] }, 2, [`${WHOLE}: must be one of 1, "a", null`]],
  [{ uniqueItems: true }, [1, 1], [`${WHOLE}: must not have the same item twice`]],
  [{ multipleOf: 0.01 }, 0.005, [`${WHOLE}: must be a multiple of 0.01`]],
  [{ format: "date" }, "x", [`${WHOLE}: must be a valid date`]],
  [{ not: {} }, 1, [`${WHOLE}: must not be what the schema excludes`]],
  [{ properties: { a: false } }, { a: 1 }, ["a: must not be there"]],
  [
    { additionalProperties: false },
    { a: 1, "b/c~d": 2 },
    ["a: is not a field that the schema has", "b/c~d: is not a field that the schema has"],
  ],
  [{ properties: { a: { additionalProperties: false } } }, { a: { b: 1 } }, ["a.b: is not a field that the schema has"]],
  [{ unevaluatedProperties: false }, { a: 1 }, [`${WHOLE}: must not have fields that the schema does not name`]],
  [{ unevaluatedItems: false }, [1], [`${WHOLE}: must not have items that the schema does not name`]],
  [{ items: { properties: { "a/b": { type: "string" } } } }, [{}, { "a/b": 1 }], ["1.a/b: must be string"]],
  [{ properties: { "a~1b": { type: "string" } } }, { "a~1b": 1 }, ["a~1b: must be string"]],
  [{ required: ["a", "", "b"] }, { b: 1 }, ["a: is required", ": is required"]],
  [{ properties: { a: { required: ["b"] } } }, { a: {} }, ["a.b: is required"]],
  [{ dependentRequired: { a: ["b", "a"], c: ["d"] } }, { a: 1 }, ["b: is required"]],
  [{ items: { dependentRequired: { a: ["b"] } } }, [{ a: 1 }], ["0.b: is required"]],
  [{ type: "string", minimum: 2 }, 1, [`${WHOLE}: must be string`, `${WHOLE}: must be >= 2`]],
])("%j of %j says %j", (schema, result, sentences) => {
  expect(said(schema, result)).toEqual(sentences);
});

describe("a choice is one error for its field", () => {
  const text = { type: "string" };
  test.each<[string, JsonObject, JsonValue, readonly string[]]>([
    ["with the reason of each branch", { anyOf: [text, { minimum: 2 }] }, 1, [`${WHOLE}: must be string, or must be >= 2`]],
    ["once where they are the same", { oneOf: [text, text] }, 1, [`${WHOLE}: must be string`]],
    [
      "where several fit",
      { oneOf: [{}, {}] },
      1,
      [`${WHOLE}: must fit one of the kinds that the schema lists, and fits several`],
    ],
    [
      "where no branch says why",
      { anyOf: [{ required: ["a"] }, { properties: { b: text } }] },
      { b: 1 },
      ["a: is required", "b: must be string", `${WHOLE}: must fit one of the kinds that the schema lists`],
    ],
    [
      "not with what is said of others",
      { properties: { a: text, b: { anyOf: [text, { type: "null" }] } } },
      { a: 1, b: 1 },
      ["a: must be string", "b: must be string, or must be null"],
    ],
    ["a condition says what its branch says", { if: {}, [THEN]: text }, 1, [`${WHOLE}: must be string`]],
    ["or its other one", { if: false, else: { properties: { a: text } } }, { a: 1 }, ["a: must be string"]],
  ])("%s", (_name, schema, result, sentences) => {
    expect(said(schema, result)).toEqual(sentences);
  });
});

describe("what is said is bounded", () => {
  test("to 20 errors of the schema", () => {
    expect(
      errorsOf(
        { items: { type: "string" } },
        list(20, (n) => n),
      ),
    ).toHaveLength(20);
    expect(
      errorsOf(
        { items: { type: "string" } },
        list(500, (n) => n),
      ).map(({ field }) => field),
    ).toEqual(list(20, String));
    expect(errorsOf({ required: list(50, (n) => `f${n}`) }, {}).map(({ field }) => field)).toEqual(list(20, (n) => `f${n}`));
  });

  test("to 20 errors of rules", () => {
    expect(errorsOf({}, {}, [{ type: "required_fields", fields: list(21, (n) => `f${n}`) }])).toHaveLength(20);
  });

  test("to 400 characters of a choice, with no character cut in half", () => {
    const branches = (bound: string) => ({ anyOf: [{ const: bound }, { type: "null" }, { minimum: 2 }] });
    const words = (schema: JsonObject) => errorsOf(schema, 1)[0]?.message ?? "";
    expect(words(branches("a"))).toBe('must be "a", or must be null, or must be >= 2');
    const three = { anyOf: list(3, (n) => ({ enum: [`${n}${"x".repeat(180)}`] })) };
    expect(words({ anyOf: [...three.anyOf, { type: "null" }] })).toHaveLength(401);
    expect(words({ anyOf: [...three.anyOf, { type: "null" }] }).endsWith("…")).toBe(true);
  });

  test("to 400 characters of any sentence", () => {
    const words = (pattern: string) => errorsOf({ pattern }, "a")[0]?.message;
    // Of the sentence, 21 characters are around the pattern.
    expect(words("b".repeat(379))).toBe(`must match pattern "${"b".repeat(379)}"`);
    expect(words("b".repeat(380))).toBe(`must match pattern "${"b".repeat(380)}…`);
    expect(words(`${"b".repeat(379)}😀`)).toBe(`must match pattern "${"b".repeat(379)}\ufffd…`);
  });

  test("to 200 characters of the values that are listed", () => {
    const words = (values: JsonValue[]) => errorsOf({ enum: values }, 1)[0]?.message;
    expect(words(["a".repeat(198)])).toBe(`must be one of "${"a".repeat(198)}"`);
    expect(words(["a".repeat(199)])).toBe("must be one of the values that the schema lists");
    expect(words(["a".repeat(97), "b".repeat(97)])).toBe(`must be one of "${"a".repeat(97)}", "${"b".repeat(97)}"`);
    expect(words(["a".repeat(97), "b".repeat(100)])).toBe(`must be one of "${"a".repeat(97)}", …`);
  });
});

describe("demands that are wrong are said to be, and not the result", () => {
  test.each<[string, JsonObject, readonly Rule[], string, RegExp]>([
    ["in the schema", { type: "any" }, [], "schema", /^is not a JSON Schema at #\/type: /],
    [
      "in a pattern of the schema",
      { items: { pattern: "(" } },
      [],
      "schema",
      /^has a pattern at #\/items\/pattern that is no regular expression \(ECMA-262\): /,
    ],
    [
      "in a name of the schema",
      { patternProperties: { "(/": {} } },
      [],
      "schema",
      /^has a pattern at #\/patternProperties\/\(~1 that is no regular expression/,
    ],
    [
      "in a rule",
      {},
      [
        { type: "min_length", field: "a", min: 1 },
        { type: "regex", field: "a", pattern: "[" },
      ],
      "rules",
      /^has a pattern in rule 1 that is no regular expression/,
    ],
  ])("%s", (_name, schema, rules, field, problem) => {
    expect(judgeResult({ schema, rules }, "a")).toEqual({ field, problem: expect.stringMatching(problem) });
  });

  test("also where a value goes so deep that the stack ends", () => {
    const deep = list(50_000, (n) => n).reduce<JsonValue>((inner) => [inner], 1);
    expect(judgeResult({ schema: { items: { $ref: "#" } }, rules: [] }, deep)).toEqual({
      field: "schema",
      problem: "cannot be checked by: its patterns are too large, or it refers on too deep; say less",
    });
  });
});

describe("what is surely quick", () => {
  const schemas = (count: number): JsonObject => ({ allOf: list(count - 1, () => true), title: `of ${count}` });
  const rules = (characters: number): readonly Rule[] => [
    {
      type: "enum",
      field: "a",
      values: ["x".repeat(characters - JSON.stringify([{ type: "enum", field: "a", values: [""] }]).length)],
    },
  ];
  const isLightOf = (schema: JsonObject, ofRules: readonly Rule[] = []) => {
    const measured = measureDemands({ schema, rules: ofRules });
    if ("problem" in measured) throw new Error(measured.problem);
    return isLight(measured, 1);
  };

  test("is a judgement by up to 16 schemas and 2,000 characters of rules, without a pattern", () => {
    expect([16, 17].map((count) => isLightOf(schemas(count)))).toEqual([true, false]);
    expect([2_000, 2_001].map((count) => isLightOf({}, rules(count)))).toEqual([true, false]);
    expect([{}, { pattern: "quick" }].map((schema) => isLightOf(schema))).toEqual([true, false]);
  });

  test("or by what has been compiled, the rules as well", () => {
    const once = (result: JsonValue) => {
      const demands = { schema: { ...schemas(17), type: "number", $comment: String(result) }, rules: [] };
      judgeResult(demands, result);
      return isLightOf(demands.schema);
    };
    expect([once(1), once("a")]).toEqual([true, false]);
  });

  test("and as many steps as certainly take no time", () => {
    // The schema, its keyword, and one step for each item.
    const items = (count: number) => list(count - 2, (n) => n);
    const measured = measureDemands({ schema: { items: true }, rules: [] });
    if ("problem" in measured) throw new Error(measured.problem);
    expect([LIGHT_STEPS_MAX, LIGHT_STEPS_MAX + 1].map((steps) => isLight(measured, items(steps)))).toEqual([true, false]);
  });

  test("to measure are demands of up to 4,000 characters, those that are refused unread, and those that are known", () => {
    const demands = (characters: number) => ({ schema: { title: "q".repeat(characters - 14) }, rules: [] });
    expect([4_000, 4_001, 32_770, 32_771].map((count) => isQuicklyMeasured(demands(count)))).toEqual([true, false, false, true]);
    const known = demands(5_000);
    expect(measureDemands(known)).toBe(measureDemands(structuredClone(known)));
    expect(isQuicklyMeasured(known)).toBe(true);
    const wrong = { schema: { title: "q".repeat(5_000), type: "any" }, rules: [] };
    measureDemands(wrong);
    expect(isQuicklyMeasured(wrong)).toBe(false);
  });

  test("is no longer what was measured before others that fill the memory for it", () => {
    const large = (name: string) => ({ schema: { allOf: list(1_990, () => true), title: name }, rules: [] });
    const names = ["first", "second", "third"];
    for (const name of names) measureDemands(large(name));
    expect(names.map((name) => isQuicklyMeasured(large(name)))).toEqual([false, true, true]);
    const heavy = (n: number) => ({
      schema: { properties: Object.fromEntries(list(40, (k) => [`p${k}`, { pattern: `${"x".repeat(250)}${n}-${k}` }])) },
      rules: [],
    });
    const many = list(14, heavy);
    for (const one of many) measureDemands(one);
    const kept = many.filter((one) => isQuicklyMeasured(one)).length;
    expect([kept > 10, kept < 14]).toEqual([true, true]);
  });

  test("demands say what they weigh, and whether a pattern of theirs runs natively", () => {
    const of = (schema: JsonObject, ofRules: readonly Rule[]) => {
      const measured = measureDemands({ schema, rules: ofRules });
      return "problem" in measured ? measured : [measured.patternWeight, measured.native];
    };
    const regex = (pattern: string): Rule => ({ type: "regex", field: "a", pattern });
    expect(of({}, [])).toEqual([0, false]);
    expect(of({ properties: { a: { pattern: "abc" }, b: { pattern: "abc" } }, patternProperties: { x: {} } }, [])).toEqual([
      4,
      false,
    ]);
    expect(of({ pattern: "abc" }, [regex("de"), { type: "min_length", field: "a", min: 1 }, regex("de")])).toEqual([7, false]);
    expect(of({ pattern: "(?=a)" }, [regex("de")])).toEqual([expect.any(Number), true]);
    expect(of({}, [regex("(?=a)"), regex("de")])).toEqual([expect.any(Number), true]);
    const heavy = list(10, (): Rule => regex("x{998}"));
    const weight = (weighed: unknown) => (Array.isArray(weighed) ? Number(weighed[0]) : 0);
    const left = 10_000 - weight(of({}, heavy));
    expect(of({ pattern: "y".repeat(left) }, heavy)).toEqual([10_000, false]);
    expect(of({ pattern: "y".repeat(left + 1) }, heavy)).toEqual([10_001, true]);
  });
});
