import { expect, test } from "vitest";
import { isKnownAnswer } from "../../machines/market/honeypot.ts";

test.each([
  [{ a: "Ada  Lovelace " }, { a: "ada lovelace" }, true],
  [{ a: "Ada", more: 1 }, { a: "Ada" }, true],
  [{}, { a: "Ada" }, false],
  [{ a: 1 }, { a: "1" }, false],
  [{ a: [1, "B"] }, { a: [1, "b"] }, true],
  [{ a: [1] }, { a: [1, 2] }, false],
  [{ a: [2, 1] }, { a: [1, 2] }, false],
  [{ a: { b: null } }, { a: { b: null } }, true],
  [{ a: [] }, { a: {} }, false],
  [null, { a: 1 }, false],
  [5, 5, true],
  [JSON.parse('{"a": 1.0, "b": [2e0]}'), { b: [2], a: 1 }, true],
  [{ a: { y: 1, x: 2 } }, { a: { x: 2, y: 1 } }, true],
  [{}, { toString: 1 }, false],
  [["spam"], ["Spam "], true],
  [null, null, true],
])("%j is the known answer %j: %s", (result, known, same) => {
  expect(isKnownAnswer(result, known)).toBe(same);
});
