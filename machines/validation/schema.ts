/**
 * A requester's JSON Schema is hostile input: one of 1.5 KB can fill the memory of a process. So it is read by us,
 * written plainly (normalise.ts), and measured, before the engine compiles it.
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

/** Characters of the schema as JSON. */
export const SCHEMA_CHARACTERS_MAX = 32_768;

/** A schema, read and measured; nothing of it is compiled. */
export interface MeasuredSchema {
  readonly plain: Plain;
  readonly cost: number;
  /** What its patterns weigh together (pattern.ts). */
  readonly patternWeight: number;
  /** Whether some pattern can only run natively. */
  readonly native: boolean;
}

/** Measures a schema without compiling it. Throws SchemaProblem when it is over a bound or refers where it may not. */
export function measureSchema(schema: JsonObject): MeasuredSchema {
  const text = JSON.stringify(schema);
  if (text.length > SCHEMA_CHARACTERS_MAX) {
    throw new SchemaProblem(`is ${text.length} characters long; at most ${SCHEMA_CHARACTERS_MAX} are taken`);
  }
  // A copy, so that no object is in two places of it.
  const plain = normalise(new Document(JSON.parse(text)));
  const plans = [...plain.patterns.values()];
  const patternWeight = plans.reduce((sum, { weight }) => sum + weight, 0);
  return { plain, cost: costOf(plain), patternWeight, native: plans.some(({ linear }) => linear === undefined) };
}

/** The keywords of ours in the place of the engine's: by value, linear, exact. */
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

/** The names that a `required` or `dependentRequired` asks for and an object has not; the engine's own takes an empty name for none. */
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
  // A definition is a function however often it is referred to.
  inlineRefs: false,
  // Errors carry what they are about, so that missing names can be told.
  verbose: true,
};

/** The address of the one document on each engine. */
const DOCUMENT = "nexus:schema";

/** Compiles a measured schema, on an engine of its own: what an engine has compiled it keeps for ever. */
export function compileSchema({ plain }: MeasuredSchema, linear: boolean): ValidateFunction {
  const pattern = (source: string): Pattern => {
    const plan = plain.patterns.get(source);
    if (plan === undefined) throw new Error(`no plan for the pattern ${source}`);
    return compilePattern(plan, linear);
  };
  const regExp = Object.assign((source: string) => pattern(source), { code: "regExp" });
  const ajv = new Ajv2020({ ...OPTIONS, code: { regExp, optimize: false } });
  // Its own account of what is evaluated is not asked for (unevaluated.ts), so it need not keep it.
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

/** An unevaluated keyword's schema is a reference or a boolean, as a branch is. */
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

/** Whether these patterns together are few enough for the linear engine. */
export function isLinear(weight: number): boolean {
  return weight <= PATTERN_WEIGHT_MAX;
}
