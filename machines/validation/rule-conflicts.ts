/** Rules that no result can meet: because of one another, or of the schema. A field that may be absent can still be left out. */
import type { JsonValue } from "../vocabulary.ts";
import { isOfType, quoted, typesIn } from "./contradictions.ts";
import type { Demanded } from "./demanded.ts";
import type { Place } from "./document.ts";
import { oneOf } from "./equality.ts";
import { isObject } from "./keywords.ts";
import type { Rule } from "./rules.ts";

/** The number of the rule, and what is wrong, as the end of a sentence. */
export interface RuleConflict {
  readonly rule: number;
  readonly code: "CANNOT_BE_MET" | "RULE_WITHOUT_FIELD";
  readonly message: string;
}

/** What rules and schema say of one field, together. */
interface Limits {
  types: readonly string[];
  least: number;
  most: number;
  values: readonly JsonValue[] | undefined;
}

const ALL_TYPES = ["null", "boolean", "object", "array", "number", "string"] as const;
const OF_FIELD_TYPE = { str: "string", int: "integer", float: "number", bool: "boolean", list: "array", dict: "object" } as const;

/** The types that both have; an integer is a number. */
function commonTypes(some: readonly string[], others: readonly string[]): readonly string[] {
  const both = (one: string, other: string) =>
    one === other ? one : [one, other].sort().join() === "integer,number" ? "integer" : undefined;
  return [...new Set(some.flatMap((one) => others.flatMap((other) => both(one, other) ?? [])))];
}

function lengthOf(value: JsonValue): number | undefined {
  return typeof value === "string" ? [...value].length : Array.isArray(value) ? value.length : undefined;
}

function fits(value: JsonValue, { types, least, most }: Limits): boolean {
  if (!isOfType(value, types)) return false;
  const length = lengthOf(value);
  return length === undefined || (least <= length && length <= most);
}

/** Adds what a rule says of its field. */
function narrow(limits: Limits, rule: Rule): void {
  switch (rule.type) {
    case "min_length":
      limits.types = commonTypes(limits.types, ["string", "array"]);
      limits.least = Math.max(limits.least, rule.min);
      return;
    case "max_length":
      limits.types = commonTypes(limits.types, ["string", "array"]);
      limits.most = Math.min(limits.most, rule.max);
      return;
    case "regex":
      limits.types = commonTypes(limits.types, ["string"]);
      return;
    case "enum":
      limits.values = bothOf(limits.values, rule.values);
      return;
    case "field_type":
      limits.types = commonTypes(limits.types, [OF_FIELD_TYPE[rule.expected]]);
      return;
    case "required_fields":
    case "grounded":
      return;
    default:
      rule satisfies never;
  }
}

function bothOf(some: readonly JsonValue[] | undefined, others: readonly JsonValue[]): readonly JsonValue[] {
  return some === undefined ? others : some.filter(oneOf(others));
}

function isImpossible(limits: Limits): boolean {
  if (limits.types.length === 0) return true;
  if (limits.values !== undefined) return !limits.values.some((value) => fits(value, limits));
  const isMeasured = limits.types.every((type) => type === "string" || type === "array");
  return isMeasured && limits.least > limits.most;
}

/** What the schema of a field says by itself. */
function limitsOf(field: Place | undefined): Limits {
  const limits: Limits = { types: ALL_TYPES, least: 0, most: Number.POSITIVE_INFINITY, values: undefined };
  const node = field?.node;
  if (!isObject(node)) return limits;
  limits.types = typesIn(node) ?? ALL_TYPES;
  if (Array.isArray(node["enum"])) limits.values = node["enum"];
  if (node["const"] !== undefined) limits.values = [node["const"]];
  const [only] = limits.types.length === 1 ? limits.types : [];
  const [least, most] =
    only === "string" ? [node["minLength"], node["maxLength"]] : only === "array" ? [node["minItems"], node["maxItems"]] : [];
  if (typeof least === "number") limits.least = least;
  if (typeof most === "number") limits.most = most;
  return limits;
}

/** The schema of a field by its path; undefined if it cannot be told, null if no result can have the field. */
function fieldIn(demanded: Demanded, root: Place, field: string): Place | undefined | null {
  let at: Place | undefined = demanded.meant(root);
  for (const name of field.split(".")) {
    if (at === undefined || !isObject(at.node)) return undefined;
    const { properties, additionalProperties, patternProperties } = at.node;
    const known = isObject(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (known === false) return null;
    if (known === undefined) return additionalProperties === false && patternProperties === undefined ? null : undefined;
    at = demanded.meant(demanded.below(at, known, "properties", name));
  }
  return at;
}

/** Whether a result can have a field; a property whose name contains the dots is one, too. */
function canHave(demanded: Demanded, root: Place, field: string): boolean {
  if (fieldIn(demanded, root, field) !== null) return true;
  const at = demanded.meant(root);
  const properties = at !== undefined && isObject(at.node) ? at.node["properties"] : undefined;
  return isObject(properties) && Object.hasOwn(properties, field) && properties[field] !== false;
}

function fieldsOf(rule: Rule): readonly string[] {
  return rule.type === "required_fields" ? rule.fields : [rule.field];
}

/** Gives what is wrong with rules beside one another and beside the schema, one for each rule at most. */
export function ruleConflicts(rules: readonly Rule[], demanded: Demanded, root: Place): readonly RuleConflict[] {
  const found: RuleConflict[] = [];
  const byField = new Map<string, Limits | "told">();
  for (const [index, rule] of rules.entries()) {
    const missing = fieldsOf(rule).find((field) => !canHave(demanded, root, field));
    if (missing !== undefined) {
      const what = `is about ${quoted(missing)}, which the schema does not allow`;
      const isRequired = rule.type === "required_fields";
      found.push(
        isRequired
          ? {
              rule: index,
              code: "CANNOT_BE_MET",
              message: `${what}, so no result passes; add it to properties, or take it out here`,
            }
          : { rule: index, code: "RULE_WITHOUT_FIELD", message: `${what}, so it is never looked at; correct the name` },
      );
      continue;
    }
    if (rule.type === "required_fields") continue;
    const limits = byField.get(rule.field) ?? limitsOf(fieldIn(demanded, root, rule.field) ?? undefined);
    if (limits === "told") continue;
    narrow(limits, rule);
    const impossible = isImpossible(limits);
    byField.set(rule.field, impossible ? "told" : limits);
    if (!impossible) continue;
    const message = `leaves nothing for ${quoted(rule.field)}, with what the schema and the rules before say of it; correct one of them`;
    found.push({ rule: index, code: "CANNOT_BE_MET", message });
  }
  return found;
}
