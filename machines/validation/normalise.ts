/**
 * Rewrites a schema of any dialect as an equivalent plain one of 2020-12: only known keywords, each reference by the one name
 * of its target, and each dynamic reference resolved for the scope in which it is reached.
 */
import type { JsonObject, JsonValue } from "../vocabulary.ts";
import { type Document, type Place, RECURSIVE, type Resource, SCHEMAS_MAX } from "./document.ts";
import { areUnique } from "./equality.ts";
import { type Dialect, isObject, refStandsAlone, shapeOf } from "./keywords.ts";
import { type PatternPlan, planPattern } from "./pattern.ts";
import { pointerStep, SchemaProblem, shown } from "./problem.ts";

/** The rewritten schema. `defs` are its definitions by name; `root` is one of them. */
export interface Plain {
  readonly root: string;
  readonly defs: ReadonlyMap<string, Definition>;
  /** Total number of schemas. */
  readonly schemas: number;
  /** How each pattern will run, by its source. */
  readonly patterns: ReadonlyMap<string, PatternPlan>;
}

export interface Definition {
  readonly schema: JsonValue;
  /** Pointer to its place in the client's schema. */
  readonly path: string;
}

/** Dynamic anchors in all scopes together, those of 2020-12's meta-schema many times over. */
const SCOPED_MAX = 2_000;

/** The dynamic scope: the outermost schema for each dynamic anchor's name (2020-12 core 8.2.3.2). */
interface Scope {
  /** Identifies the scope; equal scopes have equal keys. */
  readonly number: number;
  readonly places: ReadonlyMap<string, Place>;
  /** The scopes of resources entered from here. */
  readonly within: Map<Resource, Scope>;
}

/** Our own keyword: its `contains` does not mark items as evaluated (2019-09). */
export const CONTAINS_IS_SILENT = "nexusContainsIsSilent";
/** `__proto__` cannot be a property of an object made by assignment, so it is written as a pattern. */
const PROTO = "__proto__";
const PROTO_PATTERN = "^__proto__$";

interface Where {
  readonly node: JsonObject;
  /** Its known keywords. */
  readonly own: ReadonlyMap<string, JsonValue>;
  readonly path: string;
  readonly resource: Resource;
  readonly scope: Scope;
}

/** Keywords whose value is copied. */
const AS_IT_IS = [
  ...["enum", "const", "multipleOf", "maximum", "minimum", "maxLength", "minLength", "pattern", "format"],
  ...["maxItems", "minItems", "uniqueItems", "maxProperties", "minProperties", "required", "minContains", "maxContains"],
  ...["type", "dependentRequired"],
] as const;
const ONE = ["then", "else", "additionalProperties", "propertyNames"] as const;
/** The engine checks these as if its first error were to end it, which it does wrongly (schema.ts), but for those that it calls. */
const CALLED = ["not", "if"] as const;
const BRANCH = ["contains", "unevaluatedItems", "unevaluatedProperties"] as const;
const LISTS = ["allOf", "anyOf", "oneOf"] as const;
const MAPS = ["properties", "patternProperties", "dependentSchemas"] as const;
/** Keywords that may stand beside a `type` to which null is added: none of them constrains null. */
const SILENT_ON_NULL = new Set<string>([
  ...["type", "properties", "patternProperties", "additionalProperties", "propertyNames", "required", "minProperties"],
  ...["maxProperties", "items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains", "minContains"],
  ...["maxContains", "minLength", "maxLength", "pattern", "format", "minimum", "maximum", "exclusiveMinimum"],
  ...["exclusiveMaximum", "multipleOf", "dependentRequired", "dependentSchemas", "unevaluatedItems", "unevaluatedProperties"],
]);

class Normaliser {
  readonly #document: Document;
  readonly #names = new Map<string, string>();
  readonly #defs = new Map<string, Definition>();
  readonly #waiting: { readonly name: string; readonly place: Place; readonly scope: Scope }[] = [];
  readonly #patterns = new Map<string, PatternPlan>();
  readonly #numbers = new Map<JsonValue, number>();
  readonly #scopes = new Map<string, Scope>();
  #scoped = 0;
  #schemas = 0;

  /** Whether branches must be definitions, because they are validated on their own (unevaluated.ts). */
  readonly #branchesAreNamed: boolean;

