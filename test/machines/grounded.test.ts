/** Whether the strings of a result occur in the text that it is about: rule `grounded`. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countGrounded, folded, lengthMax, SourceText, stringsIn, ungrounded } from "../../machines/validation/grounded.ts";
import { type Rule, readSource } from "../../machines/validation/rules.ts";
import { isLight, judgeResult, measureDemands } from "../../machines/validation/verdict.ts";
import { Count } from "../../machines/validation/work.ts";
import type { JsonValue } from "../../machines/vocabulary.ts";

const rule: Rule = { type: "grounded", field: "f" };
const judged = (value: JsonValue, input?: string, rules: readonly Rule[] = [rule]) =>
  judgeResult({ schema: {}, rules }, { f: value }, input);
const fits = (value: JsonValue, input: string) => {
  const verdict = judged(value, input);
  return "code" in verdict && verdict.code === null;
};

const TEXT = "Apple Inc reported Q3 revenue of $81.8 billion, up 5% year over year.";

test.each<[string, JsonValue, string, boolean]>([
  ["a word of it", "Apple", TEXT, true],
  ["all of it", TEXT, TEXT, true],
  ["its beginning and its end", ["Apple Inc rep", "over year."], TEXT, true],
  ["one character more", `${TEXT}.`, TEXT, false],
  ["in another case", "aPPLE inc", TEXT, true],
  ["with other blanks", " Apple\u00a0\n Inc\t", TEXT, true],
  ["without the blanks, and with ones within words", ["AppleInc", "rev enue"], TEXT, true],
  ["another word", "Initech", TEXT, false],
  ["words that are not together", "Apple reported", TEXT, false],
  ["strings in lists and objects", { a: ["Apple", { b: "Q3" }], c: "billion" }, TEXT, true],
  ["one wrong string, deep in it", { a: ["Apple", { b: ["Q4"] }] }, TEXT, false],
  ["names of properties, which are not looked at", { Initech: "Apple" }, TEXT, true],
  ["numbers, true and null, which are not looked at", [7, true, null, { n: 4.5 }], TEXT, true],
  ["a number as a text", "7", TEXT, false],
  ["nothing", "", TEXT, true],
  ["nothing visible", " \u00ad\u200b\ufeff", TEXT, true],
  ["an empty list", [], TEXT, true],
  ["a soft hyphen in the text", "Donaudampfschiff", "Donau\u00addampf\u00adschiff", true],
  ["a soft hyphen in the result", "Donau\u00addampf", "Donaudampfschiff", true],
  ["zero-width blanks, joiners, a byte order mark", "\ufeffa\u200bb\u200dc\u2060d", "abcd", true],
  ["blanks of all kinds", "a b", "a\u0085\u1680\u2003\u2028\u202f\u3000\vb", true],
  ["composed and decomposed", ["caf\u00e9", "cafe\u0301"], "cafe\u0301 CAF\u00c9", true],
  ["another accent", "caf\u00e8", "caf\u00e9", false],
  ["a ligature, full width, a superscript", ["office", "ABC", "m2"], "o\ufb03ce \uff21\uff22\uff23 m\u00b2", true],
  ["\u00df and its capitals", ["STRASSE", "stra\u1e9ee", "strasse"], "Stra\u00dfe", true],
  [
    "a sigma at the end of a word, and not",
    ["\u039f\u0394\u03a5\u03a3", "\u03bf\u03b4\u03c5\u03c2"],
    "\u039f\u0394\u03a5\u03a3\u03a3\u0395\u0391\u03a3",
    true,
  ],
  ["a long s and the sign of Kelvin", ["sun", "5k"], "\u017fun 5\u212a", true],
  ["a pair of surrogates", "\ud83d\ude00", "a\ud83d\ude00b", true],
])("%s: %j in %j is %s", (_what, value, input, expected) => {
  expect(fits(value, input)).toBe(expected);
});

test("a field that is not there is required_fields' matter; paths go down, and names with dots come first", () => {
  const at = (field: string, result: JsonValue) =>
    judgeResult({ schema: {}, rules: [{ type: "grounded", field }] }, result, "seen");
  expect(at("f", {})).toMatchObject({ code: null });
  expect(at("f", "unseen")).toMatchObject({ code: null });
  expect(at("a.b", { a: { b: "unseen" } })).toMatchObject({ code: "RULE_VIOLATION", errors: [{ field: "a.b" }] });
  expect(at("a.b", { "a.b": "seen", a: { b: "unseen" } })).toMatchObject({ code: null });
  expect(at("f", { f: "seen", g: "unseen" })).toMatchObject({ code: null });
});

test("an example is not held against a text, nor is anything where there is none", () => {
  expect(judged("Initech")).toEqual({ code: null, errors: [] });
});

test("each string that does not occur is named once, shortened, and no more than a few", () => {
  const long = "x".repeat(61);
  expect(judged(["Initech", "Apple", "Initech", long], TEXT)).toEqual({
    code: "RULE_VIOLATION",
    errors: [
      { field: "f", message: '"Initech" does not occur in the task\'s text' },
      { field: "f", message: `"${"x".repeat(60)}…" does not occur in the task's text` },
    ],
  });
  expect(judged("x".repeat(60), TEXT)).toMatchObject({
    errors: [{ message: `"${"x".repeat(60)}" does not occur in the task's text` }],
  });
  // Cut between two halves of a character, a sentence would be no valid UTF-8.
  expect(ungrounded(`${"x".repeat(59)}😀`, new SourceText("a"))).toEqual([
    `"${"x".repeat(59)}\ufffd…" does not occur in the task's text`,
  ]);
  expect(
    ungrounded(
      Array.from({ length: 25 }, (_, n) => `no ${n}`),
      new SourceText("a"),
    ),
  ).toHaveLength(20);
});

describe("folding", () => {
  test("of every character is that of its capital and of its small form, and of itself folded", () => {
    const wrong: string[] = [];
    for (let point = 0; point < 0x20000; point += 1) {
      const one = String.fromCodePoint(point);
      const form = folded(one);
      // A capital I with a dot is two characters when it is small, in every language but two.
      if ([one.toUpperCase(), one.toLowerCase(), form].some((other) => folded(other) !== form)) wrong.push(point.toString(16));
    }
    expect(wrong).toEqual([]);
  });

  test("leaves a part of a text a part of it", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 40 });
    fc.assert(
      fc.property(text, fc.nat(), fc.nat(), (whole, one, other) => {
        const parts = [...new Intl.Segmenter().segment(whole)].map(({ segment }) => segment);
        const [from, to] = [one % (parts.length + 1), other % (parts.length + 1)].sort((a, b) => a - b);
        expect(new SourceText(whole).has(parts.slice(from, to).join(""))).toBe(true);
      }),
    );
  });
});

/** As many different strings as make plain search costly. */
const many = (size: number) => Array.from({ length: size }, (_, n) => `${n} ${"z".repeat(20)}`);

