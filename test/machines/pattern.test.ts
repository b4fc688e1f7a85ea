import fc from "fast-check";
import { RE2JS } from "re2js";
import { expect, test } from "vitest";
import { weighPattern } from "../../machines/validation/pattern.ts";

test.each([
  ["abc", 3],
  ["^\\d{3}-\\d{4}$", 10],
  ["x{1000}", 1_000],
  ["(ab){10,20}", 60],
  ["((x{10}){10}){10}", 1_110],
  ["(a|b)*c", 5],
  ["\\{5}", 3],
])("%s weighs %i", (source, weight) => {
  expect(weighPattern(source)).toBe(weight);
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
