/** An answer as it goes back over the bus. */
import type { Operation, Reply } from "../http/operation.ts";
import { Problem } from "../http/problems.ts";
import type { FleetAnswer } from "../ports/fleet.ts";

/** Gives the answer of a success; throws a Problem (413) if it is longer than the bus can take (bytes). */
export function answerOf(
  { status, body, headers: more = {} }: Reply,
  { method, path }: Pick<Operation, "method" | "path">,
  headers: Map<string, string>,
  bytesMax: number,
): FleetAnswer {
  const text = JSON.stringify(body);
  const bytes = Buffer.byteLength(text);
  if (bytes > bytesMax) {
    const outcome = method === "get" ? "Read it" : "What you asked for was done; read the outcome";
    const detail = `The answer has ${bytes} bytes, and this NATS server passes at most ${bytesMax}. ${outcome} over HTTP, where this operation is ${method.toUpperCase()} ${path}, or have the operator raise max_payload.`;
    throw new Problem(413, "ANSWER_TOO_LARGE", detail);
  }
  for (const [name, value] of Object.entries(more)) headers.set(name, value);
  return { status, headers, body: text, sentence: null };
}
