/**
 * Bounds of a JSON Schema beyond 2^53 (`minimum`, `maximum` and their exclusive forms), as tools write them for 64-bit
 * integers. A double cannot hold them, so they are replaced by the double that accepts and refuses the same doubles.
 */
import { directed } from "./decimal.ts";
import type { Path } from "./text.ts";

/** Whether the double in place of the bound must not be above it. */
const DOWN: { readonly [keyword: string]: boolean } = {
  maximum: true,
  exclusiveMinimum: true,
  minimum: false,
  exclusiveMaximum: false,
};

const SCHEMA_FIELDS = new Set<Path[number]>(["schema", "validation_schema"]);
/** Keywords whose value maps names to schemas. */
const NAMED = new Set<Path[number]>([
  "properties",
  "patternProperties",
  "$defs",
  "definitions",
  "dependentSchemas",
  "dependencies",
]);
/** Keywords whose value is a schema or a list of schemas. */
const NESTED = new Set<Path[number]>([
  ...["allOf", "anyOf", "oneOf", "prefixItems", "items", "additionalItems", "unevaluatedItems", "contains"],
  ...["additionalProperties", "unevaluatedProperties", "propertyNames", "not", "if", "then", "else"],
]);
/** No tool writes longer bounds (characters). */
const LITERAL_MAX = 400;

/** Gives the double that replaces the number at this path of a body; undefined if it is not such a bound. */
export function boundAt(path: Path, literal: string): number | undefined {
  const below = path[0] === "template" ? path.slice(1) : path;
  const [field, ...keywords] = below;
  const keyword = keywords.pop();
  const down = typeof keyword === "string" && Object.hasOwn(DOWN, keyword) ? DOWN[keyword] : undefined;
  if (field === undefined || !SCHEMA_FIELDS.has(field) || down === undefined || !isSchema(keywords)) return undefined;
  const large = Math.abs(Number(literal)) > Number.MAX_SAFE_INTEGER && literal.length <= LITERAL_MAX;
  return large ? directed(literal, down) : undefined;
}

/** Whether this path of keywords leads from a schema to a subschema, and not into an example or an enum. */
function isSchema(keywords: Path): boolean {
  for (let at = 0; at < keywords.length; at += 1) {
    const keyword = keywords[at] ?? "";
    if (NAMED.has(keyword)) at += 1;
    else if (!NESTED.has(keyword)) return false;
    else if (typeof keywords[at + 1] === "number") at += 1;
  }
  return true;
}

/** Replaces a bound in a value, unless the same field came twice: then the last one counts, as with JSON.parse. */
export function place(root: unknown, path: Path, literal: string, bound: number): void {
  let parent: unknown = root;
  for (const step of path.slice(0, -1)) parent = Reflect.get(Object(parent), step);
  const last = path.at(-1) ?? "";
  if (Reflect.get(Object(parent), last) === Number(literal)) Reflect.set(Object(parent), last, bound);
}
