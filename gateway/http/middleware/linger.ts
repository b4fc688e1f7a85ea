/**
 * An answer to a request that is still being sent must reach its client. A connection that is closed with bytes unread is
 * reset, and a reset may overtake the answer; so the answer is sent whole, the rest is read and dropped within bounds, and
 * only then does the connection end (RFC 9112 9.6).
 */
import type { IncomingMessage } from "node:http";
import { Readable, Stream } from "node:stream";
import type { Middleware } from "koa";
import { BODY_BYTES_MAX } from "./body.ts";

/** How long the rest of a request is waited for (ms), and how much of it is read (bytes); past that the sender has to wait. */
const LINGER_MS = 5_000;
export const LINGER_BYTES = 16_777_216;
const HAS_NO_BODY = new Set([204, 205, 304]);

/** Goes before everything else, so that it holds whatever answered, and why. */
export function linger(): Middleware {
  return async function linger(context, next) {
    await next();
    const { req, body, method } = context;
    // An answer that has no body by its status (204, 304) cannot be held open; it is small enough to go before a reset.
    if (!isUnderWay(req) || body instanceof Stream || method === "HEAD" || HAS_NO_BODY.has(context.status)) return;
    const text = typeof body === "string" || Buffer.isBuffer(body) ? body : body == null ? "" : JSON.stringify(body);
    const type = context.response.get("Content-Type");
    context.set("Connection", "close");
    context.body = Readable.from(answered(req, text));
    if (type !== "") context.set("Content-Type", type);
    context.length = Buffer.byteLength(text);
  };
}

/** Whether more of the body may come than Node drops by itself. A client that was not told to continue may still send its body, or not. */
function isUnderWay({ complete, headers }: IncomingMessage): boolean {
  const { "content-length": length, "transfer-encoding": encoding, expect } = headers;
  return !complete && (encoding !== undefined || expect !== undefined || Number(length ?? 0) > BODY_BYTES_MAX);
}

async function* answered(request: IncomingMessage, text: string | Buffer): AsyncGenerator<string | Buffer> {
  yield text;
  await drained(request);
}

/** Drops what comes until the request ends, its sender goes away, or the time is over. */
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
