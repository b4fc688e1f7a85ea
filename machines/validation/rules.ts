/**
 * The table of rules: the fields of each, its check, and the cost of that (contract: Rules). What a rule is (`Rule`), how the
 * gateway validates one and what the OpenAPI document says of it are all made of the table. A field is a property's name, or a
 * path of names separated by dots.
 */
import { type Check, isJson, isNumber, isRecord, isText } from "../shape.ts";
import type { JsonObject, JsonValue } from "../vocabulary.ts";
import { oneOf } from "./equality.ts";
import { countGrounded, type SourceText, ungrounded } from "./grounded.ts";
import { isObject } from "./keywords.ts";
import { compilePattern, type PatternPlan, planPattern } from "./pattern.ts";
import { addMatch, addSize, type Count } from "./work.ts";

export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** Checks a result; `source` is the text that it is about, absent for an example, which may be about another. */
export type CompiledRule = (result: JsonValue, source?: SourceText) => readonly FieldError[];

/** How a rule `R` is checked. */
interface Checks<R> {
  /** The pattern to compile. */
  readonly pattern?: (rule: R) => string;
  readonly compile: (rule: R, linear: boolean) => CompiledRule;
  /** Counts the steps of checking a result. */
  readonly work: (rule: R, result: JsonValue, count: Count, source?: SourceText) => void;
  /** Whether it compares the result with the text that it is about. */
  readonly readsSource?: true;
}

declare const value: unique symbol;
/** The JSON Schema of a field whose values are of type `T`. */
interface Field<T> extends JsonObject {
  readonly [value]?: T;
}

/** A row of the table; `V` are the values of the rule's fields. */
interface RuleKind<V> extends Checks<V> {
  readonly about: string;
  /** The schema of each field except `type`; all are required. */
  readonly fields: { readonly [name in keyof V]: Field<V[name]> };
}

/** A row of the table of rules: its checks get what its fields describe. */
export function kind<V extends object>(row: RuleKind<V>): RuleKind<V> {
  return row;
}

const NAME_CHARACTERS_MAX = 200;
/** Maximum entries of a list in a rule; the bytes of all rules are bounded elsewhere. */
const NAMES_MAX = 100;
const VALUES_MAX = 1_000;
const LENGTH_MAX = 1_000_000;

const FIELD: Field<string> = {
  type: "string",
  minLength: 1,
  maxLength: NAME_CHARACTERS_MAX,
  description: "A field's name, or a path with dots",
};
const LENGTH: Field<number> = {
  type: "integer",
  minimum: 0,
  maximum: LENGTH_MAX,
  description: "Characters of a text, items of a list",
};
const FIELDS: Field<readonly string[]> = { type: "array", items: FIELD, minItems: 1, maxItems: NAMES_MAX };
const PATTERN: Field<string> = {
  type: "string",
  minLength: 1,
  description: "ECMA-262, flag u; use ^ and $ for the whole text",
};
const VALUES: Field<readonly JsonValue[]> = { type: "array", items: {}, minItems: 1, maxItems: VALUES_MAX };

/** Finds a field; a property whose name contains the dots takes precedence over the path. */
function fieldOf(result: JsonValue, field: string): JsonValue | undefined {
  if (isObject(result) && Object.hasOwn(result, field)) return result[field];
  let at: JsonValue | undefined = result;
  for (const name of field.split(".")) {
    if (!isObject(at) || !Object.hasOwn(at, name)) return undefined;
    at = at[name];
  }
  return at;
}

const FITS = {
  str: (value: JsonValue) => typeof value === "string",
  int: (value: JsonValue) => typeof value === "number" && Number.isInteger(value),
  float: (value: JsonValue) => typeof value === "number",
  bool: (value: JsonValue) => typeof value === "boolean",
  list: (value: JsonValue) => Array.isArray(value),
  dict: (value: JsonValue) => isObject(value),
};
const EXPECTED: Field<keyof typeof FITS> = { type: "string", enum: Object.keys(FITS) };

/** Length of a text in code points, or of a list. */
function lengthOf(value: JsonValue): number | undefined {
  if (Array.isArray(value)) return value.length;
  if (typeof value !== "string") return undefined;
  let points = 0;
  for (const _ of value) points += 1;
  return points;
}

/** Applies `check`, which gives what is wrong, to a field that exists. Missing fields are left to required_fields. */
function onField(field: string, check: (value: JsonValue) => string | undefined): CompiledRule {
  return (result) => {
    const value = fieldOf(result, field);
    const message = value === undefined ? undefined : check(value);
    return message === undefined ? [] : [{ field, message }];
  };
}

function addField(field: string, result: JsonValue, count: Count, characters: number): void {
  const value = fieldOf(result, field);
  count.add(2 + field.length + (typeof value === "string" ? value.length * characters : 0));
}

