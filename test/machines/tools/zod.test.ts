/** What zod writes of a dozen models, by its own converter and by zod-to-json-schema's for its older half. */
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { z as z3 } from "zod/v3";
import { zodToJsonSchema } from "zod-to-json-schema";
import { judgeResult } from "../../../machines/validation/verdict.ts";
import { warningsOf } from "../../../machines/validation/warnings.ts";
import type { JsonObject, JsonValue } from "../../../machines/vocabulary.ts";

/** A model, a value of it, and one that is not. */
type Case = readonly [name: string, schema: unknown, good: JsonValue, bad: JsonValue];

const Line = z.object({ sku: z.string().min(1), quantity: z.int().positive(), price: z.number().multipleOf(0.01) });
const Invoice = z.object({
  number: z.string().regex(/^INV-\d{4}$/),
  issued: z.iso.date(),
  lines: z.array(Line).min(1),
  note: z.string().nullable(),
  due: z.iso.date().optional(),
  currency: z.enum(["EUR", "USD"]).default("EUR"),
});
const Category = z.object({
  name: z.string(),
  get children() {
    return z.array(Category);
  },
});
const Shape = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("circle"), radius: z.number().positive() }),
  z.object({ kind: z.literal("square"), side: z.number().positive() }),
]);
const good = {
  number: "INV-0001",
  issued: "2026-02-28",
  lines: [{ sku: "a", quantity: 2, price: 19.99 }],
  note: null,
  currency: "EUR",
};

const zod4 = (schema: z.ZodType) => z.toJSONSchema(schema);
const ZOD: readonly Case[] = [
  ["an invoice with lines", zod4(Invoice), good, { ...good, issued: "2026-02-30" }],
  ["a price to the cent", zod4(Invoice), good, { ...good, lines: [{ sku: "a", quantity: 2, price: 19.999 }] }],
  ["recursion", zod4(Category), { name: "a", children: [{ name: "b", children: [] }] }, { name: "a", children: [{ name: "b" }] }],
  ["a discriminated union", zod4(Shape), { kind: "square", side: 2 }, { kind: "square", radius: 2 }],
  ["e-mail, with look-ahead", zod4(z.object({ to: z.email() })), { to: "ann@example.com" }, { to: "ann..b@example.com" }],
  ["a tuple", zod4(z.tuple([z.string(), z.number()]).rest(z.boolean())), ["a", 1, true], ["a", "b"]],
  ["a record", zod4(z.record(z.string(), z.number())), { a: 1 }, { a: "1" }],
  ["a strict object", zod4(z.strictObject({ a: z.string().optional() })), {}, { b: 1 }],
  ["nullable and union", zod4(z.union([z.string(), z.number().int(), z.null()])), null, 1.5],
  ["an ISO duration", zod4(z.object({ d: z.iso.duration() })), { d: "P3DT4H" }, { d: "3 days" }],
  [
    "a time with its zone",
    zod4(z.object({ at: z.iso.datetime({ offset: true }) })),
    { at: "2026-02-28T10:00:00Z" },
    { at: "2026-02-30T10:00:00Z" },
  ],
  [
    "uuid and url",
    zod4(z.object({ id: z.uuid(), at: z.url() })),
    { id: "6f1c3f0e-2b7a-4d51-9c3e-5a8d7b60f142", at: "https://a.example/" },
    { id: "1", at: "x" },
  ],
  [
    "an intersection",
    zod4(z.intersection(z.object({ a: z.string() }), z.object({ b: z.number() }))),
    { a: "x", b: 1 },
    { a: "x" },
  ],
  ["literals", zod4(z.literal(["spam", "ham"])), "ham", "eggs"],
  ["lengths in code points", zod4(z.string().max(3)), "😀😀😀", "abcd"],
  ["draft 7, of it", z.toJSONSchema(Category, { target: "draft-7" }), { name: "a", children: [] }, { name: 1, children: [] }],
  ["draft 4, of it", z.toJSONSchema(z.object({ n: z.number().gt(0) }), { target: "draft-4" }), { n: 1 }, { n: 0 }],
  [
    "OpenAPI 3.0, of it",
    z.toJSONSchema(z.object({ a: z.string().nullable() }), { target: "openapi-3.0" }),
    { a: null },
    { a: 1 },
  ],
];

