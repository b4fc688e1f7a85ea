/** What is wrong with a schema or rule: the end of a sentence. Thrown inside this folder only, and turned into a refusal at its edge. */
export class SchemaProblem extends Error {}

/** A pointer's step as it is written in a pointer (RFC 6901). */
export function pointerStep(name: string | number): string {
  return typeof name === "number" ? String(name) : name.replaceAll("~", "~0").replaceAll("/", "~1");
}

const SHOWN_CHARACTERS_MAX = 200;

/** A pointer or a client's word as it is shown in a sentence: bounded, whole characters. */
export function shown(text: string): string {
  return text.length <= SHOWN_CHARACTERS_MAX ? text : `${text.slice(0, SHOWN_CHARACTERS_MAX).toWellFormed()}…`;
}
