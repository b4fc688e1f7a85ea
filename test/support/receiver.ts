/** A webhook receiver on loopback: keeps what came in, and answers as a test wants it to. */
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly raw: string;
  readonly at: number;
}

export class Receiver {
  readonly #server: Server;
  readonly received: Received[] = [];
  /** Answers a request; 200 unless a test says otherwise. */
  answer: (response: ServerResponse, received: Received) => void = (response) => response.writeHead(200).end();
  readonly port: number;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    server.on("request", (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const { url: path = "", headers } = request;
        const received = { path, headers, raw: Buffer.concat(chunks).toString(), at: Date.now() };
        this.received.push(received);
        this.answer(response, received);
      });
    });
  }

  static async start(): Promise<Receiver> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("a receiver needs a port");
    return new Receiver(server, address.port);
  }

  url(path: string, host = "127.0.0.1"): string {
    return `http://${host}:${this.port}${path}`;
  }

  at(path: string): readonly Received[] {
    return this.received.filter((one) => one.path === path);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
