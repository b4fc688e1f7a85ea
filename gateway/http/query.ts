/** Reads the query of a request into fields, with numbers and booleans where the schema has them. */
import { type Found, normalizeFields, type Shape } from "./fields.ts";
import { isExact } from "./json/decimal.ts";
import { invalid } from "./problems.ts";

/** A JSON number; `+5` arrives as ` 5`. */
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const BOOLEANS: { readonly [text: string]: boolean } = { true: true, 1: true, false: false, 0: false };
/** How forms, Python and JavaScript write an optional field without a value. */
const NOTHING = new Set(["", "None", "null", "undefined"]);

/** Gives the fields of the schema, with numbers and booleans parsed; throws a Problem (422) that names the field. */
export function readQuery(shape: Shape, query: string, found: Found): { readonly [name: string]: unknown } {
  const { properties = {}, required = [] } = shape;
  const sent = new Map<string, string[]>();
  for (const pair of query.split("&")) {
    if (pair === "") continue;
    const [name = "", ...value] = pair.split("=");
    const key = decoded(name) ?? name;
    const values = sent.get(key);
    if (values === undefined) sent.set(key, [value.join("=")]);
    else values.push(value.join("="));
  }
  // Only to find unknown names and mistakes.
  normalizeFields(shape, Object.fromEntries(sent), found);
  const read = Object.entries(properties).flatMap(([name, { type }]) => {
    const values = sent.get(name);
    if (values === undefined) return [];
    const text = textOf(name, values);
    if (NOTHING.has(text) && !required.includes(name)) return [];
    return [[name, typed(text, type)] as const];
  });
  return Object.fromEntries(read);
}

function textOf(field: string, values: readonly string[]): string {
  const [first = "", ...more] = values;
  if (more.length > 0) throw invalid([{ field, message: `is given ${values.length} times; give it once` }]);
  const text = decoded(first);
  if (text === undefined) throw invalid([{ field, message: "is not percent-encoded UTF-8; write %25 for a literal %" }]);
  if (text.includes("\u0000")) throw invalid([{ field, message: "has a NUL character; leave it out" }]);
  return text;
}

function typed(text: string, type: string | undefined): unknown {
  if (type === "integer" || type === "number") return NUMBER.test(text) && isExact(text) ? Number(text) : text;
  const lower = text.toLowerCase();
  if (type === "boolean") return Object.hasOwn(BOOLEANS, lower) ? BOOLEANS[lower] : text;
  return text;
}

/** Undefined for what is not percent-encoded UTF-8. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}
