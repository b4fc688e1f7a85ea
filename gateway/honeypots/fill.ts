/** Makes a task of a template: fills its blanks, chooses its words and names, and works out the known answer and another example. */
import { isKnownAnswer } from "../../machines/market/honeypot.ts";
import type { Rule } from "../../machines/validation/rules.ts";
import type { JsonObject, JsonValue } from "../../machines/vocabulary.ts";
import { type Blank, type Draw, type Operation, oneOf, type Template } from "./template.ts";
import { invent } from "./values.ts";

/** How often values are drawn anew until no two of a text are alike, or the example is not the answer. */
const TRIES_MAX = 50;

/** A blank, in a text. */
export const BLANK = /\{([a-z][a-z0-9_]*)\}/g;
const WHOLE_BLANK = /^\{([a-z][a-z0-9_]*)\}$/;
const CHOICE = /\[\[((?:(?!\]\]).)*)\]\]/gs;

/** What a blank is filled with: what the text shows, and what a worker must answer. */
interface Value {
  readonly shown: string;
  readonly answer: JsonValue;
}
type Values = ReadonlyMap<string, Value>;

/** What a template makes a task of. Budget in NC, time in s. */
export interface Filled {
  readonly inputData: string;
  readonly schema: JsonObject;
  readonly rules: readonly Rule[];
  readonly exampleOutput: JsonValue;
  readonly known: JsonValue;
  readonly budget: number;
  readonly maxSeconds: number;
}

/**
 * Fills a template. All that varies is drawn by `draw`, so the same draws make the same task. Throws an Error with a sentence for
 * whoever wrote the template if it names a blank that it does not have, or its blanks cannot differ.
 */
export function fill(template: Template, draw: Draw): Filled {
  const names = namesOf(draw);
  const values = valuesOf(template, draw);
  const inputData = shownText(chosen(template.text, draw), values);
  const known = answered(template.answer, values, names);
  const [least, most] = template.budget;
  return {
    inputData,
    schema: worded(template.schema, names, draw),
    rules: template.rules ?? [],
    exampleOutput: exampleOf(template, known, names, draw),
    known,
    budget: least + draw(most - least + 1),
    maxSeconds: oneOf(draw, template.seconds),
  };
}

/** The answer to another text of the same template. */
function exampleOf(template: Template, known: JsonValue, names: Names, draw: Draw): JsonValue {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const example = answered(template.answer, valuesOf(template, draw), names);
    if (!isKnownAnswer(example, known)) return example;
  }
  throw new Error("its answer is the same whatever its blanks are");
}

/** Fills all blanks; no two of a text show the same, so that no answer is ambiguous. */
function valuesOf({ blanks }: Template, draw: Draw): Values {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const values = new Map<string, Value>();
    for (const [name, blank] of Object.entries(blanks)) values.set(name, filledBlank(blank, values, draw));
    const shown = [...values].flatMap(([name, { shown: text }]) => (isShown(blanks[name]) ? [text] : []));
    if (new Set(shown).size === shown.length) return values;
  }
  throw new Error("its blanks cannot all be filled with something different");
}

/** Whether a blank may stand in the text: it is not worked out of others. */
function isShown(blank: Blank | undefined): boolean {
  return blank !== undefined && !("of" in blank && blank.kind !== "one");
}

