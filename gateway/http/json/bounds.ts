/**
 * The bounds of a JSON Schema beyond 2^53 (`minimum`, `maximum` and their exclusive forms): what tools write for 64-bit
 * integers. They are taken although a double cannot hold them, as the double that parts the numbers that can arrive where they do.
 */
import { directed } from "./decimal.ts";
import type { Path } from "./text.ts";

/** Whether the double that stands for a bound may not be above it. */
const DOWN: { readonly [keyword: string]: boolean } = {
  maximum: true,
  exclusiveMinimum: true,
  minimum: false,
  exclusiveMaximum: false,
};

const SCHEMA_FIELDS = new Set<Path[number]>(["schema", "validation_schema"]);
/** Keywords below which names of the author's stand, with a schema each. */
const NAMED = new Set<Path[number]>([
  "properties",
  "patternProperties",
  "$defs",
  "definitions",
  "dependentSchemas",
  "dependencies",
]);
/** Keywords below which is a schema, or a list of them. */
const NESTED = new Set<Path[number]>([
  ...["allOf", "anyOf", "oneOf", "prefixItems", "items", "additionalItems", "unevaluatedItems", "contains"],
  ...["additionalProperties", "unevaluatedProperties", "propertyNames", "not", "if", "then", "else"],
]);
/** Longer ones are no bounds that a tool has written. */
const LITERAL_MAX = 400;

/** Gives the double to keep for the number at this path of a body; undefined when it is no bound that is taken. */
export function boundAt(path: Path, literal: string): number | undefined {
  const below = path[0] === "template" ? path.slice(1) : path;
  const [field, ...keywords] = below;
  const keyword = keywords.pop();
  const down = typeof keyword === "string" && Object.hasOwn(DOWN, keyword) ? DOWN[keyword] : undefined;
  if (field === undefined || !SCHEMA_FIELDS.has(field) || down === undefined || !isSchema(keywords)) return undefined;
  const large = Math.abs(Number(literal)) > Number.MAX_SAFE_INTEGER && literal.length <= LITERAL_MAX;
  return large ? directed(literal, down) : undefined;
}

/** Whether these keywords, one below the other, lead from a schema to a schema, and not into an example or an enum. */
function isSchema(keywords: Path): boolean {
  for (let at = 0; at < keywords.length; at += 1) {
    const keyword = keywords[at] ?? "";
    if (NAMED.has(keyword)) at += 1;
    else if (!NESTED.has(keyword)) return false;
    else if (typeof keywords[at + 1] === "number") at += 1;
  }
  return true;
}

/** Puts a bound in its place in a value, unless the same field came once more: then the last one counts, as with JSON.parse. */
export function place(root: unknown, path: Path, literal: string, bound: number): void {
  let parent: unknown = root;
  for (const step of path.slice(0, -1)) parent = Reflect.get(Object(parent), step);
  const last = path.at(-1) ?? "";
  if (Reflect.get(Object(parent), last) === Number(literal)) Reflect.set(Object(parent), last, bound);
}
