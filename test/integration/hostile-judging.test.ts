/** Single schemas, patterns, formats and numbers that were once judged wrongly, or at too high a price, and their neighbours. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Reply } from "../support/client.mjs";
import { Market, type Party } from "../support/market.ts";

let market: Market;
let ann: Party;

beforeAll(async () => {
  market = await Market.start({ ROUTING_WINDOW_MS: "0", SIGNUP_GRANT: "100000" });
  ann = await market.register();
});
afterAll(async () => {
  expect((await market.call("GET", "//health")).status).toBe(200);
  expect(market.alarms()).toEqual([]);
  expect((await market.audit()).flatMap(({ wrong }) => wrong)).toEqual([]);
  await market.stop();
});

interface Asked {
  readonly schema: unknown;
  readonly example: unknown;
  readonly rules?: readonly object[];
}

function post({ schema, example, rules = [] }: Asked): Promise<Reply> {
  const order = { input_data: "x", budget: 5, schema, example_output: example, rules };
  return market.call("POST", "/tasks", order, { key: ann.key });
}

/** Posts it, and has a new worker hand this in; gives the answer. A text is sent as it is. */
async function handIn(asked: Asked, result: unknown, text?: string): Promise<Reply> {
  const created = await post(asked);
  expect([created.status, JSON.stringify(created.body).slice(0, 400)]).toEqual([201, expect.anything()]);
  const { id } = created.body;
  const worker = await market.register();
  await market.until(id, ann, "PENDING_POOL");
  await market.ok("POST", `/tasks/${id}/bid`, {}, worker);
  return market.call("POST", `/tasks/${id}/submit`, text ?? { result_data: result }, { key: worker.key });
}

async function verdict(asked: Asked, result: unknown): Promise<string> {
  const { status, body } = await handIn(asked, result);
  return status === 200 ? body.status : `${status} ${body.code}`;
}

const COMPANY = { type: "object", properties: { company: { type: "string" } }, required: ["company"] };
const NAMED = { company: "Initech" };
const under = (schema: unknown) => ({ type: "object", properties: { a: schema }, required: ["a"] });

describe("keywords that only one library knows mean nothing", () => {
  const schemas: readonly (readonly [string, object])[] = [
    ["$async", { $async: true, ...COMPANY }],
    ["$async and a pattern", { $async: true, ...COMPANY, properties: { company: { type: "string", pattern: "^[A-Z]" } } }],
    ["$async that is a word", { $async: "true", ...COMPANY }],
    ["$async within", { ...COMPANY, properties: { company: { $async: true, type: "string" } } }],
    ["$async behind a reference", { $defs: { A: { $async: true, ...COMPANY } }, $ref: "#/$defs/A" }],
    ["$async in allOf", { allOf: [{ $async: true, ...COMPANY }] }],
    ["$async of an old draft", { $schema: "http://json-schema.org/draft-07/schema#", $async: true, ...COMPANY }],
    ["$data", { ...COMPANY, properties: { company: { type: "string", minLength: { $data: "1/x" } } } }],
    ["a discriminator", { ...COMPANY, discriminator: { propertyName: "company" } }],
    ["words of nobody", { ...COMPANY, transform: ["trim"], instanceof: "Function", code: "throw 1", toString: 1 }],
  ];
  test.each(schemas)("%s", async (_, schema) => {
    const created = await post({ schema, example: NAMED });
    // One that is refused is refused with a word; one that is taken judges as if the word were not there.
    if (created.status !== 201) return expect([created.status, created.body.detail]).toEqual([422, expect.stringMatching(/./)]);
    expect(await verdict({ schema, example: NAMED }, {})).toBe("REJECTED");
    expect(await verdict({ schema, example: NAMED }, { company: "Acme" })).toBe("COMPLETED");
  });
});

describe("values that carry the names of every object's methods", () => {
  const names = ["toString", "valueOf", "hasOwnProperty", "constructor", "then", "toJSON", "length"];
  test.each(names)("%s", async (name) => {
    const strange = { [name]: 1 };
    const asked = { schema: under({ const: { x: 1 } }), example: { a: { x: 1 } } };
    expect(await verdict(asked, { a: strange })).toBe("REJECTED");
    expect(await verdict({ schema: under({ enum: [{ x: 1 }, strange] }), example: { a: strange } }, { a: strange })).toBe(
      "COMPLETED",
    );
    const unique = { schema: under({ type: "array", uniqueItems: true }), example: { a: [] } };
    expect(await verdict(unique, { a: [strange, { [name]: 2 }] })).toBe("COMPLETED");
    expect(await verdict(unique, { a: [strange, { [name]: 1 }] })).toBe("REJECTED");
    const ruled = { schema: {}, example: { a: strange }, rules: [{ type: "enum", field: "a", values: [strange, "x"] }] };
    expect(await verdict(ruled, { a: { [name]: 1 } })).toBe("COMPLETED");
    expect(await verdict(ruled, { a: { [name]: null } })).toBe("REJECTED");
    const needed = { schema: { required: [name] }, example: strange, rules: [{ type: "required_fields", fields: [name] }] };
    expect(await verdict(needed, {})).toBe("REJECTED");
    expect(await verdict(needed, strange)).toBe("COMPLETED");
  });
});

