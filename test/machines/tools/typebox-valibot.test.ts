/** What TypeBox and valibot write of a dozen models. */
import { toJsonSchema } from "@valibot/to-json-schema";
import Type, { type TSchema } from "typebox";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { judgeResult } from "../../../machines/validation/verdict.ts";
import { warningsOf } from "../../../machines/validation/warnings.ts";
import type { JsonObject, JsonValue } from "../../../machines/vocabulary.ts";

type Case<S> = readonly [name: string, schema: S, good: JsonValue, bad: JsonValue];

const Money = Type.Object({
  amount: Type.Number({ multipleOf: 0.01 }),
  currency: Type.Union([Type.Literal("EUR"), Type.Literal("USD")]),
});
const Node = Type.Cyclic({ Node: Type.Object({ id: Type.String(), nodes: Type.Array(Type.Ref("Node")) }) }, "Node");
const TYPEBOX: readonly Case<TSchema>[] = [
  [
    "an invoice",
    Type.Object({ lines: Type.Array(Money, { minItems: 1 }), date: Type.String({ format: "date" }) }),
    { lines: [{ amount: 19.99, currency: "EUR" }], date: "2026-02-28" },
    { lines: [{ amount: 19.999, currency: "EUR" }], date: "2026-02-28" },
  ],
  ["recursion", Node, { id: "a", nodes: [{ id: "b", nodes: [] }] }, { id: "a", nodes: [{ id: 1, nodes: [] }] }],
  ["nullable", Type.Union([Type.String(), Type.Null()]), null, 1],
  ["an optional field", Type.Object({ a: Type.Optional(Type.Integer()) }), {}, { a: 1.5 }],
  ["a tuple", Type.Tuple([Type.String(), Type.Number()]), ["a", 1], ["a", 1, 2]],
  ["a record", Type.Record(Type.String(), Type.Number()), { a: 1 }, { a: "x" }],
  [
    "a record of few keys",
    Type.Record(Type.Union([Type.Literal("a"), Type.Literal("b")]), Type.Number()),
    { a: 1, b: 2 },
    { a: 1 },
  ],
  [
    "an intersection, nothing more",
    Type.Intersect([Type.Object({ a: Type.String() }), Type.Object({ b: Type.String() })], { unevaluatedProperties: false }),
    { a: "x", b: "y" },
    { a: "x", b: "y", c: 1 },
  ],
  ["a template", Type.TemplateLiteral([Type.Literal("v"), Type.Number()]), "v1", "x"],
  ["a set", Type.Array(Type.String(), { uniqueItems: true }), ["a", "b"], ["a", "a"]],
  ["an enum", Type.Enum(["spam", "ham"]), "spam", "eggs"],
  ["a date-time", Type.String({ format: "date-time" }), "2026-02-28T10:00:00Z", "2026-02-31T29:59:59Z"],
  ["nothing more", Type.Object({ a: Type.String() }, { additionalProperties: false }), { a: "x" }, { a: "x", b: 1 }],
];

const Item = v.object({ sku: v.pipe(v.string(), v.nonEmpty()), quantity: v.pipe(v.number(), v.integer(), v.minValue(1)) });
interface Folder {
  name: string;
  folders: Folder[];
}
const Folder: v.GenericSchema<Folder> = v.object({ name: v.string(), folders: v.array(v.lazy(() => Folder)) });
const of = (schema: v.GenericSchema, options: object = {}) => toJsonSchema(schema, options);
const VALIBOT: readonly Case<unknown>[] = [
  [
    "an order",
    of(v.object({ items: v.pipe(v.array(Item), v.minLength(1)), note: v.nullable(v.string()) })),
    { items: [{ sku: "a", quantity: 1 }], note: null },
    { items: [{ sku: "", quantity: 1 }], note: null },
  ],
  [
    "recursion",
    of(Folder, { definitions: { Folder } }),
    { name: "a", folders: [{ name: "b", folders: [] }] },
    { name: "a", folders: [{ name: "b" }] },
  ],
  [
    "a variant",
    of(v.variant("t", [v.object({ t: v.literal("a"), n: v.number() }), v.object({ t: v.literal("b") })])),
    { t: "b" },
    { t: "a" },
  ],
  ["an e-mail", of(v.pipe(v.string(), v.email())), "ann@example.com", "ann@"],
  ["a pattern", of(v.pipe(v.string(), v.regex(/^(?!.*--)[a-z-]+$/))), "a-b", "a--b"],
  ["a tuple", of(v.tuple([v.string(), v.number()])), ["a", 1], ["a", "b"]],
  ["a strict tuple", of(v.strictTuple([v.string(), v.number()])), ["a", 1], ["a", 1, 2]],
  ["a record", of(v.record(v.string(), v.number())), { a: 1 }, { a: "x" }],
  ["a strict object", of(v.strictObject({ a: v.optional(v.string()) })), {}, { b: 1 }],
  ["a picklist", of(v.picklist(["spam", "ham"])), "ham", "eggs"],
  ["an ISO date", of(v.pipe(v.string(), v.isoDate())), "2026-02-28", "2026-02-30"],
  ["cents", of(v.pipe(v.number(), v.multipleOf(0.01))), 19.99, 0.001],
  ["an intersection", of(v.intersect([v.object({ a: v.string() }), v.object({ b: v.number() })])), { a: "x", b: 1 }, { a: "x" }],
];

describe.each<[string, readonly Case<unknown>[]]>([
  ["TypeBox", TYPEBOX],
  ["valibot", VALIBOT],
])("%s", (_tool, cases) => {
  test.each(cases)("%s", (_name, schema, good, bad) => {
    const demands = { schema: JSON.parse(JSON.stringify(schema)) as JsonObject, rules: [] };
    expect(judgeResult(demands, good)).toEqual({ code: null, errors: [] });
    expect(judgeResult(demands, bad)).toMatchObject({ code: "SCHEMA_MISMATCH" });
    expect(warningsOf(demands).filter(({ code }) => code !== "ALL_OPTIONAL")).toEqual([]);
  });
});
