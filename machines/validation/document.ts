/**
 * A schema document: its resources (`$id`), its anchors, and how its references resolve. Nothing outside the document is
 * ever fetched.
 */
import type { JsonObject, JsonValue } from "../vocabulary.ts";
import { checkShapes, type Dialect, dialectOf, innerSchemas, isObject, refStandsAlone, shapeOf } from "./keywords.ts";
import { pointerStep, SchemaProblem, shown } from "./problem.ts";

/** Maximum nesting of schemas. */
export const SCHEMA_DEPTH_MAX = 32;
/** Schemas in a document, and each again for every dynamic scope from which it is reached; the longest honest one has about 1,500. */
export const SCHEMAS_MAX = 2_000;
/** Each address is read with the one that it is relative to. */
const ADDRESS_CHARACTERS_MAX = 1_000;

/** The document's base URI if it has no `$id`. */
const BASE = "schema://document/";
/** Name for `$recursiveAnchor: true`, a dynamic anchor without one (2019-09). */
export const RECURSIVE = "#";

/** A schema resource: a part of the document with its own base URI, the root of its pointers and anchors. */
export interface Resource {
  readonly uri: string;
  readonly root: JsonValue;
  readonly path: string;
  readonly dialect: Dialect;
  readonly anchors: Map<string, Place | "twice">;
  readonly dynamic: Map<string, Place>;
}

/** A schema in the document: `path` is its pointer from the document's root. */
export interface Place {
  readonly node: JsonValue;
  readonly path: string;
  readonly resource: Resource;
}

function textOf(node: JsonObject, keyword: string, dialect: Dialect): string | undefined {
  const value = node[keyword];
  return shapeOf(keyword, dialect) !== undefined && typeof value === "string" ? value : undefined;
}

function decoded(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}

/** Resolves a reference against `base` (RFC 3986 5), without the fragment; undefined if the result is no URI. */
function resolved(reference: string, base: string): string | undefined {
  if (!URL.canParse(reference, base)) return undefined;
  const url = new URL(reference, base);
  url.hash = "";
  return url.href;
}

export class Document {
  readonly root: Place;
  /** Whether any schema in it has an unevaluated keyword. */
  hasUnevaluated = false;
  #schemas = 0;
  readonly #byUri = new Map<string, Resource>();
  readonly #resources = new Map<JsonObject, Resource>();
  readonly #checked = new Set<JsonObject>();

  /** No object may occur twice in `schema`: they are distinguished by identity. Throws SchemaProblem. */
  constructor(schema: JsonValue) {
    const dialect = isObject(schema) ? this.#dialect(schema, "open", "#") : "open";
    const outermost = this.#resource(schema, "#", dialect, BASE);
    this.root = { node: schema, path: "#", resource: outermost };
    this.#index(this.root, 0);
    this.root = { ...this.root, resource: this.resourceOf(this.root) };
  }

  /** The resource of a schema: its own, if it is the root of one. */
  resourceOf({ node, resource }: Place): Resource {
    return (isObject(node) ? this.#resources.get(node) : undefined) ?? resource;
  }

  /** Resolves a reference. Throws SchemaProblem if the target is outside the document, missing, or no schema. */
  resolve(reference: string, from: Resource, path: string): Place {
    const hash = reference.indexOf("#");
    const address = hash < 0 ? reference : reference.slice(0, hash);
    const fragment = hash < 0 ? "" : decoded(reference.slice(hash + 1));
    const uri = address === "" ? from.uri : resolved(address, from.uri);
    const resource = uri === undefined ? undefined : address === "" ? from : this.#byUri.get(uri);
    const refers = `refers to ${shown(reference)} at ${shown(path)}`;
    if (resource === undefined) {
      throw new SchemaProblem(
        `${refers}; only references inside the schema (#/…, an $id or an $anchor in it) are followed, so put what it names into $defs`,
      );
    }
    const found = this.#find(resource, fragment) ?? (address === "" ? this.#find(this.root.resource, fragment) : undefined);
    if (found === undefined) throw new SchemaProblem(`${refers}, which is not there`);
    if (found === "twice") throw new SchemaProblem(`${refers}, a name that two schemas have; rename one`);
    if (!isObject(found.node) && typeof found.node !== "boolean") {
      throw new SchemaProblem(`${refers}, which is no schema (an object, true or false)`);
    }
    return found;
  }

  /** Checks the values of a schema's keywords, once. */
  check(node: JsonObject, path: string, dialect: Dialect): void {
    if (this.#checked.has(node)) return;
    checkShapes(node, path, dialect);
    this.hasUnevaluated ||= ["unevaluatedItems", "unevaluatedProperties"].some((name) => Object.hasOwn(node, name));
    this.#checked.add(node);
  }

  #find(resource: Resource, fragment: string): Place | "twice" | undefined {
    if (fragment === "") return { node: resource.root, path: resource.path, resource };
    if (!fragment.startsWith("/")) return resource.anchors.get(fragment);
    let at: Place = { node: resource.root, path: resource.path, resource };
    for (const raw of fragment.split("/").slice(1)) {
      const step = raw.replaceAll("~1", "/").replaceAll("~0", "~");
      const { node } = at;
      const isName = Array.isArray(node) ? /^(0|[1-9]\d*)$/.test(step) : isObject(node) && Object.hasOwn(node, step);
      if (!isName) return undefined;
      const child = Array.isArray(node) ? node[Number(step)] : isObject(node) ? node[step] : undefined;
      if (child === undefined) return undefined;
      const place: Place = { node: child, path: `${at.path}/${pointerStep(step)}`, resource: at.resource };
      at = { ...place, resource: this.resourceOf(place) };
    }
    return at;
  }

  #dialect(node: JsonObject, outer: Dialect, path: string): Dialect {
    const name = node["$schema"];
    if (name === undefined) return outer;
    const dialect = typeof name === "string" ? dialectOf(name) : undefined;
    if (dialect !== undefined) return dialect;
    throw new SchemaProblem(
      `names a dialect at ${shown(path)}/$schema that is not known; leave $schema out, or use draft-04, draft-06, draft-07, 2019-09 or 2020-12`,
    );
  }

