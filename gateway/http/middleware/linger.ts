/**
 * Lingering close (as nginx calls it): an answer must reach a client that is still sending its request. Closing a connection
 * with unread bytes resets it, and the reset may overtake the answer; so the answer is sent in full, the rest of the request is
 * read and dropped within bounds, and only then is the connection closed (RFC 9112 9.6).
 */
import type { IncomingMessage } from "node:http";
import { Readable, Stream } from "node:stream";
import type { Middleware } from "koa";
import { BODY_BYTES_MAX } from "./body.ts";

/** How long to wait for the rest of a request (ms), and how much of it to read (bytes). */
const LINGER_MS = 5_000;
export const LINGER_BYTES = 16_777_216;
const HAS_NO_BODY = new Set([204, 205, 304]);

/** Must be the outermost middleware, so that it covers every answer. */
export function linger(): Middleware {
  return async function linger(context, next) {
    await next();
    const { req, body, method } = context;
    // Answers without a body (204, 304) cannot be held open; they are small enough to arrive before a reset.
    if (!isUnderWay(req) || body instanceof Stream || method === "HEAD" || HAS_NO_BODY.has(context.status)) return;
    const text = typeof body === "string" || Buffer.isBuffer(body) ? body : body == null ? "" : JSON.stringify(body);
    const type = context.response.get("Content-Type");
    context.set("Connection", "close");
    context.body = Readable.from(answered(req, text));
    if (type !== "") context.set("Content-Type", type);
    context.length = Buffer.byteLength(text);
  };
}

/** Whether more of the body may arrive than Node drops by itself. A client that sent Expect may send its body or not. */
function isUnderWay({ complete, headers }: IncomingMessage): boolean {
  const { "content-length": length, "transfer-encoding": encoding, expect } = headers;
  return !complete && (encoding !== undefined || expect !== undefined || Number(length ?? 0) > BODY_BYTES_MAX);
}

async function* answered(request: IncomingMessage, text: string | Buffer): AsyncGenerator<string | Buffer> {
  yield text;
  await drained(request);
}

/** Drops what arrives until the request ends, the client disconnects, or the time is over. */
function drained(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    let left = LINGER_BYTES;
    const timer = setTimeout(resolve, LINGER_MS);
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    request.on("data", (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) request.pause();
    });
    request.once("end", done);
    request.once("close", done);
    request.once("error", done);
    request.resume();
  });
}
