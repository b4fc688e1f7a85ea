/**
 * Templates of honeypots: a text with blanks, and the answer as far as the blanks decide it. Plain data, so that operators store
 * their own; fill.ts makes tasks of them.
 *
 *   {name} in the text or in the answer is a blank. In the text stands what is shown, in the answer what a worker must give. A
 *          text of the answer that is nothing but a blank is the blank's answer itself, so a number stays a number.
 *   [[a|b]] in the text, or in a text of the schema, is one of these.
 *   a|b    as the name of a field, in the schema, in `required` and in the answer, is one of these, everywhere the same.
 */
import type { Rule } from "../../machines/validation/rules.ts";
import type { JsonObject, JsonValue } from "../../machines/vocabulary.ts";

/** What is invented from lists (values.ts). */
export const INVENTED = ["company", "person", "city", "product", "date"] as const;
export type Invented = (typeof INVENTED)[number];

/** What can be worked out of numbers. */
export const OPERATIONS = ["sum", "difference", "times"] as const;
export type Operation = (typeof OPERATIONS)[number];

/** What fills a blank. */
export type Blank =
  /** A date is shown in words and answered as in ISO 8601. */
  | { readonly kind: Invented }
  /** A whole number; `grouped`: shown as 12,500. `digits`: so many of them are behind the point. */
  | {
      readonly kind: "number";
      readonly from: number;
      readonly to: number;
      readonly step?: number;
      readonly grouped?: boolean;
      readonly digits?: number;
    }
  /** Each # is a digit, each @ a capital letter. */
  | { readonly kind: "code"; readonly pattern: string }
  /** One of these: a word, or what is shown and what is to be answered. */
  | { readonly kind: "one"; readonly of: readonly (string | readonly [shown: string, answer: JsonValue])[] }
  /** Worked out of the whole numbers of blanks before it, for the answer only. */
  | { readonly kind: Operation; readonly of: readonly string[] }
  /** For the answer only: that of the one of `names` whose number, at the same place in `of`, is the largest or the smallest. */
  | { readonly kind: "largest" | "smallest"; readonly of: readonly string[]; readonly names: readonly string[] };

export interface Template {
  readonly taskType: string;
  readonly text: string;
  readonly blanks: { readonly [name: string]: Blank };
  readonly schema: JsonObject;
  readonly rules?: readonly Rule[];
  readonly answer: JsonValue;
  /** The lowest and the highest budget (NC). */
  readonly budget: readonly [least: number, most: number];
  /** The times that a worker may be given (s). */
  readonly seconds: readonly number[];
}

/** A whole number below the one given, 0 at least, that nobody but the platform can foretell. */
export type Draw = (below: number) => number;

/** One of a list; throws an Error if it is empty. */
export function oneOf<T>(draw: Draw, all: readonly T[]): T {
  const one = all[draw(all.length)];
  if (one === undefined) throw new Error("there is nothing to choose from");
  return one;
}
