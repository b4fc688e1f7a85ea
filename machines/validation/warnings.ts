/**
 * What a requester may not have meant, of demands that are valid: a schema that demands nothing, takes only the example, or cannot be met by
 * anybody. Worked out from what is written, without trying values, so it finds the usual and not everything; and it says nothing of
 * what tools write.
 *
 * The time is bounded by that of reading the schema: each of its schemas is looked at once.
 */
import type { JsonObject, JsonValue } from "../vocabulary.ts";
import { contradictionsIn, haveCommonType, typesIn } from "./contradictions.ts";
import { Demanded } from "./demanded.ts";
import { Document, type Place } from "./document.ts";
import { innerSchemas, isObject, refStandsAlone } from "./keywords.ts";
import { envelopeIn, isShorthand, meantFormat, meantKeyword } from "./mistaken.ts";
import { pointerStep, SchemaProblem, shown } from "./problem.ts";
import { ruleConflicts } from "./rule-conflicts.ts";
import { SCHEMA_CHARACTERS_MAX } from "./schema.ts";
import type { Demands } from "./verdict.ts";

export const WARNING_CODES = [
  "SCHEMA_IN_ENVELOPE",
  "SCHEMA_IS_SHORTHAND",
  "DEMANDS_NOTHING",
  "ALL_OPTIONAL",
  "KEYWORD_UNKNOWN",
  "FORMAT_UNKNOWN",
  "ONLY_THE_EXAMPLE",
  "CANNOT_BE_MET",
  "RULE_WITHOUT_FIELD",
] as const;
export type WarningCode = (typeof WARNING_CODES)[number];

/** `pointer` is a JSON pointer within the schema or the rules; `message` the end of a sentence that says what to do. */
export interface Warning {
  readonly code: WarningCode;
  readonly within: "schema" | "rules";
  readonly pointer: string;
  readonly message: string;
}

const WARNINGS_MAX = 20;
/** Unknown keywords that are compared with known ones; comparing takes 10 us. */
const COMPARED_MAX = 200;

class Reading {
  readonly #document: Document;
  readonly #demanded: Demanded;
  readonly found: Warning[] = [];
  #compared = 0;

  constructor(document: Document) {
    this.#document = document;
    this.#demanded = new Demanded(document);
  }

