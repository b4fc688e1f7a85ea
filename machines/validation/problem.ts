/** Says what is wrong with a schema or rule, as the end of a sentence. Thrown only inside this folder; at its edge it becomes a value. */
export class SchemaProblem extends Error {}

/** Escapes a step of a JSON pointer (RFC 6901). */
export function pointerStep(name: string | number): string {
  return typeof name === "number" ? String(name) : name.replaceAll("~", "~0").replaceAll("/", "~1");
}

const SHOWN_CHARACTERS_MAX = 200;

/** Shortens a pointer or a client's word for a sentence, without cutting a character. */
export function shown(text: string): string {
  return text.length <= SHOWN_CHARACTERS_MAX ? text : `${text.slice(0, SHOWN_CHARACTERS_MAX).toWellFormed()}…`;
}
