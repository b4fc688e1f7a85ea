import { createServer, type RequestListener, type Server } from "node:http";
import type { Socket } from "node:net";
import { CONNECTION_BOUNDS, Connections } from "./connections.ts";
import { type Listening, listen } from "./listen.ts";
import { EXPECTATION_FAILED, problemAnswer } from "./raw-problem.ts";

/** Timeouts for slow clients (ms); Node's defaults are minutes. */
const REQUEST_MS = 30_000;
const HEADERS_MS = 10_000;
const KEEP_ALIVE_MS = 65_000;
/** How often they are checked (ms). */
const EXPIRED_LOOK_MS = 1_000;
/** How often idle connections are closed while the server shuts down (ms). */
const IDLE_LOOK_MS = 20;
/** A connection without a request by then was opened speculatively, as browsers do (ms). */
const SPARE_MS = 250;

export interface HttpServer {
  readonly port: number;
  /** A URL of this server on this machine. */
  readonly url: string;
  /** Replaces the request listener. */
  answer(listener: RequestListener): void;
  /** Tells clients to reconnect, to another process. */
  endKeepAlive(): void;
  /** Accepts no new connections, lets requests finish for at most `ms`, then closes the rest. */
  close(ms: number): Promise<void>;
}

/** Serves HTTP, initially with the listener `first`; port 0 takes a free one. Rejects with a sentence for the operator if the port cannot be used. */
export async function serveHttp(
  first: RequestListener,
  port: number,
  host: string,
  bounds = CONNECTION_BOUNDS,
): Promise<HttpServer> {
  let listener = first;
  let endingKeepAlive = false;
  const opened = new Map<Socket, number>();
  const connections = new Connections((request, response) => listener(request, response), bounds);
  const answer: RequestListener = (request, response) => {
    if (endingKeepAlive) response.setHeader("Connection", "close");
    connections.request(request, response);
  };
  // Without this listener Node would tell every client that sends Expect to continue.
  const server = createServer({ connectionsCheckingInterval: EXPIRED_LOOK_MS }, answer).on("checkContinue", answer);
  server.on("checkExpectation", (_request, response) => {
    const { headers, body } = problemAnswer(EXPECTATION_FAILED);
    response.writeHead(EXPECTATION_FAILED.status, headers).end(body);
  });
  connections.watch(server);
  server.requestTimeout = REQUEST_MS;
  server.headersTimeout = HEADERS_MS;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.on("connection", (socket: Socket) => {
    opened.set(socket, performance.now());
    socket.once("close", () => opened.delete(socket));
  });
  const listening = await listen(server, port, host);
  return {
    port: listening.port,
    url: listening.url,
    answer: (next) => {
      listener = next;
    },
    endKeepAlive: () => {
      endingKeepAlive = true;
    },
    close: (ms) => {
      endingKeepAlive = true;
      return hangUp(server, listening, opened, ms);
    },
  };
}

async function hangUp(server: Server, listening: Listening, opened: ReadonlyMap<Socket, number>, ms: number): Promise<void> {
  const closed = listening.close();
  // Repeatedly, because connections become idle at different times.
  const idle = setInterval(() => {
    server.closeIdleConnections();
    for (const [socket, at] of opened) if (socket.bytesRead === 0 && performance.now() - at > SPARE_MS) socket.destroy();
  }, IDLE_LOOK_MS);
  const timer = setTimeout(() => server.closeAllConnections(), ms);
  await closed;
  clearInterval(idle);
  clearTimeout(timer);
}