  #resource(root: JsonValue, path: string, dialect: Dialect, uri: string): Resource {
    const made: Resource = { uri, root, path, dialect, anchors: new Map(), dynamic: new Map() };
    if (isObject(root)) this.#resources.set(root, made);
    return made;
  }

  #index(place: Place, depth: number): void {
    if (depth > SCHEMA_DEPTH_MAX) {
      throw new SchemaProblem(
        `nests deeper than ${SCHEMA_DEPTH_MAX} levels at ${shown(place.path)}; name the inner schemas in $defs`,
      );
    }
    this.#schemas += 1;
    if (this.#schemas > SCHEMAS_MAX) throw new SchemaProblem(`has more than ${SCHEMAS_MAX} schemas in it; say less`);
    const { node, path } = place;
    if (!isObject(node)) return;
    const resource = this.#begin(node, path, place.resource);
    this.check(node, path, resource.dialect);
    this.#anchors({ node, path, resource }, node);
    for (const { value, path: below } of innerSchemas(node, path, resource.dialect)) {
      this.#index({ node: value, path: below, resource }, depth + 1);
    }
  }

  /** Registers a resource if a schema has an `$id`. In old drafts an `$id` of only a fragment is an anchor. */
  #begin(node: JsonObject, path: string, outer: Resource): Resource {
    const own = this.#dialectWithin(node, path, outer);
    const id = textOf(node, "$id", own) ?? textOf(node, "id", own);
    if (id === undefined || (refStandsAlone(own) && typeof node["$ref"] === "string")) return outer;
    const [address = "", fragment = ""] = id.split("#", 2);
    const uri = address === "" ? undefined : this.#address(address, outer.uri, path);
    const resource = uri === undefined ? outer : this.#resource(node, path, own, uri);
    if (uri !== undefined && !this.#byUri.has(uri)) this.#byUri.set(uri, resource);
    if (fragment !== "") this.#name({ node, path, resource }, decoded(fragment));
    return resource;
  }

  #address(written: string, base: string, path: string): string | undefined {
    const uri = written.length > ADDRESS_CHARACTERS_MAX ? written : resolved(written, base);
    if (uri === undefined || uri.length <= ADDRESS_CHARACTERS_MAX) return uri;
    throw new SchemaProblem(`has an $id of more than ${ADDRESS_CHARACTERS_MAX} characters at ${shown(path)}; shorten it`);
  }

  /** Only a schema with an `$id` may have another dialect than its parent. */
  #dialectWithin(node: JsonObject, path: string, outer: Resource): Dialect {
    const named = typeof node["$id"] === "string" || typeof node["id"] === "string";
    return named && typeof node["$schema"] === "string" ? this.#dialect(node, outer.dialect, path) : outer.dialect;
  }

  #name(place: Place, name: string): void {
    place.resource.anchors.set(name, place.resource.anchors.has(name) ? "twice" : place);
  }

  #anchors(place: Place, node: JsonObject): void {
    const { resource } = place;
    const anchor = textOf(node, "$anchor", resource.dialect);
    if (anchor !== undefined) this.#name(place, anchor);
    const dynamic = textOf(node, "$dynamicAnchor", resource.dialect);
    if (dynamic !== undefined) {
      if (dynamic !== anchor) this.#name(place, dynamic);
      if (!resource.dynamic.has(dynamic)) resource.dynamic.set(dynamic, place);
    }
    const recursive = shapeOf("$recursiveAnchor", resource.dialect) !== undefined && node["$recursiveAnchor"] === true;
    if (recursive && node === resource.root) resource.dynamic.set(RECURSIVE, place);
  }
}
