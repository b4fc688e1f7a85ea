/**
 * A requester's JSON Schema is hostile input: one of 1.5 KB can exhaust a process's memory. So we parse it, rewrite it
 * (normalise.ts) and measure it before the engine compiles it.
 */
import type { FuncKeywordDefinition, Options, ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { JsonObject, JsonValue } from "../vocabulary.ts";
import { costOf, targetOf } from "./cost.ts";
import { isMultipleOf } from "./decimals.ts";
import { Document } from "./document.ts";
import { areUnique, canonicalText, oneOf } from "./equality.ts";
import { FORMATS } from "./formats.ts";
import { isObject } from "./keywords.ts";
import { normalise, type Plain } from "./normalise.ts";
import { compilePattern, PATTERN_WEIGHT_MAX, type Pattern } from "./pattern.ts";
import { SchemaProblem } from "./problem.ts";
import { type Engine, unevaluatedItems, unevaluatedProperties } from "./unevaluated.ts";

/** Maximum characters of a schema as JSON. */
export const SCHEMA_CHARACTERS_MAX = 32_768;

/** A schema, parsed and measured but not compiled. */
export interface MeasuredSchema {
  readonly plain: Plain;
  readonly cost: number;
  /** Total weight of its patterns (pattern.ts). */
  readonly patternWeight: number;
  /** Whether a pattern can only run natively. */
  readonly native: boolean;
}

/** Measures a schema without compiling it. Throws SchemaProblem if it exceeds a bound or has a forbidden reference. */
export function measureSchema(schema: JsonObject): MeasuredSchema {
  const text = JSON.stringify(schema);
  if (text.length > SCHEMA_CHARACTERS_MAX) {
    throw new SchemaProblem(`is ${text.length} characters long; at most ${SCHEMA_CHARACTERS_MAX} are taken`);
  }
  // A copy, so that no object occurs twice.
  const plain = normalise(new Document(JSON.parse(text)));
  const plans = [...plain.patterns.values()];
  const patternWeight = plans.reduce((sum, { weight }) => sum + weight, 0);
  return { plain, cost: costOf(plain), patternWeight, native: plans.some(({ linear }) => linear === undefined) };
}

/** Our own keywords, which replace the engine's: they compare by value, are linear, and exact. */
const KEYWORDS: readonly FuncKeywordDefinition[] = [
  {
    keyword: "enum",
    schemaType: "array",
    compile: (values: readonly JsonValue[]) => oneOf(values),
    error: { message: ({ schema }) => `must be one of ${listed(schema)}` },
  },
  {
    keyword: "const",
    compile: (value: JsonValue) => oneOf([value]),
    error: { message: ({ schema }) => `must be ${listed([schema])}` },
  },
  {
    keyword: "uniqueItems",
    type: "array",
    compile: () => areUnique,
    error: { message: "must not have the same item twice" },
  },
  {
    keyword: "multipleOf",
    type: "number",
    compile: (divisor: number) => (value: number) => isMultipleOf(value, divisor),
    error: { message: ({ schema }) => `must be a multiple of ${String(schema)}` },
  },
  {
    keyword: "format",
    type: "string",
    compile: (name: string) => FORMATS.get(name) ?? (() => true),
    error: { message: ({ schema }) => `must be a valid ${String(schema)}` },
  },
];

/** The required names that an object lacks; the engine's own check mistakes an empty name for none. */
export function missingNames(asked: JsonValue, value: JsonObject): readonly string[] {
  const names = Array.isArray(asked)
    ? asked
    : Object.entries(asked ?? {}).flatMap(([name, needed]) => (Object.hasOwn(value, name) ? Object.values(needed ?? {}) : []));
  return names.map(String).filter((name) => !Object.hasOwn(value, name));
}

const ASKING: readonly FuncKeywordDefinition[] = [["required", "array"] as const, ["dependentRequired", "object"] as const].map(
  ([keyword, schemaType]) => ({
    keyword,
    type: "object",
    schemaType,
    compile: (asked: JsonValue) => (value: JsonObject) => missingNames(asked, value).length === 0,
    error: { message: "is required" },
  }),
);

const LISTED_CHARACTERS_MAX = 200;

function listed(values: readonly JsonValue[]): string {
  let text = "";
  for (const value of values) {
    const one = canonicalText(value);
    if (text.length + one.length > LISTED_CHARACTERS_MAX) return text === "" ? "the values that the schema lists" : `${text}, …`;
    text = text === "" ? one : `${text}, ${one}`;
  }
  return text;
}

const OPTIONS: Options = {
  strict: false,
  // Where it ends at the first error it skips what stands beside `prefixItems` longer than the list, and beside `propertyNames` of {}.
  allErrors: true,
  meta: false,
  validateSchema: false,
  addUsedSchema: false,
  logger: false,
  ownProperties: true,
  validateFormats: false,
  // A definition becomes one function, however often it is referred to.
  inlineRefs: false,
  // Errors carry their schema and value, so that missing names can be named.
  verbose: true,
};

/** The URI of the only document of each engine. */
const DOCUMENT = "nexus:schema";

/** Compiles a measured schema with an engine of its own, because an engine keeps all that it has compiled. */
export function compileSchema({ plain }: MeasuredSchema, linear: boolean): ValidateFunction {
  const pattern = (source: string): Pattern => {
    const plan = plain.patterns.get(source);
    if (plan === undefined) throw new Error(`no plan for the pattern ${source}`);
    return compilePattern(plan, linear);
  };
  const regExp = Object.assign((source: string) => pattern(source), { code: "regExp" });
  const ajv = new Ajv2020({ ...OPTIONS, code: { regExp, optimize: false } });
  // Its own tracking of evaluated parts is not used (unevaluated.ts), so it is turned off.
  ajv.opts.unevaluated = false;
  const fits = (definition: string, value: JsonValue) => ajv.getSchema(`${DOCUMENT}#/$defs/${definition}`)?.(value) === true;
  for (const definition of [...KEYWORDS, ...ASKING, ...unevaluatedKeywords({ plain, fits, pattern })]) {
    for (const name of [definition.keyword].flat()) ajv.removeKeyword(name);
    ajv.addKeyword(definition);
  }
  const $defs = Object.fromEntries([...plain.defs].map(([name, { schema }]) => [name, schema]));
  ajv.addSchema({ $id: DOCUMENT, $defs, $ref: `#/$defs/${plain.root}` });
  const validate = ajv.getSchema(DOCUMENT);
  if (validate === undefined) throw new Error("the schema that was added is not there");
  return validate;
}

/** The schema of an unevaluated keyword is a reference or a boolean, as branches are. */
function fitsInner(inner: JsonValue, value: JsonValue, engine: Engine): boolean {
  return typeof inner === "boolean" ? inner : isObject(inner) && engine.fits(targetOf(String(inner["$ref"])), value);
}

function unevaluatedKeywords(engine: Engine): readonly FuncKeywordDefinition[] {
  return [
    {
      keyword: "unevaluatedProperties",
      type: "object",
      compile: (inner: JsonValue, parent) => (value: JsonObject) =>
        unevaluatedProperties(parent, value, engine).every((name) => fitsInner(inner, value[name] ?? null, engine)),
      error: { message: "must not have fields that the schema does not name" },
    },
    {
      keyword: "unevaluatedItems",
      type: "array",
      compile: (inner: JsonValue, parent) => (value: readonly JsonValue[]) =>
        unevaluatedItems(parent, value, engine).every((index) => fitsInner(inner, value[index] ?? null, engine)),
      error: { message: "must not have items that the schema does not name" },
    },
  ];
}

/** Whether all these patterns may run on the linear engine. */
export function isLinear(weight: number): boolean {
  return weight <= PATTERN_WEIGHT_MAX;
}
