/** Checks what comes in against the operation's schemas, and says in words which field is wrong and why. */
import type { ErrorObject, ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import type { Static, TSchema } from "typebox";
import { type FieldProblem, invalid } from "./problems.ts";

const OPTIONS = { allErrors: false, strict: false } as const;
const FORMATS = ["email", "uuid", "uri"] as const;
/** Texts of a query are numbers where the schema says so; a body means what it says. */
const bodies = new Ajv2020(OPTIONS);
const texts = new Ajv2020({ ...OPTIONS, coerceTypes: true });
formats.default(bodies, [...FORMATS]);
formats.default(texts, [...FORMATS]);

/** Gives the value back with its type; throws a Problem (422) that names the field. */
export type Check<T> = (value: unknown) => T;

function named(error: ErrorObject): FieldProblem {
  const missing: unknown = error.params["missingProperty"];
  const path = error.instancePath.split("/").slice(1);
  const field = [...path, ...(typeof missing === "string" ? [missing] : [])].join(".") || "body";
  return { field, message: worded(error) };
}

function worded({ keyword, params, message = "is invalid" }: ErrorObject): string {
  const limit = String(params["limit"]);
  switch (keyword) {
    case "required":
      return "is required";
    case "type":
      return params["type"] === "integer" ? "must be a whole number" : `must be of type ${String(params["type"])}`;
    case "enum":
      return `must be one of ${String(params["allowedValues"]).replaceAll(",", ", ")}`;
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
    case "format":
      return `must be a valid ${String(params["format"])}`;
    default:
      return message;
  }
}

function checker<T>(validate: ValidateFunction<T>): Check<T> {
  return (value) => {
    if (validate(value)) return value;
    throw invalid((validate.errors ?? []).map(named));
  };
}

/** Makes the check of a body. */
export function bodyCheck<S extends TSchema>(schema: S): Check<Static<S>> {
  return checker(bodies.compile<Static<S>>(schema));
}

/** Makes the check of a path's or query's texts; numbers among them are turned into numbers in place. */
export function textCheck<S extends TSchema>(schema: S): Check<Static<S>> {
  return checker(texts.compile<Static<S>>(schema));
}
