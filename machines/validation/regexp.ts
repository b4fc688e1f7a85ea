/**
 * Translates an ECMA-262 pattern to the syntax of a linear engine (RE2), for the part of the language in which both can mean
 * the same. Whatever they read differently is spelt out: `.`, `\s`, `$`, and characters by number.
 */

/** Maximum repetitions in RE2; patterns with more are not translated. */
const COUNT_MAX = 1_000;

const SPACES = "\\x{9}-\\x{d} \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}";
const CLASSES: { readonly [letter: string]: string } = {
  d: "[0-9]",
  D: "[^0-9]",
  w: "[0-9A-Za-z_]",
  W: "[^0-9A-Za-z_]",
  s: `[${SPACES}]`,
  S: `[^${SPACES}]`,
};
/** The content of a class escape inside a class; negated ones cannot be written there. */
const WITHIN: { readonly [letter: string]: string } = { d: "0-9", w: "0-9A-Za-z_", s: SPACES };
const CONTROLS: { readonly [letter: string]: number } = { t: 9, n: 10, v: 11, f: 12, r: 13 };

const ESCAPE = /\\(?:x([\dA-Fa-f]{2})|u([\dA-Fa-f]{4})|u\{([\dA-Fa-f]{1,8})\}|c([A-Za-z])|(0)(?!\d)|([^\dA-Za-z])|([A-Za-z]))/suy;
const COUNT = /\{(\d+)(,(\d*))?\}/uy;
const GROUP = /\((?:\?:|\?<(?![=!])[^>]*>|(?!\?))/uy;
const CHARACTER = /[^\\]/suy;

function read(pattern: RegExp, source: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(source);
}

function literal(code: number): string {
  return `\\x{${code.toString(16)}}`;
}

/** The character of an escape, or the letter of a class; undefined for escapes that only ECMA-262 has. */
function escaped(found: RegExpExecArray): { readonly code: number } | { readonly letter: string } | undefined {
  const [, byte, unit, point, control, zero, other, letter] = found;
  const hex = byte ?? unit ?? point;
  if (hex !== undefined) {
    const code = Number.parseInt(hex, 16);
    // In ECMA-262 two escaped surrogates are one character.
    return code >= 0xd800 && code <= 0xdfff ? undefined : { code };
  }
  if (control !== undefined) return { code: control.charCodeAt(0) % 32 };
  if (zero !== undefined) return { code: 0 };
  if (other !== undefined) return { code: other.codePointAt(0) ?? 0 };
  const code = CONTROLS[letter ?? ""];
  return code === undefined ? { letter: letter ?? "" } : { code };
}

interface Said {
  readonly text: string;
  readonly length: number;
}

function sayEscape(source: string, at: number): Said | undefined {
  const found = read(ESCAPE, source, at);
  const meant = found === null ? undefined : escaped(found);
  if (found === null || meant === undefined) return undefined;
  const { length } = found[0];
  if ("code" in meant) return { text: literal(meant.code), length };
  // No `\B`: V8 finds it between the two surrogates of a character, where RE2, which steps by characters, does not look.
  if (meant.letter === "b") return { text: "\\b", length };
  const text = CLASSES[meant.letter];
  return text === undefined ? undefined : { text, length };
}

/** A class from `[` to `]`; only classes of characters, ranges, \d, \w and \s. */
function sayClass(source: string, from: number): Said | undefined {
  let at = from + 1;
  const negated = source[at] === "^";
  if (negated) at += 1;
  let text = "";
  let parts = 0;
  while (at < source.length && source[at] !== "]") {
    const found = source[at] === "\\" ? read(ESCAPE, source, at) : read(CHARACTER, source, at);
    if (found === null) return undefined;
    const meant = source[at] === "\\" ? escaped(found) : { code: found[0].codePointAt(0) ?? 0 };
    if (meant === undefined) return undefined;
    if ("code" in meant) text += found[0] === "-" && parts > 0 && source[at + 1] !== "]" ? "-" : literal(meant.code);
    else if (meant.letter === "b") text += literal(8);
    else {
      const within = WITHIN[meant.letter];
      if (within === undefined) return undefined;
      text += within;
    }
    parts += 1;
    at += found[0].length;
  }
  return parts === 0 ? undefined : { text: `[${negated ? "^" : ""}${text}]`, length: at + 1 - from };
}

function sayCount(source: string, at: number): Said | undefined {
  const found = read(COUNT, source, at);
  if (found === null) return undefined;
  const [text, least, upTo, most] = found;
  if (Number(least) > COUNT_MAX || Number(most ?? 0) > COUNT_MAX) return undefined;
  return { text: `{${Number(least)}${upTo === undefined ? "" : `,${most === "" ? "" : Number(most)}`}}`, length: text.length };
}

/** A quantifier; whether it is greedy does not affect whether a text matches. */
function sayRepeat(source: string, at: number): Said | undefined {
  const said = source[at] === "{" ? sayCount(source, at) : { text: source[at] ?? "", length: 1 };
  if (said === undefined) return undefined;
  return { text: said.text, length: said.length + (source[at + said.length] === "?" ? 1 : 0) };
}

const PLAIN: { readonly [character: string]: string } = {
  "^": "\\A",
  $: "\\z",
  ".": "[^\\x{a}\\x{d}\\x{2028}\\x{2029}]",
  "|": "|",
  ")": ")",
};

function sayNext(source: string, at: number): Said | undefined {
  const character = source[at] ?? "";
  if (character === "\\") return sayEscape(source, at);
  if (character === "[") return sayClass(source, at);
  if (character === "(") {
    const group = read(GROUP, source, at);
    return group === null ? undefined : { text: "(?:", length: group[0].length };
  }
  if (character === "*" || character === "+" || character === "?" || character === "{") return sayRepeat(source, at);
  const plain = PLAIN[character];
  if (plain !== undefined) return { text: plain, length: 1 };
  const code = source.codePointAt(at) ?? 0;
  return { text: literal(code), length: code > 0xffff ? 2 : 1 };
}

/** The pattern in RE2 syntax; undefined if it might mean something else there. `source` is valid with the flag u. */
export function toLinear(source: string): string | undefined {
  let text = "";
  for (let at = 0; at < source.length; ) {
    const said = sayNext(source, at);
    if (said === undefined) return undefined;
    text += said.text;
    at += said.length;
  }
  return text;
}
