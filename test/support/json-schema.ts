/**
 * JSON Schema 2020-12 as one would write it down after reading it, keyword by keyword: slow, and so short that it can be
 * compared with the standard by eye. Knows what the random schemas of the tests use.
 */
import type { JsonObject, JsonValue } from "../../machines/vocabulary.ts";

const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Equality of values (core 4.2.2). */
export function same(a: JsonValue, b: JsonValue): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((one, index) => same(one, b[index] ?? null));
  }
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length && names.every((key) => Object.hasOwn(b, key) && same(a[key] ?? null, b[key] ?? null))
  );
}

function isOfType(value: JsonValue, type: JsonValue): boolean {
  if (Array.isArray(type)) return type.some((one) => isOfType(value, one));
  if (type === "integer") return Number.isInteger(value);
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  return type === "object" ? isObject(value) : typeof value === type;
}

type Schemas = readonly (readonly [string, JsonValue])[];
const list = (value: JsonValue | undefined): readonly JsonValue[] => (Array.isArray(value) ? value : []);
const entries = (value: JsonValue | undefined): Schemas => (isObject(value) ? Object.entries(value) : []);

/** Whether a value fits; throws RangeError on a reference that never goes into the value. */
export function fits(root: JsonObject, value: JsonValue): boolean {
  const holds = (schema: JsonValue | undefined, at: JsonValue): boolean => {
    if (!isObject(schema)) return schema !== false;
    return Object.keys(schema).every((keyword) => check(schema, keyword, at));
  };
  const target = (reference: string) =>
    decodeURIComponent(reference.slice(1))
      .split("/")
      .slice(1)
      .reduce<JsonValue>((at, step) => (isObject(at) ? (at[step] ?? true) : true), root);
  const check = (schema: JsonObject, keyword: string, at: JsonValue): boolean => {
    const of = schema[keyword] ?? null;
    const count = Number(of);
    const length = typeof at === "string" ? [...at].length : undefined;
    const items = Array.isArray(at) ? at : undefined;
    const object = isObject(at) ? at : undefined;
    switch (keyword) {
      case "$ref":
        return holds(target(String(of)), at);
      case "type":
        return isOfType(at, of);
      case "enum":
        return list(of).some((one) => same(one, at));
      case "const":
        return same(of, at);
      case "minLength":
        return length === undefined || length >= count;
      case "maxLength":
        return length === undefined || length <= count;
      case "minimum":
        return typeof at !== "number" || at >= count;
      case "exclusiveMaximum":
        return typeof at !== "number" || at < count;
      case "allOf":
        return list(of).every((one) => holds(one, at));
      case "anyOf":
        return list(of).some((one) => holds(one, at));
      case "oneOf":
        return list(of).filter((one) => holds(one, at)).length === 1;
      case "not":
        return !holds(of, at);
      case "if":
        return holds(of, at) ? holds(schema["then"], at) : holds(schema["else"], at);
      case "prefixItems":
        return items === undefined || list(of).every((one, index) => index >= items.length || holds(one, items[index] ?? null));
      case "items":
        return items === undefined || items.slice(list(schema["prefixItems"]).length).every((one) => holds(of, one));
      case "contains": {
        const found = items?.filter((one) => holds(of, one)).length ?? 0;
        return items === undefined || found >= Number(schema["minContains"] ?? 1);
      }
      case "minItems":
        return items === undefined || items.length >= count;
      case "maxItems":
        return items === undefined || items.length <= count;
      default:
        return object === undefined || checkObject(schema, keyword, object);
    }
  };
  const checkObject = (schema: JsonObject, keyword: string, at: JsonObject): boolean => {
    const of = schema[keyword] ?? null;
    const has = (name: JsonValue) => Object.hasOwn(at, String(name));
    switch (keyword) {
      case "properties":
        return entries(of).every(([name, one]) => !has(name) || holds(one, at[name] ?? null));
      case "required":
        return list(of).every(has);
      case "additionalProperties": {
        const named = new Set(entries(schema["properties"]).map(([name]) => name));
        return entries(at).every(([name, one]) => named.has(name) || holds(of, one));
      }
      case "propertyNames":
        return Object.keys(at).every((name) => holds(of, name));
      case "dependentSchemas":
        return entries(of).every(([name, one]) => !has(name) || holds(one, at));
      case "dependentRequired":
        return entries(of).every(([name, names]) => !has(name) || list(names).every(has));
      case "maxProperties":
        return Object.keys(at).length <= Number(of);
      default:
        return true;
    }
  };
  return holds(root, value);
}
