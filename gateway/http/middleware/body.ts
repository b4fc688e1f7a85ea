/** Reads an untrusted JSON body: bounded in size and depth, valid UTF-8, no harmful names or characters, no number that a double would change. */
import type { IncomingMessage, ServerResponse } from "node:http";
import getRawBody from "raw-body";
import type { JsonValue } from "../../../machines/vocabulary.ts";
import { boundAt, place } from "../json/bounds.ts";
import { fieldOf, JsonText } from "../json/text.ts";
import { invalid, Problem } from "../problems.ts";
import { isJson } from "./content-type.ts";

/** Far more than the largest valid request needs (10,000 characters of input, a schema of 32 KB, an example). */
export const BODY_BYTES_MAX = 262_144;
const SHOWN_CHARACTERS = 40;
/** More bounds beyond 2^53 than a schema of maximal size can have. */
const BOUNDS_MAX = 1_000;

/** Drops a byte order mark (allowed by RFC 8259 8.1). */
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** A request and its response. */
export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/** Gives the parsed body, or undefined when the request has none. Throws a Problem (400, 413, 415, 422). */
export async function readBody({ req: request, res }: Exchange): Promise<JsonValue | undefined> {
  const { "content-length": length, "transfer-encoding": encoding, "content-encoding": coding } = request.headers;
  if (encoding === undefined && (length === undefined || Number(length) === 0)) return undefined;
  if (coding !== undefined && !/^identity$/i.test(coding)) {
    throw new Problem(
      415,
      "UNSUPPORTED_MEDIA_TYPE",
      "Send the body without Content-Encoding; compressed bodies are not supported.",
    );
  }
  const json = isJson(request.headers["content-type"] ?? "");
  // Whether a chunked body is empty, and so needs no Content-Type, is known only at its end.
  if (!json && encoding === undefined) throw noJson();
  const text = decode(await read({ req: request, res }, length));
  if (text.trim() === "") return undefined;
  if (!json) throw noJson();
  return readJson(text);
}

/** Gives the parsed body that came whole, or undefined if it is blank. Throws a Problem (400, 413, 422). */
export function readBytes(bytes: Uint8Array): JsonValue | undefined {
  if (bytes.length > BODY_BYTES_MAX) throw bodyTooLarge();
  const text = decode(bytes);
  return text.trim() === "" ? undefined : readJson(text);
}

/** Gives the body as text, UTF-8 of at most the same size. Throws a Problem (400, 413). */
export async function readText(exchange: Exchange): Promise<string> {
  return decode(await read(exchange, exchange.req.headers["content-length"]));
}

function noJson(): Problem {
  return new Problem(415, "UNSUPPORTED_MEDIA_TYPE", "Send the body as JSON in UTF-8, with Content-Type: application/json.");
}

async function read({ req: request, res }: Exchange, length: string | undefined): Promise<Buffer> {
  // A client that sent Expect: 100-continue (RFC 9110 10.1.1) is told to continue, unless its Content-Length is already too large.
  if (request.headers.expect !== undefined && Number(length ?? 0) <= BODY_BYTES_MAX) res.writeContinue();
  try {
    return await getRawBody(request, { limit: BODY_BYTES_MAX, ...(length === undefined ? {} : { length }) });
  } catch (error) {
    const kind = error instanceof Error && "type" in error ? error.type : undefined;
    if (kind === "entity.too.large") {
      throw bodyTooLarge();
    }
    throw new Problem(400, "BODY_INCOMPLETE", "The body ended before its Content-Length; send it again in full.");
  }
}

function bodyTooLarge(): Problem {
  return new Problem(413, "BODY_TOO_LARGE", `The body must be at most ${BODY_BYTES_MAX} bytes long.`);
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new Problem(400, "MALFORMED_UTF8", "The body is not valid UTF-8; encode it as UTF-8 and send it again.");
  }
}

/** Parses the text of a body. Throws a Problem (400, or 422 with the field). */
export function readJson(text: string): JsonValue {
  const value = parse(text);
  const bounds: Parameters<typeof place>[] = [];
  const wrong = new JsonText(text, (path, literal) => {
    const bound = bounds.length < BOUNDS_MAX ? boundAt(path, literal) : undefined;
    if (bound === undefined) return { field: fieldOf(path), message: inexact(literal) };
    bounds.push([value, path, literal, bound]);
    return undefined;
  }).check();
  if (wrong !== undefined) throw invalid([wrong]);
  for (const bound of bounds) place(...bound);
  return value;
}

function inexact(literal: string): string {
  const value = Number(literal);
  const size = Number.isFinite(value) ? (value === 0 ? "closer to 0 than any that" : undefined) : "larger than any that";
  if (literal.length > SHOWN_CHARACTERS) {
    return `is a number ${size === undefined ? "with more digits than" : size} can be kept exactly; send it as text, in quotes`;
  }
  if (size !== undefined) return `the number ${literal} is ${size} can be kept; send it as text ("${literal}")`;
  return `the number ${literal} cannot be kept exactly; send it as text ("${literal}"), or one with fewer digits`;
}

function parse(text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message.slice(0, 200) : "unreadable";
    throw new Problem(400, "MALFORMED_JSON", `The body is not valid JSON: ${why}`);
  }
}
