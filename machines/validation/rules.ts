import type { JsonObject, JsonValue } from "../vocabulary.ts";
import { compilePattern } from "./pattern.ts";

/** The six rules (contract: Rules). A field is a property's name, or a path of names with dots between. */
export type Rule =
  | { readonly type: "required_fields"; readonly fields: readonly string[] }
  | { readonly type: "min_length"; readonly field: string; readonly min: number }
  | { readonly type: "max_length"; readonly field: string; readonly max: number }
  | { readonly type: "regex"; readonly field: string; readonly pattern: string }
  | { readonly type: "enum"; readonly field: string; readonly values: readonly JsonValue[] }
  | { readonly type: "field_type"; readonly field: string; readonly expected: FieldType };

export const FIELD_TYPES = ["str", "int", "float", "bool", "list", "dict"] as const;
export type FieldType = (typeof FIELD_TYPES)[number];

export interface FieldError {
  readonly field: string;
  readonly message: string;
}

export type CompiledRule = (result: JsonValue) => readonly FieldError[];

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Finds a field; a property whose own name has dots is found before the path is followed. */
export function fieldOf(result: JsonValue, field: string): JsonValue | undefined {
  if (isObject(result) && Object.hasOwn(result, field)) return result[field];
  let at: JsonValue | undefined = result;
  for (const name of field.split(".")) {
    if (!isObject(at) || !Object.hasOwn(at, name)) return undefined;
    at = at[name];
  }
  return at;
}

const FITS: { readonly [T in FieldType]: (value: JsonValue) => boolean } = {
  str: (value) => typeof value === "string",
  int: (value) => typeof value === "number" && Number.isInteger(value),
  float: (value) => typeof value === "number",
  bool: (value) => typeof value === "boolean",
  list: (value) => Array.isArray(value),
  dict: (value) => isObject(value),
};

function lengthOf(value: JsonValue): number | undefined {
  return typeof value === "string" || Array.isArray(value) ? value.length : undefined;
}

/** Checks a field that is there by `check`, which gives what is wrong with it. A missing field is required_fields' matter. */
function onField(field: string, check: (value: JsonValue) => string | undefined): CompiledRule {
  return (result) => {
    const value = fieldOf(result, field);
    const message = value === undefined ? undefined : check(value);
    return message === undefined ? [] : [{ field, message }];
  };
}

/** Compiles one rule; gives the end of a sentence when its pattern cannot be run. */
export function compileRule(rule: Rule): CompiledRule | string {
  switch (rule.type) {
    case "required_fields":
      return (result) =>
        rule.fields.filter((field) => fieldOf(result, field) === undefined).map((field) => ({ field, message: "is required" }));
    case "min_length":
      return onField(rule.field, (value) =>
        (lengthOf(value) ?? -1) < rule.min ? `must be a text or list of at least ${rule.min}` : undefined,
      );
    case "max_length":
      return onField(rule.field, (value) =>
        (lengthOf(value) ?? Number.POSITIVE_INFINITY) > rule.max ? `must be a text or list of at most ${rule.max}` : undefined,
      );
    case "regex": {
      const pattern = compilePattern(rule.pattern);
      if (typeof pattern === "string") return pattern;
      return onField(rule.field, (value) =>
        typeof value === "string" && pattern.test(value) ? undefined : `must match ${rule.pattern}`,
      );
    }
    case "enum": {
      const allowed = new Set(rule.values.map((value) => JSON.stringify(value)));
      return onField(rule.field, (value) =>
        allowed.has(JSON.stringify(value)) ? undefined : "must be one of the values that the rule lists",
      );
    }
    case "field_type":
      return onField(rule.field, (value) => (FITS[rule.expected](value) ? undefined : `must be of type ${rule.expected}`));
    default:
      return rule satisfies never;
  }
}
