/** What nothing can meet, as far as one schema says it: limits that exclude each other, names that are required and forbidden. */
import type { JsonObject, JsonValue } from "../vocabulary.ts";
import { isObject } from "./keywords.ts";
import { shown } from "./problem.ts";

/** The keyword at fault, and what nothing can do, as the end of a sentence. */
export interface Contradiction {
  readonly keyword: string;
  readonly message: string;
}

const numberIn = (node: JsonObject, keyword: string): number | undefined => {
  const value = node[keyword];
  return typeof value === "number" ? value : undefined;
};
const listIn = (node: JsonObject, keyword: string): readonly JsonValue[] => {
  const value = node[keyword];
  return Array.isArray(value) ? value : [];
};

function typeOf(value: JsonValue): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value;
}

/** The types that a schema says, nullable included; undefined if it says none. */
export function typesIn(node: JsonObject): readonly string[] | undefined {
  const { type } = node;
  if (type === undefined) return undefined;
  const types = [type].flat().map(String);
  return node["nullable"] === true ? [...types, "null"] : types;
}

/** Whether a value is of one of these types. */
export function isOfType(value: JsonValue, types: readonly string[]): boolean {
  return types.some((type) => (type === "integer" ? Number.isInteger(value) : type === typeOf(value)));
}

/** Whether two lists of types have a value in common. */
export function haveCommonType(some: readonly string[], others: readonly string[]): boolean {
  const wide = (types: readonly string[]) => types.map((type) => (type === "integer" ? "number" : type));
  return wide(some).some((type) => wide(others).includes(type));
}

interface Range {
  readonly from: number;
  readonly to: number;
  /** Whether a limit itself is excluded. */
  readonly open: boolean;
}

/** The numbers that a schema takes; with draft 4's flags beside the limits, too. */
function rangeIn(node: JsonObject): Range {
  const [least, above] = [numberIn(node, "minimum"), numberIn(node, "exclusiveMinimum")];
  const [most, below] = [numberIn(node, "maximum"), numberIn(node, "exclusiveMaximum")];
  const from = Math.max(least ?? Number.NEGATIVE_INFINITY, above ?? Number.NEGATIVE_INFINITY);
  const to = Math.min(most ?? Number.POSITIVE_INFINITY, below ?? Number.POSITIVE_INFINITY);
  const isOpenBelow = above === from || (node["exclusiveMinimum"] === true && least === from);
  const isOpenAbove = below === to || (node["exclusiveMaximum"] === true && most === to);
  return { from, to, open: isOpenBelow || isOpenAbove };
}

function isEmpty({ from, to, open }: Range, wholeOnly: boolean): boolean {
  if (from > to || (from === to && open)) return true;
  return wholeOnly && Math.ceil(from) > Math.floor(to);
}

const PAIRS = [
  ["minLength", "maxLength", "text"],
  ["minItems", "maxItems", "list"],
  ["minProperties", "maxProperties", "object"],
  ["minContains", "maxContains", "list"],
] as const;

function limits(node: JsonObject): readonly Contradiction[] {
  const found: Contradiction[] = [];
  const types = typesIn(node) ?? [];
  const wholeOnly = types.includes("integer") && !types.includes("number");
  const range = rangeIn(node);
  if (isEmpty(range, wholeOnly)) {
    const keyword = node["minimum"] === undefined ? "exclusiveMinimum" : "minimum";
    found.push({
      keyword,
      message: `takes no number, because none is from ${range.from} to ${range.to} as it says; correct one of the limits`,
    });
  }
  for (const [least, most, what] of PAIRS) {
    const [from, to] = [numberIn(node, least), numberIn(node, most)];
    if (from === undefined || to === undefined || from <= to) continue;
    found.push({
      keyword: least,
      message: `takes no ${what}, because ${least} ${from} is above ${most} ${to}; correct one of them`,
    });
  }
  return found;
}

