/** A listener of server-sent events, as a client's library reads them. */
import { type IncomingMessage, request } from "node:http";

export interface StreamEvent {
  readonly id: string;
  readonly type: string;
  readonly task: { readonly id: string; readonly status: string; readonly [name: string]: unknown };
}

export class Listener {
  readonly events: StreamEvent[] = [];
  comments = 0;
  status = 0;
  readonly ended: Promise<void>;
  readonly #request: ReturnType<typeof request>;

  /** Listens to `path` under /api/v1 at once. */
  constructor(port: number, path: string, key: string, headers: Record<string, string> = {}) {
    const options = { host: "127.0.0.1", port, path: `/api/v1${path}`, headers: { "X-API-Key": key, ...headers } };
    let end: () => void = () => {};
    this.ended = new Promise((resolve) => {
      end = resolve;
    });
    this.#request = request(options, (response) => this.#read(response));
    this.#request.on("error", () => {});
    this.#request.on("close", end);
    this.#request.end();
  }

  /** The events about a task, by type. */
  about(task: string): readonly string[] {
    return this.events.filter((event) => event.task.id === task).map(({ type }) => type);
  }

  close(): void {
    this.#request.destroy();
  }

  #read(response: IncomingMessage): void {
    this.status = response.statusCode ?? 0;
    let text = "";
    response.on("error", () => {});
    response.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const blocks = text.split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) this.#take(block.split("\n"));
    });
  }

  #take(lines: readonly string[]): void {
    if (lines.every((line) => line.startsWith(":"))) this.comments += 1;
    const data = lines.find((line) => line.startsWith("data: "))?.slice("data: ".length);
    const id = lines.find((line) => line.startsWith("id: "))?.slice("id: ".length) ?? "";
    if (data !== undefined) this.events.push({ ...JSON.parse(data), id });
  }
}