describe("in a result with very many strings", () => {
  test.each([
    ["letters", "the quick brown fox jumps over the lazy dog ".repeat(100)],
    ["one letter", "a".repeat(2_000)],
    ["two letters in turn", "ab".repeat(1_000)],
    ["one character", "a"],
    ["nothing", ""],
  ])("the index finds what plain search finds, in a text of %s", (_what, text) => {
    const form = folded(text);
    const parts = [0, 1, 7, form.length - 3, form.length - 1].flatMap((from) =>
      [1, 2, 30, 5_000].map((size) => form.slice(Math.max(0, from), from + size)),
    );
    const wrong = [
      ...parts.map((part) => `${part}#`),
      ...parts.map((part) => `#${part}`),
      ...parts.map((part) => `${part}a`),
      "b",
      "ba",
      `${form}a`,
    ];
    const source = new SourceText(text);
    for (const one of many(3_000)) source.has(`${one}${text}`);
    for (const one of [...parts, ...wrong]) expect([one, source.has(one)]).toEqual([one, form.includes(one)]);
  });

  test("any text and any string", () => {
    const word = fc.string({ unit: fc.constantFrom("a", "b", "\u00e9"), maxLength: 30 });
    fc.assert(
      fc.property(word, fc.array(word), (text, words) => {
        const source = new SourceText(text);
        source.has("c".repeat(2_000_000));
        const form = folded(text);
        for (const one of words) expect(source.has(one)).toBe(form.includes(folded(one)));
      }),
      { numRuns: 50 },
    );
  });

  test("the time grows with their length, and not with that times the text's", () => {
    // Each comes again with nearly all of the text before it differs.
    const text = `${"a".repeat(9_999)}b`;
    const cost = (strings: number) => {
      const value = Array.from({ length: strings }, (_, n) => `${"a".repeat(64_000 / strings)}c${n}`);
      const began = process.cpuUsage();
      expect(judged(value, text)).toMatchObject({ code: "RULE_VIOLATION" });
      const { user, system } = process.cpuUsage(began);
      return (user + system) / 1_000;
    };
    cost(10);
    expect(Math.max(cost(10), cost(100), cost(10_000))).toBeLessThan(500);
  });
});

