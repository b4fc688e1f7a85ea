/** What a check says: the field, and what it must be, in words; nothing of what was sent. */
import Type from "typebox";
import { expect, test } from "vitest";
import { Problem } from "../../gateway/http/problems.ts";
import { bodyCheck, queryCheck } from "../../gateway/http/validate.ts";
import { Nullable } from "../../gateway/schemas/common.ts";

const check = bodyCheck(
  Type.Object({
    n: Nullable(Type.Integer({ minimum: 1, maximum: 9 })),
    s: Type.Optional(Type.String({ minLength: 2, maxLength: 4, pattern: "^[a-z]+$", examples: ["ab"] })),
    e: Type.Optional(Type.Enum(["red", "blue"])),
    l: Type.Optional(Type.Array(Nullable(Type.String()), { minItems: 1, maxItems: 2, uniqueItems: true })),
    o: Type.Optional(Nullable(Type.Object({ x: Type.Boolean() }))),
    u: Type.Optional(Type.Union([Type.Integer(), Type.String(), Type.Boolean()])),
    id: Type.Optional(Type.String({ format: "uuid" })),
  }),
);

function told(value: unknown): string {
  try {
    check(value);
    return "";
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    expect(error.message.length).toBeLessThan(300);
    return error.message;
  }
}

test.each([
  [{ n: null }, ""],
  [{ n: 1, s: null, e: null, l: null, o: null, u: null, id: null }, ""],
  [{}, "n: is required"],
  [{ n: "1" }, "n: must be a whole number or null"],
  [{ n: 1.5 }, "n: must be a whole number or null"],
  [{ n: [] }, "n: must be a whole number or null"],
  [{ n: 10 }, "n: must be at most 9"],
  [{ n: 0 }, "n: must be at least 1"],
  [{ n: 1, s: 7 }, "s: must be text"],
  [{ n: 1, s: "a" }, "s: must have at least 2 characters"],
  [{ n: 1, s: "A1" }, "s: must have the form ^[a-z]+$, as in ab"],
  [{ n: 1, e: "green" }, "e: must be one of red, blue"],
  [{ n: 1, l: {} }, "l: must be a list"],
  [{ n: 1, l: [] }, "l: must have an entry"],
  [{ n: 1, l: [1] }, "l.0: must be text or null"],
  [{ n: 1, l: ["a", "b", "c"] }, "l: must have at most 2 entries"],
  [{ n: 1, l: ["a", "a"] }, "l: must not have duplicates; entries 1 and 0 are equal"],
  [{ n: 1, o: 1 }, "o: must be an object or null"],
  [{ n: 1, o: {} }, "o.x: is required"],
  [{ n: 1, o: { x: "true" } }, "o.x: must be true or false"],
  [{ n: 1, o: { X: true } }, "o.X: is not a field; did you mean o.x?"],
  [{ n: 1, u: {} }, "u: must be a whole number or text or true or false"],
  [
    { n: 1, id: "urn:uuid:6f1c3f0e-2b7a-4d51-9c3e-5a8d7b60f142" },
    "id: must be a bare UUID, as in 6f1c3f0e-2b7a-4d51-9c3e-5a8d7b60f142",
  ],
  [[], "body: must be an object"],
  ["x".repeat(100_000), "body: must be an object"],
  [{ n: "x".repeat(100_000) }, "n: must be a whole number or null"],
  [{ n: Array.from({ length: 100_000 }, () => 1) }, "n: must be a whole number or null"],
])("case %#", (value, message) => {
  expect(told(value)).toBe(message);
});

test.each([
  ["n=5", 5],
  ["n=5e0", 5],
  ["n=-0.25", -0.25],
  ["n=9007199254740993", "n: must be a number"],
  ["n=0.1000000000000000055511151231257827", "n: must be a number"],
  ["n=0x10", "n: must be a number"],
  ["n=", undefined],
])("a query %s says %s", (query, said) => {
  const read = queryCheck(Type.Object({ n: Type.Optional(Type.Number()) }));
  try {
    expect(read(query, []).n).toBe(said);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    expect(error.message).toBe(said);
  }
});
