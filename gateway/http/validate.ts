/** Validates input against the schemas of an operation, and says which field is wrong and why. */
import type { ErrorObject, ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import type { Static, TSchema } from "typebox";
import { type Found, folded, NAME_MAX, normalizeFields } from "./fields.ts";
import { type FieldProblem, invalid } from "./problems.ts";
import { readQuery } from "./query.ts";

// verbose: errors carry the schema that failed, for its examples.
const ajv = new Ajv2020({ allErrors: false, strict: false, verbose: true, discriminator: true });
formats.default(ajv, ["email", "uri", "date-time"]);
/** RFC 9562 4, without the `urn:uuid:` that ajv's own format accepts. */
ajv.addFormat("uuid", /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i);

/**
 * Gives the typed value without optional fields that were null; throws a Problem (422) that names the field. Unknown fields
 * are kept, and added to `unknown`.
 */
export type Check<T> = (value: unknown, unknown?: string[]) => T;

const TYPES: { readonly [type: string]: string } = {
  string: "text",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
  object: "an object",
  array: "a list",
  null: "null",
};

const FORMATS: { readonly [format: string]: string } = {
  email: "an e-mail address, as in ann@example.com",
  uri: "an absolute URL, as in https://example.com/hook",
  uuid: "a bare UUID, as in 6f1c3f0e-2b7a-4d51-9c3e-5a8d7b60f142",
};

/** Describes the error; for a union, that of the branch that was meant. */
function worded(errors: readonly ErrorObject[]): FieldProblem {
  const last = errors.at(-1);
  if (last === undefined) return { field: "body", message: "is invalid" };
  if (last.keyword !== "anyOf" && last.keyword !== "oneOf") return { field: fieldOf(last), message: sentence(last) };
  const branches = errors.slice(0, -1).filter(({ schemaPath }) => schemaPath.startsWith(`${last.schemaPath}/`));
  const deeper = branches.find(({ keyword, instancePath }) => keyword !== "type" || instancePath !== last.instancePath);
  if (deeper !== undefined) return { field: fieldOf(deeper), message: sentence(deeper) };
  const types = branches.map(({ params }) => TYPES[String(params["type"])] ?? "something else");
  return { field: fieldOf(last), message: `must be ${types.join(" or ")}` };
}

function fieldOf({ instancePath, params }: ErrorObject): string {
  const missing: unknown = params["missingProperty"] ?? params["tag"];
  const path = instancePath.split("/").slice(1);
  return [...path, ...(typeof missing === "string" ? [missing] : [])].join(".") || "body";
}

function sentence({ keyword, params, parentSchema, message = "is invalid" }: ErrorObject): string {
  const limit = String(params["limit"]);
  switch (keyword) {
    case "required":
      return "is required";
    case "type":
      return `must be ${TYPES[String(params["type"])] ?? "of another type"}`;
    case "enum":
      return `must be one of ${String(params["allowedValues"]).replaceAll(",", ", ")}`;
    case "discriminator":
      return oneOfTags(tagsOf(parentSchema, String(params["tag"])), params["tagValue"]);
    case "const":
      return `must be ${String(params["allowedValue"])}`;
    case "minimum":
      return `must be at least ${limit}`;
    case "maximum":
      return `must be at most ${limit}`;
    case "maxLength":
      return `must have at most ${limit} characters`;
    case "minLength":
      return limit === "1" ? "must not be empty" : `must have at least ${limit} characters`;
    case "maxItems":
      return `must have at most ${limit} entries`;
    case "minItems":
      return limit === "1" ? "must have an entry" : `must have at least ${limit} entries`;
    case "uniqueItems":
      return `must not have duplicates; entries ${String(params["i"])} and ${String(params["j"])} are equal`;
    case "format":
      return `must be ${FORMATS[String(params["format"])] ?? `a valid ${String(params["format"])}`}`;
    case "pattern":
      return `must have the form ${String(params["pattern"])}${exampleOf(parentSchema)}`;
    default:
      return message;
  }
}

/** Names the tag that was meant, too, where what was sent is one but for case, `_` and `-`. */
function oneOfTags(tags: readonly string[], sent: unknown): string {
  const meant =
    typeof sent === "string" && sent.length <= NAME_MAX ? tags.find((tag) => folded(tag) === folded(sent)) : undefined;
  return `must be one of ${tags.join(", ")}${meant === undefined ? "" : `; did you mean ${meant}?`}`;
}

/** The values of the tag of a discriminated union. */
function tagsOf(schema: ErrorObject["parentSchema"], tag: string): readonly string[] {
  const branches: unknown = schema?.["oneOf"];
  return (Array.isArray(branches) ? branches : []).map((branch) => String(branch?.properties?.[tag]?.const));
}

function exampleOf(schema: ErrorObject["parentSchema"]): string {
  const examples: unknown = schema?.["examples"];
  return Array.isArray(examples) && examples.length > 0 ? `, as in ${String(examples[0])}` : "";
}

function checked<T>(validate: ValidateFunction<T>, value: unknown): T {
  if (validate(value)) return value;
  throw invalid([worded(validate.errors ?? [])]);
}

function refuseMistakes({ mistaken }: Found): void {
  if (mistaken.length > 0) throw invalid(mistaken);
}

/** Makes the validation of a body. */
export function bodyCheck<S extends TSchema>(schema: S): Check<Static<S>> {
  const validate = ajv.compile<Static<S>>(schema);
  return (value, unknown = []) => {
    const found: Found = { unknown, mistaken: [] };
    const tidy = normalizeFields(schema, value, found);
    refuseMistakes(found);
    return checked(validate, tidy);
  };
}

/** Makes the validation of path parameters. */
export function pathCheck<S extends TSchema>(schema: S): Check<Static<S>> {
  const validate = ajv.compile<Static<S>>(schema);
  return (value) => checked(validate, value);
}

/** Makes the validation of a raw query, without the question mark. */
export function queryCheck<S extends TSchema>(schema: S): (query: string, unknown: string[]) => Static<S> {
  const validate = ajv.compile<Static<S>>(schema);
  return (query, unknown) => {
    const found: Found = { unknown, mistaken: [] };
    const read = readQuery(schema, query, found);
    refuseMistakes(found);
    return checked(validate, read);
  };
}
