import { LRUCache } from "lru-cache";
import { RE2JS } from "re2js";

/** Characters of a pattern. */
export const PATTERN_CHARACTERS_MAX = 256;

export interface Pattern {
  test(text: string): boolean;
  /** The source; ajv tells patterns apart by it. */
  toString(): string;
}

/** What all patterns of an order may weigh together; this much compiles in about 30 ms. */
export const PATTERN_WEIGHT_MAX = 10_000;
/** Bound of the cache, in the weight of the patterns in it: a schema may refer to one pattern thousands of times. */
const CACHE_WEIGHT_MAX = 50_000;
/** Tables of Unicode are copied into the class that names them, and folded when case does not matter. */
const UNICODE_CLASS_WEIGHT = 40;
const CLASS_CHARACTER_WEIGHT = 3;

const compiled = new LRUCache<string, Pattern | string>({
  maxSize: CACHE_WEIGHT_MAX,
  sizeCalculation: (_, source) => Math.min(weighPattern(source) + 10, CACHE_WEIGHT_MAX),
});

const ESCAPE = /\\(?:([pP])(?:\{[^}]*\}|.)?|[xu]\{[^}]*\}|.)?/sy;
const CLASS = /\[(?:\\.|[^\]\\])*\]?/sy;
const COUNT = /\{(\d+)(,(\d*))?\}/y;

function match(pattern: RegExp, source: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(source);
}

/**
 * The number of steps that a pattern grows to when it is compiled, judged too high rather than too low, without
 * compiling it: `x{1000}` is a thousand steps in 7 characters.
 */
export function weighPattern(source: string): number {
  const outer: number[] = [];
  let group = 0;
  let last = 0;
  let tables = 0;
  const step = (weight: number) => {
    last = weight;
    group += weight;
  };
  for (let at = 0; at < source.length; ) {
    const character = source[at];
    const token = character === "\\" ? match(ESCAPE, source, at) : character === "[" ? match(CLASS, source, at) : null;
    const count = character === "{" ? match(COUNT, source, at) : null;
    if (token !== null) {
      if (character === "[") tables += CLASS_CHARACTER_WEIGHT * token[0].length;
      tables += UNICODE_CLASS_WEIGHT * (character === "[" ? token[0].split(/\\p/i).length - 1 : token[1] === undefined ? 0 : 1);
      step(1);
    } else if (count !== null) {
      const [, least, upTo, most] = count;
      // `{n,}` is n of them and one that repeats.
      const times = upTo === undefined ? Number(least) : Math.max(Number(least) + 1, Number(most));
      group += last * Math.max(0, times - 1);
      last *= Math.max(1, times);
    } else if (character === "(") {
      outer.push(group);
      group = 0;
      last = 0;
    } else if (character === ")") {
      last = group + 1;
      group = (outer.pop() ?? 0) + last;
    } else if (character !== "*" && character !== "+" && character !== "?") step(1);
    at += token?.[0].length ?? count?.[0].length ?? 1;
  }
  return tables + outer.reduce((sum, weight) => sum + weight, group);
}

/**
 * Compiles a user's regular expression on a linear-time engine (RE2 syntax: no look-around, no back-references).
 * Gives the pattern, or the end of a sentence that says what is wrong with it.
 */
export function compilePattern(source: string): Pattern | string {
  const known = compiled.get(source);
  if (known !== undefined) return known;
  const made = compile(source);
  compiled.set(source, made);
  return made;
}

function compile(source: string): Pattern | string {
  if (source.length > PATTERN_CHARACTERS_MAX) return `is longer than ${PATTERN_CHARACTERS_MAX} characters`;
  try {
    const program = RE2JS.compile(RE2JS.translateRegExp(source));
    return { test: (text) => program.matcher(text).find(), toString: () => `/${source}/u` };
  } catch (error) {
    const why = error instanceof Error ? error.message.slice(0, 200) : "unreadable";
    return `cannot be run in linear time (look-around and back-references are not supported): ${why}`;
  }
}
