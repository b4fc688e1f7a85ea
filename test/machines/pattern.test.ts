import fc from "fast-check";
import { RE2JS } from "re2js";
import { expect, test } from "vitest";
import { compilePattern, planPattern, weighPattern } from "../../machines/validation/pattern.ts";

test.each([
  ["abc", 3],
  ["^\\d{3}-\\d{4}$", 10],
  ["x{1000}", 1_000],
  ["(ab){10,20}", 60],
  ["((x{10}){10}){10}", 1_110],
  ["(a|b)*c", 5],
  ["\\{5}", 3],
  ["", 0],
  // What is only repeated or marked.
  ["a*b+?c?", 3],
  ["^a|b$", 5],
  ["x\\", 2],
  // Groups, closed or not.
  ["()", 1],
  ["(ab)", 3],
  ["((a))", 3],
  ["(?:ab)", 4],
  ["(a", 1],
  ["a)", 2],
  ["(a)(b", 3],
  // Counts: of the last step alone, of a group, of a count, and none.
  ["a{3}", 3],
  ["a{3,}", 4],
  ["a{3,5}", 5],
  ["a{0,1}", 1],
  ["a{0}", 1],
  ["ab{2}", 3],
  ["(a)b{2}", 4],
  ["(ab){3}", 9],
  ["a(b){3}", 7],
  ["(ab){0}", 3],
  ["a{2}{3}", 6],
  ["(a{2}){3}", 9],
  ["a{10}b{10}", 20],
  ["(a{10}b){10}", 120],
  ["{2}", 0],
  ["a{,2}", 5],
  ["a{x}", 4],
  // Classes, by what is written in them; they count as one step.
  ["[abc]", 16],
  ["[^\\]a]", 19],
  ["[a]{3}", 12],
  ["[a]b{2}", 12],
  ["[]a]", 9],
  ["[a", 7],
  // Escapes are one step, with a table where they name one.
  ["\\d\\n", 2],
  ["\\\\d", 2],
  ["\\\n", 1],
  ["\\x{41}\\u{1F600}", 2],
  ["\\p{L}", 41],
  ["\\P{Lu}x", 42],
  ["\\pL", 41],
  ["\\p", 41],
  ["\\p{L", 42],
  ["\\p{L}{3}", 43],
  ["[\\p{L}\\P{N}]", 117],
])("%s weighs %i", (source, weight) => {
  expect(weighPattern(source)).toBe(weight);
});

/** How a pattern is read: as the native engine is given it, with its flags, and whether the linear engine takes it. */
test.each<[string, string, string, boolean]>([
  ["abc", "abc", "u", true],
  ["", "", "u", true],
  // As other languages write it.
  ["(?P<y>a)(?P<z>b)", "(?<y>a)(?<z>b)", "u", true],
  ["\\Aa", "^a", "u", true],
  ["a\\z", "a$", "u", true],
  ["a\\Z", "a$", "u", true],
  ["\\pLx", "\\p{L}x", "u", false],
  ["\\PL", "\\P{L}", "u", false],
  ["\\p{L}", "\\p{L}", "u", false],
  ["\\-\\_\\@\\ ", "\\x2d\\x5f\\x40\\x20", "u", true],
  ["[\\-\\.]", "[\\x2d\\.]", "u", true],
  ["\\/\\.\\n\\cA\\u0041\\0", "\\/\\.\\n\\cA\\u0041\\0", "u", true],
  // Flags before it, each once.
  ["(?i)a", "a", "iu", false],
  ["(?m)a", "a", "mu", false],
  ["(?s)a", "a", "su", false],
  ["(?ims)a", "a", "imsu", false],
  ["(?ii)a", "a", "iu", false],
  ["(?i)\\pL", "\\p{L}", "iu", false],
  // What only the flag u refuses.
  ["[\\w-.]", "[\\w-.]", "", false],
  ["(?i)[\\w-.]", "[\\w-.]", "i", false],
  ["a{,2}", "a{,2}", "", false],
  ["\\d{a}", "\\d{a}", "", false],
  ["\\é", "\\é", "", false],
  // What is too long, too heavy, or of the native engine alone.
  ["x".repeat(256), "x".repeat(256), "u", true],
  ["x".repeat(257), "x".repeat(257), "u", false],
  ["x{1000}", "x{1000}", "u", true],
  ["x{1000}y", "x{1000}y", "u", false],
  ["\\B", "\\B", "u", false],
])("%j is read as %j with the flags %j, linear: %s", (written, source, flags, linear) => {
  expect(planPattern(written)).toEqual({
    source: written,
    linear: linear ? expect.any(String) : undefined,
    native: { source, flags },
    weight: Math.max(1, weighPattern(written)),
  });
});

test.each([
  ["\\a", "Invalid escape"],
  ["\\y{a}", "Invalid escape"],
  ["(?imsi)a", "Invalid group"],
  ["(?x)a", "Invalid group"],
  ["(?)a", "Invalid group"],
  ["a(?i)", "Invalid group"],
  ["\\pL{a}", "Incomplete quantifier"],
  ["\\k{a}", "Invalid named reference"],
  ["a\\", "\\ at end of pattern"],
  ["(?P<a", "Invalid capture group name"],
])("%j is none: %s", (written, why) => {
  expect(planPattern(written)).toBe(`is no regular expression (ECMA-262): ${why}`);
});

test("the linear engine compiles a pattern once, and says which it is", () => {
  const plan = (source: string) => {
    const planned = planPattern(source);
    if (typeof planned === "string") throw new Error(planned);
    return planned;
  };
  const once = compilePattern(plan("^compiled once$"), true);
  expect(compilePattern(plan("^compiled once$"), true)).toBe(once);
  expect(String(once)).toBe("linear:^compiled once$");
  expect(String(compilePattern(plan("^compiled once$"), false))).toBe("/^compiled once$/u");
  expect(String(compilePattern(plan("(?=a)"), true))).toBe("/(?=a)/u");
});

/** Any text of the characters that mean something in a pattern. */
const sources = fc
  .array(
    fc.constantFrom(
      ..."ab()[]^$|.*+?-,:\\{}",
      ...[
        "(?:",
        "(?i)",
        "{2}",
        "{3,}",
        "{1,4}",
        "{,2}",
        "[^",
        "\\p{L}",
        "\\PL",
        "\\x{41}",
        "\\d",
        "\\Q",
        "\\E",
        "[[:alpha:]]",
        "[]",
        "\\]",
      ],
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(""));

test("is never much less than what a pattern is compiled to", () => {
  let compiled = 0;
  fc.assert(
    fc.property(sources, (source) => {
      let program: RE2JS;
      try {
        program = RE2JS.compile(RE2JS.translateRegExp(source));
      } catch {
        return;
      }
      compiled += 1;
      // Each step may need a branch and two marks of its group beside itself.
      expect(program.programSize()).toBeLessThanOrEqual(4 * weighPattern(source) + 10);
    }),
    { numRuns: 20_000 },
  );
  expect(compiled).toBeGreaterThan(1_000);
});