describe("what people's tools write is taken, and judged rightly", () => {
  const node = {
    type: "object",
    properties: { name: { type: "string" }, children: { type: "array", items: { $ref: "#/$defs/Node" } } },
    required: ["name"],
  };
  const tree = (name: unknown) => ({ name: "a", children: [{ name: "b", children: [{ name }] }] });
  const decimal = "^(?!^[-+.]*$)[+-]?0*\\d*\\.?\\d*$";
  const email = "^(?!\\.)(?!.*\\.\\.)([A-Za-z0-9_'+\\-\\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\\-]*\\.)+[A-Za-z]{2,}$";
  const nullable = { $defs: { A: { type: "object" } }, ...under({ nullable: true, anyOf: [{ $ref: "#/$defs/A" }] }) };
  /** Schema, what passes (and is the example), what does not. */
  const cases: readonly (readonly [string, unknown, unknown, unknown])[] = [
    ["look-ahead for decimals", under({ type: "string", pattern: decimal }), { a: "12.50" }, { a: "+-" }],
    ["look-ahead for e-mail", under({ type: "string", pattern: email }), { a: "a.b@example.com" }, { a: "a..b@example.com" }],
    ["a back reference", under({ type: "string", pattern: "^(ab|cd)-\\1$" }), { a: "ab-ab" }, { a: "ab-cd" }],
    ["look-behind", under({ type: "string", pattern: "(?<=\\$)\\d+$" }), { a: "$42" }, { a: "42" }],
    ["a named group", under({ type: "string", pattern: "^(?<year>\\d{4})$" }), { a: "2026" }, { a: "26" }],
    ["a property of letters", under({ type: "string", pattern: "^\\p{Letter}+$" }), { a: "Żółw" }, { a: "a1" }],
    ["counts over a thousand", under({ type: "string", pattern: "^x{1,1500}$" }), { a: "xx" }, { a: "" }],
    [
      "a long pattern",
      under({ type: "string", pattern: `^(${Array.from({ length: 90 }, (_, n) => `word${n}`).join("|")})$` }),
      { a: "word89" },
      { a: "word90" },
    ],
    ["hundredths", under({ multipleOf: 0.01 }), { a: 19.99 }, { a: 19.999 }],
    ["tenths", under({ multipleOf: 0.1 }), { a: 0.3 }, { a: 0.35 }],
    ["thousandths", under({ multipleOf: 0.001 }), { a: 1.005 }, { a: 1.0005 }],
    ["multiples of much", under({ multipleOf: 1e-7 }), { a: 0.1234567 }, { a: 0.12345678 }],
    ["nullable beside anyOf", nullable, { a: {} }, { a: 7 }],
    ["nullable, and null", nullable, { a: null }, { a: "null" }],
    ["nullable beside enum", under({ nullable: true, type: "string", enum: ["x", null] }), { a: null }, { a: "y" }],
    [
      "nullable beside a reference",
      { $defs: { A: { type: "integer" } }, ...under({ nullable: true, $ref: "#/$defs/A" }) },
      { a: null },
      { a: "x" },
    ],
    ["recursion", { $defs: { Node: node }, $ref: "#/$defs/Node" }, tree("c"), tree(7)],
    [
      "recursion by name",
      { $id: "https://schemas.example/tree", $defs: { Node: { ...node, $anchor: "node" } }, $ref: "#node" },
      tree("c"),
      tree(7),
    ],
    [
      "recursion of the whole",
      { type: "object", properties: { a: { $ref: "#" } }, additionalProperties: false },
      { a: { a: {} } },
      { a: { b: 1 } },
    ],
    [
      "two that recur in one another",
      {
        $defs: {
          A: under({ anyOf: [{ $ref: "#/$defs/B" }, { type: "null" }] }),
          B: { type: "array", items: { $ref: "#/$defs/A" } },
        },
        $ref: "#/$defs/A",
      },
      { a: [{ a: null }] },
      { a: [{ a: 1 }] },
    ],
    ["a list", { type: "array", items: { type: "integer" } }, [1, 2], ["1"]],
    ["an empty list", { type: "array", maxItems: 0 }, [], [1]],
    ["a word", { type: "string", enum: ["spam", "ham"] }, "spam", "eggs"],
    ["a number", { type: "number", minimum: 1 }, 1, 0],
    ["a truth", { const: true }, true, 1],
    [
      "objects that differ, without a bound",
      under({ type: "array", uniqueItems: true }),
      { a: [{ x: 1, y: 2 }] },
      {
        a: [
          { x: 1, y: 2 },
          { y: 2, x: 1 },
        ],
      },
    ],
    [
      "old tuples",
      {
        $schema: "http://json-schema.org/draft-07/schema#",
        ...under({ type: "array", items: [{ type: "string" }, { type: "number" }], additionalItems: false }),
      },
      { a: ["x", 1] },
      { a: [1, "x"] },
    ],
    ["old ids", { $schema: "http://json-schema.org/draft-04/schema#", id: "https://schemas.example/old", ...COMPANY }, NAMED, {}],
    [
      "an annotation that holds a reference",
      { ...COMPANY, examples: [{ $ref: "#/nowhere" }], default: { $ref: "#/nowhere" } },
      NAMED,
      {},
    ],
    ["lengths of letters outside the plane", under({ type: "string", maxLength: 3 }), { a: "🍎🍐🍋" }, { a: "🍎🍐🍋🍊" }],
    ["patterns of letters outside the plane", under({ type: "string", pattern: "^.{3}$" }), { a: "🍎🍐🍋" }, { a: "🍎🍐" }],
  ];
  test.each(cases)("%s", async (_, schema, good, bad) => {
    expect(await verdict({ schema, example: good }, good)).toBe("COMPLETED");
    expect(await verdict({ schema, example: good }, bad)).toBe("REJECTED");
  });

  test("a format of dates knows the calendar", async () => {
    const wrong: readonly (readonly [string, string])[] = [
      ["date", "2026-02-30"],
      ["date", "2026-13-01"],
      ["date", "1900-02-29"],
      ["date", "2026-04-31"],
      ["date", "2026-1-01"],
      ["date-time", "2026-02-31T29:59:59Z"],
      ["date-time", "2026-01-01T24:00:00Z"],
      ["date-time", "2026-01-01T10:00:00"],
      ["date-time", "2026-01-01T10:61:00Z"],
      ["time", "25:00:00Z"],
      ["duration", "P"],
      ["email", "a b@example.com"],
      ["ipv4", "256.1.1.1"],
      ["uuid", "2026"],
    ];
    const example: { readonly [format: string]: string } = {
      date: "2024-02-29",
      "date-time": "2026-06-30T23:59:60Z",
      time: "10:00:00+02:00",
      duration: "P1DT2H",
      email: "a@example.com",
      ipv4: "1.2.3.4",
      uuid: "7f8c2f6e-1b8e-4d39-9a55-0c8a5d0b5a11",
    };
    for (const [format, text] of wrong) {
      const asked = { schema: under({ type: "string", format }), example: { a: example[format] } };
      expect([format, text, await verdict(asked, { a: text })]).toEqual([format, text, "REJECTED"]);
    }
  });

  test("rules count code points", async () => {
    const asked = (rule: object) => ({
      schema: under({ type: "string" }),
      example: { a: "abc" },
      rules: [{ field: "a", ...rule }],
    });
    expect(await verdict(asked({ type: "max_length", max: 3 }), { a: "🍎🍐🍋" })).toBe("COMPLETED");
    expect(await verdict(asked({ type: "max_length", max: 3 }), { a: "🍎🍐🍋🍊" })).toBe("REJECTED");
    expect(await verdict(asked({ type: "min_length", min: 3 }), { a: "🍎🍐" })).toBe("REJECTED");
    expect(await verdict(asked({ type: "min_length", min: 2 }), { a: "🇵🇱" })).toBe("COMPLETED");
  });
});

