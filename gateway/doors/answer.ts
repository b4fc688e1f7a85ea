/** An answer as it goes back over the bus. */
import type { FleetOperation, Operation, Reply } from "../http/operation.ts";
import { Problem } from "../http/problems.ts";
import type { FleetAnswer } from "../ports/fleet.ts";
import type { DoorRecipient } from "./recipient.ts";

/** Gives the answer of a success for who asked; throws a Problem (413) if it is longer than the bus can take (bytes). */
export function answerOf(
  { status, body, headers: more = {} }: Reply,
  operation: Pick<Operation | FleetOperation, "method" | "path">,
  headers: Map<string, string>,
  bytesMax: number,
  client: DoorRecipient,
): FleetAnswer {
  const text = JSON.stringify(body);
  const bytes = Buffer.byteLength(text);
  if (bytes > bytesMax) {
    const detail = `The answer has ${bytes} bytes, and this NATS server passes at most ${bytesMax}. ${elsewhere(operation)} the operator raise max_payload.`;
    throw new Problem(413, "ANSWER_TOO_LARGE", detail);
  }
  for (const [name, value] of Object.entries(more)) headers.set(name, value);
  const whenSent = client.isAwaited ? (isSent: boolean) => (isSent ? client.answered() : client.left()) : null;
  return { status, headers, body: text, sentence: null, whenSent };
}

function elsewhere({ method, path }: Pick<Operation | FleetOperation, "method" | "path">): string {
  if (method === undefined) return "What you asked for was done. Have";
  const done = method === "get" ? "Read it" : "What you asked for was done; read the outcome";
  return `${done} over HTTP, where this operation is ${method.toUpperCase()} ${path}, or have`;
}
