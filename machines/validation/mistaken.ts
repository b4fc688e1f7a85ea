/** What is nearly a JSON Schema, and so demands nothing where it was meant to: an envelope around it, a shorthand, a misspelt keyword or format. */
import type { JsonObject, JsonValue } from "../vocabulary.ts";
import { FORMATS } from "./formats.ts";
import { type Dialect, isObject, KEYWORD_NAMES, shapeOf } from "./keywords.ts";
import { pointerStep } from "./problem.ts";

/** Longer words are no slips of the pen (characters). */
const WORD_MAX = 32;
/** From how many characters on a word with one slip is surely that word. */
const SLIP_MIN = 5;

/** Words of other languages and usual mistakes for keywords. */
const KEYWORD_ALIASES: { readonly [word: string]: string } = {
  ...{
    require: "required",
    requires: "required",
    mandatory: "required",
    property: "properties",
    props: "properties",
    fields: "properties",
  },
  ...{
    item: "items",
    min: "minimum",
    max: "maximum",
    minlen: "minLength",
    maxlen: "maxLength",
    regex: "pattern",
    regexp: "pattern",
  },
  ...{
    enums: "enum",
    choices: "enum",
    ref: "$ref",
    defs: "$defs",
    definition: "definitions",
    typ: "type",
    tpye: "type",
    types: "type",
  },
  ...{ datatype: "type", additionalproperty: "additionalProperties", oneofs: "oneOf", anyofs: "anyOf", formats: "format" },
};
const FORMAT_ALIASES: { readonly [word: string]: string } = {
  ...{ url: "uri", ip: "ipv4", ip4: "ipv4", ip6: "ipv6", guid: "uuid", mail: "email", timestamp: "date-time", isodate: "date" },
  ...{ isodatetime: "date-time", regexp: "regex", host: "hostname", domain: "hostname" },
};
/** Formats of other tools that one slip away are one of ours. */
const OTHER_FORMATS = new Set([
  "ulid",
  "cuid",
  "cuid2",
  "xid",
  "ksuid",
  "nanoid",
  "double",
  "float",
  "byte",
  "binary",
  "int32",
  "int64",
]);

function folded(word: string): string {
  return word.toLowerCase().replaceAll(/[\s_-]/g, "");
}

/** Whether two words differ by one character that is added, left out, another, or swapped with its neighbour. */
export function isOneSlip(one: string, other: string): boolean {
  if (Math.abs(one.length - other.length) > 1 || one === other) return false;
  const [long, short] = one.length >= other.length ? [one, other] : [other, one];
  let at = 0;
  while (at < short.length && long[at] === short[at]) at += 1;
  if (long.length > short.length) return long.slice(at + 1) === short.slice(at);
  const isSwapped = long[at] === short[at + 1] && long[at + 1] === short[at] && long.slice(at + 2) === short.slice(at + 2);
  return isSwapped || long.slice(at + 1) === short.slice(at + 1);
}

function meant(word: string, known: Iterable<string>, aliases: { readonly [word: string]: string }): string | undefined {
  if (word.length > WORD_MAX) return undefined;
  const bare = folded(word);
  if (Object.hasOwn(aliases, bare)) return aliases[bare];
  const words = [...known];
  return (
    words.find((one) => folded(one) === bare) ??
    words.find((one) => one.length >= SLIP_MIN && bare.length >= SLIP_MIN && isOneSlip(bare, folded(one)))
  );
}

/** The keyword that was meant by a name that is none in any dialect; undefined if it is an annotation. */
export function meantKeyword(name: string): string | undefined {
  return KEYWORD_NAMES.has(name) || name.startsWith("x-") ? undefined : meant(name, KEYWORD_NAMES.keys(), KEYWORD_ALIASES);
}

/** The format that was meant by a name that is not checked; undefined if it is one of another tool. */
export function meantFormat(name: string): string | undefined {
  return FORMATS.has(name) || OTHER_FORMATS.has(name.toLowerCase()) ? undefined : meant(name, FORMATS.keys(), FORMAT_ALIASES);
}

/** Properties in which tools that ask models for JSON carry the schema. */
const ENVELOPES = new Set([
  "schema",
  "jsonschema",
  "responseformat",
  "format",
  "function",
  "parameters",
  "inputschema",
  "outputschema",
  "responseschema",
  "text",
]);
const ENVELOPES_DEEP = 4;

/** Whether something is written like a schema: with one of the keywords that make one. */
function isLikeSchema(value: JsonValue): boolean {
  if (!isObject(value)) return false;
  const { type } = value;
  const hasType = typeof type === "string" && WORDS.has(type);
  return (
    hasType || ["properties", "$ref", "anyOf", "oneOf", "allOf", "items", "enum"].some((keyword) => Object.hasOwn(value, keyword))
  );
}

/** The pointer to the schema within an envelope, and undefined if it is none. */
export function envelopeIn(root: JsonObject): string | undefined {
  return isLikeSchema(root) ? undefined : enveloped(root, "#", ENVELOPES_DEEP);
}

function enveloped(node: JsonObject, path: string, levels: number): string | undefined {
  if (levels === 0) return undefined;
  for (const [name, value] of Object.entries(node)) {
    if (!ENVELOPES.has(folded(name)) || !isObject(value)) continue;
    const at = `${path}/${pointerStep(name)}`;
    const found = isLikeSchema(value) ? at : enveloped(value, at, levels - 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What a shorthand may say of a field. */
const WORDS = new Set(["string", "number", "integer", "boolean", "object", "array", "null"]);
const SHORT =
  /^(?:str|string|text|int|integer|number|float|bool|boolean|date|datetime|object|dict|array|list|any|null)\b.{0,40}$/i;

function isShort(value: JsonValue): boolean {
  if (typeof value === "string") return SHORT.test(value);
  if (Array.isArray(value)) return value.length === 1 && isShort(value[0] ?? null);
  return isObject(value) && Object.keys(value).length > 0 && Object.values(value).every(isShort);
}

/** Whether fields stand where keywords should: `{"company": "string"}`, or schemas of fields that are not in `properties`. */
export function isShorthand(root: JsonObject, dialect: Dialect): boolean {
  const entries = Object.entries(root).filter(([name]) => !name.startsWith("$") && name !== "title" && name !== "description");
  if (entries.length === 0 || entries.some(([name]) => shapeOf(name, dialect) !== undefined)) return false;
  return entries.every(([, value]) => isShort(value)) || entries.every(([, value]) => isLikeSchema(value));
}
