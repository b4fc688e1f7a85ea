/** The static cost of a schema, whatever value it is applied to; refuses schemas whose application would not end. */
import type { JsonValue } from "../vocabulary.ts";
import { SCHEMA_DEPTH_MAX } from "./document.ts";
import { isObject } from "./keywords.ts";
import type { Plain } from "./normalise.ts";
import { SchemaProblem, shown } from "./problem.ts";

/** Each schema costs 1 plus the schemas that it applies to the same value; an honest schema of ten fields costs about 15. */
export const SCHEMA_COST_MAX = 5_000;

const REFERENCE = "#/$defs/";

/** The name of the definition that a plain schema's `$ref` refers to. */
export function targetOf(reference: string): string {
  return reference.slice(REFERENCE.length);
}

/** The schemas that a plain schema applies to its own value, without references. */
export function inPlace(schema: JsonValue): readonly JsonValue[] {
  if (!isObject(schema)) return [];
  const found: JsonValue[] = [];
  for (const keyword of ["allOf", "anyOf", "oneOf"] as const) {
    const value = schema[keyword];
    if (Array.isArray(value)) found.push(...value);
  }
  for (const keyword of ["not", "if", "then", "else"] as const) {
    const value = schema[keyword];
    if (value !== undefined) found.push(value);
  }
  const dependent = schema["dependentSchemas"];
  if (isObject(dependent)) found.push(...Object.values(dependent));
  return found;
}

/** The schemas that it applies to the value's items, properties or property names. */
function below(schema: JsonValue): readonly JsonValue[] {
  if (!isObject(schema)) return [];
  const found: JsonValue[] = [];
  for (const keyword of ["properties", "patternProperties"] as const) {
    const value = schema[keyword];
    if (isObject(value)) found.push(...Object.values(value));
  }
  const list = schema["prefixItems"];
  if (Array.isArray(list)) found.push(...list);
  for (const keyword of [
    ...["items", "contains", "additionalProperties", "propertyNames", "unevaluatedItems", "unevaluatedProperties"],
  ]) {
    const value = schema[keyword];
    if (value !== undefined) found.push(value);
  }
  return found;
}

interface Applied {
  /** Number of schemas that are applied to one value. */
  readonly cost: number;
  readonly depth: number;
}

class Survey {
  readonly #plain: Plain;
  readonly #known = new Map<string, Applied>();
  readonly #under = new Set<string>();

  constructor(plain: Plain) {
    this.#plain = plain;
  }

  /** The cost of a schema with all its subschemas, each counted as often as it is applied to one value. */
  total(schema: JsonValue): number {
    return this.#applied(schema, 0).cost + this.#belows(schema);
  }

  #belows(schema: JsonValue): number {
    const deeper = inPlace(schema).reduce<number>((sum, inner) => sum + this.#belows(inner), 0);
    return below(schema).reduce<number>((sum, inner) => sum + this.total(inner), deeper);
  }

  #applied(schema: JsonValue, depth: number): Applied {
    if (depth > SCHEMA_DEPTH_MAX) {
      throw new SchemaProblem(
        `refers on deeper than ${SCHEMA_DEPTH_MAX} levels for one value; refer to fewer schemas through others`,
      );
    }
    const parts = inPlace(schema).map((inner) => this.#applied(inner, depth + 1));
    if (isObject(schema) && typeof schema["$ref"] === "string") parts.push(this.#target(targetOf(schema["$ref"]), depth));
    const cost = parts.reduce((sum, part) => sum + part.cost, 1);
    return {
      cost: Math.min(cost, Number.MAX_SAFE_INTEGER / 1e6),
      depth: parts.reduce((most, part) => Math.max(most, part.depth + 1), 0),
    };
  }

  #target(name: string, depth: number): Applied {
    const definition = this.#plain.defs.get(name);
    if (definition === undefined) throw new Error(`no definition ${name}`);
    const known = this.#known.get(name);
    if (known !== undefined && depth + known.depth < SCHEMA_DEPTH_MAX) return known;
    if (this.#under.has(name)) {
      throw new SchemaProblem(
        `refers to itself at ${shown(definition.path)} without going into the value, so checking by it would never end; refer to it from properties or items`,
      );
    }
    this.#under.add(name);
    const applied = this.#applied(definition.schema, depth + 1);
    this.#under.delete(name);
    this.#known.set(name, applied);
    return applied;
  }
}

/** Measures a plain schema's cost. Throws SchemaProblem if it exceeds a bound or its application would not end. */
export function costOf(plain: Plain): number {
  const survey = new Survey(plain);
  let cost = 0;
  for (const { schema } of plain.defs.values()) cost += survey.total(schema);
  if (cost > SCHEMA_COST_MAX) {
    throw new SchemaProblem(
      `would cost ${Math.round(cost)} checks; at most ${SCHEMA_COST_MAX} are taken, so repeat fewer references`,
    );
  }
  return cost;
}
