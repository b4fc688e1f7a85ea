/** One request of an operation of the OpenAPI document, bent by dice, and how it is sent whatever is in it. */
import { type Agent, request } from "node:http";
import { bent, dear, headersOf, idempotencyKeyOf, idOf, queryOf, textOf, turned } from "./bends.ts";
import type { Reply } from "./client.mjs";
import type { Dice } from "./dice.mjs";
import { speak, statusOf } from "./raw.mjs";

/** An operation as the document tells it. */
export interface Shape {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly queries: readonly string[];
  readonly example: unknown;
  readonly idempotent: boolean;
}

export interface BentRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer | undefined;
  readonly chunked: boolean;
  /** Sent after it: the same value under the same key, written otherwise. */
  readonly again?: BentRequest;
}

export interface Heard {
  /** 0: hung up on, as what is not HTTP is. */
  readonly status: number;
  /** Everything that came, head and all. */
  readonly text: string;
}

export function shapesOf(document: Reply["body"]): readonly Shape[] {
  return Object.entries<Record<string, Reply["body"]>>(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const parameters: readonly { readonly in: string; readonly name: string }[] = operation.parameters ?? [];
      return {
        id: operation.operationId,
        method: method.toUpperCase(),
        path,
        queries: parameters.filter((one) => one.in === "query").map(({ name }) => name),
        example: operation.requestBody?.content["application/json"].example,
        idempotent: parameters.some(({ name }) => name === "Idempotency-Key"),
      };
    }),
  );
}

/** How long a connection of its own waits for its answer (ms); much longer than any answer takes. */
const WAIT_MAX_MS = 30_000;
/** Mostly bent a little, so that it comes far; some are as they should be, some are hardly one. */
const SHARES = [0, 0.04, 0.04, 0.15];

export function bendRequest(dice: Dice, shape: Shape, key: string, ids: readonly string[], nonce: string): BentRequest {
  const path = shape.path.replaceAll(/\{\w+\}/g, () => idOf(dice, ids)) + queryOf(dice, shape.queries, ids);
  const value = dice.chance(0.1) ? dear(dice, shape.example) : bent(dice, shape.example, dice.pick(SHARES));
  const method = dice.chance(0.04) ? dice.pick(["HEAD", "OPTIONS", "PUT", "TRACE", "GET", "POST", "DELETE"]) : shape.method;
  const headers: Record<string, string> = {
    "X-API-Key": dice.chance(0.94) ? key : dice.pick(["", "f".repeat(64), "x", key.toUpperCase(), `${key} `, `${key}\u0000`]),
    ...headersOf(dice),
  };
  const plain = { method, path, headers, chunked: dice.chance(0.08) };
  if (shape.idempotent && dice.chance(0.15)) return twice(dice, plain, value, nonce);
  if (dice.chance(0.05)) headers["Idempotency-Key"] = idempotencyKeyOf(dice);
  const body = shape.example === undefined ? (dice.chance(0.5) ? undefined : dice.pick(["", "{}", "x"])) : textOf(dice, value);
  return { ...plain, body };
}

function twice(dice: Dice, plain: Omit<BentRequest, "body">, value: unknown, nonce: string): BentRequest {
  const [first, second] = dice.pick([
    [nonce, nonce],
    [nonce, `"${nonce}"`],
    [`"${nonce}"`, nonce],
  ] as const);
  const headers = { ...plain.headers, "Content-Type": "application/json" };
  const json = value === undefined ? undefined : JSON.stringify(value);
  const other = value === undefined ? undefined : JSON.stringify(turned(value), null, dice.int(0, 3));
  const again = { ...plain, headers: { ...headers, "Idempotency-Key": second }, body: other };
  return { ...plain, headers: { ...headers, "Idempotency-Key": first }, body: json, again };
}

/** Whether an HTTP client would send it; the rest goes over a connection of its own, as bytes. */
function isTame({ path, headers, method }: BentRequest): boolean {
  const value = /^[\t\x20-\x7e\x80-\xff]*$/;
  return (
    /^[\x21-\x7e]*$/.test(path) &&
    Object.values(headers).every((one) => value.test(one)) &&
    headers["Expect"] === undefined &&
    headers["Upgrade"] === undefined &&
    method !== "TRACE"
  );
}

export function send(port: number, agent: Agent, bentRequest: BentRequest): Promise<Heard> {
  return isTame(bentRequest) ? sendTame(port, agent, bentRequest) : sendBytes(port, bentRequest);
}

function framing({ body, chunked, headers }: BentRequest): Record<string, string> {
  if (body === undefined && !chunked) return { ...headers };
  const length: Record<string, string> = chunked
    ? { "Transfer-Encoding": "chunked" }
    : { "Content-Length": String(Buffer.byteLength(body ?? "")) };
  return { "Content-Type": "application/json", ...length, ...headers };
}

function sendTame(port: number, agent: Agent, bentRequest: BentRequest): Promise<Heard> {
  const { method, path, body } = bentRequest;
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: "127.0.0.1", port, agent, method, path, headers: framing(bentRequest) }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("error", reject);
      incoming.on("end", () => {
        const head = JSON.stringify(incoming.rawHeaders);
        resolve({ status: incoming.statusCode ?? 0, text: `${head}\r\n\r\n${Buffer.concat(chunks).toString()}` });
      });
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

async function sendBytes(port: number, bentRequest: BentRequest): Promise<Heard> {
  const { method, path, body, chunked } = bentRequest;
  const heads = Object.entries({ Host: "x", Connection: "close", ...framing(bentRequest) }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  const bytes = Buffer.from(body ?? "");
  const end = Buffer.from("0\r\n\r\n");
  const framed = chunked
    ? Buffer.concat(
        bytes.length === 0 ? [end] : [Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n"), end],
      )
    : bytes;
  const text = await speak(port, Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${heads.join("")}\r\n`), framed]), {
    patienceMs: WAIT_MAX_MS,
  });
  return { status: statusOf(text), text };
}

/** What the answer's JSON is; undefined where it has none. */
export function bodyOf({ text }: Heard): unknown {
  const json = text.slice(text.indexOf("\r\n\r\n") + 4);
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
