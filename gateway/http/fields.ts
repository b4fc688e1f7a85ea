/**
 * The fields of what a client sent, held against a schema of ours before it is checked: an optional field that is null is as
 * if it were left out, a name that is nearly one of ours is a mistake, and any other is let be and told.
 */

import { USUAL_MISTAKES } from "../schemas/mistakes.ts";
import type { FieldProblem } from "./problems.ts";

/** As much of a JSON Schema as says which fields there are. */
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

/** What was found on the way. */
export interface Found {
  /** Fields that nobody knows, by their path. */
  readonly unknown: string[];
  /** Fields that are nearly known. */
  readonly mistaken: FieldProblem[];
}

/** Longer names are no slip of anybody's. */
const NAME_MAX = 64;
const MISTAKES_MAX = 20;
/** How many unknown fields are told. */
const TOLD_MAX = 20;
/** A list without a bound of its own is looked into only up to here; then its check refuses it or it has no fields. */
const ITEMS_MAX = 1_000;

/** Gives a copy without fields that say nothing, and adds what it finds to `found`. */
export function tidied(shape: Shape, value: unknown, found: Found, path = ""): unknown {
  if (typeof value !== "object" || value === null) return value;
  const branches = shape.anyOf ?? shape.oneOf;
  if (branches !== undefined) {
    const branch = branches.find((one) => fits(one, value));
    return branch === undefined ? value : tidied(branch, value, found, path);
  }
  if (Array.isArray(value)) return tidiedList(shape, value, found, path);
  const { properties, required = [] } = shape;
  // A shape of its kind alone (a rule's `type`) leaves its other fields to the check of that kind.
  if (properties === undefined || Object.keys(properties).join() === "type") return value;
  const changes = new Map<string, unknown>();
  for (const name of Object.keys(value)) {
    const below = Object.hasOwn(properties, name) ? properties[name] : undefined;
    const child: unknown = Reflect.get(value, name);
    if (below === undefined) note(properties, name, found, path);
    else if (child === null && !required.includes(name)) changes.set(name, undefined);
    else if (typeof child === "object" && child !== null) changes.set(name, tidied(below, child, found, `${path}${name}.`));
  }
  return changes.size === 0 ? value : changed(value, changes);
}

/** A copy with these fields changed, and without those that are undefined. */
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
  return list.map((entry, index) => tidied(items, entry, found, `${path}${index}.`));
}

/** Whether a value is meant for this branch of a union: what the branch fixes is so. */
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
    // One more than are told.
    if (found.unknown.length <= TOLD_MAX) found.unknown.push(path + name);
  } else if (found.mistaken.length < MISTAKES_MAX)
    found.mistaken.push({ field: path + name, message: `is no field here; the field is called ${path}${right}, rename it` });
}

function folded(name: string): string {
  return name.replaceAll(/[_-]/g, "").toLowerCase();
}

const NAMES = new WeakMap<object, ReadonlyMap<string, string>>();

/** What each name that is nearly one of these, or written for one of them by mistake, stands for. */
function namesOf(properties: NonNullable<Shape["properties"]>): ReadonlyMap<string, string> {
  const known = NAMES.get(properties);
  if (known !== undefined) return known;
  const names = new Map<string, string>();
  for (const right of Object.keys(properties)) {
    for (const wrong of Object.hasOwn(USUAL_MISTAKES, right) ? (USUAL_MISTAKES[right] ?? []) : [])
      names.set(folded(wrong), right);
  }
  // The fields themselves go last, and so before the mistakes for others.
  for (const right of Object.keys(properties)) names.set(folded(right), right);
  NAMES.set(properties, names);
  return names;
}

/** The header X-Nexus-Ignored: names as they were sent, percent-encoded, a bounded number of them. */
export function ignoredHeader(names: readonly string[]): string {
  const told = names.slice(0, TOLD_MAX).map((name) => encodeURIComponent(name.slice(0, NAME_MAX).toWellFormed()));
  return [...told, ...(names.length > TOLD_MAX ? ["..."] : [])].join(", ");
}
