/**
 * The work of checking a value, counted over (schema, value) pairs as the engine walks them, with every applicator applied
 * and every list whole. It is never less than what the engine does, and counting stops at the bound.
 */
import type { JsonObject, JsonValue } from "../vocabulary.ts";
import { inPlace, targetOf } from "./cost.ts";
import { formatSteps } from "./formats.ts";
import { isObject } from "./keywords.ts";
import type { Plain } from "./normalise.ts";

/** Characters that are compared in one step. */
const CHARACTERS_PER_STEP = 8;
/** Steps for a missing name: reporting the error costs more than finding the name. */
const MISSING_STEPS = 3;
/** Nesting of references and values above which the count exceeds any bound; the stack holds several times that. */
const LEVELS_MAX = 800;

/** Counts steps up to a bound. */
export class Count {
  readonly most: number;
  steps = 0;

  constructor(most: number) {
    this.most = most;
  }

  add(steps: number): void {
    this.steps += steps;
  }

  get over(): boolean {
    return this.steps > this.most;
  }
}

/** The steps of reading a whole value: its parts and characters. */
export function addSize(value: JsonValue, count: Count): void {
  count.add(1);
  if (typeof value === "string") count.add(value.length / CHARACTERS_PER_STEP);
  if (typeof value !== "object" || value === null || count.over) return;
  if (Array.isArray(value)) {
    for (const item of value) {
      if (count.over) return;
      addSize(item, count);
    }
    return;
  }
  for (const name of Object.keys(value)) {
    if (count.over) return;
    count.add(1 + name.length / CHARACTERS_PER_STEP);
    addSize(value[name] ?? null, count);
  }
}

/** The steps of matching a text: each character may be tried against each step of the pattern. */
export function addMatch(text: string, weight: number, count: Count): void {
  count.add(2 + text.length * Math.max(1, weight / 4));
}

class Walk {
  readonly #plain: Plain;
  readonly #count: Count;

  constructor(plain: Plain, count: Count) {
    this.#plain = plain;
    this.#count = count;
  }

  apply(schema: JsonValue, value: JsonValue, level: number): void {
    const count = this.#count;
    count.add(1);
    if (level > LEVELS_MAX) count.add(count.most);
    if (!isObject(schema) || count.over) return;
    for (const [keyword, of] of Object.entries(schema)) {
      count.add(1);
      if (count.over) return;
      this.#keyword(schema, keyword, of, value, level);
      const applies =
        keyword === "unevaluatedItems" ? Array.isArray(value) : keyword === "unevaluatedProperties" && isObject(value);
      if (applies) this.#holding(schema, value, level);
    }
  }

  /** The steps of finding the evaluated parts of a value: branches are validated once more (unevaluated.ts). */
  #holding(schema: JsonValue, value: JsonValue, level: number): void {
    const count = this.#count;
    count.add(1);
    if (!isObject(schema) || count.over) return;
    for (const [keyword, of] of Object.entries(schema)) {
      const tried = keyword === "anyOf" || keyword === "oneOf" ? of : keyword === "if" ? [of] : [];
      this.#all(tried, value, level + 1);
      if (keyword === "contains" && Array.isArray(value)) this.#each(of, value, level + 1);
      if (keyword === "patternProperties" && isObject(value))
        this.#patterns(Object.fromEntries(Object.keys(of ?? {}).map((source) => [source, true])), value, level);
      if (isObject(value)) count.add(Object.keys(value).length);
    }
    if (typeof schema["$ref"] === "string") {
      this.#holding(this.#plain.defs.get(targetOf(schema["$ref"]))?.schema ?? true, value, level + 1);
    }
    for (const inner of inPlace(schema)) if (!count.over) this.#holding(inner, value, level + 1);
  }

  #keyword(schema: JsonObject, keyword: string, of: JsonValue, value: JsonValue, level: number): void {
    switch (keyword) {
      case "$ref":
        this.apply(this.#plain.defs.get(targetOf(String(of)))?.schema ?? true, value, level + 1);
        return;
      case "not":
      case "if":
      case "then":
      case "else":
        this.apply(of, value, level + 1);
        return;
      case "allOf":
      case "anyOf":
      case "oneOf":
        this.#all(of, value, level);
        return;
      case "enum":
      case "const":
      case "uniqueItems":
        addSize(value, this.#count);
        return;
      case "pattern":
        if (typeof value === "string") addMatch(value, this.#weight(String(of)), this.#count);
        return;
      case "minLength":
      case "maxLength":
        this.#count.add(typeof value === "string" ? value.length / 2 : 0);
        return;
      case "format":
        this.#count.add(typeof value === "string" ? formatSteps(String(of), value) : 0);
        return;
      default:
        if (Array.isArray(value)) this.#items(schema, keyword, of, value, level);
        else if (isObject(value)) this.#object(keyword, of, value, level);
    }
  }

  #all(schemas: JsonValue, value: JsonValue, level: number): void {
    for (const schema of Object.values(schemas ?? {})) {
      if (this.#count.over) return;
      this.apply(schema, value, level + 1);
    }
  }

  #each(schema: JsonValue, values: readonly JsonValue[], level: number): void {
    for (const value of values) {
      if (this.#count.over) return;
      this.apply(schema, value, level + 1);
    }
  }

  #items(schema: JsonObject, keyword: string, of: JsonValue, value: readonly JsonValue[], level: number): void {
    const prefix = schema["prefixItems"];
    const first = Array.isArray(prefix) ? prefix.length : 0;
    if (keyword === "prefixItems" && Array.isArray(of)) {
      for (const [index, inner] of of.slice(0, value.length).entries()) this.apply(inner, value[index] ?? null, level + 1);
    } else if (keyword === "items") this.#each(of, value.slice(first), level);
    else if (keyword === "contains" || keyword === "unevaluatedItems") this.#each(of, value, level);
  }

  #object(keyword: string, of: JsonValue, value: JsonObject, level: number): void {
    switch (keyword) {
      case "properties":
        for (const [name, inner] of Object.entries(of ?? {})) {
          if (this.#count.over) return;
          this.#count.add(1);
          if (Object.hasOwn(value, name)) this.apply(inner, value[name] ?? null, level + 1);
        }
        return;
      case "patternProperties":
        this.#patterns(of, value, level);
        return;
      case "additionalProperties":
      case "unevaluatedProperties":
        this.#each(of, Object.values(value), level);
        return;
      case "propertyNames":
        this.#each(of, Object.keys(value), level);
        return;
      case "dependentSchemas":
        this.#all(of, value, level);
        return;
      case "required":
        this.#count.add(MISSING_STEPS * Object.keys(of ?? {}).length);
        return;
      case "dependentRequired":
        for (const names of Object.values(of ?? {})) this.#count.add(1 + MISSING_STEPS * Object.keys(names ?? {}).length);
        return;
      case "minProperties":
      case "maxProperties":
        this.#count.add(Object.keys(value).length);
        return;
      default:
    }
  }

  #patterns(of: JsonValue, value: JsonObject, level: number): void {
    for (const [source, inner] of Object.entries(of ?? {})) {
      for (const name of Object.keys(value)) {
        if (this.#count.over) return;
        addMatch(name, this.#weight(source), this.#count);
        this.apply(inner, value[name] ?? null, level + 1);
      }
    }
  }

  #weight(source: string): number {
    return this.#plain.patterns.get(source)?.weight ?? 1;
  }
}

/** Counts the steps of checking a value against a schema. */
export function countWork(plain: Plain, value: JsonValue, count: Count): void {
  new Walk(plain, count).apply(plain.defs.get(plain.root)?.schema ?? true, value, 0);
}