test("strings are found in their order, however deep", () => {
  expect(stringsIn({ a: ["1", { b: "2" }], c: "3", d: 4, e: null })).toEqual(["1", "2", "3"]);
  let deep: JsonValue = "end";
  for (let n = 0; n < 50_000; n += 1) deep = [deep];
  expect(stringsIn(deep)).toEqual(["end"]);
});

describe("it is judged where other work waits only if it is short", () => {
  const light = (value: JsonValue, input: string, rules: readonly Rule[] = [rule]) => {
    const measured = measureDemands({ schema: {}, rules });
    if ("problem" in measured) throw new Error(measured.problem);
    return isLight(measured, { f: value }, input);
  };
  test.each<[string, JsonValue, string, boolean]>([
    ["a long text", "a".repeat(50), "a".repeat(10_000), true],
    ["a text that is too long", "a", "a".repeat(12_000), false],
    ["strings that are surely found quickly", ["a".repeat(600), "b".repeat(400)], "a".repeat(1_000), true],
    ["longer ones, for which a text is indexed", ["a".repeat(600), "b".repeat(401)], "a".repeat(1_000), false],
    ["a shorter text that may become longer", "a", "é".repeat(3_000), false],
    ["one whose characters become many", "a", "\ufdfa".repeat(700), false],
    ["a long string", "a".repeat(3_000), "a", false],
    ["many values that are no strings", Array.from({ length: 3_000 }, () => 1), "a", false],
  ])("%s", (_what, value, input, expected) => {
    expect(light(value, input)).toBe(expected);
  });

  test("what is not looked at costs nothing", () => {
    const measured = measureDemands({ schema: {}, rules: [rule] });
    expect(!("problem" in measured) && [isLight(measured, { g: "a" }, "a".repeat(9_000)), isLight(measured, { f: "a" })]).toEqual(
      [true, true],
    );
  });

  test("nor is it light to look for little by many rules", () => {
    const rules = Array.from({ length: 3 }, () => rule);
    expect([light("a".repeat(300), "a".repeat(1_000), rules), light("a".repeat(400), "a".repeat(1_000), rules)]).toEqual([
      true,
      false,
    ]);
  });

  test("counting stops at its bound", () => {
    const count = new Count(10);
    countGrounded(
      Array.from({ length: 1_000 }, () => "abcdefgh"),
      new SourceText("a"),
      count,
    );
    expect(count.over).toBe(true);
    expect(count.steps).toBeLessThan(100);
  });

  test("no character becomes more than is counted", () => {
    for (let point = 0; point < 0x20000; point += 1) {
      const one = String.fromCodePoint(point);
      if (folded(one).length > lengthMax(one)) expect(point.toString(16)).toBe("a character within the bound");
    }
  });
});

test("only such a rule reads the text", () => {
  expect([
    readSource([]),
    readSource([{ type: "min_length", field: "f", min: 1 }]),
    readSource([{ type: "min_length", field: "f", min: 1 }, rule]),
  ]).toEqual([false, false, true]);
});
