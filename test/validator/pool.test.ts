import { afterEach, expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../../machines/vocabulary.ts";
import { VALIDATOR_LIMITS, ValidatorPool } from "../../src/validator/pool.ts";

const THREAD = new URL("../../dist/src/validator/thread.js", import.meta.url);
const PATTERN: JsonObject = { type: "object", properties: { a: { type: "string", pattern: "^(a|a)*$" } } };
let pool = new ValidatorPool(THREAD);

afterEach(async () => {
  await pool.close();
  pool = new ValidatorPool(THREAD);
});

const judge = async (schema: JsonObject, result: JsonValue) => pool.judge({ demands: { schema, rules: [] }, result });

test("what is light is judged at once, without a thread", () => {
  expect(pool.judge({ demands: { schema: { type: "object" }, rules: [] }, result: {} })).toEqual({ code: null, errors: [] });
});

test("what is not light is judged in a thread, one after the other and many at once", async () => {
  expect(await judge(PATTERN, { a: "aaa" })).toEqual({ code: null, errors: [] });
  const all = await Promise.all(Array.from({ length: 50 }, (_, index) => judge(PATTERN, { a: index % 2 === 0 ? "a" : "b" })));
  expect(all.map((answer) => "code" in answer && answer.code)).toEqual(
    Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? null : "SCHEMA_MISMATCH")),
  );
});

/** Each of a thousand objects with each other one: honest to the letter of the bounds, and slow. */
const SLOW: JsonObject = { type: "array", uniqueItems: true, maxItems: 1_000 };
const slow = () =>
  Array.from({ length: 1_000 }, (_, index) =>
    Object.fromEntries(Array.from({ length: 200 }, (_, key) => [`k${key}`, key < 199 ? 1 : index])),
  );

test("a judgement that goes over its time is ended, and those behind it are judged", async () => {
  pool = new ValidatorPool(THREAD, { ...VALIDATOR_LIMITS, deadlineMs: 100 });
  const [late, next] = await Promise.all([judge(SLOW, slow()), judge(PATTERN, { a: "aaa" })]);
  expect(late).toMatchObject({ unjudged: expect.stringContaining("takes too long") });
  expect(next).toEqual({ code: null, errors: [] });
});

test("past the bound of those who wait there is a refusal at once", async () => {
  pool = new ValidatorPool(THREAD, { ...VALIDATOR_LIMITS, waitingMax: 2 });
  const all = await Promise.all(Array.from({ length: 5 }, () => judge(PATTERN, { a: "a" })));
  expect(all.filter((answer) => "unjudged" in answer)).toHaveLength(3);
});

test("a thread that cannot start refuses, and does not hang", async () => {
  pool = new ValidatorPool(new URL("./nothing.js", import.meta.url));
  expect(await judge(PATTERN, { a: "a" })).toMatchObject({ unjudged: expect.any(String) });
});
