/** What an example and a result may be, how large, and what rules take. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BOUNDS } from "../../machines/vocabulary.ts";
import { eventually, Market, ORDER, type Party } from "../support/market.ts";

let market: Market;
let ann: Party;
let bob: Party;

beforeAll(async () => {
  market = await Market.start({ SIGNUP_GRANT: "100000", RATE_LIMIT_PER_SECOND: "0", RATE_LIMIT_TASKS_PER_MINUTE: "0" });
  [ann, bob] = [await market.register(), await market.register()];
});
afterAll(() => market.stop());

/** A text that is `bytes` long as JSON. */
const text = (bytes: number) => "x".repeat(bytes - 2);
const post = (order: object, path = "/tasks") => market.call("POST", path, { ...ORDER, ...order }, ann);

describe("an example and a result may be any JSON value that the schema takes", () => {
  test.each([
    ["a word", { type: "string", enum: ["spam", "ham"] }, "spam", "ham", "eggs"],
    ["a list", { type: "array", items: { type: "integer" }, uniqueItems: true }, [1, 2], [3], [3, 3]],
    ["a number", { type: "number", multipleOf: 0.01 }, 19.99, 0.07, 0.005],
    ["null", { type: ["null", "integer"] }, null, null, "null"],
    ["false", { type: "boolean" }, true, false, 0],
  ])("%s", async (_name, schema, example_output, good, bad) => {
    const id = await market.awarded(ann, bob, { schema, example_output });
    expect((await market.task(id, bob)).example_output).toEqual(example_output);
    expect(await market.submit(id, bob, bad)).toMatchObject({ status: "REJECTED", error_code: "SCHEMA_MISMATCH" });
    expect(await market.submit(id, bob, good)).toMatchObject({ status: "COMPLETED", error_code: null });
    const settled = await market.until(id, ann, "SETTLED");
    expect(settled.result_data).toEqual(good);
    await eventually(async () => ((await market.balance(bob)).credits_balance > 0 ? true : undefined), "bob to be paid");
  });

  test("but not none", async () => {
    const { example_output: _none, ...order } = ORDER;
    const reply = await market.call("POST", "/tasks", order, ann);
    expect(reply).toMatchObject({ status: 422, body: { errors: [{ field: "example_output", message: "is required" }] } });
  });

  test("an example that fails as a whole is named, not a part of it", async () => {
    const reply = await post({ schema: { type: "array" }, example_output: "x" });
    expect(reply).toMatchObject({ status: 422, body: { code: "INVALID_EXAMPLE", errors: [{ field: "example_output" }] } });
  });
});

describe("what is larger than it may be is refused with the bound", () => {
  const any = { schema: {}, rules: [] };
  const rules = (bytes: number) => {
    const rule = (value: string) => [{ type: "enum", field: "a", values: [value] }];
    return rule("x".repeat(bytes - JSON.stringify(rule("")).length));
  };

  test.each(["/tasks", "/tasks/validate"])("an example and rules at %s", async (path) => {
    const wrong = async (order: object) => {
      const { status, body } = await post({ ...any, ...order }, path);
      return status === 201 || body.valid === true ? [] : body.errors.map(({ field }: { field: string }) => field);
    };
    expect(await wrong({ example_output: text(BOUNDS.exampleBytes) })).toEqual([]);
    expect(await wrong({ example_output: text(BOUNDS.exampleBytes + 1) })).toEqual(["example_output"]);
    // Bytes, not characters.
    expect(await wrong({ example_output: "ä".repeat(BOUNDS.exampleBytes / 2) })).toEqual(["example_output"]);
    expect(await wrong({ example_output: {}, rules: rules(BOUNDS.rulesBytes) })).toEqual([]);
    expect(await wrong({ example_output: {}, rules: rules(BOUNDS.rulesBytes + 1) })).toEqual(["rules"]);
  });

  test("those of a batch", async () => {
    const template = { schema: {}, example_output: text(BOUNDS.exampleBytes + 1), budget: 5 };
    const reply = await market.call("POST", "/tasks/batch", { template, items: [{ input_data: "x" }] }, ann);
    expect(reply).toMatchObject({ status: 422, body: { errors: [{ message: expect.stringContaining("16 KB") }] } });
  });

  test("a result, which costs the worker nothing", async () => {
    const id = await market.awarded(ann, bob, { ...any, example_output: "" });
    const send = (result_data: unknown) => market.call("POST", `/tasks/${id}/submit`, { result_data }, bob);
    expect(await send(text(BOUNDS.resultBytes + 1))).toMatchObject({
      status: 422,
      body: { errors: [{ field: "result_data", message: expect.stringContaining("64 KB (65536 bytes)") }] },
    });
    expect(await market.task(id, bob)).toMatchObject({ status: "AWARDED" });
    expect(await send(text(BOUNDS.resultBytes))).toMatchObject({ status: 200, body: { status: "COMPLETED" } });
  });
});

