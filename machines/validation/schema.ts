/**
 * A requester's JSON Schema is hostile input: one of 1.5 KB can fill the memory of a process. So its cost is
 * measured, without compiling it, and bounded; patterns run on a linear engine; references stay inside the document.
 */
import { Ajv, type Options, type ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import type { JsonObject, JsonValue } from "../vocabulary.ts";
import { compilePattern, type Pattern, weighPattern } from "./pattern.ts";

/** 1 for each schema, and a `$ref` counts its target again; an honest schema of ten fields scores about 15. */
export const SCHEMA_COST_MAX = 5_000;
/** How deep schemas may nest, references followed. */
export const SCHEMA_DEPTH_MAX = 32;
/** Characters of the schema as JSON. */
export const SCHEMA_CHARACTERS_MAX = 32_768;
/** `uniqueItems` compares each with each; above this many items that is too slow to promise. */
export const UNIQUE_ITEMS_MAX = 1_000;

export interface Measured {
  readonly cost: number;
  /** Whether checking by it is cheap enough to be done where other work waits. */
  readonly light: boolean;
  readonly uniqueItems: boolean;
  /** What its patterns weigh together (pattern.ts). */
  readonly patternWeight: number;
}

/** Thrown inside this folder only, and turned into a refusal at its edge. */
export class SchemaProblem extends Error {}

const MAPS = new Set(["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"]);
const DATA = new Set(["enum", "const", "default", "examples", "example"]);
const UNSUPPORTED = new Set(["$dynamicRef", "$recursiveRef", "$dynamicAnchor", "$recursiveAnchor", "$anchor"]);
/** Compiling such a schema takes about 15 ms at most. */
const LIGHT_COST_MAX = 60;
const DRAFT_7 = /^https?:\/\/json-schema\.org\/draft-0[67]\/schema#?$/;
const DRAFT_2020 = /^https?:\/\/json-schema\.org\/draft\/20(19-09|20-12)\/schema#?$/;

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Follows a JSON Pointer (RFC 6901) in its URI fragment form; undefined when it leads nowhere. */
function resolvePointer(root: JsonValue, reference: string): JsonValue | undefined {
  let at: JsonValue | undefined = root;
  for (const raw of reference.slice(1).split("/").slice(1)) {
    let step: string;
    try {
      step = decodeURIComponent(raw).replaceAll("~1", "/").replaceAll("~0", "~");
    } catch {
      return undefined;
    }
    if (Array.isArray(at)) at = at[Number(step)];
    else if (isObject(at) && Object.hasOwn(at, step)) at = at[step];
    else return undefined;
  }
  return at;
}

/** Measures one schema document; holds what the walk has found so far. */
class Survey {
  readonly #root: JsonObject;
  readonly #costs = new Map<string, { readonly cost: number; readonly depth: number }>();
  readonly #under = new Set<string>();
  patternWeight = 0;
  uniqueItems = false;

  constructor(root: JsonObject) {
    this.#root = root;
  }

  schema(node: JsonValue | undefined, depth: number, path: string): number {
    if (depth > SCHEMA_DEPTH_MAX) throw new SchemaProblem(`nests deeper than ${SCHEMA_DEPTH_MAX} levels at ${path}`);
    if (Array.isArray(node)) return node.reduce<number>((sum, item) => sum + this.schema(item, depth, path), 0);
    if (!isObject(node)) return 1;
    let cost = 1;
    for (const [keyword, value] of Object.entries(node)) {
      cost += this.#keyword(node, keyword, value, depth, `${path}/${keyword}`);
    }
    return cost;
  }

  #keyword(node: JsonObject, keyword: string, value: JsonValue, depth: number, path: string): number {
    if (UNSUPPORTED.has(keyword)) throw new SchemaProblem(`uses ${keyword}, which is not supported`);
    if (keyword === "$id" && depth > 0) throw new SchemaProblem(`has an $id at ${path}; only plain #/… references work`);
    if (keyword === "$ref" && typeof value === "string") return this.#reference(value, depth);
    if (keyword === "uniqueItems" && value === true) this.#unique(node, path);
    if (keyword === "pattern" && typeof value === "string") this.patternWeight += weighPattern(value);
    if (DATA.has(keyword)) return Array.isArray(value) ? Math.ceil(value.length / 10) : 0;
    if (!MAPS.has(keyword)) return typeof value === "object" ? this.schema(value, depth + 1, path) : 0;
    let cost = 0;
    for (const [name, child] of Object.entries(isObject(value) ? value : {})) {
      if (keyword === "patternProperties") this.patternWeight += weighPattern(name);
      cost += this.schema(child, depth + 1, `${path}/${name}`);
    }
    return cost;
  }

  #reference(reference: string, depth: number): number {
    if (reference !== "#" && !reference.startsWith("#/")) {
      throw new SchemaProblem(`refers to ${reference}; only references inside the schema (#/…) are followed`);
    }
    if (this.#under.has(reference)) throw new SchemaProblem(`refers to itself through ${reference}`);
    const target = resolvePointer(this.#root, reference);
    if (target === undefined) throw new SchemaProblem(`refers to ${reference}, which is not there`);
    // A walk from as deep or deeper has also checked the depth; from higher up it must be walked again.
    const known = this.#costs.get(reference);
    if (known !== undefined && depth <= known.depth) return known.cost;
    this.#under.add(reference);
    const cost = this.schema(target, depth + 1, reference);
    this.#under.delete(reference);
    this.#costs.set(reference, { cost, depth });
    return cost;
  }

  #unique(node: JsonObject, path: string): void {
    this.uniqueItems = true;
    const most = node["maxItems"];
    if (typeof most !== "number" || most > UNIQUE_ITEMS_MAX) {
      throw new SchemaProblem(`has uniqueItems at ${path}, which needs a maxItems of at most ${UNIQUE_ITEMS_MAX}`);
    }
  }
}