  add(code: WarningCode, pointer: string, message: string, within: Warning["within"] = "schema"): void {
    // A pointer of the document begins with #.
    if (this.found.length < WARNINGS_MAX) this.found.push({ code, within, pointer: pointer.replace(/^#/, ""), message });
  }

  whole(root: JsonObject, { rules }: Demands): void {
    const place = this.#document.root;
    const asked = rules.some(({ type }) => type === "required_fields");
    const envelope = envelopeIn(root);
    const nothing = this.#demanded.takesEveryObject(place);
    if (envelope !== undefined) {
      const help = `send what is at ${shown(envelope)} instead`;
      this.add("SCHEMA_IN_ENVELOPE", "#", `is an envelope with the schema in it, and demands nothing; ${help}`);
    } else if (isShorthand(root, this.#document.resourceOf(place).dialect)) {
      const help = "put the fields into properties, each with a schema, and their names into required";
      this.add("SCHEMA_IS_SHORTHAND", "#", `names fields where keywords belong, and demands nothing; ${help}`);
    } else if (nothing && !asked) {
      const help = "say its type, its properties, and which are required";
      this.add("DEMANDS_NOTHING", "#", `takes any object, and so does not tell right results from wrong ones; ${help}`);
    } else if (!asked && this.#isAllOptional(place)) {
      this.add(
        "ALL_OPTIONAL",
        "#",
        "takes an object without any field, because none is required; list in required what must be there",
      );
    }
    if (!nothing && this.#demanded.isFixed(place)) {
      const help = "say which other values may come: a type where there is a constant";
      this.add("ONLY_THE_EXAMPLE", "#", `takes but one value, so there is nothing to work out; ${help}`);
    }
    for (const { rule, code, message } of ruleConflicts(rules, this.#demanded, place))
      this.add(code, `/${rule}`, message, "rules");
  }

  /** Whether it has properties and takes an object without one. */
  #isAllOptional(place: Place): boolean {
    const node = this.#demanded.meant(place)?.node;
    if (!isObject(node) || !isObject(node["properties"])) return false;
    const { required, minProperties, type } = node;
    const isAsked = (Array.isArray(required) && required.length > 0) || (typeof minProperties === "number" && minProperties > 0);
    const others = ["allOf", "anyOf", "oneOf", "not", "if", "dependentSchemas", "$ref", "$dynamicRef", "enum", "const"];
    const isObjects = type === undefined || [type].flat().includes("object");
    return isObjects && !isAsked && !others.some((keyword) => Object.hasOwn(node, keyword));
  }

  /** Looks at each schema of the document once. */
  each(): void {
    const left = [this.#document.root];
    for (let place = left.pop(); place !== undefined && this.found.length < WARNINGS_MAX; place = left.pop()) {
      const { node, path } = place;
      if (!isObject(node)) continue;
      const resource = this.#document.resourceOf(place);
      if (!(refStandsAlone(resource.dialect) && typeof node["$ref"] === "string")) this.#one(node, { ...place, resource });
      for (const inner of innerSchemas(node, path, resource.dialect).toReversed()) {
        left.push({ node: inner.value, path: inner.path, resource });
      }
    }
  }

  #one(node: JsonObject, place: Place): void {
    const { path } = place;
    for (const name of Object.keys(node)) {
      const keyword = this.#compared < COMPARED_MAX ? meantKeyword(name) : undefined;
      if (keyword !== undefined && !Object.hasOwn(node, keyword)) {
        const at = `${path}/${pointerStep(name)}`;
        this.add("KEYWORD_UNKNOWN", at, `is no keyword and is passed over; did you mean ${keyword}?`);
      }
      this.#compared += 1;
    }
    const { format } = node;
    const right = typeof format === "string" ? meantFormat(format) : undefined;
    if (right !== undefined) this.add("FORMAT_UNKNOWN", `${path}/format`, `is no format that is checked; did you mean ${right}?`);
    for (const { keyword, message } of contradictionsIn(node)) this.add("CANNOT_BE_MET", `${path}/${keyword}`, message);
    this.#together(node, place);
  }

  /** What all parts of a conjunction take. */
  #together(node: JsonObject, place: Place): void {
    const { allOf } = node;
    const parts: JsonValue[] = Array.isArray(allOf) ? [...allOf] : [];
    if (typeof node["$ref"] === "string") parts.push({ $ref: node["$ref"] });
    let types = typesIn(node);
    for (const part of parts) {
      const at = this.#demanded.meant(this.#demanded.below(place, part));
      const more = at !== undefined && isObject(at.node) ? typesIn(at.node) : undefined;
      if (types !== undefined && more !== undefined && !haveCommonType(types, more)) {
        const message = `takes nothing, because it must be ${types.join(" or ")} and ${more.join(" or ")} at once; correct one of them`;
        this.add("CANNOT_BE_MET", Array.isArray(allOf) ? `${place.path}/allOf` : place.path, message);
        return;
      }
      types ??= more;
    }
  }
}

/** Warns of demands; of those that are refused it says what it can. Never throws. */
export function warningsOf(demands: Demands): readonly Warning[] {
  const text = JSON.stringify(demands.schema);
  if (text.length > SCHEMA_CHARACTERS_MAX) return [];
  const root: JsonObject = JSON.parse(text);
  try {
    const reading = new Reading(new Document(root));
    reading.whole(root, demands);
    reading.each();
    return reading.found;
  } catch (error) {
    if (!(error instanceof SchemaProblem)) throw error;
    // An envelope whose own type is none of JSON Schema's is refused for that, which does not say why.
    const envelope = envelopeIn(root);
    if (envelope === undefined) return [];
    const message = `is an envelope with the schema in it; send what is at ${shown(envelope)} instead`;
    return [{ code: "SCHEMA_IN_ENVELOPE", within: "schema", pointer: "", message }];
  }
}
