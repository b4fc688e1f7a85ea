/** A small client over HTTP with kept connections, for tests and benches. */
import { Agent, request } from "node:http";

/** @typedef {{ readonly status: number, readonly headers: import("node:http").IncomingHttpHeaders, readonly body: any }} Reply */
/** @typedef {{ readonly key?: string | undefined, readonly idempotencyKey?: string, readonly headers?: Record<string, string> }} CallOptions */

export class Client {
  /**
   * @param {number} port
   * @param {number} [sockets]
   * @param {number} [patienceMs] how long an answer is waited for
   * @param {string} [from] a loopback address to come from
   */
  constructor(port, sockets = 64, patienceMs = 120_000, from = "127.0.0.1") {
    this.port = port;
    this.patienceMs = patienceMs;
    this.agent = new Agent({ keepAlive: true, maxSockets: sockets, localAddress: from });
  }

  /**
   * Calls a path under /api/v1 (or an absolute one that begins with two slashes). Rejects when no answer comes.
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body] a Buffer or text is sent as it is
   * @param {CallOptions} [options]
   * @returns {Promise<Reply>}
   */
  call(method, path, body, { key, idempotencyKey, headers = {} } = {}) {
    const raw = body === undefined || typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const all = {
      ...(raw === undefined ? {} : { "Content-Type": "application/json", "Content-Length": String(Buffer.byteLength(raw)) }),
      ...(key === undefined ? {} : { "X-API-Key": key }),
      ...(idempotencyKey === undefined ? {} : { "Idempotency-Key": idempotencyKey }),
      ...headers,
    };
    const full = path.startsWith("//") ? path.slice(1) : `/api/v1${path}`;
    return new Promise((resolve, reject) => {
      const outgoing = request(
        { host: "127.0.0.1", port: this.port, method, path: full, headers: all, agent: this.agent, timeout: this.patienceMs },
        (incoming) => {
          /** @type {Buffer[]} */
          const chunks = [];
          incoming.on("data", (chunk) => chunks.push(chunk));
          incoming.on("error", reject);
          incoming.on("end", () => {
            const text = Buffer.concat(chunks).toString();
            // An answer to HEAD says what it would be, and is empty.
            const json = text !== "" && incoming.headers["content-type"]?.includes("json") === true;
            resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: json ? JSON.parse(text) : text });
          });
        },
      );
      outgoing.on("error", reject);
      outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer within ${this.patienceMs} ms`)));
      outgoing.end(raw);
    });
  }

  close() {
    this.agent.destroy();
  }
}