/** Measures a schema without compiling it. Throws SchemaProblem when it is over a bound or refers where it may not. */
export function measureSchema(schema: JsonObject): Measured {
  const characters = JSON.stringify(schema).length;
  if (characters > SCHEMA_CHARACTERS_MAX) {
    throw new SchemaProblem(`is ${characters} characters long; at most ${SCHEMA_CHARACTERS_MAX} are taken`);
  }
  const survey = new Survey(schema);
  const cost = survey.schema(schema, 0, "#");
  if (cost > SCHEMA_COST_MAX) {
    throw new SchemaProblem(`would cost ${cost} checks; at most ${SCHEMA_COST_MAX} are taken, so repeat fewer references`);
  }
  const { patternWeight, uniqueItems } = survey;
  return { cost, light: cost <= LIGHT_COST_MAX && patternWeight === 0 && !uniqueItems, uniqueItems, patternWeight };
}

function linearRegExp(source: string): Pattern {
  const compiled = compilePattern(source);
  if (typeof compiled === "string") throw new SchemaProblem(`has a pattern ${source.slice(0, 60)} that ${compiled}`);
  return compiled;
}
linearRegExp.code = "linearRegExp";

const OPTIONS: Options = {
  strict: false,
  addUsedSchema: false,
  logger: false,
  ownProperties: true,
  code: { regExp: linearRegExp },
};
const FORMATS = ["date", "time", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uuid"] as const;

/** A compiler keeps a few kilobytes of every schema that it has ever compiled, so after this many a new one is made. */
const COMPILES_MAX = 1_000;

type Dialect = "draft-07" | "2020-12";

function makeCompiler(dialect: Dialect, options: Options): Ajv {
  const made: Ajv = dialect === "draft-07" ? new Ajv(options) : new Ajv2020(options);
  formats.default(made, { mode: "fast", formats: [...FORMATS] });
  return made;
}

/** Checks schemas against their dialect's own; these never grow, and compiling that one is most of what a compiler costs. */
const META: { readonly [D in Dialect]: Ajv } = {
  "draft-07": makeCompiler("draft-07", OPTIONS),
  "2020-12": makeCompiler("2020-12", OPTIONS),
};

const compilers = new Map<string, { readonly ajv: Ajv; compiles: number }>();

function compiler(dialect: Dialect, allErrors: boolean): Ajv {
  const key = `${dialect}:${allErrors}`;
  const known = compilers.get(key);
  if (known !== undefined && known.compiles < COMPILES_MAX) {
    known.compiles += 1;
    return known.ajv;
  }
  const ajv = makeCompiler(dialect, { ...OPTIONS, allErrors, validateSchema: false });
  compilers.set(key, { ajv, compiles: 1 });
  return ajv;
}

/** Does the costly first steps, so that no request has to wait for them. */
export function warmUp(): void {
  compileSchema(
    { type: "object", properties: { a: { type: "string", format: "email" } } },
    { cost: 3, light: true, uniqueItems: false, patternWeight: 0 },
  );
}

/** Compiles a measured schema. Throws SchemaProblem when it is not a JSON Schema (draft 6 to 2020-12). */
export function compileSchema(schema: JsonObject, measured: Measured): ValidateFunction {
  const { $schema: dialect, $id: _name, ...rest } = schema;
  const known = typeof dialect === "string" && (DRAFT_7.test(dialect) || DRAFT_2020.test(dialect));
  if (dialect !== undefined && !known) {
    throw new SchemaProblem(`names a dialect that is not known; leave $schema out, or use draft-07 or 2020-12`);
  }
  const draft: Dialect = typeof dialect === "string" && DRAFT_7.test(dialect) ? "draft-07" : "2020-12";
  const meta = META[draft];
  if (!meta.validateSchema(rest))
    throw new SchemaProblem(`is not a JSON Schema: ${meta.errorsText(meta.errors, { dataVar: "schema" }).slice(0, 300)}`);
  // With uniqueItems the first error must end the check, so that a list over its maxItems is never compared.
  const ajv = compiler(draft, !measured.uniqueItems);
  try {
    return ajv.compile(rest);
  } catch (error) {
    if (error instanceof SchemaProblem) throw error;
    throw new SchemaProblem(`is not a JSON Schema: ${error instanceof Error ? error.message.slice(0, 300) : "unreadable"}`);
  } finally {
    // What is kept is the bounded cache of verdict.ts.
    ajv.removeSchema(rest);
  }
}
