/**
 * Compares the fields that a client sent with the schema before they are validated: an optional field that is null counts as
 * left out, a name that is nearly one of ours is a mistake, and any other unknown field is ignored and reported.
 */

import { USUAL_MISTAKES } from "../schemas/mistakes.ts";
import type { FieldProblem } from "./problems.ts";

/** The part of a JSON Schema that says which fields there are. */
export interface Shape {
  readonly type?: string;
  readonly const?: unknown;
  readonly properties?: { readonly [name: string]: Shape };
  readonly required?: readonly string[];
  readonly items?: Shape | readonly Shape[];
  readonly maxItems?: number;
  readonly anyOf?: readonly Shape[];
  readonly oneOf?: readonly Shape[];
}

/** Fields that the schema does not have. */
export interface Found {
  /** Paths of unknown fields. */
  readonly unknown: string[];
  /** Fields whose name is nearly a known one. */
  readonly mistaken: FieldProblem[];
}

/** Longer names are not typos (characters). */
export const NAME_MAX = 64;
const MISTAKES_MAX = 20;
/** How many unknown fields are reported. */
const TOLD_MAX = 20;
/** Lists without a bound of their own are searched only this far: longer ones are refused by validation, or have no fields. */
const ITEMS_MAX = 1_000;

/** Gives a copy without optional fields that are null, and adds unknown fields to `found`. */
export function normalizeFields(shape: Shape, value: unknown, found: Found, path = ""): unknown {
  if (typeof value !== "object" || value === null) return value;
  const branches = shape.anyOf ?? shape.oneOf;
  if (branches !== undefined) {
    const branch = branches.find((one) => fits(one, value));
    return branch === undefined ? value : normalizeFields(branch, value, found, path);
  }
  if (Array.isArray(value)) return tidiedList(shape, value, found, path);
  const { properties, required = [] } = shape;
  // A schema with nothing but a `type` (a rule) leaves its other fields to the validation of that type.
  if (properties === undefined || Object.keys(properties).join() === "type") return value;
  const changes = new Map<string, unknown>();
  for (const name of Object.keys(value)) {
    const below = Object.hasOwn(properties, name) ? properties[name] : undefined;
    const child: unknown = Reflect.get(value, name);
    if (below === undefined) note(properties, name, found, path);
    else if (child === null && !required.includes(name)) changes.set(name, undefined);
    else if (typeof child === "object" && child !== null)
      changes.set(name, normalizeFields(below, child, found, `${path}${name}.`));
  }
  return changes.size === 0 ? value : changed(value, changes);
}

/** A copy with these fields changed, without those that are undefined. */
function changed(value: object, changes: ReadonlyMap<string, unknown>): object {
  const copy: { [name: string]: unknown } = { ...value };
  for (const [name, child] of changes) {
    if (child === undefined) delete copy[name];
    else copy[name] = child;
  }
  return copy;
}

function tidiedList({ items, maxItems = ITEMS_MAX }: Shape, list: readonly unknown[], found: Found, path: string): unknown {
  if (items === undefined || !("type" in items || "anyOf" in items || "oneOf" in items) || list.length > maxItems) return list;
  return list.map((entry, index) => normalizeFields(items, entry, found, `${path}${index}.`));
}

/** Whether a value is meant for this branch of a union: it has the constants of the branch. */
function fits({ properties, items }: Shape, value: object): boolean {
  if (Array.isArray(value)) return items !== undefined;
  if (properties === undefined) return false;
  return Object.entries(properties).every(
    ([name, { const: fixed }]) => fixed === undefined || Reflect.get(value, name) === fixed,
  );
}

function note(properties: NonNullable<Shape["properties"]>, name: string, found: Found, path: string): void {
  const right = name.length <= NAME_MAX ? namesOf(properties).get(folded(name)) : undefined;
  if (right === undefined) {
    // One more than are reported.
    if (found.unknown.length <= TOLD_MAX) found.unknown.push(path + name);
  } else if (found.mistaken.length < MISTAKES_MAX)
    found.mistaken.push({ field: path + name, message: `is not a field; did you mean ${path}${right}?` });
}

/** What is left of a name when case, `_` and `-` do not count. */
export function folded(name: string): string {
  return name.replaceAll(/[_-]/g, "").toLowerCase();
}

const NAMES = new WeakMap<object, ReadonlyMap<string, string>>();

/** Maps each name that is nearly one of these fields, or a common mistake for one, to that field. */
function namesOf(properties: NonNullable<Shape["properties"]>): ReadonlyMap<string, string> {
  const known = NAMES.get(properties);
  if (known !== undefined) return known;
  const names = new Map<string, string>();
  for (const right of Object.keys(properties)) {
    for (const wrong of Object.hasOwn(USUAL_MISTAKES, right) ? (USUAL_MISTAKES[right] ?? []) : [])
      names.set(folded(wrong), right);
  }
  // The fields themselves go last, so they win over mistakes for other fields.
  for (const right of Object.keys(properties)) names.set(folded(right), right);
  NAMES.set(properties, names);
  return names;
}

/** The header X-Nexus-Ignored: a bounded number of names as they were sent, percent-encoded. */
export function ignoredHeader(names: readonly string[]): string {
  const told = names.slice(0, TOLD_MAX).map((name) => encodeURIComponent(name.slice(0, NAME_MAX).toWellFormed()));
  return [...told, ...(names.length > TOLD_MAX ? ["..."] : [])].join(", ");
}
