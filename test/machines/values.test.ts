/** Values of JSON, exactly: numbers as they are written, what equals what, and how they are named in a sentence. */
import { expect, test } from "vitest";
import { decimalOf, isMultipleOf } from "../../machines/validation/decimals.ts";
import { areUnique, canonicalText, oneOf } from "../../machines/validation/equality.ts";
import { pointerStep, shown } from "../../machines/validation/problem.ts";

test.each([
  ["0", false, "", 0],
  ["-0", false, "", 0],
  ["0.000", false, "", 0],
  ["0e5", false, "", 0],
  ["7", false, "7", 0],
  ["-7", true, "7", 0],
  ["100", false, "1", 2],
  ["1020", false, "102", 1],
  ["0.05", false, "5", -2],
  ["-12.50", true, "125", -1],
  ["1.5e3", false, "15", 2],
  ["1E-2", false, "1", -2],
  ["0.10e+1", false, "1", 0],
  ["100.001", false, "100001", -3],
])("the decimal %s", (literal, negative, digits, exponent) => {
  expect(decimalOf(literal)).toEqual({ negative, digits, exponent });
});

test.each([
  [6, 3, true],
  [7, 3, false],
  [0, 3, true],
  [-6, 3, true],
  [19.99, 0.01, true],
  [19.995, 0.01, false],
  [4.5, 1.5, true],
  [1.5, 4.5, false],
  [1e22, 7, false],
  [0, 1e22, true],
  [0.5, 1e22, false],
  [1e22, 1e22, true],
  [1e22, 1e23, false],
  [7e22, 7, true],
  [1e300, 1e-300, true],
  [3, 0.1, true],
  [3, 0.7, false],
  [0.5, 1, false],
  [5e-324, 1e308, false],
  [9_007_199_254_740_992, 2, true],
])("%d as a multiple of %d: %s", (value, divisor, is) => {
  expect(isMultipleOf(value, divisor)).toBe(is);
});

test("values are equal whatever the order of their keys, and nothing stands for anything else", () => {
  expect(canonicalText({ b: [1, { d: null, c: "x" }], a: true })).toBe('{"a":true,"b":[1,{"c":"x","d":null}]}');
  expect([null, "null", 0, "", [], {}, [null], { a: null }].map(canonicalText)).toEqual([
    ...["null", '"null"', "0", '""', "[]", "{}", "[null]", '{"a":null}'],
  ]);
  expect([
    areUnique([]),
    areUnique([1]),
    areUnique([1, "1"]),
    areUnique([1, 1]),
    areUnique([
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ]),
  ]).toEqual([...[true, true, true, false, false]]);
});

test("one of some values is found, whether they are simple or not", () => {
  const simple = oneOf([1, "a", null]);
  expect([1, "a", null].filter((value) => !simple(value))).toEqual([]);
  expect([2, "1", "null", false, [], {}, [1], { a: 1 }].filter((value) => simple(value))).toEqual([]);
  const composite = oneOf([{ a: 1, b: 2 }, [1]]);
  expect([{ b: 2, a: 1 }, [1]].filter((value) => !composite(value))).toEqual([]);
  expect([{ a: 1 }, [1, 1], 1, null, '{"a":1,"b":2}'].filter((value) => composite(value))).toEqual([]);
  expect([oneOf([null])(null), oneOf([{}])({}), oneOf([[]])([])]).toEqual([true, true, true]);
});

test("a word of a client is shown whole up to 200 characters, else its beginning, with no character cut in half", () => {
  expect(shown("a".repeat(200))).toBe("a".repeat(200));
  expect(shown("a".repeat(201))).toBe(`${"a".repeat(200)}…`);
  expect(shown(`${"a".repeat(199)}😀b`)).toBe(`${"a".repeat(199)}\ufffd…`);
  expect(["a/b~c", "~1", 7].map(pointerStep)).toEqual(["a~1b~0c", "~01", "7"]);
});
