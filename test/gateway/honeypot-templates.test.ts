/** Templates of honeypots: what they are filled with, and that those that come with the platform are good ones. */
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { wrongWith } from "../../gateway/honeypots/check.ts";
import { type Filled, fill } from "../../gateway/honeypots/fill.ts";
import { STARTERS } from "../../gateway/honeypots/starters/index.ts";
import type { Draw, Template } from "../../gateway/honeypots/template.ts";
import { isKnownAnswer } from "../../machines/market/honeypot.ts";
import { judgeResult } from "../../machines/validation/verdict.ts";
import { BOUNDS, type JsonValue } from "../../machines/vocabulary.ts";
import { readConfig } from "../../src/app/settings/config.ts";

/** Draws as a secret would, from a counter. */
function drawsOf(seed: string): Draw {
  let count = 0;
  return (below) => {
    count += 1;
    return createHash("sha256").update(`${seed} ${count}`).digest().readUIntBE(0, 6) % below;
  };
}

const passes = ({ schema, rules }: Filled, result: JsonValue) => judgeResult({ schema, rules }, result);
const leaves = (value: JsonValue): readonly JsonValue[] =>
  typeof value === "object" && value !== null ? Object.values(value).flatMap(leaves) : [value];
const named = STARTERS.map((template, n) => [`${n} ${template.taskType}: ${template.text.slice(0, 40)}`, template] as const);

