/**
 * Whether what a result says occurs in the text that it is about. Compared is the folded form of both: compatible characters are
 * alike (NFKD: ﬁ and fi, full and half width), as are cases (ß and SS, the two small sigmas), and blanks and invisible
 * characters (soft hyphens, joiners, byte order marks) do not count. Decomposed and not composed, so that a part of a text stays a part
 * of it wherever it is cut.
 *
 * Strings of 64 KB could make plain search quadratic. So it is used only while it is surely quick, and then an index of the text:
 * O(n log n) once, and O(log n) for each character of a string, whatever text and strings are.
 */
import type { JsonValue } from "../vocabulary.ts";
import { addSize, type Count } from "./work.ts";

/** White space of all kinds, what is invisible (Unicode: Default_Ignorable_Code_Point), and control characters. */
const BLANK = /[\s\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cc}]+/gu;
const ASCII = /^[\0-\x7f]*$/;
/** One of these becomes up to 18 characters: words in a circle or a square, and Arabic ligatures. */
const LONG = /[\u3200-\u33ff\ufb50-\ufdff]/;
/** How many characters one becomes at most, if it is ASCII, any other, or one of the long ones. */
const BECOMES = { ascii: 1, other: 4, long: 18 } as const;

/** Comparisons of characters that plain search may need for all strings of a result together: about 0.1 ms. */
const PLAIN_COMPARISONS_MAX = 1_000_000;
/** Steps (work.ts) for each character of the text: to fold it (measured: 0.04 us), and to index it as well (0.2 us). */
const STEPS = { folded: 1 / 4, indexed: 2 } as const;
/** Strings that are named, and characters of each. */
const MISSING_MAX = 20;
const SHOWN_MAX = 60;

/** The form in which texts are compared. */
export function folded(text: string): string {
  // ASCII has nothing to decompose, and its cases are in pairs.
  if (ASCII.test(text)) return text.toLowerCase().replace(BLANK, "");
  // Up and down, so that what has one capital in common is alike. A sigma is small in two ways, by its place in a word.
  const cased = text.normalize("NFKD").toLowerCase().toUpperCase().toLowerCase().replaceAll("ς", "σ");
  return cased.normalize("NFKD").replace(BLANK, "");
}

