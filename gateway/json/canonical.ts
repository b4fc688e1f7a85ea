import type { JsonValue } from "../../machines/vocabulary.ts";

/**
 * One text for all ways to write a JSON value: without blanks, the fields of each object in the order of their names' UTF-16
 * code units, numbers and texts as JSON.stringify writes them (RFC 8785). Bodies are at most 64 levels deep.
 */
export function canonical(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, child]) => `${JSON.stringify(name)}:${canonical(child)}`).join(",")}}`;
}
