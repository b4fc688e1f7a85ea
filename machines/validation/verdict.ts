/** Judges results: the schema first, then the rules. Orders that were measured and compiled are kept in a cache bounded in bytes. */
import type { ErrorObject, ValidateFunction } from "ajv";
import { LRUCache } from "lru-cache";
import type { JsonObject, JsonValue, ResultError } from "../vocabulary.ts";
import { SourceText } from "./grounded.ts";
import { SchemaProblem } from "./problem.ts";
import { type CompiledRule, compileRule, countRule, type FieldError, patternOf, type Rule } from "./rules.ts";
import { compileSchema, isLinear, type MeasuredSchema, measureSchema, missingNames, SCHEMA_CHARACTERS_MAX } from "./schema.ts";
import { Count, countWork } from "./work.ts";

/** What a result must be. */
export interface Demands {
  readonly schema: JsonObject;
  readonly rules: readonly Rule[];
}

export type Verdict =
  | { readonly code: null; readonly errors: readonly [] }
  | { readonly code: ResultError; readonly errors: readonly FieldError[] };

/** What is wrong with the demands themselves, as the end of a sentence, and the field of the specification. */
export interface DemandsProblem {
  readonly field: "schema" | "rules";
  readonly problem: string;
}

/** Maximum number of errors in a verdict. */
const ERRORS_MAX = 20;
const MESSAGE_CHARACTERS_MAX = 400;
/** Steps that certainly take less than 1 ms (work.ts). */
export const LIGHT_STEPS_MAX = 3_000;
/** Schemas (measured: 0.07 ms each) and characters of rules that certainly compile in little more than 1 ms. */
const LIGHT_SCHEMAS_MAX = 16;
const LIGHT_RULES_CHARACTERS_MAX = 2_000;
/** Characters of demands that are certainly measured within 2 ms, whatever they contain. */
export const QUICK_CHARACTERS_MAX = 4_000;
/** Bound of the cache (bytes), and upper estimates for a compiled schema and for a step of a pattern. */
const CACHE_BYTES_MAX = 16 * 1024 * 1024;
const SCHEMA_BYTES = 4_096;
const PATTERN_STEP_BYTES = 100;

/** Measured demands, with the parts that have been compiled so far. */
export interface Measured {
  readonly demands: Demands;
  readonly schema: MeasuredSchema;
  readonly cost: number;
  /** Total weight of all patterns (pattern.ts). */
  readonly patternWeight: number;
  /** Whether a pattern runs natively and may never end: then only in a thread that can be terminated. */
  readonly native: boolean;
  readonly rulesCharacters: number;
  readonly compiled: { schema?: ValidateFunction; rules?: readonly CompiledRule[] };
}

/** Keyed by the demands' whole text: with a shared key, one specification would be judged by another's schema. */
const cache = new LRUCache<string, Measured>({ maxSize: CACHE_BYTES_MAX });

function bytesOf(key: string, { schema, patternWeight }: Measured): number {
  return Math.min(4 * key.length + SCHEMA_BYTES * schema.plain.schemas + PATTERN_STEP_BYTES * patternWeight, CACHE_BYTES_MAX);
}

/**
 * Whether demands may be measured on the event loop: because they are cached, short, or so long that they are refused
 * unread.
 */
export function isQuicklyMeasured(demands: Demands): boolean {
  const schemaText = JSON.stringify(demands.schema);
  const key = `${schemaText}${JSON.stringify(demands.rules)}`;
  return key.length <= QUICK_CHARACTERS_MAX || schemaText.length > SCHEMA_CHARACTERS_MAX || cache.has(key);
}

