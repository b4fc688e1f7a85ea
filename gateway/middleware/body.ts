/** Reads a JSON body that nobody vouches for: bounded in size and depth, valid UTF-8, no keys or characters that harm. */
import type { IncomingMessage } from "node:http";
import getRawBody from "raw-body";
import type { JsonValue } from "../../machines/vocabulary.ts";
import { invalid, Problem } from "../problems.ts";

/** Far above what the largest honest request needs (10,000 characters of input, a schema of 32 KB, an example). */
export const BODY_BYTES_MAX = 262_144;
export const BODY_DEPTH_MAX = 64;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Gives the parsed body, or undefined when the request has none. Throws a Problem (400, 413, 415, 422). */
export async function readBody(request: IncomingMessage): Promise<JsonValue | undefined> {
  const {
    "content-length": length,
    "transfer-encoding": encoding,
    "content-type": type,
    "content-encoding": coding,
  } = request.headers;
  if (encoding === undefined && (length === undefined || length === "0")) return undefined;
  if (coding !== undefined && coding !== "identity") {
    throw new Problem(415, "UNSUPPORTED_MEDIA_TYPE", "Send the body without Content-Encoding; compressed bodies are not taken.");
  }
  if (!/^application\/(json|[\w.-]+\+json)\s*(;\s*charset="?utf-8"?\s*)?$/i.test(type ?? "")) {
    throw new Problem(415, "UNSUPPORTED_MEDIA_TYPE", "Send the body as JSON in UTF-8, with Content-Type: application/json.");
  }
  const bytes = await read(request, length);
  if (bytes.length === 0) return undefined;
  const value = parse(decode(bytes));
  inspect(value);
  return value;
}

/** Gives the body as it was sent, UTF-8 of at most the same size. Throws a Problem (400, 413). */
export async function readText(request: IncomingMessage): Promise<string> {
  return decode(await read(request, request.headers["content-length"]));
}

async function read(request: IncomingMessage, length: string | undefined): Promise<Buffer> {
  try {
    return await getRawBody(request, { limit: BODY_BYTES_MAX, ...(length === undefined ? {} : { length }) });
  } catch (error) {
    const kind = error instanceof Error && "type" in error ? error.type : undefined;
    if (kind === "entity.too.large") {
      // The rest is let run out, unread, so that the client comes to read the answer and the connection is free again.
      request.resume();
      throw new Problem(413, "BODY_TOO_LARGE", `The body must be at most ${BODY_BYTES_MAX} bytes long.`);
    }
    throw new Problem(400, "BODY_INCOMPLETE", "The body ended before its Content-Length; send it again whole.");
  }
}

function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new Problem(400, "MALFORMED_UTF8", "The body is not valid UTF-8; encode it as UTF-8 and send it again.");
  }
}

function parse(text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message.slice(0, 200) : "unreadable";
    throw new Problem(400, "MALFORMED_JSON", `The body is not valid JSON: ${why}`);
  }
}

interface Place {
  readonly value: JsonValue;
  readonly path: string;
  readonly depth: number;
}

/** Walks without recursion, so that depth cannot overflow the stack. */
function inspect(root: JsonValue): void {
  const places: Place[] = [{ value: root, path: "", depth: 0 }];
  for (let place = places.pop(); place !== undefined; place = places.pop()) {
    const { value, path, depth } = place;
    if (typeof value === "string") checkText(value, path);
    if (typeof value === "number" && !Number.isFinite(value)) {
      throw invalid([{ field: path || "body", message: "is a number too large to be exact; send a smaller one" }]);
    }
    if (typeof value !== "object" || value === null) continue;
    if (depth >= BODY_DEPTH_MAX) {
      throw invalid([{ field: path.slice(0, 200), message: `nests deeper than ${BODY_DEPTH_MAX} levels; flatten it` }]);
    }
    for (const [key, child] of Object.entries(value)) {
      const below = path === "" ? key : `${path}.${key}`;
      if (key === "__proto__") throw invalid([{ field: below, message: "is a name that is not taken; rename the field" }]);
      checkText(key, below);
      places.push({ value: child, path: below, depth: depth + 1 });
    }
  }
}

function checkText(text: string, field: string): void {
  if (text.includes("\u0000")) {
    throw invalid([{ field: field.replaceAll("\u0000", "\\u0000"), message: "has a NUL character; leave it out" }]);
  }
  if (!text.isWellFormed()) {
    throw invalid([{ field: field.toWellFormed(), message: "has half of a surrogate pair; send whole characters" }]);
  }
}