function filledBlank(blank: Blank, before: Values, draw: Draw): Value {
  switch (blank.kind) {
    case "company":
    case "person":
    case "city":
    case "product":
    case "date":
      return invent(blank.kind, draw);
    case "number":
      return numberOf(blank, draw);
    case "code": {
      const text = blank.pattern.replaceAll(/[#@]/g, (sign) => (sign === "#" ? String(draw(10)) : letter(draw)));
      return { shown: text, answer: text };
    }
    case "one": {
      const one = oneOf(draw, blank.of);
      return typeof one === "string" ? { shown: one, answer: one } : { shown: one[0], answer: one[1] };
    }
    case "sum":
    case "difference":
    case "times":
      return { shown: "", answer: workedOut(blank, before) };
    case "largest":
    case "smallest": {
      const numbers = blank.of.map((name) => numberIn(before, name));
      const found = numbers.indexOf(blank.kind === "largest" ? Math.max(...numbers) : Math.min(...numbers));
      return { shown: "", answer: valueIn(before, blank.names[found] ?? "").answer };
    }
    default:
      return blank satisfies never;
  }
}

function letter(draw: Draw): string {
  return String.fromCharCode("A".charCodeAt(0) + draw(26));
}

function numberOf({ from, to, step = 1, grouped = false, digits = 0 }: Extract<Blank, { kind: "number" }>, draw: Draw): Value {
  const whole = from + step * draw(Math.floor((to - from) / step) + 1);
  const text = (whole / 10 ** digits).toFixed(digits);
  const [before = "", ...behind] = text.split(".");
  const shown = grouped ? [before.replaceAll(/\B(?=(\d{3})+$)/g, ","), ...behind].join(".") : text;
  return { shown, answer: Number(text) };
}

function workedOut({ kind, of }: Extract<Blank, { kind: Operation }>, before: Values): number {
  const [first = 0, ...rest] = of.map((name) => numberIn(before, name));
  if (kind === "sum") return rest.reduce((sum, one) => sum + one, first);
  return kind === "difference" ? rest.reduce((left, one) => left - one, first) : rest.reduce((all, one) => all * one, first);
}

function valueIn(values: Values, name: string): Value {
  const value = values.get(name);
  if (value === undefined) throw new Error(`there is no blank {${name}}, or not before it is needed`);
  return value;
}

function numberIn(values: Values, name: string): number {
  const { answer } = valueIn(values, name);
  if (!Number.isInteger(answer)) throw new Error(`{${name}} is no whole number`);
  return Number(answer);
}

/** Chooses one of each [[a|b]]. */
function chosen(text: string, draw: Draw): string {
  return text.replaceAll(CHOICE, (_, all: string) => oneOf(draw, all.split("|")));
}

function shownText(text: string, values: Values): string {
  return text.replaceAll(BLANK, (_, name: string) => valueIn(values, name).shown);
}

/** Chooses one of the names of a field, the same wherever it is named. */
type Names = (name: string) => string;
function namesOf(draw: Draw): Names {
  const names = new Map<string, string>();
  return (name) => {
    const known = names.get(name) ?? oneOf(draw, name.split("|"));
    names.set(name, known);
    return known;
  };
}

/** The answer with its blanks filled and its fields named. */
function answered(answer: JsonValue, values: Values, names: Names): JsonValue {
  if (Array.isArray(answer)) return answer.map((one) => answered(one, values, names));
  if (typeof answer === "object" && answer !== null) {
    return Object.fromEntries(Object.entries(answer).map(([name, one]) => [names(name), answered(one, values, names)]));
  }
  if (typeof answer !== "string") return answer;
  const whole = WHOLE_BLANK.exec(answer)?.[1];
  if (whole !== undefined) return valueIn(values, whole).answer;
  return answer.replaceAll(BLANK, (_, name: string) => String(valueIn(values, name).answer));
}

/** The schema with its fields named and its words chosen. */
function worded(schema: JsonObject, names: Names, draw: Draw): JsonObject {
  const entries = Object.entries(schema).map(([name, one]): [string, JsonValue] => {
    if (name === "required" && Array.isArray(one))
      return [name, one.map((field) => (typeof field === "string" ? names(field) : field))];
    return [name.includes("|") ? names(name) : name, wordedValue(one, names, draw)];
  });
  return Object.fromEntries(entries);
}

function wordedValue(value: JsonValue, names: Names, draw: Draw): JsonValue {
  if (Array.isArray(value)) return value.map((one) => wordedValue(one, names, draw));
  if (typeof value === "object" && value !== null) return worded(value, names, draw);
  return typeof value === "string" ? chosen(value, draw) : value;
}
