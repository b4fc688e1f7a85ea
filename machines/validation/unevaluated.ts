/**
 * Which properties and items of a value a schema has evaluated (2020-12 core 11); `unevaluatedProperties` and
 * `unevaluatedItems` apply to the others. The engine's own tracking is wrong for `contains`, for `if` without `then`, and for
 * nested items.
 */
import type { JsonObject, JsonValue } from "../vocabulary.ts";
import { targetOf } from "./cost.ts";
import { isObject } from "./keywords.ts";
import { CONTAINS_IS_SILENT, type Plain } from "./normalise.ts";
import type { Pattern } from "./pattern.ts";

/** What the engine provides: validation against a definition, and compiled patterns. */
export interface Engine {
  readonly plain: Plain;
  readonly fits: (definition: string, value: JsonValue) => boolean;
  readonly pattern: (source: string) => Pattern;
}

/** The schemas that apply to a valid value together with this one: targets of references, matching branches, ... */
function* holding(schema: JsonValue, value: JsonValue, engine: Engine): Generator<JsonObject> {
  if (!isObject(schema)) return;
  yield schema;
  const name = typeof schema["$ref"] === "string" ? targetOf(schema["$ref"]) : undefined;
  if (name !== undefined) yield* holding(engine.plain.defs.get(name)?.schema ?? true, value, engine);
  for (const inner of Object.values(schema["allOf"] ?? {})) yield* holding(inner, value, engine);
  for (const inner of [...Object.values(schema["anyOf"] ?? {}), ...Object.values(schema["oneOf"] ?? {})]) {
    if (holds(inner, value, engine)) yield* holding(inner, value, engine);
  }
  const condition = schema["if"];
  if (condition !== undefined) {
    const met = holds(condition, value, engine);
    if (met) yield* holding(condition, value, engine);
    yield* holding(schema[met ? "then" : "else"] ?? true, value, engine);
  }
  for (const [property, inner] of Object.entries(schema["dependentSchemas"] ?? {})) {
    if (isObject(value) && Object.hasOwn(value, property)) yield* holding(inner, value, engine);
  }
}

/** In the plain form of a schema with unevaluated keywords, branches are references. */
function holds(branch: JsonValue, value: JsonValue, engine: Engine): boolean {
  if (!isObject(branch) || typeof branch["$ref"] !== "string") return branch !== false;
  return engine.fits(targetOf(branch["$ref"]), value);
}

/** The properties of a value that a schema has not evaluated, without its own `unevaluatedProperties`. */
export function unevaluatedProperties(schema: JsonObject, value: JsonObject, engine: Engine): readonly string[] {
  const left = new Set(Object.keys(value));
  for (const one of holding(schema, value, engine)) {
    const all = one["additionalProperties"] !== undefined || (one !== schema && one["unevaluatedProperties"] !== undefined);
    if (all || left.size === 0) return [];
    for (const name of Object.keys(one["properties"] ?? {})) left.delete(name);
    for (const source of Object.keys(one["patternProperties"] ?? {})) {
      for (const name of left) if (engine.pattern(source).test(name)) left.delete(name);
    }
  }
  return [...left];
}

/** The indices of the items of a value that a schema has not evaluated, without its own `unevaluatedItems`. */
export function unevaluatedItems(schema: JsonObject, value: readonly JsonValue[], engine: Engine): readonly number[] {
  const left = new Set(value.keys());
  for (const one of holding(schema, [...value], engine)) {
    const all = one["items"] !== undefined || (one !== schema && one["unevaluatedItems"] !== undefined);
    if (all || left.size === 0) return [];
    const prefix = one["prefixItems"];
    for (let index = 0; Array.isArray(prefix) && index < prefix.length; index += 1) left.delete(index);
    const contains = one["contains"];
    if (contains === undefined || one[CONTAINS_IS_SILENT] === true) continue;
    for (const index of left) if (holds(contains, value[index] ?? null, engine)) left.delete(index);
  }
  return [...left];
}