  constructor(document: Document) {
    this.#document = document;
    this.#branchesAreNamed = document.hasUnevaluated;
  }

  run(): Plain {
    const root = this.#named(this.#document.root, { number: 0, places: new Map(), within: new Map() });
    // Not recursive: a chain of references may exceed the stack.
    for (let next = this.#waiting.pop(); next !== undefined; next = this.#waiting.pop()) {
      const { name, place, scope } = next;
      this.#defs.set(name, { schema: this.#schema(place, scope), path: place.path });
    }
    return { root, defs: this.#defs, schemas: this.#schemas, patterns: this.#patterns };
  }

  /** The name of this schema in this scope. */
  #named(place: Place, outer: Scope): string {
    const scope = this.#entered(outer, this.#document.resourceOf(place));
    const key = `${scope.number} ${this.#numberOf(place.node)}`;
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const name = `d${this.#names.size}`;
    this.#names.set(key, name);
    this.#waiting.push({ name, place, scope });
    return name;
  }

  /** Identifies the document's schemas. Pointers would do too, but a thousand below one long name would each repeat it. */
  #numberOf(node: JsonValue): number {
    const known = this.#numbers.get(node);
    if (known !== undefined) return known;
    this.#numbers.set(node, this.#numbers.size);
    return this.#numbers.size - 1;
  }

  /** The scope after entering a resource from another one. Throws SchemaProblem past SCOPED_MAX. */
  #entered(outer: Scope, resource: Resource): Scope {
    if (resource.dynamic.size === 0) return outer;
    const known = outer.within.get(resource);
    if (known !== undefined) return known;
    // Every path through n resources may have its own scope, with n anchors.
    this.#scoped += outer.places.size + resource.dynamic.size;
    if (this.#scoped > SCOPED_MAX) {
      throw new SchemaProblem(
        `leads to the dynamic anchors of ${shown(resource.path)} in too many ways; write $anchor and $ref where nothing is to be replaced`,
      );
    }
    const places = new Map([...resource.dynamic, ...outer.places]);
    // A schema has at most one named dynamic anchor, and maybe the unnamed one too.
    const reached = [...places].map(([anchor, { node }]) => `${anchor === RECURSIVE ? RECURSIVE : ""}${this.#numberOf(node)}`);
    const key = reached.sort().join();
    const scope = this.#scopes.get(key) ?? { number: this.#scopes.size + 1, places, within: new Map() };
    this.#scopes.set(key, scope);
    outer.within.set(resource, scope);
    return scope;
  }

  #schema(place: Place, outer: Scope): JsonValue {
    this.#schemas += 1;
    if (this.#schemas > SCHEMAS_MAX) {
      throw new SchemaProblem(`has more than ${SCHEMAS_MAX} schemas in it once its references are followed; say less`);
    }
    const { node, path } = place;
    if (!isObject(node)) return node;
    const resource = this.#document.resourceOf(place);
    this.#document.check(node, path, resource.dialect);
    const where: Where = { node, own: understood(node, resource.dialect), path, resource, scope: this.#entered(outer, resource) };
    const keywords = new Map<string, JsonValue>();
    const parts: JsonValue[] = [];
    this.#references(where, keywords, parts);
    if (!(refStandsAlone(resource.dialect) && typeof node["$ref"] === "string")) {
      this.#assertions(where, keywords);
      this.#limits(where, keywords);
      this.#applicators(where, keywords);
      this.#lists(where, keywords);
      this.#dependencies(where, keywords);
    }
    chooseConstants(keywords);
    this.#proto(keywords);
    if (parts.length > 0) keywords.set("allOf", [...list(keywords.get("allOf")), ...parts]);
    return node["nullable"] === true ? orNull(keywords) : Object.fromEntries(keywords);
  }

  #references({ own, path, resource, scope }: Where, keywords: Map<string, JsonValue>, parts: JsonValue[]): void {
    for (const keyword of ["$ref", "$dynamicRef", "$recursiveRef"] as const) {
      const reference = own.get(keyword);
      if (typeof reference !== "string") continue;
      let target = this.#document.resolve(reference, resource, `${path}/${keyword}`);
      if (keyword === "$dynamicRef") target = this.#dynamic(target, reference, scope);
      if (keyword === "$recursiveRef" && this.#document.resourceOf(target).dynamic.has(RECURSIVE)) {
        target = scope.places.get(RECURSIVE) ?? target;
      }
      const named = { $ref: `#/$defs/${this.#named(target, scope)}` };
      if (keywords.has("$ref")) parts.push(named);
      else keywords.set("$ref", named.$ref);
    }
  }

  /** The outermost schema with the anchor's name, if the target is a dynamic anchor of that name. */
  #dynamic(target: Place, reference: string, scope: Scope): Place {
    const anchor = reference.slice(reference.indexOf("#") + 1);
    const isDynamic = isObject(target.node) && target.node["$dynamicAnchor"] === anchor;
    return isDynamic ? (scope.places.get(anchor) ?? target) : target;
  }

  #assertions({ own, path }: Where, keywords: Map<string, JsonValue>): void {
    for (const keyword of AS_IT_IS) {
      const value = own.get(keyword);
      if (value !== undefined && !(keyword === "uniqueItems" && value === false)) keywords.set(keyword, value);
      if (keyword === "pattern" && typeof value === "string") this.#pattern(value, `${path}/pattern`);
    }
  }

  /** Draft 4 writes `exclusiveMinimum: true` beside `minimum`. */
  #limits({ own }: Where, keywords: Map<string, JsonValue>): void {
    for (const [exclusive, inclusive] of [
      ["exclusiveMinimum", "minimum"],
      ["exclusiveMaximum", "maximum"],
    ] as const) {
      const value = own.get(exclusive);
      const limit = keywords.get(inclusive);
      if (typeof value === "number") keywords.set(exclusive, value);
      else if (value === true && limit !== undefined) {
        keywords.delete(inclusive);
        keywords.set(exclusive, limit);
      }
    }
  }

  #pattern(source: string, path: string): void {
    if (this.#patterns.has(source)) return;
    const plan = planPattern(source);
    if (typeof plan === "string") throw new SchemaProblem(`has a pattern at ${shown(path)} that ${plan}`);
    this.#patterns.set(source, plan);
  }

  /** A schema that can be validated on its own. */
  #branch(where: Where, value: JsonValue, ...steps: readonly (string | number)[]): JsonValue {
    return this.#branchesAreNamed ? this.#called(where, value, ...steps) : this.#inner(where, value, ...steps);
  }

  #called(where: Where, value: JsonValue, ...steps: readonly (string | number)[]): JsonValue {
    if (typeof value === "boolean") return this.#inner(where, value, ...steps);
    const path = pathBelow(where, steps);
    return { $ref: `#/$defs/${this.#named({ node: value, path, resource: where.resource }, where.scope)}` };
  }

  #inner(where: Where, value: JsonValue, ...steps: readonly (string | number)[]): JsonValue {
    const path = pathBelow(where, steps);
    return this.#schema({ node: value, path, resource: where.resource }, where.scope);
  }

  #applicators(where: Where, keywords: Map<string, JsonValue>): void {
    const { own } = where;
    for (const keyword of ONE) {
      const value = own.get(keyword);
      if (value !== undefined) keywords.set(keyword, this.#inner(where, value, keyword));
    }
    for (const keyword of CALLED) {
      const value = own.get(keyword);
      if (value !== undefined) keywords.set(keyword, this.#called(where, value, keyword));
    }
    for (const keyword of BRANCH) {
      const value = own.get(keyword);
      if (value !== undefined) keywords.set(keyword, this.#branch(where, value, keyword));
    }
    if (where.resource.dialect === "2019-09" && keywords.has("contains")) keywords.set(CONTAINS_IS_SILENT, true);
    for (const keyword of LISTS) {
      const value = own.get(keyword);
      if (Array.isArray(value))
        keywords.set(
          keyword,
          value.map((one, index) => this.#branch(where, one, keyword, index)),
        );
    }
    for (const keyword of MAPS) {
      const value = own.get(keyword);
      if (!isObject(value)) continue;
      if (keyword === "patternProperties") {
        for (const source of Object.keys(value)) this.#pattern(source, `${where.path}/${keyword}/${pointerStep(source)}`);
      }
      const entries = Object.entries(value).map(([name, one]) => [name, this.#inner(where, one, keyword, name)]);
      keywords.set(keyword, Object.fromEntries(entries));
    }
  }

  /** Since 2020-12 an `items` list is `prefixItems`, and `additionalItems` is `items`. */
  #lists(where: Where, keywords: Map<string, JsonValue>): void {
    const { own } = where;
    const prefix = own.get("prefixItems");
    const items = own.get("items");
    const old = Array.isArray(items) && prefix === undefined;
    const first = old ? items : prefix;
    if (Array.isArray(first)) {
      const from = old ? "items" : "prefixItems";
      keywords.set(
        "prefixItems",
        first.map((one, index) => this.#inner(where, one, from, index)),
      );
    }
    const rest = old ? own.get("additionalItems") : items;
    if (rest !== undefined && !Array.isArray(rest)) {
      keywords.set("items", this.#inner(where, rest, old ? "additionalItems" : "items"));
    }
  }

  #dependencies(where: Where, keywords: Map<string, JsonValue>): void {
    const value = where.own.get("dependencies");
    if (!isObject(value)) return;
    const schemas = new Map(Object.entries(object(keywords.get("dependentSchemas"))));
    const names = new Map(Object.entries(object(keywords.get("dependentRequired"))));
    for (const [name, one] of Object.entries(value)) {
      if (Array.isArray(one)) names.set(name, [...new Set([...list(names.get(name)), ...one])]);
      else {
        const inner = this.#inner(where, one, "dependencies", name);
        const known = schemas.get(name);
        schemas.set(name, known === undefined ? inner : { allOf: [known, inner] });
      }
    }
    if (schemas.size > 0) keywords.set("dependentSchemas", Object.fromEntries(schemas));
    if (names.size > 0) keywords.set("dependentRequired", Object.fromEntries(names));
  }

  /** The engine ignores a property of this name. */
  #proto(keywords: Map<string, JsonValue>): void {
    const properties = object(keywords.get("properties"));
    if (!Object.hasOwn(properties, PROTO)) return;
    this.#pattern(PROTO_PATTERN, PROTO);
    const patterns = object(keywords.get("patternProperties"));
    const known = patterns[PROTO_PATTERN];
    const own = properties[PROTO] ?? true;
    keywords.set("patternProperties", { ...patterns, [PROTO_PATTERN]: known === undefined ? own : { allOf: [known, own] } });
  }
}

/** By concatenation: V8 copies nothing until a path is read, and few are. */
function pathBelow({ path }: Where, steps: readonly (string | number)[]): string {
  return steps.reduce<string>((above, step) => `${above}/${pointerStep(step)}`, path);
}

function list(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

function object(value: JsonValue | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function understood(node: JsonObject, dialect: Dialect): ReadonlyMap<string, JsonValue> {
  return new Map(Object.entries(node).filter(([keyword]) => shapeOf(keyword, dialect) !== undefined));
}

/** The only value that a plain schema allows, in a list; an empty list if it allows others. */
function constantOf(branch: JsonValue): readonly JsonValue[] {
  if (!isObject(branch) || branch["const"] === undefined) return [];
  const { const: value, type, ...more } = branch;
  const isTyped = type === undefined || type === typeof value || (type === "integer" && Number.isInteger(value));
  return isTyped && Object.keys(more).length === 0 ? [value] : [];
}

/** A choice of constants, as tools write unions of literals, becomes an enum: looked up instead of tried one by one. */
function chooseConstants(keywords: Map<string, JsonValue>): void {
  for (const keyword of ["anyOf", "oneOf"]) {
    const branches = list(keywords.get(keyword));
    const values = branches.flatMap(constantOf);
    // Two equal constants in a oneOf are never exactly one.
    const isChoice = values.length > 0 && values.length === branches.length && (keyword === "anyOf" || areUnique(values));
    if (!isChoice || keywords.has("enum")) continue;
    keywords.delete(keyword);
    keywords.set("enum", values);
  }
}

/** `nullable: true` also allows null (OpenAPI 3.0, as intended). */
function orNull(keywords: Map<string, JsonValue>): JsonValue {
  const type = keywords.get("type");
  if (type !== undefined && [...keywords.keys()].every((keyword) => SILENT_ON_NULL.has(keyword))) {
    keywords.set("type", [...new Set([...(Array.isArray(type) ? type : [type]), "null"])]);
    return Object.fromEntries(keywords);
  }
  return keywords.size === 0 ? {} : { anyOf: [Object.fromEntries(keywords), { type: "null" }] };
}

/** Rewrites a document's schema as a plain one. Throws SchemaProblem. */
export function normalise(document: Document): Plain {
  return new Normaliser(document).run();
}
