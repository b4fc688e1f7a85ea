/** How large a JSON value is that came in. */
import type { FieldProblem } from "./problems.ts";

/** What is wrong with a field whose value is over `bytesMax` bytes as JSON in UTF-8; empty when it is not. */
export function tooLarge(field: string, value: unknown, bytesMax: number): readonly FieldProblem[] {
  const bytes = Buffer.byteLength(JSON.stringify(value) ?? "");
  if (bytes <= bytesMax) return [];
  return [
    {
      field,
      message: `must be at most ${bytesMax / 1024} KB (${bytesMax} bytes) as JSON, and is ${bytes} bytes; make it smaller`,
    },
  ];
}
