/** Tasks with a known answer, posted like any other: whether a worker's answer is the known one. */
import type { JsonValue } from "../vocabulary.ts";

/** Ignores case and white space. */
function plain(text: string): string {
  return text.trim().replace(/\s+/g, " ").toLowerCase();
}

/** Whether a result contains the known answer; other fields do not matter. Lists must have the same order and length. */
export function isKnownAnswer(result: JsonValue, known: JsonValue): boolean {
  if (typeof known === "string") return typeof result === "string" && plain(result) === plain(known);
  if (typeof known !== "object" || known === null) return result === known;
  if (typeof result !== "object" || result === null) return false;
  if (Array.isArray(known)) {
    return (
      Array.isArray(result) &&
      result.length === known.length &&
      known.every((one, index) => isKnownAnswer(result[index] ?? null, one))
    );
  }
  if (Array.isArray(result)) return false;
  return Object.entries(known).every(
    ([name, value]) => Object.hasOwn(result, name) && isKnownAnswer(result[name] ?? null, value),
  );
}
