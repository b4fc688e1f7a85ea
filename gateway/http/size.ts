/** Size limits of JSON values. */
import type { FieldProblem } from "./problems.ts";

/** Gives an error if the value of a field has more than `bytesMax` bytes as JSON in UTF-8; else an empty list. */
export function tooLarge(field: string, value: unknown, bytesMax: number): readonly FieldProblem[] {
  const bytes = Buffer.byteLength(JSON.stringify(value) ?? "");
  if (bytes <= bytesMax) return [];
  return [
    {
      field,
      message: `must be at most ${bytesMax / 1024} KB (${bytesMax} bytes) as JSON, but has ${bytes} bytes; make it smaller`,
    },
  ];
}