const KINDS = {
  required_fields: kind({
    about: "The result has these fields",
    fields: { fields: FIELDS },
    compile: (rule) => (result) =>
      rule.fields.filter((field) => fieldOf(result, field) === undefined).map((field) => ({ field, message: "is required" })),
    work: (rule, result, count) => {
      for (const field of rule.fields) addField(field, result, count, 0);
    },
  }),
  min_length: kind({
    about: "The field, where it is there, is a text or list at least this long",
    fields: { field: FIELD, min: LENGTH },
    compile: ({ field, min }) =>
      onField(field, (value) => ((lengthOf(value) ?? -1) < min ? `must be a text or list of at least ${min}` : undefined)),
    work: ({ field }, result, count) => addField(field, result, count, 1),
  }),
  max_length: kind({
    about: "The field, where it is there, is a text or list at most this long",
    fields: { field: FIELD, max: LENGTH },
    compile: ({ field, max }) =>
      onField(field, (value) =>
        (lengthOf(value) ?? Number.POSITIVE_INFINITY) > max ? `must be a text or list of at most ${max}` : undefined,
      ),
    work: ({ field }, result, count) => addField(field, result, count, 1),
  }),
  regex: kind({
    about: "The field, where it is there, is a text in which the pattern is found",
    fields: { field: FIELD, pattern: PATTERN },
    pattern: ({ pattern }) => pattern,
    compile: ({ field, pattern: source }, linear) => {
      const plan = planPattern(source);
      if (typeof plan === "string") throw new Error(`a pattern that was measured ${plan}`);
      const pattern = compilePattern(plan, linear);
      return onField(field, (value) => (typeof value === "string" && pattern.test(value) ? undefined : `must match ${source}`));
    },
    work: ({ field, pattern }, result, count) => {
      const value = fieldOf(result, field);
      const plan = typeof value === "string" ? planPattern(pattern) : undefined;
      if (typeof value === "string" && typeof plan === "object") addMatch(value, plan.weight, count);
    },
  }),
  enum: kind({
    about: "The field, where it is there, is one of these values; 1.0 is 1, and the order of an object's keys does not count",
    fields: { field: FIELD, values: VALUES },
    compile: ({ field, values }) => {
      const allowed = oneOf(values);
      return onField(field, (value) => (allowed(value) ? undefined : "must be one of the values that the rule lists"));
    },
    work: ({ field }, result, count) => addSize(fieldOf(result, field) ?? null, count),
  }),
  field_type: kind({
    about: "The field, where it is there, is of this type; a whole number is a float too",
    fields: { field: FIELD, expected: EXPECTED },
    compile: ({ field, expected }) =>
      onField(field, (value) => (FITS[expected](value) ? undefined : `must be of type ${expected}`)),
    work: ({ field }, result, count) => addField(field, result, count, 0),
  }),
  grounded: kind({
    about:
      "Every string in the field, where it is there, occurs in the text of the task, also those in its lists and objects; case, blanks and the way in which Unicode writes a character do not count. Numbers and names of fields are not looked at, and the example may be of another text",
    fields: { field: FIELD },
    readsSource: true,
    compile:
      ({ field }) =>
      (result, source) => {
        const value = fieldOf(result, field);
        if (value === undefined || source === undefined) return [];
        return ungrounded(value, source).map((message) => ({ field, message }));
      },
    work: ({ field }, result, count, source) => {
      addField(field, result, count, 0);
      const value = fieldOf(result, field);
      if (value !== undefined && source !== undefined) countGrounded(value, source, count);
    },
  }),
};

type Kinds = typeof KINDS;
type RuleType = keyof Kinds;
type Of<T extends RuleType> = {
  [N in T]: { readonly type: N } & (Kinds[N] extends RuleKind<infer V> ? Readonly<V> : never);
}[T];

/** Any rule that the table has. */
export type Rule = Of<RuleType>;

const CHECKS: { readonly [T in RuleType]: Checks<Of<T>> } = KINDS;

/** Makes the check of a field from its schema, as far as this file relies on it; bounds are left to the gateway. */
function fieldCheck({ type, enum: words, items }: JsonObject): Check<JsonValue> {
  const isItem = isObject(items) ? fieldCheck(items) : isJson;
  return (value): value is JsonValue => {
    if (Array.isArray(words)) return words.some((word) => word === value);
    if (type === "array") return Array.isArray(value) && value.every(isItem);
    if (type === "integer") return isNumber(value);
    return type === "string" ? isText(value) : isJson(value);
  };
}

const RULE_CHECKS = new Map(
  Object.entries(KINDS).map(([type, { fields }]) => {
    const checks = Object.entries<JsonObject>(fields).map(([name, schema]) => [name, fieldCheck(schema)]);
    return [type, isRecord<object>(Object.fromEntries(checks))];
  }),
);

const isTyped = isRecord<{ readonly type: string }>({ type: isText });

/** Checks a rule that comes from another process or out of the database. */
export const isRule: Check<Rule> = (value): value is Rule => isTyped(value) && RULE_CHECKS.get(value.type)?.(value) === true;

/** The JSON Schema of each rule. */
export const RULE_SCHEMAS: readonly JsonObject[] = Object.entries(KINDS).map(([type, { about, fields }]) => ({
  type: "object",
  title: type,
  description: about,
  properties: { type: { const: type }, ...fields },
  required: ["type", ...Object.keys(fields)],
}));

/** How its pattern will run; undefined if it has none, the end of a sentence if the pattern is invalid. */
export function patternOf<T extends RuleType>(rule: Of<T>): PatternPlan | string | undefined {
  const source = CHECKS[rule.type].pattern?.(rule);
  return source === undefined ? undefined : planPattern(source);
}

/** Compiles a rule whose pattern, if it has one, has been planned. */
export function compileRule<T extends RuleType>(rule: Of<T>, linear: boolean): CompiledRule {
  return CHECKS[rule.type].compile(rule, linear);
}

/** Counts the steps of checking a result, which is about `source`, against a rule. */
export function countRule<T extends RuleType>(rule: Of<T>, result: JsonValue, count: Count, source?: SourceText): void {
  CHECKS[rule.type].work(rule, result, count, source);
}

/** Whether one of the rules compares a result with the text that it is about. */
export function readSource(rules: readonly Rule[]): boolean {
  return rules.some(({ type }) => CHECKS[type].readsSource === true);
}
