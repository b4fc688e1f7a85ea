/** What pydantic 2's `model_json_schema()` writes of a dozen models, kept as it writes it. */
import { describe, expect, test } from "vitest";
import { isLight, judgeResult, measureDemands } from "../../../machines/validation/verdict.ts";
import { warningsOf } from "../../../machines/validation/warnings.ts";
import type { JsonObject, JsonValue } from "../../../machines/vocabulary.ts";

const DECIMAL: JsonObject = {
  anyOf: [{ type: "number" }, { pattern: "^(?!^[-+.]*$)[+-]?0*\\d*\\.?\\d*$", type: "string" }],
  title: "Price",
};
const nullable = (schema: JsonObject): JsonObject => ({ anyOf: [schema, { type: "null" }], default: null });
const model = (title: string, properties: JsonObject, required: string[], more: JsonObject = {}): JsonObject => ({
  ...more,
  properties,
  required,
  title,
  type: "object",
});

const LINE = model(
  "LineItem",
  {
    sku: { minLength: 1, title: "Sku", type: "string" },
    quantity: { exclusiveMinimum: 0, title: "Quantity", type: "integer" },
    price: DECIMAL,
  },
  ["sku", "quantity", "price"],
);
const INVOICE = model(
  "Invoice",
  {
    number: { pattern: "^INV-\\d+$", title: "Number", type: "string" },
    issued: { format: "date", title: "Issued", type: "string" },
    lines: { items: { $ref: "#/$defs/LineItem" }, minItems: 1, title: "Lines", type: "array" },
    customer: nullable({ $ref: "#/$defs/Customer" }),
    status: { $ref: "#/$defs/Status", default: "open" },
  },
  ["number", "issued", "lines"],
  {
    $defs: {
      LineItem: LINE,
      Customer: model("Customer", { email: { format: "email", title: "Email", type: "string" } }, ["email"]),
      Status: { enum: ["open", "paid"], title: "Status", type: "string" },
    },
  },
);
const invoice = { number: "INV-7", issued: "2026-02-28", lines: [{ sku: "a", quantity: 2, price: "12.50" }], customer: null };

const pet = (kind: string, field: string): JsonObject =>
  model(kind, { kind: { const: kind, title: "Kind", type: "string" }, [field]: { title: field, type: "integer" } }, [
    "kind",
    field,
  ]);
const OWNER = model(
  "Owner",
  {
    pet: {
      discriminator: { mapping: { cat: "#/$defs/Cat", dog: "#/$defs/Dog" }, propertyName: "kind" },
      oneOf: [{ $ref: "#/$defs/Cat" }, { $ref: "#/$defs/Dog" }],
      title: "Pet",
    },
  },
  ["pet"],
  { $defs: { Cat: pet("cat", "lives"), Dog: pet("dog", "tricks") } },
);
const NODE: JsonObject = {
  $defs: {
    Node: model(
      "Node",
      {
        name: { title: "Name", type: "string" },
        children: { default: [], items: { $ref: "#/$defs/Node" }, title: "Children", type: "array" },
      },
      ["name"],
    ),
  },
  $ref: "#/$defs/Node",
};
const POINT: JsonObject = {
  $defs: {
    Point: {
      maxItems: 2,
      minItems: 2,
      prefixItems: [
        { title: "X", type: "number" },
        { title: "Y", type: "number" },
      ],
      type: "array",
    },
  },
  ...model("Path", { points: { items: { $ref: "#/$defs/Point" }, title: "Points", type: "array" } }, ["points"]),
};
const field = (schema: JsonObject, title = "Model") => model(title, { a: { title: "A", ...schema } }, ["a"]);