describe("a number that would be changed is refused", () => {
  const literals = [
    "1790321456789012345",
    "9007199254740993",
    "-9007199254740993",
    "12345678901234567890.0",
    "1e400",
    "1.7976931348623159e309",
  ];
  test.each(literals)("%s", async (literal) => {
    const asked = { schema: { type: "object" }, example: {} };
    for (const place of [`{"tweet_id":${literal}}`, `{"a":[1,{"b":${literal}}]}`, `[${literal}]`, literal]) {
      const result = await handIn({ ...asked, schema: {} }, undefined, `{"result_data":${place}}`);
      expect([result.status, result.body.code, place], result.body.detail).toEqual([422, "VALIDATION_ERROR", place]);
      expect(result.body.detail).toMatch(/text|string|smaller/);
    }
    const order = `{"input_data":"x","budget":5,"schema":{},"example_output":{"id":${literal}}}`;
    expect((await market.call("POST", "/tasks", order, { key: ann.key })).status).toBe(422);
    const ruled = `{"input_data":"x","budget":5,"schema":{},"example_output":{"a":1},"rules":[{"type":"enum","field":"a","values":[1,${literal}]}]}`;
    expect((await market.call("POST", "/tasks", ruled, { key: ann.key })).status).toBe(422);
  });

  test("as a bound of a schema it is taken, for it bounds nothing that can arrive", async () => {
    for (const word of ["maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum"]) {
      const bound = word.endsWith("aximum") ? "9223372036854775807" : "-9223372036854775809";
      const schema = `{"type":"object","properties":{"a":{"type":"integer","${word}":${bound}}}}`;
      const order = `{"input_data":"x","budget":5,"schema":${schema},"example_output":{"a":1}}`;
      const { status, body } = await market.call("POST", "/tasks", order, { key: ann.key });
      expect([word, status, body.detail]).toEqual([word, 201, undefined]);
    }
  });

  test("what is exact in another spelling is taken as it is", async () => {
    for (const [literal, value] of [
      ["9007199254740991", 2 ** 53 - 1],
      ["20.0", 20],
      ["2e1", 20],
      ["0.1", 0.1],
      ["1E-7", 1e-7],
      ["-0.0", -0],
    ] as const) {
      const { status, body } = await handIn({ schema: {}, example: {} }, undefined, `{"result_data":{"a":${literal}}}`);
      expect([literal, status, body.status]).toEqual([literal, 200, "COMPLETED"]);
      expect(value).toBeTypeOf("number");
    }
  });
});

