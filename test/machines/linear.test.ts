/** Each part of a pattern, as the linear engine is told it; undefined where that would mean something else there. */
import { expect, test } from "vitest";
import { toLinear } from "../../machines/validation/regexp.ts";

test.each<[string, string | undefined]>([
  ["", ""],
  ["ab", "\\x{61}\\x{62}"],
  ["é😀", "\\x{e9}\\x{1f600}"],
  ["\uffffa\u{10000}b", "\\x{ffff}\\x{61}\\x{10000}\\x{62}"],
  ["^a$", "\\A\\x{61}\\z"],
  [".", "[^\\x{a}\\x{d}\\x{2028}\\x{2029}]"],
  ["a|b", "\\x{61}|\\x{62}"],
  // Escapes.
  ["\\d\\D", "[0-9][^0-9]"],
  ["\\w\\W", "[0-9A-Za-z_][^0-9A-Za-z_]"],
  ["\\b", "\\b"],
  ["\\B", undefined],
  ["\\t\\n\\v\\f\\r", "\\x{9}\\x{a}\\x{b}\\x{c}\\x{d}"],
  ["\\x41\\u0041\\u{41}\\u{00000041}", "\\x{41}\\x{41}\\x{41}\\x{41}"],
  ["\\u{1F600}", "\\x{1f600}"],
  ["\\cA\\cz", "\\x{1}\\x{1a}"],
  ["\\0", "\\x{0}"],
  ["\\ud7ff\\ue000", "\\x{d7ff}\\x{e000}"],
  ["\\ud800", undefined],
  ["\\udfff", undefined],
  ["\\u{d800}", undefined],
  ["\\.\\/\\$", "\\x{2e}\\x{2f}\\x{24}"],
  ["\\p{L}", undefined],
  ["\\k<a>", undefined],
  ["\\1", undefined],
  // Groups.
  ["(?:a)", "(?:\\x{61})"],
  ["(?<n>a)", "(?:\\x{61})"],
  ["(a)", "(?:\\x{61})"],
  ["(?=a)", undefined],
  ["(?!a)", undefined],
  ["(?<=a)", undefined],
  ["(?<!a)", undefined],
  // Repetitions.
  ["a*b+c?", "\\x{61}*\\x{62}+\\x{63}?"],
  ["a*?b+?c??", "\\x{61}*\\x{62}+\\x{63}?"],
  ["a{2}b", "\\x{61}{2}\\x{62}"],
  ["a{2,}b", "\\x{61}{2,}\\x{62}"],
  ["a{2,3}b", "\\x{61}{2,3}\\x{62}"],
  ["a{2}?b", "\\x{61}{2}\\x{62}"],
  ["a{02,003}", "\\x{61}{2,3}"],
  ["a{1000}", "\\x{61}{1000}"],
  ["a{1001}", undefined],
  ["a{1,1000}", "\\x{61}{1,1000}"],
  ["a{1,1001}", undefined],
  ["a{1001,}", undefined],
  // Classes.
  ["[abc]", "[\\x{61}\\x{62}\\x{63}]"],
  ["[^a]b", "[^\\x{61}]\\x{62}"],
  ["[a-c]", "[\\x{61}-\\x{63}]"],
  ["[a-c-e]", "[\\x{61}-\\x{63}-\\x{65}]"],
  ["[-a]", "[\\x{2d}\\x{61}]"],
  ["[a-]", "[\\x{61}\\x{2d}]"],
  ["[^-]", "[^\\x{2d}]"],
  ["[a\\-c]", "[\\x{61}\\x{2d}\\x{63}]"],
  ["[\\x41-\\x43]", "[\\x{41}-\\x{43}]"],
  ["[\\n-\\r]", "[\\x{a}-\\x{d}]"],
  ["[\\d\\w]", "[0-90-9A-Za-z_]"],
  ["[^\\d-]", "[^0-9\\x{2d}]"],
  ["[\\b]", "[\\x{8}]"],
  ["[😀.$^(\\\\]", "[\\x{1f600}\\x{2e}\\x{24}\\x{5e}\\x{28}\\x{5c}]"],
  ["[]", undefined],
  ["[^]", undefined],
  ["[\\D]", undefined],
  ["[\\W]", undefined],
  ["[\\S]", undefined],
  ["[\\p{L}]", undefined],
  ["[\\ud800]", undefined],
])("%j is %j", (source, linear) => {
  expect(toLinear(source)).toBe(linear);
});

test("white space is every character of ECMA-262's, in a class and outside", () => {
  const spaces = "\\x{9}-\\x{d} \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}";
  expect(["\\s", "\\S", "[\\s]", "[^\\sa]"].map(toLinear)).toEqual([
    `[${spaces}]`,
    `[^${spaces}]`,
    `[${spaces}]`,
    `[^${spaces}\\x{61}]`,
  ]);
});
