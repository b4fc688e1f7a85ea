/**
 * The connections of one HTTP server, each of them bounded.
 *
 * C1  There are no more than a bound in all, and no more than a bound of one address (which is the proxy's behind a proxy).
 * C2  Of one connection one request is worked on at a time: the next one begins when the answer before has been taken.
 * C3  A connection on which nothing moves is ended: an answer that is not taken, a body that does not come, a client that is gone.
 * C4  What waits to be taken is bounded over all of them: past it, those that hold most are ended.
 */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { networkOf } from "../../../gateway/http/middleware/client-address.ts";
import { rawAnswer, refusedBytes } from "./raw-problem.ts";

/** Requests that wait on one connection for the answers before them. */
export const PIPELINED_MAX = 100;
/** How often the bytes that wait to be taken are counted (ms). */
const COUNT_MS = 1_000;

const REFUSAL = rawAnswer({
  status: 429,
  title: "Too Many Requests",
  code: "TOO_MANY_CONNECTIONS",
  detail: "Too many connections from your address; close some, or send your requests over those that are open.",
  retryAfter: 5,
});

export interface ConnectionBounds {
  /** Connections in all. */
  readonly inAll: number;
  /** Connections of one address; 0 is no bound, as behind a proxy. */
  readonly ofAddress: number;
  /** How long nothing may move (ms) where something should. Node's timers see a write that goes on as movement. */
  readonly stillMs: number;
  /** Bytes that wait to be taken, in all. */
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
  /** Whether a request is worked on, or its answer not taken yet. */
  busy: boolean;
  current: IncomingMessage | null;
  /** Whether bytes of an answer are on their way, between which no other may come. */
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

  /** Takes a server's connections from now on; its requests are to be given to `request`. */
  watch(server: Server): void {
    server.timeout = this.#bounds.stillMs;
    // Not by maxConnections, which does not count those of the other loopback (listen.ts).
    server.on("connection", (socket) => {
      if (this.#open.size < this.#bounds.inAll) return this.#opened(socket);
      socket.destroy();
      // Those that only keep a place make room for who comes.
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

  /** Works on a request, when those before it on its connection are over. */
  request(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const connection = this.#open.get(socket);
    // It was refused, or is gone.
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
    // A request that is worked on, with nothing to send yet, may take its time; it has a deadline of its own.
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
