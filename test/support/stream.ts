/** A listener of server-sent events, as a client's library reads them. */
import { type IncomingMessage, request } from "node:http";

export interface StreamEvent {
  readonly id: string;
  /** Its name, of which there is one only if that was asked for. */
  readonly name?: string;
  readonly type: string;
  readonly task: { readonly id: string; readonly status: string; readonly [name: string]: unknown };
}

export class Listener {
  readonly events: StreamEvent[] = [];
  comments = 0;
  /** The last id that was sent, with an event or without: with it a browser reconnects. */
  lastId = "";
  status = 0;
  readonly ended: Promise<void>;
  readonly #request: ReturnType<typeof request>;

  /** Listens to `path` under /api/v1 at once; `key` is empty for who has a ticket. */
  constructor(port: number, path: string, key: string, headers: Record<string, string> = {}) {
    const auth: Record<string, string> = key === "" ? {} : { "X-API-Key": key };
    const options = { host: "127.0.0.1", port, path: `/api/v1${path}`, headers: { ...auth, ...headers } };
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
    const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
    const [data, id, name] = [field("data"), field("id"), field("event")];
    this.lastId = id ?? this.lastId;
    if (data !== undefined) this.events.push({ ...JSON.parse(data), id: id ?? "", ...(name === undefined ? {} : { name }) });
  }
}
