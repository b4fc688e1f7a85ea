/** Judges results: the schema first, then the rules. Compiled orders are kept in a cache with a bound. */
import type { ErrorObject, ValidateFunction } from "ajv";
import { LRUCache } from "lru-cache";
import type { JsonObject, JsonValue } from "../vocabulary.ts";
import { PATTERN_WEIGHT_MAX, weighPattern } from "./pattern.ts";
import { type CompiledRule, compileRule, type FieldError, type Rule } from "./rules.ts";
import { compileSchema, type Measured, measureSchema, SchemaProblem } from "./schema.ts";

/** What a result must be. */
export interface Demands {
  readonly schema: JsonObject;
  readonly rules: readonly Rule[];
}

export type Verdict =
  | { readonly code: null; readonly errors: readonly [] }
  | { readonly code: "SCHEMA_MISMATCH" | "RULE_VIOLATION"; readonly errors: readonly FieldError[] };

/** What is wrong with the demands themselves, as the end of a sentence, and which field of the order it is in. */
export interface DemandsProblem {
  readonly field: "schema" | "rules";
  readonly problem: string;
}

/** How many errors a verdict names; a result that is wrong everywhere is told so no longer than this. */
export const ERRORS_MAX = 20;
/** Results above this many characters are not judged where other work waits. */
const LIGHT_CHARACTERS_MAX = 20_000;
/** Bound of the cache, in the cost of the schemas in it (schema.ts). */
const CACHE_COST_MAX = 100_000;

interface Compiled {
  readonly measured: Measured;
  readonly validate: ValidateFunction;
  readonly rules: readonly CompiledRule[];
}

const cache = new LRUCache<string, Compiled>({
  maxSize: CACHE_COST_MAX,
  sizeCalculation: (compiled) => compiled.measured.cost + 10 * compiled.rules.length + 1,
});

/** Measures demands without compiling anything of them. */
export function measureDemands(demands: Demands): Measured | DemandsProblem {
  try {
    const measured = measureSchema(demands.schema);
    const ruleWeight = demands.rules.reduce((sum, rule) => sum + (rule.type === "regex" ? weighPattern(rule.pattern) : 0), 0);
    const patternWeight = measured.patternWeight + ruleWeight;
    if (patternWeight > PATTERN_WEIGHT_MAX) {
      const problem = `has patterns that grow to ${patternWeight} steps; at most ${PATTERN_WEIGHT_MAX} are taken, so repeat less ({n,m} is m steps of what it repeats)`;
      return { field: ruleWeight > measured.patternWeight ? "rules" : "schema", problem };
    }
    return { ...measured, patternWeight, light: measured.light && ruleWeight === 0 };
  } catch (error) {
    if (error instanceof SchemaProblem) return { field: "schema", problem: error.message };
    throw error;
  }
}

/** Whether this judgement is cheap enough to be made where other work waits. */
export function isLight(measured: Measured, result: JsonValue): boolean {
  return measured.light && JSON.stringify(result).length <= LIGHT_CHARACTERS_MAX;
}

function compile(demands: Demands): Compiled | DemandsProblem {
  const key = JSON.stringify([demands.schema, demands.rules]);
  const known = cache.get(key);
  if (known !== undefined) return known;
  const measured = measureDemands(demands);
  if ("problem" in measured) return measured;
  let validate: ValidateFunction;
  try {
    validate = compileSchema(demands.schema, measured);
  } catch (error) {
    if (error instanceof SchemaProblem) return { field: "schema", problem: error.message };
    throw error;
  }
  const rules: CompiledRule[] = [];
  for (const [index, rule] of demands.rules.entries()) {
    const made = compileRule(rule);
    if (typeof made === "string") return { field: "rules", problem: `rule ${index} has a pattern that ${made}` };
    rules.push(made);
  }
  const compiled = { measured, validate, rules };
  cache.set(key, compiled);
  return compiled;
}

/** `/a/b` and what is missing below it, as a person names a field: `a.b.c`. */
function fieldName(error: ErrorObject): string {
  const missing: unknown = error.params["missingProperty"] ?? error.params["additionalProperty"];
  const path = error.instancePath.split("/").slice(1);
  return [...path, ...(typeof missing === "string" ? [missing] : [])].join(".") || "(the whole result)";
}

/** Judges `result` by the demands. Gives the verdict, or what is wrong with the demands. Does not throw. */
export function judgeResult(demands: Demands, result: JsonValue): Verdict | DemandsProblem {
  const compiled = compile(demands);
  if ("problem" in compiled) return compiled;
  if (!compiled.validate(result)) {
    const errors = (compiled.validate.errors ?? []).slice(0, ERRORS_MAX).map((error) => ({
      field: fieldName(error),
      message: error.message ?? "does not match the schema",
    }));
    return { code: "SCHEMA_MISMATCH", errors };
  }
  const broken = compiled.rules.flatMap((rule) => rule(result)).slice(0, ERRORS_MAX);
  return broken.length > 0 ? { code: "RULE_VIOLATION", errors: broken } : { code: null, errors: [] };
}