describe("what was dear is answered, and judged rightly where it is taken", () => {
  test("55 const over 9,900 items", async () => {
    const asked = {
      schema: { properties: { a: { items: { anyOf: Array.from({ length: 55 }, (_, n) => ({ const: n })) } } } },
      example: { a: [54] },
    };
    expect(await verdict(asked, { a: Array(9_900).fill(54) })).toMatch(/COMPLETED|422/);
    expect(await verdict(asked, { a: [...Array(9_900).fill(54), 55] })).toMatch(/REJECTED|422/);
  });

  test("an enum of 560 objects", async () => {
    const values = Array.from({ length: 560 }, (_, n) => ({ n }));
    const asked = { schema: under({ enum: values }), example: { a: { n: 559 } } };
    expect(await verdict(asked, { a: { n: 559 } })).toBe("COMPLETED");
    expect(await verdict(asked, { a: { n: 560 } })).toBe("REJECTED");
  });

  test("one reference spelt in 512 ways", async () => {
    const spell = (n: number) =>
      [..."abcdefghi"].map((letter, at) => ((n >> at) & 1 ? `%${letter.charCodeAt(0).toString(16)}` : letter)).join("");
    const anyOf = Array.from({ length: 512 }, (_, n) => ({ $ref: `#/$defs/${spell(n)}` }));
    const { status } = await post({
      schema: { $defs: { abcdefghi: { type: "integer" } }, ...under({ anyOf }) },
      example: { a: 1 },
    });
    expect([201, 422]).toContain(status);
  });

  test("rules, examples and results beyond their bounds are refused by name", async () => {
    const values = Array.from({ length: 3_000 }, (_, n) => `some value of a long list ${n}`);
    const rules = await post({ schema: {}, example: { a: values[0] }, rules: [{ type: "enum", field: "a", values }] });
    expect([rules.status, JSON.stringify(rules.body.errors)]).toEqual([
      422,
      expect.stringMatching(/"field":"(validation_)?rules/),
    ]);
    const example = await post({ schema: {}, example: { a: "x".repeat(16 * 1024) } });
    expect([example.status, JSON.stringify(example.body.errors)]).toEqual([
      422,
      expect.stringMatching(/"field":"example_output/),
    ]);
    const result = await handIn({ schema: {}, example: {} }, { a: "x".repeat(64 * 1024) });
    expect([result.status, JSON.stringify(result.body.errors)]).toEqual([422, expect.stringMatching(/"field":"result_data/)]);
  });
});
