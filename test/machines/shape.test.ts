/** What passes as a value of a type, when it comes from outside. */
import { expect, test } from "vitest";
import { readMessage, readRefusal, readReply } from "../../machines/incoming.ts";
import {
  isAccountId,
  isCredits,
  isEither,
  isEmpty,
  isFlag,
  isJson,
  isJsonObject,
  isListOf,
  isNull,
  isNumber,
  isObject,
  isOneOf,
  isRecord,
  isTaskId,
  isText,
  isVariant,
  isWhole,
  orNull,
} from "../../machines/shape.ts";
import { isRule } from "../../machines/validation/rules.ts";
import { id } from "../support/world.ts";

test.each<[string, (value: unknown) => boolean, readonly unknown[], readonly unknown[]]>([
  ["a text", isText, ["", "a"], [7, null, undefined, {}]],
  ["a number", isNumber, [0, -1.5], [Number.NaN, Number.POSITIVE_INFINITY, "1", null]],
  ["a task's id", isTaskId, [id(1)], ["1", id(1).toUpperCase().replace("0", "A"), [id(1)], null, 7]],
  ["one of some words", isOneOf(["a", "b"]), ["a", "b"], ["c", "", null, ["a"]]],
  ["a number or null", orNull(isNumber), [1, null], [undefined, "1"]],
  ["a list of texts", isListOf(isText), [[], ["a", "b"]], [["a", 1], "ab", null, {}]],
  ["an account's id", isAccountId, [id(1)], ["1", [id(1)], null, 7]],
  ["a whole number", isWhole, [0, -1], [0.5, 2 ** 53, Number.NaN, "1", null]],
  ["an amount of credits", isCredits, [0, -1], [0.5, 2 ** 53, "1", null]],
  ["a flag", isFlag, [true, false], ["true", 0, null, undefined]],
  ["null", isNull, [null], [undefined, 0, ""]],
  ["an empty list", isEmpty, [[]], [[1], {}, "", null]],
  ["a text or a number", isEither(isText, isNumber), ["a", 1], [null, true]],
  ["JSON", isJson, [null, 0, "", {}, []], [undefined]],
  ["a JSON object", isJsonObject, [{}], [[], null, "a"]],
  [
    "a rule",
    isRule,
    [{ type: "min_length", field: "a", min: 1 }],
    [{ type: "toString" }, { type: "min_length", field: "a" }, null],
  ],
  [
    "one of two kinds of objects",
    isVariant<{ readonly is: "a"; readonly n: number } | { readonly is: "b" }, "is">("is", { a: { n: isNumber }, b: {} }),
    [{ is: "a", n: 1 }, { is: "b" }, { is: "b", n: "x" }],
    [{ is: "a" }, { is: "c" }, { is: "toString" }, { is: ["a"], n: 1 }, {}, null, "a"],
  ],
  ["an object", isObject, [{}, { a: 1 }], [[], null, "a", 7]],
  ["an object with a text", isRecord({ a: isText }), [{ a: "" }, { a: "", b: 1 }], [{}, { a: 1 }, null, ["a"]]],
])("%s", (_what, check, are, areNot) => {
  expect(are.filter((value) => !check(value))).toEqual([]);
  expect(areNot.filter((value) => check(value))).toEqual([]);
});

test("a message is for an entity that there is, by an id, with a command that it knows", () => {
  const to = { kind: "task", id: id(1) };
  const command = { type: "start", worker: id(2) };
  expect(readMessage(to, command)).toEqual({ to, command });
  for (const other of [
    null,
    {},
    { ...to, kind: "toString" },
    { ...to, kind: ["task"] },
    { ...to, kind: "shop" },
    { kind: "task" },
  ]) {
    expect(readMessage(other, command)).toBeUndefined();
  }
  for (const other of [null, {}, [], { type: "toString" }, { type: ["start"] }, { type: "hold" }, "start"]) {
    expect(readMessage(to, other)).toBeUndefined();
  }
});

test("a refusal's reason is kept if it says why, else left out", () => {
  const refusal = { refused: "NOT_ENDED", detail: "d" };
  expect(readRefusal({ ...refusal, reason: { why: "NO_DEBT" } })).toEqual({ ...refusal, reason: { why: "NO_DEBT" } });
  for (const reason of [undefined, null, "NO_DEBT", { why: 7 }, []]) expect(readRefusal({ ...refusal, reason })).toEqual(refusal);
  for (const other of [null, "no", { refused: 7, detail: "d" }, { refused: "NOT_ENDED" }])
    expect(readRefusal(other)).toBeUndefined();
  expect(readRefusal({ refused: "OF_TOMORROW", detail: "d" })).toMatchObject({ refused: "UNAVAILABLE", detail: "d" });
});

test("the reply to a command that is told is nothing, whatever came", () => {
  for (const value of [null, { id: id(1) }, "x"]) expect(readReply("task", "settled", value)).toBeNull();
});