describe("the templates that come with the platform", () => {
  test("are 40, and some of each task type", () => {
    expect(STARTERS).toHaveLength(40);
    expect(new Set(STARTERS.map(({ taskType }) => taskType))).toEqual(new Set(readConfig({}).taskTypes));
    expect(new Set(STARTERS.map(({ text }) => text)).size).toBe(40);
  });

  test.each(named)(
    "%s: fills, its schema takes answer and example, which differ, and the bounds of tasks hold",
    (_, template) => {
      expect(wrongWith(template)).toBeUndefined();
      for (let n = 0; n < 40; n += 1) {
        const filled = fill(template, drawsOf(`bounds ${n}`));
        const { inputData, known, exampleOutput, budget, maxSeconds, schema } = filled;
        expect(passes(filled, known)).toMatchObject({ code: null });
        expect(passes(filled, exampleOutput)).toMatchObject({ code: null });
        expect(isKnownAnswer(exampleOutput, known)).toBe(false);
        expect(isKnownAnswer(known, known)).toBe(true);
        expect(inputData).not.toMatch(/\{[a-z]|\[\[|\]\]|\|/);
        expect(JSON.stringify([schema, known, exampleOutput])).not.toMatch(/\{[a-z]|\[\[|\]\]|\|/);
        expect(inputData.length).toBeLessThanOrEqual(BOUNDS.inputCharacters);
        expect([
          budget >= BOUNDS.budgetMin,
          budget <= 40,
          maxSeconds >= 30,
          maxSeconds <= BOUNDS.executionSecondsMax,
        ]).not.toContain(false);
      }
    },
  );

  test.each(named)("%s: 1,000 fills are 1,000 texts with as many answers", (_, template) => {
    const filled = Array.from({ length: 1_000 }, (__, n) => fill(template, drawsOf(`${n}`)));
    expect(new Set(filled.map(({ inputData }) => inputData)).size).toBe(1_000);
    expect(new Set(filled.map(({ known }) => JSON.stringify(known))).size).toBeGreaterThan(850);
    expect(new Set(filled.map(({ exampleOutput }) => JSON.stringify(exampleOutput))).size).toBeGreaterThan(850);
    expect(new Set(filled.map(({ budget }) => budget)).size).toBeGreaterThan(5);
  });

  test.each(named.filter(([, { taskType }]) => taskType === "json_extraction"))(
    "%s: what is to be found is in the text, as it stands or as a day or a sum",
    (_, template) => {
      const worked = JSON.stringify(template.blanks).match(/"kind":"(sum|difference|times|date)"/g)?.length ?? 0;
      for (let n = 0; n < 100; n += 1) {
        const { inputData, known } = fill(template, drawsOf(`found ${n}`));
        const plain = inputData.replaceAll(/(?<=\d),(?=\d{3})/g, "");
        const missing = leaves(known).filter((leaf) => !plain.includes(String(leaf)));
        expect(missing.length, JSON.stringify([inputData, known])).toBeLessThanOrEqual(worked);
        expect(missing.every((leaf) => typeof leaf === "number" || /^\d{4}-\d\d-\d\d$/.test(String(leaf)))).toBe(true);
      }
    },
  );
});

const TEMPLATE: Template = {
  taskType: "json_extraction",
  text: "[[Paid|Sent]]: {a} and {b}, by {who}[[ today|]].",
  blanks: {
    a: { kind: "number", from: 1_000, to: 9_999, grouped: true },
    b: { kind: "number", from: 10, to: 99 },
    who: {
      kind: "one",
      of: [
        ["Ann", "ann"],
        ["Bob", "bob"],
      ],
    },
    sum: { kind: "sum", of: ["a", "b"] },
    less: { kind: "difference", of: ["a", "b"] },
    times: { kind: "times", of: ["a", "b"] },
    most: { kind: "largest", of: ["a", "b"], names: ["who", "b"] },
    least: { kind: "smallest", of: ["a", "b"], names: ["who", "b"] },
  },
  schema: { type: "object", properties: { "x|y": { type: "integer", description: "[[a|b]] sum" } }, required: ["x|y"] },
  answer: { "x|y": "{sum}", all: ["{less}", "{times}", "{most}", "{least}"], said: "{who} has {b}" },
  budget: [7, 9],
  seconds: [60],
};

test("numbers are worked out, names are chosen once, and a blank within a text is written out", () => {
  for (let n = 0; n < 50; n += 1) {
    const { inputData, known, schema, exampleOutput, budget } = fill(TEMPLATE, drawsOf(`${n}`));
    const [, a = "", b = "", who = ""] =
      /^(?:Paid|Sent): (\d,\d{3}) and (\d\d), by (Ann|Bob)(?: today)?\.$/.exec(inputData) ?? [];
    const [large, small] = [Number(a.replace(",", "")), Number(b)];
    const name = Object.hasOwn(Object(known), "x") ? "x" : "y";
    expect(known).toEqual({
      [name]: large + small,
      all: [large - small, large * small, who.toLowerCase(), small],
      said: `${who.toLowerCase()} has ${small}`,
    });
    expect(Object.keys(Object(exampleOutput))).toEqual(Object.keys(Object(known)));
    expect(schema).toMatchObject({
      properties: { [name]: { description: expect.stringMatching(/^[ab] sum$/) } },
      required: [name],
    });
    expect([7, 8, 9]).toContain(budget);
  }
});

test("the same draws make the same task, and other draws another one", () => {
  expect(fill(TEMPLATE, drawsOf("1"))).toEqual(fill(TEMPLATE, drawsOf("1")));
  expect(fill(TEMPLATE, drawsOf("1"))).not.toEqual(fill(TEMPLATE, drawsOf("2")));
});

test.each([
  ["names a blank that is none", { text: "{a} {b} {who} {typo}" }, /\{typo\} is not among its blanks/],
  ["has an answer without a blank", { answer: { x: 1 } }, /no blank/],
  ["has an answer that its text does not always tell", { text: "[[{a}|nothing]] {b} {who}" }, /\{a\}, which the answer needs/],
  ["pays less at most than at least", { budget: [9, 7] as const }, /lowest budget/],
  ["gives no time", { seconds: [] }, /no time/],
])("a template that %s is wrong", (_, changes, why) => {
  expect(wrongWith(TEMPLATE)).toBeUndefined();
  expect(wrongWith({ ...TEMPLATE, text: "[[{a} to|of {a},]] {b} {who}" })).toBeUndefined();
  expect(wrongWith({ ...TEMPLATE, ...changes })).toMatch(why);
});

test.each([
  [
    "cannot differ",
    { blanks: { ...TEMPLATE.blanks, b: { kind: "number", from: 5, to: 5 }, a: { kind: "number", from: 5, to: 5 } } },
  ],
  ["have one answer only", { answer: { x: "{one}" }, blanks: { ...TEMPLATE.blanks, one: { kind: "code", pattern: "ok" } } }],
  ["are worked out of what is no whole number", { blanks: { ...TEMPLATE.blanks, a: { kind: "person" } } }],
  ["are worked out of what comes after them", { blanks: { sum: { kind: "sum", of: ["a", "b"] }, ...TEMPLATE.blanks } }],
] as const)("a template whose blanks %s is refused with a sentence", (_, changes) => {
  expect(() => fill({ ...TEMPLATE, ...changes } as Template, drawsOf("1"))).toThrow(/its |no whole number|no blank/);
});