describe("rules", () => {
  test.each([
    [{ type: "nope", field: "a" }, "rules.0.type", "required_fields, min_length, max_length, regex, enum, field_type, grounded"],
    [{ type: "Grounded", field: "a" }, "rules.0.type", "did you mean grounded?"],
    [{ field: "a" }, "rules.0.type", "is required"],
    [{ type: "min_length", field: "a" }, "rules.0.min", "is required"],
    [{ type: "max_length", field: "a", max: "3" }, "rules.0.max", "whole number"],
    [{ type: "enum", field: "a", values: [] }, "rules.0.values", "must have an entry"],
    [{ type: "field_type", field: "a", expected: "text" }, "rules.0.expected", "str, int, float, bool, list, dict"],
    [{ type: "regex", field: "a", pattern: "(" }, "rules", "no regular expression"],
    [{ type: "regex", field: "a", pattern: "a", Field: "b" }, "rules.0.Field", "did you mean"],
  ])("%j is refused at %s", async (rule, field, words) => {
    const { status, body } = await post({ rules: [rule] });
    expect(status).toBe(422);
    expect(body.errors).toEqual([{ field, message: expect.stringContaining(words) }]);
  });

  test("are in the document with every field, told apart by their type", async () => {
    const document = (await market.client.call("GET", "//openapi.json")).body;
    const { rules } = document.paths["/api/v1/tasks"].post.requestBody.content["application/json"].schema.properties;
    expect(rules.items.discriminator).toEqual({ propertyName: "type" });
    const fields = rules.items.oneOf.map((one: { required: string[] }) => one.required.join(" "));
    expect(fields).toEqual([
      "type fields",
      "type field min",
      "type field max",
      "type field pattern",
      "type field values",
      "type field expected",
      "type field",
    ]);
  });

  test("hold a result against the text, and not the example, which may be of another", async () => {
    const order = { input_data: "Initech earned $3 million.", example_output: { company: "Apple Inc" } };
    const id = await market.awarded(ann, bob, { ...order, rules: [{ type: "grounded", field: "company" }] });
    expect(await market.submit(id, bob, order.example_output)).toMatchObject({
      ...{ status: "REJECTED", error_code: "RULE_VIOLATION" },
      errors: [{ field: "company", message: '"Apple Inc" does not occur in the task\'s text' }],
    });
    expect(await market.submit(id, bob, { company: "INITECH" })).toMatchObject({ status: "COMPLETED" });
  });
});

test("a dry run warns of what is valid and perhaps not meant, by the name that was sent", async () => {
  const warned = async (order: object) => (await post(order, "/tasks/validate")).body;
  expect(await warned({})).toMatchObject({ valid: true, warnings: [] });
  const schema = { name: "c", strict: true, schema: ORDER.schema };
  expect(await warned({ schema })).toMatchObject({
    valid: true,
    warnings: [{ code: "SCHEMA_IN_ENVELOPE", field: "/schema", message: expect.stringContaining("#/schema") }],
  });
  const { schema: _schema, ...rest } = ORDER;
  const long = {
    ...rest,
    validation_schema: {
      ...ORDER.schema,
      properties: { company: { type: "string" }, revenue: { type: "string", format: "emial" } },
    },
    validation_rules: [{ type: "grounded", field: "firm" }],
  };
  const { body } = await market.call("POST", "/tasks/validate", long, ann);
  expect(body.warnings.map(({ code, field }: { code: string; field: string }) => `${code} ${field}`)).toEqual([
    "RULE_WITHOUT_FIELD /validation_rules/0",
    "FORMAT_UNKNOWN /validation_schema/properties/revenue/format",
  ]);
  // Of what is refused it says why that may be.
  const refused = await warned({ schema: { type: "object", required: ["a"], additionalProperties: false }, example_output: {} });
  expect(refused).toMatchObject({ valid: false, warnings: [{ code: "CANNOT_BE_MET", field: "/schema/required" }] });
  expect(await warned({ budget: -1 })).toMatchObject({ valid: false, warnings: [] });
});

test("what is refused in a schema says where and what to write instead", async () => {
  const wrong = async (schema: object) => (await post({ schema, example_output: {} })).body.errors[0];
  expect(await wrong({ properties: { total: { pattern: "([" } } })).toEqual({
    field: "schema",
    message: expect.stringContaining("#/properties/total/pattern"),
  });
  expect(await wrong({ properties: { a: { type: "strin" } } })).toMatchObject({
    message: expect.stringContaining("#/properties/a/type: it must be one or a list of null, boolean"),
  });
  expect(await wrong({ items: { $ref: "https://example.com/x.json" } })).toMatchObject({
    message: expect.stringContaining("#/items/$ref; only references inside"),
  });
});
