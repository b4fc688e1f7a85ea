/**
 * Limits on the connections of one HTTP server.
 *
 * C1  The number of connections is limited in total and per address (behind a proxy, all have the proxy's address).
 * C2  A connection has one request in work at a time: the next begins when the client has read the previous answer.
 * C3  A stalled connection is closed: an answer that is not read, a body that does not arrive, a client that is gone.
 * C4  Unread bytes are limited over all connections: above the limit, those that hold the most are closed.
 */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { networkOf } from "../../../gateway/http/middleware/client-address.ts";
import { rawAnswer, refusedBytes } from "./raw-problem.ts";

/** Pipelined requests that may wait on one connection. */
export const PIPELINED_MAX = 100;
/** How often unread bytes are counted (ms). */
const COUNT_MS = 1_000;

const REFUSAL = rawAnswer({
  status: 429,
  title: "Too Many Requests",
  code: "TOO_MANY_CONNECTIONS",
  detail: "Too many connections from your address; close some, or reuse those that are open.",
  retryAfter: 5,
});

export interface ConnectionBounds {
  /** Total number of connections. */
  readonly inAll: number;
  /** Connections per address; 0: no limit, as behind a proxy. */
  readonly ofAddress: number;
  /** How long a connection may stall (ms). Node's timers count an ongoing write as activity. */
  readonly stillMs: number;
  /** Total of unread bytes. */
  readonly untakenBytes: number;
}

export const CONNECTION_BOUNDS: ConnectionBounds = {
  inAll: 5_000,
  ofAddress: 256,
  stillMs: 10_000,
  untakenBytes: 256 * 1_048_576,
};

interface Connection {
  readonly address: string;
  /** Whether a request is in work or its answer not fully read yet. */
  busy: boolean;
  current: IncomingMessage | null;
  /** Whether an answer is partly written, so that no other may be written in between. */
  answering: () => boolean;
  readonly waiting: (() => void)[];
}

export class Connections {
  readonly #bounds: ConnectionBounds;
  readonly #listener: RequestListener;
  readonly #open = new Map<Socket, Connection>();
  readonly #ofAddress = new Map<string, number>();
  #counting: ReturnType<typeof setInterval> | undefined;

  constructor(listener: RequestListener, bounds: ConnectionBounds) {
    this.#listener = listener;
    this.#bounds = bounds;
  }

  /** Attaches to a server; its requests must be passed to `request`. */
  watch(server: Server): void {
    server.timeout = this.#bounds.stillMs;
    // Not with maxConnections, which does not count connections to the other loopback (listen.ts).
    server.on("connection", (socket) => {
      if (this.#open.size < this.#bounds.inAll) return this.#opened(socket);
      socket.destroy();
      // Idle connections make room for new ones.
      server.closeIdleConnections();
    });
    server.on("timeout", (socket: Socket) => this.#still(socket));
    server.on("clientError", (error, socket) => {
      const answering = socket instanceof Socket && this.#open.get(socket)?.answering() === true;
      if (!socket.writable || answering) socket.destroy(error);
      else socket.end(rawAnswer(refusedBytes(error)), () => socket.destroy());
    });
    server.on("listening", () => {
      this.#counting = setInterval(() => this.#count(), COUNT_MS).unref();
    });
    server.on("close", () => clearInterval(this.#counting));
  }

  /** Handles a request once the previous ones on its connection are done. */
  request(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const connection = this.#open.get(socket);
    // It was refused or is closed.
    if (connection === undefined) return;
    const begin = () => {
      connection.busy = true;
      connection.current = request;
      connection.answering = () => response.headersSent;
      response.once("close", () => {
        connection.busy = false;
        connection.current = null;
        connection.answering = () => false;
        connection.waiting.shift()?.();
      });
      this.#listener(request, response);
    };
    if (!connection.busy) begin();
    else if (connection.waiting.push(begin) > PIPELINED_MAX) socket.destroy();
  }

  #opened(socket: Socket): void {
    const { ofAddress } = this.#bounds;
    const address = networkOf(socket.remoteAddress ?? "");
    const count = (this.#ofAddress.get(address) ?? 0) + 1;
    if (ofAddress > 0 && count > ofAddress) {
      socket.end(REFUSAL, () => socket.destroy());
      return;
    }
    this.#ofAddress.set(address, count);
    const connection: Connection = { address, busy: false, current: null, answering: () => false, waiting: [] };
    this.#open.set(socket, connection);
    socket.once("close", () => this.#closed(socket, connection));
  }

  #closed(socket: Socket, { address, waiting }: Connection): void {
    this.#open.delete(socket);
    waiting.length = 0;
    const left = (this.#ofAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#ofAddress.delete(address);
    else this.#ofAddress.set(address, left);
  }

  #still(socket: Socket): void {
    const connection = this.#open.get(socket);
    // A request in work that has nothing to send yet is not stalled; it has its own deadline.
    const working = connection?.busy === true && connection.current?.complete === true && socket.writableLength === 0;
    if (!working) socket.destroy();
  }

  #count(): void {
    const { untakenBytes } = this.#bounds;
    const untaken = [...this.#open.keys()].filter(({ writableLength }) => writableLength > 0);
    let total = untaken.reduce((sum, { writableLength }) => sum + writableLength, 0);
    if (total <= untakenBytes) return;
    for (const socket of untaken.sort((a, b) => b.writableLength - a.writableLength)) {
      total -= socket.writableLength;
      socket.destroy();
      if (total <= untakenBytes) return;
    }
  }
}
