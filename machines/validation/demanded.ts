/** Whether a schema demands anything: what it takes is worked out as far as it is written, without trying values. */
import type { JsonObject, JsonValue } from "../vocabulary.ts";
import type { Document, Place } from "./document.ts";
import { isObject, refStandsAlone, shapeOf } from "./keywords.ts";
import { SchemaProblem } from "./problem.ts";

/** Keywords that demand nothing by themselves. */
const SILENT = new Set([
  ...["$id", "id", "$anchor", "$dynamicAnchor", "$recursiveAnchor", "$defs", "definitions", "nullable", "additionalItems"],
  ...["if", "minContains", "maxContains"],
]);

/** What is demanded of the value that a schema is applied to; each answer is kept, because references may lead to it in many ways. */
export class Demanded {
  readonly #document: Document;
  readonly #takesAny = new Map<JsonValue, boolean>();
  readonly #takesObjects = new Map<JsonValue, boolean>();
  readonly #fixed = new Map<JsonValue, boolean>();

  constructor(document: Document) {
    this.#document = document;
  }

  /** The schema that is meant: the target of its reference, if it is nothing else. Undefined for one that cannot be told. */
  meant(place: Place): Place | undefined {
    let at = place;
    for (let steps = 0; steps < 32; steps += 1) {
      const { node } = at;
      if (!isObject(node) || typeof node["$ref"] !== "string") return at;
      const target = this.target(at, node["$ref"]);
      if (target === undefined) return undefined;
      at = target;
    }
    return undefined;
  }

  target(from: Place, reference: string): Place | undefined {
    try {
      return this.#document.resolve(reference, this.#document.resourceOf(from), from.path);
    } catch (error) {
      if (error instanceof SchemaProblem) return undefined;
      throw error;
    }
  }

  below(place: Place, node: JsonValue, ...steps: readonly (string | number)[]): Place {
    return { node, path: [place.path, ...steps].join("/"), resource: this.#document.resourceOf(place) };
  }

  /** Whether it takes every object; what it demands of other values does not count. */
  takesEveryObject(place: Place): boolean {
    return this.#kept(place, true, this.#takesObjects);
  }

  /** Whether it takes everything. */
  takesAny(place: Place): boolean {
    return this.#kept(place, false, this.#takesAny);
  }

  #kept(place: Place, objectsOnly: boolean, answers: Map<JsonValue, boolean>): boolean {
    const { node } = place;
    const known = answers.get(node);
    if (known !== undefined) return known;
    // While it is worked out: one that leads back to itself adds nothing to what is demanded.
    answers.set(node, true);
    const takes = this.#takes(place, objectsOnly);
    answers.set(node, takes);
    return takes;
  }

  #takes(place: Place, objectsOnly: boolean): boolean {
    const { node } = place;
    if (!isObject(node)) return node === true;
    const { dialect } = this.#document.resourceOf(place);
    const alone = refStandsAlone(dialect) && typeof node["$ref"] === "string";
    return Object.entries(node).every(([keyword, value]) => {
      if (shapeOf(keyword, dialect) === undefined || SILENT.has(keyword) || (alone && keyword !== "$ref")) return true;
      return this.#isSilent(place, keyword, value, objectsOnly);
    });
  }

  #isSilent(place: Place, keyword: string, value: JsonValue, objectsOnly: boolean): boolean {
    const inner = (node: JsonValue, ...steps: readonly (string | number)[]) => this.below(place, node, keyword, ...steps);
    const takes = (one: Place) => (objectsOnly ? this.takesEveryObject(one) : this.takesAny(one));
    switch (keyword) {
      case "$ref": {
        const target = this.target(place, String(value));
        return target !== undefined && takes(target);
      }
      case "type":
        return objectsOnly && [value].flat().includes("object");
      case "allOf":
        return Array.isArray(value) && value.every((one, index) => takes(inner(one, index)));
      case "anyOf":
        return Array.isArray(value) && value.some((one, index) => takes(inner(one, index)));
      case "then":
      case "else":
        return takes(inner(value));
      case "propertyNames":
        return isObject(value) && Object.keys(value).every((name) => name === "type") && value["type"] === "string";
      case "properties":
      case "patternProperties":
        return isObject(value) && Object.entries(value).every(([name, one]) => this.takesAny(inner(one, name)));
      case "additionalProperties":
      case "unevaluatedProperties":
      case "items":
      case "unevaluatedItems":
        return !Array.isArray(value) && this.takesAny(inner(value));
      case "required":
        return Array.isArray(value) && value.length === 0;
      case "minProperties":
      case "minItems":
      case "minLength":
        return value === 0;
      case "uniqueItems":
        return value === false;
      default:
        return false;
    }
  }

  /** Whether it takes but one value, throughout: constants, and objects of them. */
  isFixed(place: Place): boolean {
    const at = this.meant(place);
    if (at === undefined || !isObject(at.node)) return false;
    const known = this.#fixed.get(at.node);
    if (known !== undefined) return known;
    this.#fixed.set(at.node, false);
    const fixed = this.#isFixed(at, at.node);
    this.#fixed.set(at.node, fixed);
    return fixed;
  }

  #isFixed(place: Place, node: JsonObject): boolean {
    if (node["const"] !== undefined) return true;
    const { enum: values, properties } = node;
    if (Array.isArray(values)) return values.length === 1;
    if (!isObject(properties) || Object.keys(properties).length === 0) return false;
    return Object.entries(properties).every(([name, one]) => this.isFixed(this.below(place, one, "properties", name)));
  }
}
