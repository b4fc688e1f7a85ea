/** The short form in which the templates of this folder are written. */
import type { JsonObject, JsonValue } from "../../../machines/vocabulary.ts";
import type { Template } from "../template.ts";

type Field = readonly [schema: JsonObject, answer: JsonValue];

export const text = (description: string): JsonObject => ({ type: "string", description });
export const whole = (description: string): JsonObject => ({ type: "integer", description });
export const number = (description: string): JsonObject => ({ type: "number", description });
export const texts = (description: string): JsonObject => ({ type: "array", items: { type: "string" }, description });
/** One of these words. */
export const word = (description: string, of: readonly string[]): JsonObject => ({ type: "string", enum: [...of], description });

/** The schema and the answer of an object whose fields are all required; `closed`: and no others allowed. */
export function object(fields: { readonly [name: string]: Field }, closed = false): Pick<Template, "schema" | "answer"> {
  const names = Object.keys(fields);
  const each = <T extends JsonValue>(of: (field: Field) => T) =>
    Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, of(field)]));
  return {
    schema: {
      type: "object",
      properties: each(([schema]) => schema),
      required: names,
      ...(closed ? { additionalProperties: false } : {}),
    },
    answer: each(([, answer]) => answer),
  };
}

/** Times that requesters usually give (s). */
export const SHORT = [45, 60, 60, 90, 120];
export const USUAL = [60, 90, 120, 120, 120, 180];
export const LONG = [120, 120, 180, 240, 300];
