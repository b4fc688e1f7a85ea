import { afterEach, expect, test, vi } from "vitest";
import type { Lane, Question } from "../../machines/validation/judgement.ts";
import { SCHEMA_CHARACTERS_MAX } from "../../machines/validation/schema.ts";
import { QUICK_CHARACTERS_MAX } from "../../machines/validation/verdict.ts";
import type { JsonObject, JsonValue } from "../../machines/vocabulary.ts";
import { VALIDATOR_LIMITS, type ValidatorLimits, ValidatorPool } from "../../src/adapters/validator/pool.ts";

const THREAD = new URL("../../dist/src/adapters/validator/thread.js", import.meta.url);
const PATTERN: JsonObject = { type: "object", properties: { a: { type: "string", pattern: "^(a|a)*$" } } };
/** A machine that is busy with something else is no reason to fail: what is not about waiting waits as long as it takes. */
const PATIENT: ValidatorLimits = { ...VALIDATOR_LIMITS, deadlineMs: 1_500, waitMs: 60_000 };
let pool = new ValidatorPool(THREAD, PATIENT);

afterEach(async () => {
  await pool.close();
  pool = new ValidatorPool(THREAD, PATIENT);
});

const question = (schema: JsonObject, result: JsonValue, account = "anna", lane: Lane = "submission"): Question => ({
  demands: { schema, rules: [] },
  result,
  account,
  lane,
});
const judge = async (...what: Parameters<typeof question>) => pool.judge(question(...what));

test("what is light is judged at once, without a thread", () => {
  expect(pool.judge(question({ type: "object" }, {}))).toMatchObject({ code: null, errors: [] });
});

/** Demands of exactly so many characters, new each time: a known schema is measured already. */
function sized(characters: number, mark: string): JsonObject {
  const bare = JSON.stringify({ title: mark }).length + "[]".length;
  return { title: mark + "x".repeat(characters - bare) };
}

test("a long schema is read in a thread, in its account's turn; what it costs is told either way", async () => {
  const at = (schema: JsonObject) => pool.judge(question(schema, {}));
  expect(at(sized(QUICK_CHARACTERS_MAX, "quick"))).toEqual({ code: null, errors: [], cost: 1 });
  const long = at(sized(QUICK_CHARACTERS_MAX + 1, "long"));
  expect(long).toBeInstanceOf(Promise);
  expect(await long).toEqual({ code: null, errors: [], cost: 1 });
  expect(pool.stats).toMatchObject({ atOnce: 1, inThreads: 1 });
  const wrong = at({ ...sized(QUICK_CHARACTERS_MAX + 1, "wrong"), $ref: "#/$defs/no" });
  expect(await wrong).toMatchObject({ because: "schema", unjudged: expect.stringContaining("#/$defs/no") });
  // Too long to be read at all: refused where it is.
  expect(at(sized(SCHEMA_CHARACTERS_MAX + 100, "endless"))).toMatchObject({ because: "schema" });
  expect(pool.stats).toMatchObject({ atOnce: 2, inThreads: 2 });
});

test("what is not light is judged in a thread, one after the other and many at once", async () => {
  expect(await judge(PATTERN, { a: "aaa" })).toMatchObject({ code: null, errors: [] });
  const all = await Promise.all(Array.from({ length: 50 }, (_, index) => judge(PATTERN, { a: index % 2 === 0 ? "a" : "b" })));
  expect(all.map((answer) => "code" in answer && answer.code)).toEqual(
    Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? null : "SCHEMA_MISMATCH")),
  );
});

test("a rule that compares a result with its text does so at once and in a thread", async () => {
  const demands = { schema: {}, rules: [{ type: "grounded", field: "a" }] } as const;
  const of = (result: JsonValue, input: string): Question => ({ demands, result, input, account: "anna", lane: "submission" });
  expect(pool.judge(of({ a: "Apple" }, "apple pie"))).toMatchObject({ code: null });
  expect(pool.judge(of({ a: "pear" }, "apple pie"))).toMatchObject({ code: "RULE_VIOLATION" });
  const long = `apple pie${" ".repeat(20_000)}`;
  const judged = [pool.judge(of({ a: "Apple" }, long)), pool.judge(of({ a: "pear" }, long))];
  expect(judged.every((one) => one instanceof Promise)).toBe(true);
  expect(await Promise.all(judged)).toMatchObject([{ code: null }, { code: "RULE_VIOLATION" }]);
});

/** Only the native engine can run it, and it backtracks through every way in which the text can be split. */
const SLOW: JsonObject = { type: "string", pattern: "^(?=a)(a|a)*$" };
const slow = () => `${"a".repeat(40)}b`;

test("a judgement that goes over its time is ended, and those behind it are judged", async () => {
  const [late, next] = await Promise.all([judge(SLOW, slow()), judge(PATTERN, { a: "aaa" })]);
  expect(late).toMatchObject({ unjudged: expect.stringContaining("takes too long") });
  expect(next).toMatchObject({ code: null, errors: [] });
});

