/** One stream of server-sent events (HTML, 9.2), as bytes: what it sends, under which ids, and what is unread. */
import { PassThrough } from "node:stream";
import type { AccountId } from "../../machines/vocabulary.ts";
import type { StoredTask } from "../ports/read-model.ts";
import { showTask } from "../show/task.ts";
import { POSITION_PROOF } from "./position.ts";

export const TOPICS = ["task.new", "task.awarded", "task.terminal"] as const;
export type Topic = (typeof TOPICS)[number];

/** A slow client with this much unread is disconnected (bytes); it can reconnect with the id of its last event. */
const UNREAD_MAX = 1_048_576;
/** Tasks that are remembered as told, so that none is told twice. */
const TOLD_MAX = 200;

/** Who subscribes, and to what. */
export interface Subscription {
  readonly account: AccountId;
  readonly keyHash: string;
  readonly address: string;
  readonly topics: readonly Topic[];
  /** null: all types. */
  readonly taskType: string | null;
  /** Whether events have names, so that listeners can be added for each topic. */
  readonly named: boolean;
  /** What proves in its ids that it was opened in time, for a stream that was opened with a ticket; see position.ts. */
  readonly proof: string | null;
}

export class EventStream {
  readonly subscription: Subscription;
  readonly out = new PassThrough();
  /** When it was last told of a new task; see turns.ts. */
  turn = 0;
  readonly #topics: ReadonlySet<Topic>;
  readonly #told = new Set<string>();
  #id = 0;
  /** New tasks that go with what is sent next. */
  #gathered = "";
  #unread: Promise<void> | undefined;

  constructor(subscription: Subscription) {
    this.subscription = subscription;
    this.#topics = new Set(subscription.topics);
  }

  hasTopic(topic: Topic): boolean {
    return this.#topics.has(topic);
  }

  get open(): boolean {
    return !this.out.destroyed && !this.out.writableEnded;
  }

  /** Greets the client, and tells it where it is: from then on it can go on without loss, even if no event comes. */
  welcome(id: number): void {
    this.#write(": welcome\n\n");
    this.moveTo(id);
  }

  /** Sends an id without an event, if it is a later one: who resumes from there has less to look through. */
  moveTo(id: number): void {
    if (id <= this.#id) return;
    this.#id = id;
    this.#write(`id: ${this.#idText()}\n\n`);
  }

  comment(): void {
    this.#write(": here\n\n");
  }

  /**
   * Sends an event; `data` is JSON. `id` is null for one from which nobody resumes: it then goes under the id of the one before, because clients
   * take the last id that they see. Resolves when the client has read enough for the next one, or is gone.
   */
  async send(topic: Topic, data: string, id: number | null): Promise<void> {
    this.#id = Math.max(this.#id, id ?? 0);
    if (!this.#write(this.#eventText(topic, data))) await this.#untilRead();
  }

  /** Sends a new task once. `key` says which task in which round. Resolves as send() does. */
  async announce(key: string, data: string): Promise<void> {
    if (this.#remember(key)) await this.send("task.new", data, null);
  }

  /** Keeps a new task, once, for what is sent next, which `flush` does; gives how much is kept (characters). */
  gather(key: string, data: string): number {
    if (this.#remember(key)) this.#gathered += this.#eventText("task.new", data);
    return this.#gathered.length;
  }

  /** Sends what was gathered; whether there was anything. */
  flush(): boolean {
    if (this.#gathered === "") return false;
    this.#write("");
    return true;
  }

  end(): void {
    this.out.end();
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

  /** Whether that is new. */
  #remember(key: string): boolean {
    if (this.#told.has(key)) return false;
    this.#told.add(key);
    if (this.#told.size <= TOLD_MAX) return true;
    const [oldest] = this.#told;
    if (oldest !== undefined) this.#told.delete(oldest);
    return true;
  }

  #eventText(topic: Topic, data: string): string {
    const name = this.subscription.named ? `event: ${topic}\n` : "";
    return `id: ${this.#idText()}\n${name}data: ${data}\n\n`;
  }

  #idText(): string {
    const { proof } = this.subscription;
    return proof === null ? String(this.#id) : `${this.#id}${POSITION_PROOF}${proof}`;
  }

  /** Sends what was gathered, and this; gives whether the client has read what was written before. */
  #write(text: string): boolean {
    if (this.out.writableLength > UNREAD_MAX) this.out.destroy();
    const all = this.#gathered + text;
    this.#gathered = "";
    return !this.open || this.out.write(all);
  }
}

/** An event about a task, as its account sees it (JSON). */
export function eventOf(type: Topic, task: StoredTask, account: AccountId): string {
  return JSON.stringify({ type, task: showTask(task, account) });
}
