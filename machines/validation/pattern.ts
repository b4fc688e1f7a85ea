import { RE2JS } from "re2js";

/** Characters of a pattern. */
export const PATTERN_CHARACTERS_MAX = 256;

export interface Pattern {
  test(text: string): boolean;
  /** The source; ajv tells patterns apart by it. */
  toString(): string;
}

/**
 * Compiles a user's regular expression on a linear-time engine (RE2 syntax: no look-around, no back-references).
 * Gives the pattern, or the end of a sentence that says what is wrong with it.
 */
export function compilePattern(source: string): Pattern | string {
  if (source.length > PATTERN_CHARACTERS_MAX) return `is longer than ${PATTERN_CHARACTERS_MAX} characters`;
  try {
    const compiled = RE2JS.compile(RE2JS.translateRegExp(source));
    return { test: (text) => compiled.matcher(text).find(), toString: () => `/${source}/u` };
  } catch (error) {
    const why = error instanceof Error ? error.message.slice(0, 200) : "unreadable";
    return `cannot be run in linear time (look-around and back-references are not supported): ${why}`;
  }
}
