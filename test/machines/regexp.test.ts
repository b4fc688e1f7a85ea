/** Patterns mean on the linear engine what they mean in ECMA-262. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compilePattern, type PatternPlan, planPattern } from "../../machines/validation/pattern.ts";

function planned(source: string): PatternPlan {
  const plan = planPattern(source);
  if (typeof plan === "string") throw new Error(`${source} ${plan}`);
  return plan;
}
const finds = (source: string, text: string, linear: boolean) => compilePattern(planned(source), linear).test(text);

describe("a pattern runs on the linear engine", () => {
  test.each([
    ["^[0-9]+%$", "5%", "5%\n"],
    ["^a.c$", "a😀c", "a\u2028c"],
    ["^\\s$", "\ufeff", "\u180e"],
    ["^\\w+$", "a_1", "é"],
    ["^\\d$", "7", "٧"],
    ["^[^a]$", "😀", "a"],
    ["^\\/\\-\\@[\\-\\.\\]]$", "/-@]", "/-@a"],
    ["^\\cA\\x41\\u0042\\u{43}\\0$", "\u0001ABC\0", "A"],
    ["^(?<year>\\d{4})-(?:\\d\\d)$", "2026-02", "26-02"],
    ["^(?P<year>\\d{4})$", "2026", "x"],
    ["\\Aab\\Z", "ab", "abc"],
    ["^x{2,3}?$", "xx", "xxxx"],
    ["^$", "", "\n"],
    ["\\bword\\b", "a word.", "sword"],
    ["[\\b]", "\b", "b"],
    ["^[a-c\\d_]+$", "ab1_", "d"],
    ["^[]a]", "", ""],
  ])("%s", (source, good, bad) => {
    const plan = planPattern(source);
    if (source === "^[]a]") {
      // An empty class, and not one that has a bracket in it: nothing fits.
      expect(plan).toMatchObject({ linear: undefined });
      return;
    }
    expect(plan).toMatchObject({ linear: expect.any(String) });
    for (const linear of [true, false]) expect([finds(source, good, linear), finds(source, bad, linear)]).toEqual([true, false]);
  });
});

describe("a pattern runs natively", () => {
  test.each([
    ["^(?!^[-+.]*$)[+-]?0*\\d*\\.?\\d*$", "12.50", "+"],
    ["^(a)\\1$", "aa", "ab"],
    ["^\\p{Letter}+$", "Ångström", "a1"],
    ["^\\pL\\PL$", "é1", "11"],
    ["^x{1001}$", "x".repeat(1_001), "x"],
    [`^(${"a|".repeat(200)}b)$`, "b", "c"],
    ["(?<=€)\\d", "€5", "$5"],
    ["\\B", "ab", "a"],
    ["^a\\Bb", "ab", "a b"],
    ["^(?<a>x)\\k<a>$", "xx", "x"],
    ["(?i)^abc$", "ABC", "abd"],
    // Only without the flag u do these mean anything.
    ["^{a}$", "{a}", "a"],
    ["^[\\w-.]+$", "a-.", "!"],
    ["^a{,2}$", "a{,2}", "aa"],
  ])("%s", (source, good, bad) => {
    expect(planned(source).linear).toBeUndefined();
    expect([finds(source, good, true), finds(source, bad, true)]).toEqual([true, false]);
  });
});

test.each(["a😀a", "😀", "é😀é", "😀😀", "a😀", "aa", ""])("\\B finds the same in %s wherever it is judged", (text) => {
  for (const source of ["\\B", "\\B\\B", "(?:\\B)", "\\Bx*", "x|\\B", "\\B[^a]", "^\\B", "\\B$"]) {
    expect([source, finds(source, text, true)]).toEqual([source, finds(source, text, false)]);
  }
});

test.each(["(", "[", "a**", "(?<a>x)(?<a>y)", "x{2,1}", "\\", "*a", "\\y", "(?P>x)", "[b-a]"])("%s is no pattern", (source) => {
  expect(planPattern(source)).toMatch(/^is no regular expression/);
});

const parts = fc.constantFrom(
  ..."ab01_-^$|.*+?,:/@ ",
  ...[
    "(",
    "(?:",
    ")",
    ")",
    "[",
    "[^",
    "]",
    "]",
    "\\d",
    "\\D",
    "\\w",
    "\\W",
    "\\s",
    "\\S",
    "\\b",
    "\\B",
    "\\n",
    "\\t",
    "\\0",
    "\\x41",
  ],
  ...[
    "\\u0041",
    "\\u{1F600}",
    "\\-",
    "\\/",
    "\\.",
    "\\]",
    "\\^",
    "\\cA",
    "{2}",
    "{0,2}",
    "{1,}",
    "a-c",
    "😀",
    "é",
    "\u2028",
    "(?<n>",
  ],
);
const sources = fc.array(parts, { minLength: 1, maxLength: 9 }).map((all) => all.join(""));
const texts = fc
  .array(fc.constantFrom(..."abcAB019_-^$|.*+?,:/@[]() ", "\n", "\t", "\0", "\u0001", "😀", "é", "\u2028", "\ufeff", "\u00a0"), {
    maxLength: 7,
  })
  .map((all) => all.join(""));

test("any pattern that both engines take finds the same in any text", () => {
  let compared = 0;
  fc.assert(
    fc.property(sources, fc.array(texts, { minLength: 5, maxLength: 10 }), (source, all) => {
      const plan = planPattern(source);
      if (typeof plan === "string" || plan.linear === undefined) return;
      compared += 1;
      for (const text of all) {
        expect([source, plan.linear, text, compilePattern(plan, true).test(text)]).toEqual([
          source,
          plan.linear,
          text,
          new RegExp(plan.native.source, plan.native.flags).test(text),
        ]);
      }
    }),
    { numRuns: 10_000 },
  );
  expect(compared).toBeGreaterThan(1_000);
});