/** Whether a schema's own type and limits take a value. */
function admits(node: JsonObject, value: JsonValue): boolean {
  const types = typesIn(node);
  if (types !== undefined && !isOfType(value, types)) return false;
  if (typeof value === "number") {
    const { from, to } = rangeIn(node);
    return from <= value && value <= to;
  }
  const length = typeof value === "string" ? [...value].length : undefined;
  if (length === undefined) return true;
  return (numberIn(node, "minLength") ?? 0) <= length && length <= (numberIn(node, "maxLength") ?? length);
}

function values(node: JsonObject): readonly Contradiction[] {
  const { const: only, enum: list } = node;
  if (only !== undefined && !admits(node, only)) {
    return [
      { keyword: "const", message: "takes nothing, because its type or its limits exclude the constant; correct one of them" },
    ];
  }
  if (Array.isArray(list) && !list.some((value) => admits(node, value))) {
    return [
      {
        keyword: "enum",
        message: "takes nothing, because its type or its limits exclude each value of the list; correct one of them",
      },
    ];
  }
  return [];
}

/** Names that no object can have: forbidden, or not among those that are allowed. */
function names(node: JsonObject): readonly Contradiction[] {
  const required = [...new Set(listIn(node, "required").map(String))];
  const properties = isObject(node["properties"]) ? node["properties"] : {};
  const patterns = isObject(node["patternProperties"]) ? Object.keys(node["patternProperties"]) : [];
  const isClosed = node["additionalProperties"] === false && patterns.length === 0;
  const found: Contradiction[] = [];
  for (const name of required) {
    const isKnown = Object.hasOwn(properties, name);
    if (isKnown && properties[name] === false) {
      found.push({
        keyword: "required",
        message: `takes no object, because ${quoted(name)} is required and its schema is false; drop one of the two`,
      });
    } else if (!isKnown && isClosed) {
      const help = "add it to properties, or take it out of required";
      found.push({
        keyword: "required",
        message: `takes no object, because ${quoted(name)} is required and not among the properties, beside which none are allowed; ${help}`,
      });
    }
  }
  const most = numberIn(node, "maxProperties");
  if (most !== undefined && required.length > most) {
    found.push({
      keyword: "maxProperties",
      message: `takes no object, because ${required.length} properties are required and ${most} allowed; correct one of them`,
    });
  }
  return found;
}

function lists(node: JsonObject): readonly Contradiction[] {
  const prefix = Array.isArray(node["items"]) ? node["items"] : listIn(node, "prefixItems");
  const rest = Array.isArray(node["items"]) ? node["additionalItems"] : node["items"];
  const least = numberIn(node, "minItems");
  const found: Contradiction[] = [];
  if (least !== undefined && rest === false && least > prefix.length) {
    found.push({
      keyword: "minItems",
      message: `takes no list, because ${least} items are needed and ${prefix.length} allowed; correct one of them`,
    });
  }
  const item = isObject(rest) && prefix.length === 0 ? rest["enum"] : undefined;
  if (least !== undefined && node["uniqueItems"] === true && Array.isArray(item) && item.length < least) {
    found.push({
      keyword: "minItems",
      message: `takes no list, because ${least} different items are needed and there are ${item.length}; correct one of them`,
    });
  }
  if (node["contains"] !== undefined && numberIn(node, "maxItems") === 0 && numberIn(node, "minContains") !== 0) {
    found.push({
      keyword: "maxItems",
      message: "takes no list, because one item is needed and none allowed; correct one of them",
    });
  }
  return found;
}

/** The name as it is written in a sentence. */
export function quoted(name: string): string {
  return JSON.stringify(shown(name));
}

/** Gives what this schema demands by itself that nothing can meet. Values of its keywords have been checked. */
export function contradictionsIn(node: JsonObject): readonly Contradiction[] {
  const { not } = node;
  const excluded = not === true || (isObject(not) && Object.keys(not).length === 0);
  const all = excluded
    ? [{ keyword: "not", message: "takes nothing, because it excludes everything; say what is excluded" }]
    : [];
  return [...all, ...limits(node), ...values(node), ...names(node), ...lists(node)];
}