const Tree: z3.ZodType<unknown> = z3.lazy(() => z3.object({ value: z3.number(), left: Tree.nullable(), right: Tree.nullable() }));
const Item = z3.object({ sku: z3.string(), price: z3.number().multipleOf(0.01) });
const zod3 = (schema: z3.ZodTypeAny, options: object = {}) => zodToJsonSchema(schema, options);
const ZOD_3: readonly Case[] = [
  [
    "an order whose addresses are one schema",
    zod3(z3.object({ a: Item, b: Item })),
    { a: { sku: "x", price: 1.1 }, b: { sku: "y", price: 2 } },
    { a: { sku: "x", price: 1.1 }, b: { sku: 1, price: 2 } },
  ],
  [
    "recursion",
    zod3(Tree, { name: "Tree" }),
    { value: 1, left: { value: 2, left: null, right: null }, right: null },
    { value: 1, left: { value: "2", left: null, right: null }, right: null },
  ],
  ["nullable for OpenAPI 3", zod3(z3.object({ a: Item.nullable() }), { target: "openApi3" }), { a: null }, { a: 1 }],
  [
    "nullable references for OpenAPI 3",
    zod3(z3.object({ a: Item, b: Item.nullable() }), { target: "openApi3", definitions: { Item } }),
    { a: { sku: "x", price: 1 }, b: null },
    { a: null, b: null },
  ],
  [
    "nullable enums for OpenAPI 3",
    zod3(z3.object({ a: z3.enum(["x", "y"]).nullable() }), { target: "openApi3" }),
    { a: null },
    { a: "z" },
  ],
  ["exclusive bounds for OpenAPI 3", zod3(z3.number().positive(), { target: "openApi3" }), 1, 0],
  [
    "a discriminated union",
    zod3(z3.discriminatedUnion("t", [z3.object({ t: z3.literal("a"), n: z3.number() }), z3.object({ t: z3.literal("b") })])),
    { t: "b" },
    { t: "a" },
  ],
  ["a tuple", zod3(z3.tuple([z3.string(), z3.number()])), ["a", 1], ["a", 1, 2]],
  ["a set", zod3(z3.set(z3.string())), ["a", "b"], ["a", "a"]],
  ["a map as a record", zod3(z3.map(z3.string(), z3.number()), { mapStrategy: "record" }), { a: 1 }, { a: "x" }],
  [
    "formats",
    zod3(z3.object({ e: z3.string().email(), d: z3.string().date(), i: z3.string().ip({ version: "v4" }) })),
    { e: "a@b.example", d: "2026-02-28", i: "10.0.0.1" },
    { e: "a@b.example", d: "2026-02-31", i: "10.0.0.1" },
  ],
  ["emoji, \\p", zod3(z3.string().emoji()), "😀", "x"],
  [
    "a native enum and defaults",
    zod3(z3.object({ s: z3.nativeEnum({ A: "a", N: 1 } as const).default("a") })),
    { s: 1 },
    { s: 2 },
  ],
];

describe.each([
  ["zod 4", ZOD],
  ["zod-to-json-schema", ZOD_3],
])("%s", (_tool, cases) => {
  test.each(cases)("%s", (_name, schema, good, bad) => {
    const demands = { schema: schema as JsonObject, rules: [] };
    expect(judgeResult(demands, good)).toEqual({ code: null, errors: [] });
    expect(judgeResult(demands, bad)).toMatchObject({ code: "SCHEMA_MISMATCH" });
    expect(warningsOf(demands).filter(({ code }) => code !== "ALL_OPTIONAL")).toEqual([]);
  });
});
