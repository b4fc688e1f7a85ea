/**
 * Users' regular expressions (ECMA-262, flag u). Patterns that a linear engine (RE2) can express run there. The others run
 * natively and may never end, so they must only run in a thread that can be terminated.
 */
import { LRUCache } from "lru-cache";
import { RE2JS } from "re2js";
import { toLinear } from "./regexp.ts";
import { syntaxProblem } from "./syntax.ts";

/** Longer or heavier patterns run natively. RE2 allows no more than 1,000 repetitions, nested ones multiplied. */
const LINEAR_CHARACTERS_MAX = 256;
const LINEAR_WEIGHT_MAX = 1_000;
/** Maximum total weight of a specification's patterns on the linear engine; this much compiles in about 30 ms. */
export const PATTERN_WEIGHT_MAX = 10_000;
/** Bound of the cache, by weight: a schema may use one pattern thousands of times. */
const CACHE_WEIGHT_MAX = 50_000;
/** Unicode tables are copied into the class that names them, and case-folded if case is ignored. */
const UNICODE_CLASS_WEIGHT = 40;
const CLASS_CHARACTER_WEIGHT = 3;

/** A pattern, and how it will run. */
export interface PatternPlan {
  /** As the client wrote it. */
  readonly source: string;
  /** In RE2 syntax; undefined if it runs natively. */
  readonly linear: string | undefined;
  /** For the native engine. */
  readonly native: { readonly source: string; readonly flags: string };
  /** Its compiled size, in steps. */
  readonly weight: number;
}

export interface Pattern {
  test(text: string): boolean;
  /** Identifies the pattern and its engine. */
  toString(): string;
}

const ESCAPE = /\\(?:([pP])(?:\{[^}]*\}|.)?|[xu]\{[^}]*\}|.)?/sy;
const CLASS = /\[(?:\\.|[^\]\\])*\]?/sy;
const COUNT = /\{(\d+)(,(\d*))?\}/y;

function match(pattern: RegExp, source: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(source);
}

/**
 * An upper estimate of a pattern's compiled size, in steps, without compiling it: the 7 characters of `x{1000}` are a thousand
 * steps.
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
      // `{n,}` is n copies and one that repeats.
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

/** Letters with a meaning after a backslash in ECMA-262. */
const MEANT = /^(?:[dDwWsSbBfnrtvcxukpP\d^$\\.*+?()[\]{}|/])$/;

/**
 * Syntax that the flag u refuses although its meaning is clear: needless escapes such as `\-`, anchors and named groups of
 * Python, and `\pL` of RE2.
 */
function repaired(source: string): string {
  return source
    .replaceAll("(?P<", "(?<")
    .replace(/\\(?:([pP][A-Z])|(.))/gsu, (whole, category: string | undefined, sign = "") => {
      if (category !== undefined) return `\\${category[0]}{${category[1]}}`;
      if (MEANT.test(sign) || /[^\x20-\x7e]|[B-Yb-y]/.test(sign)) return whole;
      if (sign === "A") return "^";
      if (sign === "z" || sign === "Z") return "$";
      return /[a-z]/i.test(sign) ? whole : `\\x${sign.charCodeAt(0).toString(16)}`;
    });
}

/** Decides how a pattern will run, without running it. Gives the end of a sentence if it is no regular expression. */
export function planPattern(written: string): PatternPlan | string {
  // Flags as Python and RE2 write them; ECMA-262 has none inside a pattern.
  const [prefix = "", letters = ""] = /^\(\?([ims]{1,3})\)/.exec(written) ?? [];
  const source = repaired(written.slice(prefix.length));
  const flags = `${[...new Set(letters)].join("")}u`;
  const weight = Math.max(weighPattern(written), 1);
  const wrong = syntaxProblem(source, true);
  if (wrong === undefined) {
    const short = source.length <= LINEAR_CHARACTERS_MAX && weight <= LINEAR_WEIGHT_MAX;
    return { source: written, linear: short && flags === "u" ? toLinear(source) : undefined, native: { source, flags }, weight };
  }
  // Patterns that only the flag u refuses are read without it (`a{,2}`, `[\w-.]`), unless a letter would lose its backslash.
  const meaningless = /\\(?![dDwWsSbBfnrtvcxukpP])[a-z]/i.test(source);
  if (!meaningless && !/\\[pPk]/.test(source) && syntaxProblem(source, false) === undefined) {
    return { source: written, linear: undefined, native: { source, flags: flags.slice(0, -1) }, weight };
  }
  return `is no regular expression (ECMA-262): ${wrong}`;
}

const compiled = new LRUCache<string, Pattern>({ maxSize: CACHE_WEIGHT_MAX });

/** Compiles a pattern: for the linear engine if `linear` and possible, otherwise natively. */
export function compilePattern(plan: PatternPlan, linear: boolean): Pattern {
  const { source, weight } = plan;
  if (!linear || plan.linear === undefined) return new RegExp(plan.native.source, plan.native.flags);
  const known = compiled.get(source);
  if (known !== undefined) return known;
  const program = RE2JS.compile(plan.linear);
  const made: Pattern = { test: (text) => program.matcher(text).find(), toString: () => `linear:${source}` };
  compiled.set(source, made, { size: Math.min(weight + source.length, CACHE_WEIGHT_MAX) });
  return made;
}
