/** Tasks with a known answer, posted like any other: whether a worker's answer is the known one, and what follows from that. */
import type { JsonValue, Millis, TaskId } from "../vocabulary.ts";
import type { Record } from "./skill.ts";

/** How one was done: whether the answer was the known one, and when the worker's account counts that (ms). */
export interface HoneypotOutcome {
  readonly passed: boolean;
  readonly due: Millis;
}

/** What one has added to the skill as a settled task, and whose it was. */
export interface SettledHoneypot extends Pick<Record, "firstTry" | "timeShare"> {
  readonly requester: string;
}

/** One that was done and is not counted yet. */
export interface UntoldHoneypot extends HoneypotOutcome {
  readonly task: TaskId;
  readonly taskType: string;
  /** null if its award failed. */
  readonly settled: SettledHoneypot | null;
}

/** How many of the latest outcomes of a worker say whether it is doubted. */
export const LATELY_MAX = 10;
/** One that is failed proves nothing: a text may be misread, a node may be away. */
const DOUBTED_FROM = 2;

/** The latest outcomes, the newest last, after one more. */
export function withOutcome(lately: readonly boolean[], passed: boolean): readonly boolean[] {
  return [...lately, passed].slice(-LATELY_MAX);
}

/** Whether a worker has failed more of its latest honeypots than it has passed, and at least two; see E4 in eligibility.ts. */
export function isDoubted(lately: readonly boolean[]): boolean {
  const failed = lately.filter((passed) => !passed).length;
  return failed >= DOUBTED_FROM && failed > lately.length - failed;
}

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