/** Measures demands without compiling them. */
export function measureDemands(demands: Demands): Measured | DemandsProblem {
  const rulesText = JSON.stringify(demands.rules);
  const key = `${JSON.stringify(demands.schema)}${rulesText}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  try {
    const measured = measure(demands, rulesText.length);
    if (!("problem" in measured)) cache.set(key, measured, { size: bytesOf(key, measured) });
    return measured;
  } catch (error) {
    if (error instanceof SchemaProblem) return { field: "schema", problem: error.message };
    throw error;
  }
}

function measure(demands: Demands, rulesCharacters: number): Measured | DemandsProblem {
  const schema = measureSchema(demands.schema);
  let { patternWeight, native } = schema;
  for (const [index, rule] of demands.rules.entries()) {
    const plan = patternOf(rule);
    if (typeof plan === "string") return { field: "rules", problem: `has a pattern in rule ${index} that ${plan}` };
    patternWeight += plan?.weight ?? 0;
    native ||= plan !== undefined && plan.linear === undefined;
  }
  native ||= !isLinear(patternWeight);
  return { demands, schema, cost: schema.cost, patternWeight, native, rulesCharacters, compiled: {} };
}

function countAll({ demands, schema }: Measured, result: JsonValue, input: string | undefined, most: number): Count {
  const count = new Count(most);
  const source = sourceOf(input);
  countWork(schema.plain, result, count);
  for (const rule of demands.rules) if (!count.over) countRule(rule, result, count, source);
  return count;
}

function sourceOf(input: string | undefined): SourceText | undefined {
  return input === undefined ? undefined : new SourceText(input);
}

/** Whether this judgement certainly takes less than 2 ms, so that it may run on the event loop. `input` as with judgeResult. */
export function isLight(measured: Measured, result: JsonValue, input?: string): boolean {
  if (measured.native) return false;
  const { compiled, schema, rulesCharacters, patternWeight } = measured;
  const isCompiled = compiled.schema !== undefined && compiled.rules !== undefined;
  const isQuick =
    schema.plain.schemas <= LIGHT_SCHEMAS_MAX && rulesCharacters <= LIGHT_RULES_CHARACTERS_MAX && patternWeight === 0;
  return (isCompiled || isQuick) && !countAll(measured, result, input, LIGHT_STEPS_MAX).over;
}

/** The name of the result itself in a verdict. */
export const WHOLE_RESULT = "(the whole result)";

/** Writes `/a/b` and a name that is missing below it as a person would: `a.b.c`. */
function fieldName(error: ErrorObject): string {
  const more: unknown = error.params["additionalProperty"];
  const path = error.instancePath
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  return [...path, ...(typeof more === "string" ? [more] : [])].join(".") || WHOLE_RESULT;
}

/** Translates the engine's error for people. */
const WORDS: { readonly [keyword: string]: string } = {
  additionalProperties: "is not a field that the schema has",
  "false schema": "must not be there",
  not: "must not be what the schema excludes",
};

function cut(text: string): string {
  return text.length <= MESSAGE_CHARACTERS_MAX ? text : `${text.slice(0, MESSAGE_CHARACTERS_MAX).toWellFormed()}…`;
}

/** The engine reports the errors of each branch and then that none matches: they become one error for the field. */
function branched({ params }: ErrorObject, field: string, told: FieldError[]): FieldError {
  if (Array.isArray(params["passingSchemas"]))
    return { field, message: "must fit one of the kinds that the schema lists, and fits several" };
  const reasons: string[] = [];
  while (told.at(-1)?.field === field) reasons.unshift(told.pop()?.message ?? "");
  return {
    field,
    message: reasons.length === 0 ? "must fit one of the kinds that the schema lists" : cut([...new Set(reasons)].join(", or ")),
  };
}

function missing(error: ErrorObject): readonly FieldError[] {
  // The engine passes on what it was given: the schema that we wrote, and a JSON value.
  const names = missingNames(error.schema as JsonValue, error.data as JsonObject);
  const path = fieldName(error);
  return names
    .slice(0, ERRORS_MAX)
    .map((name) => ({ field: path === WHOLE_RESULT ? name : `${path}.${name}`, message: "is required" }));
}

/** The first errors, with readable field names. */
function told(errors: readonly ErrorObject[]): readonly FieldError[] {
  const said: FieldError[] = [];
  for (const error of errors) {
    if (said.length > 10 * ERRORS_MAX) break;
    if (error.keyword === "required" || error.keyword === "dependentRequired") {
      said.push(...missing(error));
      continue;
    }
    const field = fieldName(error);
    // The errors of "then" or "else" have been reported already.
    if (error.keyword === "if" && said.length > 0) continue;
    const isBranched = error.keyword === "anyOf" || error.keyword === "oneOf";
    said.push(
      isBranched
        ? branched(error, field, said)
        : { field, message: cut(WORDS[error.keyword] ?? error.message ?? "does not match the schema") },
    );
  }
  return said.slice(0, ERRORS_MAX);
}

function schemaErrors({ compiled, schema, patternWeight }: Measured, result: JsonValue): readonly FieldError[] {
  const validate = compiled.schema ?? compileSchema(schema, isLinear(patternWeight));
  compiled.schema = validate;
  if (validate(result)) return [];
  const errors = told(validate.errors ?? []);
  validate.errors = null;
  return errors;
}

/**
 * Judges `result` against the demands. `input` is the text that it is about; without it, as for an example, which may be about
 * another text, no rule holds the result against it. Gives the verdict, or what is wrong with the demands. Never throws.
 */
export function judgeResult(demands: Demands, result: JsonValue, input?: string): Verdict | DemandsProblem {
  const measured = measureDemands(demands);
  if ("problem" in measured) return measured;
  const { compiled, patternWeight } = measured;
  try {
    const errors = schemaErrors(measured, result);
    if (errors.length > 0) return { code: "SCHEMA_MISMATCH", errors };
    compiled.rules ??= demands.rules.map((rule) => compileRule(rule, isLinear(patternWeight)));
    const source = sourceOf(input);
    const broken = compiled.rules.flatMap((rule) => rule(result, source)).slice(0, ERRORS_MAX);
    return broken.length > 0 ? { code: "RULE_VIOLATION", errors: broken } : { code: null, errors: [] };
  } catch (error) {
    // Only a native pattern or a stack overflow throws here.
    if (error instanceof RangeError || error instanceof SyntaxError) {
      return { field: "schema", problem: "cannot be checked by: its patterns are too large, or it refers on too deep; say less" };
    }
    throw error;
  }
}

/** Does the costly initialisation, so that no request has to wait for it. */
export function warmUp(): void {
  const text = { type: "string", format: "email", pattern: "^[^@]+@x$", enum: ["a@x"] };
  const schema: JsonObject = { $defs: { text }, type: "object", properties: { a: { $ref: "#/$defs/text" } }, required: ["a"] };
  for (const result of [{ a: "a@x" }, { a: 1 }, {}]) {
    judgeResult({ schema, rules: [{ type: "regex", field: "a", pattern: "^[a-z]@" }] }, result);
  }
}
