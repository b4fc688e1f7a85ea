/** Tasks with a known answer, posted like any other: whether a worker's answer is the known one. */
import type { JsonValue } from "../vocabulary.ts";

/** Letters' case and white space are no difference. */
function plain(text: string): string {
  return text.trim().replace(/\s+/g, " ").toLowerCase();
}

/** Whether a result says what is known; what it says besides does not count. Lists must be the same in order and length. */
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