/** A text in which strings are looked for, many times. Everything is worked out when it is needed first. */
export class SourceText {
  readonly #text: string;
  #folded: string | undefined;
  #suffixes: Int32Array | undefined;
  #compared = 0;
  /** Characters that are to be looked for, by those who count the steps beforehand. */
  #planned = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Whether a string occurs in the text, blanks and case aside; one without anything visible does. */
  has(string: string): boolean {
    this.#folded ??= folded(this.#text);
    const wanted = folded(string);
    this.#compared += wanted.length * this.#folded.length;
    if (this.#compared <= PLAIN_COMPARISONS_MAX) return this.#folded.includes(wanted);
    this.#suffixes ??= suffixesOf(this.#folded);
    return isPrefixOfAny(wanted, this.#folded, this.#suffixes);
  }

  /** The most steps that it takes to look for so many more characters. */
  stepsFor(characters: number): number {
    this.#planned += characters;
    const length = lengthMax(this.#text);
    return characters + length * (this.#planned * length <= PLAIN_COMPARISONS_MAX ? STEPS.folded : STEPS.indexed);
  }
}

/** The most characters that a text may have when it is folded. */
export function lengthMax(text: string): number {
  return text.length * (ASCII.test(text) ? BECOMES.ascii : LONG.test(text) ? BECOMES.long : BECOMES.other);
}

/** All suffixes of a text in order, by where they begin; each round doubles the length by which they are sorted. */
function suffixesOf(text: string): Int32Array {
  const size = text.length;
  const units = [...new Set(Array.from({ length: size }, (_, index) => text.charCodeAt(index)))].sort((a, b) => a - b);
  const rankOf = new Map(units.map((unit, rank) => [unit, rank]));
  let ranks: Int32Array = Int32Array.from({ length: size }, (_, index) => rankOf.get(text.charCodeAt(index)) ?? 0);
  let sorted: Int32Array = byRank(
    Int32Array.from({ length: size }, (_, index) => index),
    ranks,
  );
  for (let length = 1, classes = units.length; classes < size; length *= 2) {
    sorted = byRank(bySecondHalf(sorted, length), ranks);
    ranks = ranked(sorted, ranks, length);
    classes = (ranks[sorted[size - 1] ?? 0] ?? 0) + 1;
  }
  return sorted;
}

/** The suffixes in the order of what stands `length` characters after their beginnings; the shortest have nothing there. */
function bySecondHalf(sorted: Int32Array, length: number): Int32Array {
  const result = new Int32Array(sorted.length);
  let next = 0;
  for (let index = Math.max(0, sorted.length - length); index < sorted.length; index += 1) result[next++] = index;
  for (const index of sorted) if (index >= length) result[next++] = index - length;
  return result;
}

/** Sorts by rank, stable: by counting. */
function byRank(suffixes: Int32Array, ranks: Int32Array): Int32Array {
  const from = new Int32Array(suffixes.length + 1);
  for (const rank of ranks) from[rank + 1] = (from[rank + 1] ?? 0) + 1;
  for (let rank = 1; rank < from.length; rank += 1) from[rank] = (from[rank] ?? 0) + (from[rank - 1] ?? 0);
  const result = new Int32Array(suffixes.length);
  for (const suffix of suffixes) {
    const rank = ranks[suffix] ?? 0;
    const place = from[rank] ?? 0;
    result[place] = suffix;
    from[rank] = place + 1;
  }
  return result;
}

/** The ranks of the suffixes by twice the length; equal ones share one. */
function ranked(sorted: Int32Array, ranks: Int32Array, length: number): Int32Array {
  const result = new Int32Array(ranks.length);
  let rank = 0;
  for (let place = 1; place < sorted.length; place += 1) {
    const [one, other] = [sorted[place] ?? 0, sorted[place - 1] ?? 0];
    if (ranks[one] !== ranks[other] || ranks[one + length] !== ranks[other + length]) rank += 1;
    result[one] = rank;
  }
  return result;
}

function isPrefixOfAny(wanted: string, text: string, suffixes: Int32Array): boolean {
  let [low, high] = [0, suffixes.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const at = suffixes[middle] ?? 0;
    const order = compare(wanted, text, at);
    if (order === 0) return true;
    if (order < 0) high = middle;
    else low = middle + 1;
  }
  return false;
}

/** 0 if the text has `wanted` at this place, else whether it comes before (below 0) or after what is there. */
function compare(wanted: string, text: string, at: number): number {
  for (let index = 0; index < wanted.length; index += 1) {
    if (at + index >= text.length) return 1;
    const difference = wanted.charCodeAt(index) - text.charCodeAt(at + index);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The strings in a value, in lists and objects too, in their order; names of properties and numbers are none. */
export function stringsIn(value: JsonValue): readonly string[] {
  const found: string[] = [];
  // Not recursive: a value may be deeper than the stack.
  const left = [value];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (typeof next === "string") found.push(next);
    else if (typeof next === "object" && next !== null) for (const child of Object.values(next).reverse()) left.push(child);
  }
  return found;
}

/** Says of each string in the value that does not occur in the text that it does not; each once, up to a bound. */
export function ungrounded(value: JsonValue, source: SourceText): readonly string[] {
  const missing: string[] = [];
  for (const string of new Set(stringsIn(value))) {
    if (missing.length >= MISSING_MAX) break;
    if (!source.has(string)) missing.push(`${quoted(string)} does not occur in the task's text`);
  }
  return missing;
}

function quoted(text: string): string {
  return JSON.stringify(text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX).toWellFormed()}…`);
}

/** Counts the steps of looking for the strings of a value. */
export function countGrounded(value: JsonValue, source: SourceText, count: Count): void {
  addSize(value, count);
  if (count.over) return;
  count.add(source.stepsFor(stringsIn(value).reduce((sum, string) => sum + lengthMax(string), 0)));
}
