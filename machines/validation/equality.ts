/** Equality of JSON values: 1.0 equals 1, and the order of keys does not matter. */
import type { JsonValue } from "../vocabulary.ts";

/** The canonical text of a value (RFC 8785): values are equal if and only if their texts are. Also used to recognise repeated requests. */
export function canonicalText(value: JsonValue): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
  // By UTF-16 units, the default of sort(); any fixed order would do.
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonicalText(value[name] ?? null)}`).join(",")}}`;
}

/** Makes a test whether a value is one of these, in constant time. */
export function oneOf(values: readonly JsonValue[]): (value: JsonValue) => boolean {
  const texts = new Set(values.map(canonicalText));
  const composite = values.some((value) => typeof value === "object" && value !== null);
  return (value) => (composite || typeof value !== "object" || value === null) && texts.has(canonicalText(value));
}

/** Whether all values are different. */
export function areUnique(values: readonly JsonValue[]): boolean {
  return values.length < 2 || new Set(values.map(canonicalText)).size === values.length;
}
