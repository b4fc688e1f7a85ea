/**
 * Whether a result is nothing but the example: it passes the schema as the example does, and says nothing about the text. It counts
 * for its worker, who is paid all the same: the requester can ask for `grounded`, and an example may fit two texts.
 */
import { isKnownAnswer } from "../market/honeypot.ts";
import { SourceText, stringsIn } from "../validation/grounded.ts";
import type { JsonValue } from "../vocabulary.ts";
import type { TaskSpec } from "./events.ts";

/** The strings that the task itself offers: of labels to choose from, the example's may be right for any text. */
function offered({ schema, rules }: TaskSpec): ReadonlySet<string> {
  const words = new Set<string>();
  const left: JsonValue[] = [schema];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (typeof next !== "object" || next === null) continue;
    for (const [keyword, value] of Object.entries(next)) {
      if (keyword === "enum" || keyword === "const") for (const word of stringsIn(value)) words.add(word);
      left.push(value);
    }
  }
  for (const rule of rules) if (rule.type === "enum") for (const word of rule.values.flatMap(stringsIn)) words.add(word);
  return words;
}

/** Whether this result is the example, case and blanks aside, and a string of it that the task does not offer does not occur in the text. */
export function isEcho(spec: TaskSpec, result: JsonValue): boolean {
  if (!isKnownAnswer(result, spec.exampleOutput)) return false;
  const labels = offered(spec);
  const source = new SourceText(spec.inputData);
  return [...new Set(stringsIn(spec.exampleOutput))].some((string) => !labels.has(string) && !source.has(string));
}
