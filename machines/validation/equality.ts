/** Whether two JSON values are the same value: 1.0 is 1, the order of an object's keys does not count. */
import type { JsonValue } from "../vocabulary.ts";

/** The one text of a value (RFC 8785): equal values have equal texts, and no others. Ids of requests that repeat are made of it. */
export function canonicalText(value: JsonValue): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
  // By UTF-16 units, as sort() does without a function; any order will do that is always the same.
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonicalText(value[name] ?? null)}`).join(",")}}`;
}

/** Whether a value is one of these, in time that does not grow with how many there are. */
export function oneOf(values: readonly JsonValue[]): (value: JsonValue) => boolean {
  const texts = new Set(values.map(canonicalText));
  const composite = values.some((value) => typeof value === "object" && value !== null);
  return (value) => (composite || typeof value !== "object" || value === null) && texts.has(canonicalText(value));
}

/** Whether no two of these are the same value. */
export function areUnique(values: readonly JsonValue[]): boolean {
  return values.length < 2 || new Set(values.map(canonicalText)).size === values.length;
}