type Case = readonly [name: string, schema: JsonObject, good: JsonValue, bad: JsonValue];
const CASES: readonly Case[] = [
  ["an invoice with line items", INVOICE, invoice, { ...invoice, lines: [] }],
  [
    "its decimals as numbers",
    INVOICE,
    { ...invoice, lines: [{ sku: "a", quantity: 2, price: 12.5 }] },
    { ...invoice, lines: [{ sku: "a", quantity: 2, price: "+-." }] },
  ],
  ["its dates of the calendar", INVOICE, invoice, { ...invoice, issued: "2026-02-30" }],
  [
    "its nullable reference",
    INVOICE,
    { ...invoice, customer: { email: "ann@example.com" } },
    { ...invoice, customer: { email: "ann" } },
  ],
  ["a default beside a reference", INVOICE, { ...invoice, status: "paid" }, { ...invoice, status: "lost" }],
  ["a discriminator with its mapping", OWNER, { pet: { kind: "cat", lives: 9 } }, { pet: { kind: "cat", tricks: 9 } }],
  [
    "recursion at the root",
    NODE,
    { name: "a", children: [{ name: "b", children: [] }] },
    { name: "a", children: [{ children: [] }] },
  ],
  ["named tuples", POINT, { points: [[1, 2.5]] }, { points: [[1, 2, 3]] }],
  ["a set", field({ items: { type: "string" }, type: "array", uniqueItems: true }), { a: ["x", "y"] }, { a: ["x", "x"] }],
  ["dict[str, int]", field({ additionalProperties: { type: "integer" }, type: "object" }), { a: { x: 1 } }, { a: { x: 1.5 } }],
  [
    "dict[constrained str, int]",
    field({ patternProperties: { "^[a-z]+$": { type: "integer" } }, type: "object" }),
    { a: { x: 1 } },
    { a: { x: "1" } },
  ],
  ["a timedelta", field({ format: "duration", type: "string" }), { a: "P1DT2H3.5S" }, { a: "1 day" }],
  [
    "a datetime",
    field({ format: "date-time", type: "string" }),
    { a: "2026-02-28T10:00:00+02:00" },
    { a: "2026-02-31T29:59:59Z" },
  ],
  [
    "a time, a UUID, a URL",
    model(
      "M",
      {
        t: { format: "time", type: "string" },
        u: { format: "uuid", type: "string" },
        l: { format: "uri", maxLength: 2083, minLength: 1, type: "string" },
      },
      ["t", "u", "l"],
    ),
    { t: "10:00:00Z", u: "6f1c3f0e-2b7a-4d51-9c3e-5a8d7b60f142", l: "https://a.example/" },
    { t: "10:00:00Z", u: "6f1c", l: "https://a.example/" },
  ],
  ["bytes", field({ format: "binary", type: "string" }), { a: "x" }, { a: 1 }],
  ["an int64", field({ maximum: 2 ** 63, minimum: -(2 ** 63), type: "integer" }), { a: 9007199254740991 }, { a: 1e30 }],
  ["bounds", field({ exclusiveMinimum: 0.0, maximum: 100.0, type: "number" }), { a: 100 }, { a: 0 }],
  ["multiple_of", field({ multipleOf: 0.01, type: "number" }), { a: 19.99 }, { a: 19.999 }],
  ["extra = forbid", model("M", { a: { type: "string" } }, ["a"], { additionalProperties: false }), { a: "x" }, { a: "x", b: 1 }],
  ["Literal of several", field({ enum: ["spam", "ham", 1], title: "A" }), { a: 1 }, { a: "eggs" }],
  ["None", field({ type: "null" }), { a: null }, { a: 0 }],
  [
    "an IPv4 and an IPv6 address",
    field({
      anyOf: [
        { format: "ipv4", type: "string" },
        { format: "ipv6", type: "string" },
      ],
    }),
    { a: "::1" },
    { a: "1.2.3.4.5" },
  ],
  [
    "a Json field",
    field({ contentMediaType: "application/json", contentSchema: { type: "array", items: { type: "integer" } }, type: "string" }),
    { a: "[1]" },
    { a: [1] },
  ],
  ["a secret", field({ format: "password", type: "string", writeOnly: true }), { a: "x" }, { a: null }],
  [
    "a fraction of digits",
    field({
      anyOf: [
        { type: "number" },
        { pattern: "^(?!^[-+.]*$)[+-]?0*(?:\\d{0,3}|(?=[\\d.]{1,6}0*$)\\d{0,3}\\.\\d{0,2}0*$)", type: "string" },
      ],
    }),
    { a: "123.45" },
    { a: "-." },
  ],
  [
    "a union of models",
    {
      $defs: { A: model("A", { a: { type: "string" } }, ["a"]), B: model("B", { b: { type: "integer" } }, ["b"]) },
      anyOf: [{ $ref: "#/$defs/A" }, { $ref: "#/$defs/B" }],
    },
    { b: 1 },
    { b: "1" },
  ],
  [
    "a RootModel of a list",
    { items: { $ref: "#/$defs/LineItem" }, $defs: { LineItem: LINE }, title: "Lines", type: "array" },
    [{ sku: "a", quantity: 1, price: 1 }],
    [{ sku: "a", quantity: 0, price: 1 }],
  ],
  [
    "examples that hold references",
    field({ type: "string", examples: [{ $ref: "#/nowhere" }], default: { $ref: "http://a.example/" } }),
    { a: "x" },
    { a: 1 },
  ],
];

describe("pydantic 2", () => {
  test.each(CASES)("%s", (_name, schema, good, bad) => {
    expect(judgeResult({ schema, rules: [] }, good)).toEqual({ code: null, errors: [] });
    expect(judgeResult({ schema, rules: [] }, bad)).toMatchObject({ code: "SCHEMA_MISMATCH" });
    expect(warningsOf({ schema, rules: [] }).filter(({ code }) => code !== "ALL_OPTIONAL")).toEqual([]);
  });

  test("its decimals are never judged where other work waits", () => {
    const measured = measureDemands({ schema: INVOICE, rules: [] });
    expect(!("problem" in measured) && [measured.native, isLight(measured, invoice)]).toEqual([true, false]);
  });
});
