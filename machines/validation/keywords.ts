/**
 * The allow-list of keywords for each dialect. Any other keyword is an annotation: it is neither compiled nor walked.
 */
import type { JsonObject, JsonValue } from "../vocabulary.ts";
import { pointerStep, SchemaProblem, shown } from "./problem.ts";

/** Drafts, oldest first. `open` is a schema without `$schema`: 2020-12 that accepts the spellings of older drafts. */
export type Dialect = "draft-04" | "draft-06" | "draft-07" | "2019-09" | "2020-12" | "open";

const NAMES: readonly [RegExp, Dialect][] = [
  [/^https?:\/\/json-schema\.org\/draft-04\/schema#?$/, "draft-04"],
  [/^https?:\/\/json-schema\.org\/draft-06\/schema#?$/, "draft-06"],
  [/^https?:\/\/json-schema\.org\/draft-07\/schema#?$/, "draft-07"],
  [/^https?:\/\/json-schema\.org\/draft\/2019-09\/schema#?$/, "2019-09"],
  [/^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/, "2020-12"],
  [/^https?:\/\/json-schema\.org\/schema#?$/, "open"],
  [/^https?:\/\/spec\.openapis\.org\/oas\/3\.1\/dialect\/base$/, "open"],
];

/** The dialect of a `$schema`; undefined if unknown. */
export function dialectOf(name: string): Dialect | undefined {
  return NAMES.find(([pattern]) => pattern.test(name))?.[1];
}

/** Whether `$ref` overrides its siblings, as it did before 2019-09. */
export function refStandsAlone(dialect: Dialect): boolean {
  return dialect === "draft-04" || dialect === "draft-06" || dialect === "draft-07";
}

/** The kind of value that a keyword takes. */
export type Shape =
  | "schema"
  | "schemas"
  | "schema or schemas"
  | "map of schemas"
  | "map of schemas or names"
  | "map of names"
  | "names"
  | "number"
  | "positive"
  | "limit"
  | "count"
  | "flag"
  | "text"
  | "type"
  | "values"
  | "any";

const OLD: readonly Dialect[] = ["draft-04", "draft-06", "draft-07", "2019-09", "open"];
const SINCE_6: readonly Dialect[] = ["draft-06", "draft-07", "2019-09", "2020-12", "open"];
const SINCE_7: readonly Dialect[] = ["draft-07", "2019-09", "2020-12", "open"];
const SINCE_2019: readonly Dialect[] = ["2019-09", "2020-12", "open"];
const SINCE_2020: readonly Dialect[] = ["2020-12", "open"];
const ONLY_2019: readonly Dialect[] = ["2019-09", "open"];
const ALL: readonly Dialect[] = [...OLD, "2020-12"];

const KEYWORDS = new Map<string, readonly [Shape, readonly Dialect[]]>([
  ["$ref", ["text", ALL]],
  ["$id", ["text", SINCE_6]],
  ["id", ["any", ["draft-04", "open"]]],
  ["$anchor", ["text", SINCE_2019]],
  ["$dynamicRef", ["text", SINCE_2020]],
  ["$dynamicAnchor", ["text", SINCE_2020]],
  ["$recursiveRef", ["text", ONLY_2019]],
  ["$recursiveAnchor", ["flag", ONLY_2019]],
  ["$defs", ["map of schemas", ALL]],
  ["definitions", ["map of schemas", ALL]],
  ["allOf", ["schemas", ALL]],
  ["anyOf", ["schemas", ALL]],
  ["oneOf", ["schemas", ALL]],
  ["not", ["schema", ALL]],
  ["if", ["schema", SINCE_7]],
  ["then", ["schema", SINCE_7]],
  ["else", ["schema", SINCE_7]],
  ["dependentSchemas", ["map of schemas", SINCE_2019]],
  ["dependentRequired", ["map of names", SINCE_2019]],
  ["dependencies", ["map of schemas or names", ALL]],
  ["properties", ["map of schemas", ALL]],
  ["patternProperties", ["map of schemas", ALL]],
  ["additionalProperties", ["schema", ALL]],
  ["propertyNames", ["schema", SINCE_6]],
  ["unevaluatedProperties", ["schema", SINCE_2019]],
  ["items", ["schema or schemas", ALL]],
  ["prefixItems", ["schemas", SINCE_2020]],
  // It has a meaning only beside an `items` list, which 2020-12 does not have, so its old meaning does no harm there.
  ["additionalItems", ["schema", ALL]],
  ["contains", ["schema", SINCE_6]],
  ["minContains", ["count", SINCE_2019]],
  ["maxContains", ["count", SINCE_2019]],
  ["unevaluatedItems", ["schema", SINCE_2019]],
  ["type", ["type", ALL]],
  ["enum", ["values", ALL]],
  ["const", ["any", SINCE_6]],
  ["nullable", ["flag", ALL]],
  ["multipleOf", ["positive", ALL]],
  ["maximum", ["number", ALL]],
  ["minimum", ["number", ALL]],
  ["exclusiveMaximum", ["limit", ALL]],
  ["exclusiveMinimum", ["limit", ALL]],
  ["maxLength", ["count", ALL]],
  ["minLength", ["count", ALL]],
  ["pattern", ["text", ALL]],
  ["format", ["text", ALL]],
  ["maxItems", ["count", ALL]],
  ["minItems", ["count", ALL]],
  ["uniqueItems", ["flag", ALL]],
  ["maxProperties", ["count", ALL]],
  ["minProperties", ["count", ALL]],
  ["required", ["names", ALL]],
]);

/** All keywords of all dialects. */
export const KEYWORD_NAMES: ReadonlySet<string> = new Set(KEYWORDS.keys());

/** The kind of a keyword's value in a dialect; undefined if it is an annotation there. */
export function shapeOf(keyword: string, dialect: Dialect): Shape | undefined {
  const known = KEYWORDS.get(keyword);
  return known?.[1].includes(dialect) ? known[0] : undefined;
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const TYPES = new Set<JsonValue>(["null", "boolean", "object", "array", "number", "string", "integer"]);

const isSchema = (value: JsonValue) => isObject(value) || typeof value === "boolean";
const isNames = (value: JsonValue) => Array.isArray(value) && value.every((name) => typeof name === "string");
const isMap = (value: JsonValue, of: (value: JsonValue) => boolean) => isObject(value) && Object.values(value).every(of);
const isSchemas = (value: JsonValue) => Array.isArray(value) && value.every(isSchema);

const FITS: { readonly [S in Shape]: readonly [(value: JsonValue) => boolean, string] } = {
  schema: [isSchema, "a schema (an object, true or false)"],
  schemas: [isSchemas, "a list of schemas"],
  "schema or schemas": [(value) => isSchema(value) || isSchemas(value), "a schema or a list of schemas"],
  "map of schemas": [(value) => isMap(value, isSchema), "an object of schemas"],
  "map of names": [(value) => isMap(value, isNames), "an object of lists of names"],
  "map of schemas or names": [
    (value) => isMap(value, (one) => isSchema(one) || isNames(one)),
    "an object of schemas or lists of names",
  ],
  names: [isNames, "a list of names"],
  number: [(value) => typeof value === "number", "a number"],
  positive: [(value) => typeof value === "number" && value > 0, "a number above 0"],
  limit: [(value) => typeof value === "number" || typeof value === "boolean", "a number"],
  count: [(value) => Number.isInteger(value) && Number(value) >= 0, "a whole number of at least 0"],
  flag: [(value) => typeof value === "boolean", "true or false"],
  text: [(value) => typeof value === "string", "a text"],
  type: [
    (value) => TYPES.has(value) || (Array.isArray(value) && value.length > 0 && value.every((one) => TYPES.has(one))),
    `one or a list of ${[...TYPES].join(", ")}`,
  ],
  values: [(value) => Array.isArray(value), "a list of values"],
  any: [() => true, "anything"],
};

/** Throws SchemaProblem, with the place, if one of the schema's own keywords has an invalid value. */
export function checkShapes(node: JsonObject, path: string, dialect: Dialect): void {
  const alone = refStandsAlone(dialect) && typeof node["$ref"] === "string";
  for (const [keyword, value] of Object.entries(node)) {
    const shape = shapeOf(keyword, dialect);
    if (shape === undefined || (alone && shape !== "map of schemas")) continue;
    const [fits, words] = FITS[shape];
    if (fits(value)) continue;
    const help =
      keyword === "required" && typeof value === "boolean"
        ? "; list the names in required of the object that has the property"
        : "";
    throw new SchemaProblem(`is not a JSON Schema at ${shown(`${path}/${pointerStep(keyword)}`)}: it must be ${words}${help}`);
  }
}

/** A subschema and its place. */
export interface Inner {
  readonly value: JsonValue;
  readonly path: string;
}

/** The direct subschemas, definitions included. Values have been checked. */
export function innerSchemas(node: JsonObject, path: string, dialect: Dialect): readonly Inner[] {
  const found: Inner[] = [];
  for (const [keyword, value] of Object.entries(node)) {
    const shape = shapeOf(keyword, dialect);
    if (shape === undefined || !shape.includes("schema")) continue;
    const at = `${path}/${pointerStep(keyword)}`;
    if (!shape.startsWith("map") && !Array.isArray(value)) found.push({ value, path: at });
    else {
      for (const [name, child] of Object.entries(value ?? {})) {
        if (isSchema(child)) found.push({ value: child, path: `${at}/${pointerStep(name)}` });
      }
    }
  }
  return found;
}