test("past the bound of those who wait there is a refusal at once, and one account fills half of it", async () => {
  pool = new ValidatorPool(THREAD, { ...PATIENT, waitingMax: 4 });
  const mine = Array.from({ length: 5 }, () => judge(PATTERN, { a: "a" }));
  const others = judge(PATTERN, { a: "a" }, "bert");
  expect((await Promise.all(mine)).filter((answer) => "unjudged" in answer && answer.because === "busy")).toHaveLength(3);
  expect(await others).toMatchObject({ code: null, errors: [] });
});

test("a thread that cannot start refuses, and does not hang", async () => {
  pool = new ValidatorPool(new URL("./nothing.js", import.meta.url));
  expect(await judge(PATTERN, { a: "a" })).toMatchObject({ unjudged: expect.any(String) });
});

test("an account that sends many at once does not get the kept thread when that is free", async () => {
  // No judgement of the attack ends by itself before its deadline, which is far away.
  pool = new ValidatorPool(THREAD, { ...PATIENT, threads: 3, deadlineMs: 50_000 });
  await Promise.all(["a", "b", "c"].map((account) => judge(PATTERN, { a: "a" }, account)));
  await vi.waitFor(() => expect(pool.stats.idle).toBe(3), { timeout: 20_000 });
  const before = judge(PATTERN, { a: "a" }, "anna");
  let mallory = 0;
  const attack = Array.from({ length: 4 }, () => judge(SLOW, slow(), "mallory").then(() => (mallory += 1)));
  await before;
  expect(await judge(PATTERN, { a: "a" }, "bert")).toMatchObject({ code: null, errors: [] });
  expect(mallory).toBe(0);
  await pool.close();
  await Promise.all(attack);
});

test("an account whose judgements all run to their deadline leaves a thread to the others", async () => {
  pool = new ValidatorPool(THREAD, { ...PATIENT, threads: 2, deadlineMs: 3_000 });
  let mallory = 0;
  const attack = Array.from({ length: 5 }, () => judge(SLOW, slow(), "mallory").then(() => (mallory += 1)));
  await attack[0];
  // Had they to wait for a thread of the attack, each would wait for a deadline of it.
  for (let n = 0; n < 4; n += 1) expect(await judge(PATTERN, { a: "a" }, "anna")).toMatchObject({ code: null, errors: [] });
  expect(mallory).toBeLessThan(4);
  await pool.close();
  await Promise.all(attack);
});

test("a thread that is killed takes nobody's judgement with it, however often that happens", async () => {
  pool = new ValidatorPool(THREAD, { ...PATIENT, threads: 3 });
  const bad = Array.from({ length: 6 }, (_, n) => judge(SLOW, slow(), `mallory${n}`));
  const good = Array.from({ length: 60 }, (_, n) => judge(PATTERN, { a: "a" }, `anna${n % 7}`));
  expect((await Promise.all(bad)).every((answer) => "unjudged" in answer && answer.because === "slow")).toBe(true);
  expect(await Promise.all(good)).toMatchObject(good.map(() => ({ code: null, errors: [] })));
});

test("nobody waits longer than the bound", async () => {
  pool = new ValidatorPool(THREAD, { ...VALIDATOR_LIMITS, threads: 1, deadlineMs: 400, waitMs: 50 });
  const [first, second] = await Promise.all([judge(PATTERN, { a: "a" }), judge(SLOW, slow())]);
  expect([first, second].filter((answer) => "unjudged" in answer && answer.because === "busy").length).toBeGreaterThan(0);
});

test("what may end a process is judged in a thread only, however light it is", async () => {
  const answer = pool.judge(question({ type: "object" }, {}), "thread");
  expect(answer).toBeInstanceOf(Promise);
  expect(await answer).toMatchObject({ code: null, errors: [] });
  expect(await pool.judge(question({ type: "nonsense" }, {}), "thread")).toMatchObject({ because: "schema" });
  expect(pool.stats).toMatchObject({ atOnce: 0, inThreads: 2 });
});

test("what nobody foresaw is a refusal with a sentence, told to the operator, and never an exception", async () => {
  const told: unknown[] = [];
  pool = new ValidatorPool(THREAD, PATIENT, (error) => told.push(error));
  const poisoned = {
    type: "object",
    get properties(): never {
      throw new Error("poison");
    },
  };
  expect(await pool.judge(question(poisoned, {}))).toMatchObject({
    because: "slow",
    unjudged: expect.stringContaining("failed"),
  });
  // It cannot be brought to a thread at all.
  expect(await pool.judge(question(poisoned, {}), "thread")).toMatchObject({ because: "slow" });
  expect(told).toHaveLength(2);
  expect(await judge(PATTERN, { a: "a" })).toMatchObject({ code: null, errors: [] });
});

test("who still waits when it closes, or is being judged, is told to try again, and so is who comes later", async () => {
  const waiting = Array.from({ length: 5 }, () => judge(SLOW, slow()));
  await new Promise((resolve) => setTimeout(resolve, 300));
  await pool.close();
  expect((await Promise.all(waiting)).map((answer) => "unjudged" in answer && answer.because)).toEqual(Array(5).fill("busy"));
  expect(await judge(PATTERN, { a: "a" })).toMatchObject({ because: "busy" });
});
