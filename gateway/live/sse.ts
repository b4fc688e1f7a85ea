/** A stream's events as server-sent ones (HTML, 9.2): bytes, and what is unread. */
import { PassThrough } from "node:stream";
import { POSITION_PROOF } from "./position.ts";
import type { SentEvent, Sink } from "./stream.ts";

/** A slow client with this much unread is disconnected (bytes); it can reconnect with the id of its last event. */
const UNREAD_MAX = 1_048_576;

export interface SseOptions {
  /** Whether events have names, so that listeners can be added for each topic. */
  readonly named: boolean;
  /** What proves in its ids that it was opened in time, for a stream that was opened with a ticket; see position.ts. */
  readonly proof: string | null;
}

export class SseSink implements Sink {
  readonly out = new PassThrough();
  readonly #options: SseOptions;
  /** Events that go with what is written next. */
  #gathered = "";
  #unread: Promise<void> | undefined;

  constructor(options: SseOptions) {
    this.#options = options;
  }

  get open(): boolean {
    return !this.out.destroyed && !this.out.writableEnded;
  }

  // Whoever is gone closes it.
  get reachable(): boolean {
    return this.open;
  }

  begin(id: number): void {
    this.#write(": welcome\n\n");
    if (id > 0) this.moveTo(id);
  }

  moveTo(id: number): void {
    this.#write(`id: ${this.#idText(id)}\n\n`);
  }

  comment(): void {
    this.#write(": here\n\n");
  }

  async send(event: SentEvent): Promise<void> {
    if (!this.#write(this.#textOf(event))) await this.#untilRead();
  }

  async sendNow(event: SentEvent): Promise<boolean> {
    await this.send(event);
    return true;
  }

  gather(event: SentEvent): boolean {
    this.#gathered += this.#textOf(event);
    return true;
  }

  get gathered(): number {
    return this.#gathered.length;
  }

  flush(): boolean {
    if (this.#gathered === "") return false;
    this.#write("");
    return true;
  }

  end(): void {
    this.flush();
    this.out.end();
  }

  destroy(): void {
    this.out.destroy();
  }

  onClose(closed: () => void): void {
    this.out.on("close", closed);
  }

  /** Resolves when the client has read what was written, or is gone. */
  #untilRead(): Promise<void> {
    this.#unread ??= new Promise<void>((resolve) => {
      const done = () => {
        this.out.off("drain", done);
        this.out.off("close", done);
        this.#unread = undefined;
        resolve();
      };
      this.out.on("drain", done);
      this.out.on("close", done);
    });
    return this.#unread;
  }

  #textOf({ topic, data, id }: SentEvent): string {
    const name = this.#options.named ? `event: ${topic}\n` : "";
    return `id: ${this.#idText(id)}\n${name}data: ${data}\n\n`;
  }

  #idText(id: number): string {
    const { proof } = this.#options;
    return proof === null ? String(id) : `${id}${POSITION_PROOF}${proof}`;
  }

  /** Writes what was gathered, and this; gives whether the client has read what was written before. */
  #write(text: string): boolean {
    if (this.out.writableLength > UNREAD_MAX) this.out.destroy();
    const all = this.#gathered + text;
    this.#gathered = "";
    return !this.open || this.out.write(all);
  }
}
