import { createServer, type RequestListener, type Server } from "node:http";

/** Bounds for those who send slowly (ms); Node's own defaults are in minutes. */
const REQUEST_MS = 30_000;
const HEADERS_MS = 10_000;
const KEEP_ALIVE_MS = 65_000;
/** How often connections that have become idle are closed while the server closes (ms). */
const IDLE_LOOK_MS = 20;

export interface HttpServer {
  readonly port: number;
  /** Tells clients to come back on a new connection, which another process takes. */
  wane(): void;
  /** Takes no new connection, lets requests finish for at most `ms`, and closes what is left. */
  close(ms: number): Promise<void>;
}

/** Serves HTTP; port 0 takes a free one. Rejects with a sentence for the operator when the port cannot be used. */
export async function serveHttp(listener: RequestListener, port: number, host: string): Promise<HttpServer> {
  let waning = false;
  const server = createServer((request, response) => {
    if (waning) response.setHeader("Connection", "close");
    listener(request, response);
  });
  const taken = await listen(server, port, host);
  return {
    port: taken,
    wane: () => {
      waning = true;
    },
    close: (ms) => {
      waning = true;
      return hangUp(server, ms);
    },
  };
}

function listen(server: Server, port: number, host: string): Promise<number> {
  server.requestTimeout = REQUEST_MS;
  server.headersTimeout = HEADERS_MS;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why =
        error.code === "EADDRINUSE" ? "is taken by another process; stop it or set PORT" : `cannot be used (${error.code})`;
      reject(new Error(`Port ${port} on ${host} ${why}.`));
    });
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

async function hangUp(server: Server, ms: number): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  // Again and again: a connection whose last answer ends later is idle only then.
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_LOOK_MS);
  const timer = setTimeout(() => server.closeAllConnections(), ms);
  await closed;
  clearInterval(idle);
  clearTimeout(timer);
}
