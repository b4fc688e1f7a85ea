/** What passes as a value of a type, when it comes from outside. */
import { expect, test } from "vitest";
import { readMessage, readRefusal, readReply } from "../../machines/incoming.ts";
import { type Check, isListOf, isNumber, isObject, isOneOf, isRecord, isTaskId, isText, orNull } from "../../machines/shape.ts";
import { id } from "../support/world.ts";

test.each<[string, Check<unknown>, readonly unknown[], readonly unknown[]]>([
  ["a text", isText, ["", "a"], [7, null, undefined, {}]],
  ["a number", isNumber, [0, -1.5], [Number.NaN, Number.POSITIVE_INFINITY, "1", null]],
  ["a task's id", isTaskId, [id(1)], ["1", id(1).toUpperCase().replace("0", "A"), [id(1)], null, 7]],
  ["one of some words", isOneOf(["a", "b"]), ["a", "b"], ["c", "", null, ["a"]]],
  ["a number or null", orNull(isNumber), [1, null], [undefined, "1"]],
  ["a list of texts", isListOf(isText), [[], ["a", "b"]], [["a", 1], "ab", null, {}]],
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
