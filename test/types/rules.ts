/**
 * Mistakes with types of rules that the compiler must find: `npm run typecheck` fails where one of them compiles. What a rule
 * is, is said in the table and nowhere else, so a type that is in one list only cannot be written. Nothing here is run.
 */
import { kind, type Rule } from "../../machines/validation/rules.ts";

/** Rules as a task has them. */
export const rules: readonly Rule[] = [
  { type: "min_length", field: "a", min: 1 },
  { type: "field_type", field: "a", expected: "int" },
  { type: "grounded", field: "a" },
  // @ts-expect-error a type that the table does not have
  { type: "starts_with", field: "a", prefix: "b" },
  // @ts-expect-error another type's field
  { type: "min_length", field: "a", max: 1 },
  // @ts-expect-error a field that is left out
  { type: "min_length", field: "a" },
  // @ts-expect-error a value of another type
  { type: "min_length", field: "a", min: "1" },
  // @ts-expect-error a type of value that nothing checks
  { type: "field_type", field: "a", expected: "integer" },
];

const row = { about: "", fields: {}, compile: () => () => [], work: () => {} };
kind(row);
// @ts-expect-error a rule that is never checked
kind({ about: row.about, fields: row.fields, work: row.work });
// @ts-expect-error a rule whose check costs nothing
kind({ about: row.about, fields: row.fields, compile: row.compile });
// @ts-expect-error a rule that clients are told nothing of
kind({ fields: row.fields, compile: row.compile, work: row.work });
kind({
  ...row,
  // @ts-expect-error a field that its schema does not describe
  compile: (rule) => () => [{ field: "a", message: rule.prefix }],
});
