/**
 * Scans the text of a JSON value that JSON.parse has accepted for what must not come in: too much depth, harmful names and
 * characters, numbers that a double would change. One pass, no recursion; only the path of an error is built.
 */
import { type FieldProblem, shortened } from "../problems.ts";
import { DIGITS_SAFE, isExact } from "./decimal.ts";

const DEPTH_MAX = 64;

/** Path in a value: names of fields and indexes of lists. */
export type Path = readonly (string | number)[];

/** Called with each number that a double would change; gives what is wrong with it, if anything. */
export type OnInexact = (path: Path, literal: string) => FieldProblem | undefined;

const [QUOTE, BACKSLASH, COMMA, MINUS] = [0x22, 0x5c, 0x2c, 0x2d];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** One open list or object. */
interface Level {
  readonly list: boolean;
  index: number;
  /** Where the current field name stands, quotes included; after it was asked for, the name itself. */
  name: readonly [number, number] | string;
  /** Whether the next string is a field name. */
  named: boolean;
}

export class JsonText {
  readonly #text: string;
  readonly #onInexact: OnInexact;
  readonly #levels: Level[] = [];
  /** Where the next `\\u` is. */
  #escape = -1;

  constructor(text: string, onInexact: OnInexact) {
    this.#text = text;
    this.#onInexact = onInexact;
  }

  /** Gives the first error. */
  check(): FieldProblem | undefined {
    const text = this.#text;
    for (let at = 0; at < text.length; ) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        const end = endOfString(text, at);
        const wrong = this.#string(at, end);
        if (wrong !== undefined) return wrong;
        at = end;
      } else if (code === MINUS || isDigit(code)) {
        const end = endOfNumber(text, at);
        if (!isPlain(text, at, end) && !isExact(text.slice(at, end))) {
          const wrong = this.#onInexact(this.#path(), text.slice(at, end));
          if (wrong !== undefined) return wrong;
        }
        at = end;
      } else {
        const wrong = this.#punctuation(code);
        if (wrong !== undefined) return wrong;
        at += 1;
      }
    }
    return undefined;
  }

  #punctuation(code: number): FieldProblem | undefined {
    const levels = this.#levels;
    if (code === OPEN_LIST || code === OPEN_OBJECT) {
      if (levels.length >= DEPTH_MAX) return this.#wrong(`nests deeper than ${DEPTH_MAX} levels; flatten it`);
      levels.push({ list: code === OPEN_LIST, index: 0, name: [0, 0], named: code === OPEN_OBJECT });
    } else if (code === CLOSE_LIST || code === CLOSE_OBJECT) {
      levels.pop();
    } else if (code === COMMA) {
      const level = levels.at(-1);
      if (level === undefined) return undefined;
      level.index += 1;
      level.named = !level.list;
    }
    return undefined;
  }

  #string(start: number, end: number): FieldProblem | undefined {
    const level = this.#levels.at(-1);
    const isName = level?.named === true;
    if (level !== undefined && isName) {
      level.name = [start, end];
      level.named = false;
    }
    // NUL and surrogates can only come in as escapes: UTF-8 and JSON do not allow them otherwise.
    const value = this.#isEscaped(start, end) ? readString(this.#text, start, end) : undefined;
    if (value?.includes("\u0000") === true) return this.#wrong("has a NUL character; leave it out");
    if (value?.isWellFormed() === false) return this.#wrong("has half of a surrogate pair; send whole characters");
    if (isName && (value ?? this.#text.slice(start + 1, end - 1)) === "__proto__") {
      return this.#wrong("is a reserved name; rename the field");
    }
    return undefined;
  }

  /** Whether a string has a `\\u`; each part of the text is searched only once. */
  #isEscaped(start: number, end: number): boolean {
    if (this.#escape < start) {
      const next = this.#text.indexOf("\\u", start);
      this.#escape = next === -1 ? this.#text.length : next;
    }
    return this.#escape < end;
  }

  #wrong(message: string): FieldProblem {
    return { field: fieldOf(this.#path()), message };
  }

  #path(): Path {
    return this.#levels.map((level) => {
      if (level.list) return level.index;
      if (typeof level.name !== "string") level.name = readString(this.#text, ...level.name);
      return level.name;
    });
  }
}

/** A path as errors show it, with bounded length and no harmful characters. */
export function fieldOf(path: Path): string {
  return shortened(path.join(".").replaceAll("\u0000", "\\u0000").toWellFormed()) || "body";
}

function readString(text: string, start: number, end: number): string {
  return end === 0 ? "" : String(JSON.parse(text.slice(start, end)));
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** Where the string that begins at this quote ends, closing quote included. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return end + 1;
  }
}

function endOfNumber(text: string, start: number): number {
  const more = /[-+.\deE]*/y;
  more.lastIndex = start;
  more.test(text);
  return more.lastIndex;
}

/** Whether a number is surely exact as a double: few digits, no exponent. */
function isPlain(text: string, start: number, end: number): boolean {
  if (end - start > DIGITS_SAFE) return false;
  for (let at = start; at < end; at += 1) if ((text.charCodeAt(at) | 0x20) === 0x65) return false;
  return true;
}
