/** One stream of events: what it has told, under which ids. How it is sent is its sink's: server-sent events (sse.ts), or pushes (push.ts). */
import type { AccountId } from "../../machines/vocabulary.ts";
import type { StoredTask } from "../ports/read-model.ts";
import { showTask } from "../show/task.ts";

export const TOPICS = ["task.new", "task.awarded", "task.terminal"] as const;
export type Topic = (typeof TOPICS)[number];

/** Tasks that are remembered as told, so that none is told twice. */
const TOLD_MAX = 200;

/** Who subscribes, and to what. */
export interface Subscription {
  readonly account: AccountId;
  readonly keyHash: string;
  readonly address: string;
  readonly topics: readonly Topic[];
  /** null: all types. */
  readonly taskTypes: readonly string[] | null;
}

/**
 * Why a stream ends: its key is not valid any more, its account was frozen or suspended, its gateway stops, its client or time has
 * gone or another stream takes its place.
 */
export type Ending = "key" | "account" | "gateway" | "over";

/** An event as it is sent; `data` is a JSON object. */
export interface SentEvent {
  readonly topic: Topic;
  readonly data: string;
  readonly id: number;
  /** The id of the event before it, or the one with which the stream began: no other is between them. */
  readonly after: number;
}

/** Where a stream's events go. */
export interface Sink {
  readonly open: boolean;
  /** Whether the client can be reached now, as far as one knows. */
  readonly reachable: boolean;
  /** The stream begins after the event of this id. */
  begin(id: number): void;
  /** Nothing comes any more that has this id or a lower one. */
  moveTo(id: number): void;
  /** Nothing has happened for a while. */
  comment(): void;
  /** Sends an event, however long it has to wait for that. Resolves when the next one may come, or the sink is closed. */
  send(event: SentEvent): Promise<void>;
  /** Sends an event that is worthless later; gives whether it was sent, once the next one may come. */
  sendNow(event: SentEvent): Promise<boolean>;
  /**
   * Sends an event that is worthless later, now or in one write with what follows, for which `flush` is called at the latest. Gives
   * whether it was sent or is kept for that.
   */
  gather(event: SentEvent): boolean;
  /** How much is kept for a later write (characters). */
  readonly gathered: number;
  /** Sends what was gathered; gives whether there was anything. */
  flush(): boolean;
  /** Ends it once what was sent has left; `closed` is called. */
  end(why: Ending): void;
  /** Ends it at once. */
  destroy(): void;
  /** `closed` is called once when nothing can be sent any more, whoever has ended it. */
  onClose(closed: () => void): void;
}

export class EventStream {
  readonly subscription: Subscription;
  /** When it was last told of a new task; see turns.ts. */
  turn = 0;
  readonly #sink: Sink;
  readonly #topics: ReadonlySet<Topic>;
  readonly #told = new Set<string>();
  #hasBegun = false;
  #begun = 0;
  #id = 0;
  /** The highest id of an event that was sent. */
  #sent = 0;
  /** Whether an event went under the id of an earlier one (follower.ts, N3): who has that id may not have this event. */
  #hasRepeatedId = false;

  constructor(subscription: Subscription, sink: Sink) {
    this.subscription = subscription;
    this.#sink = sink;
    this.#topics = new Set(subscription.topics);
  }

  hasTopic(topic: Topic): boolean {
    return this.#topics.has(topic);
  }

  get open(): boolean {
    return this.#sink.open;
  }

  /** Whether its client can be reached now, as far as one knows. */
  get reachable(): boolean {
    return this.#sink.reachable;
  }

  /**
   * Whether it can be told of new tasks of this type. Before it begins their id would be 0, and its client would go on from there; one
   * that cannot be reached would take the place of others.
   */
  hearsOf(taskType: string): boolean {
    if (!this.#hasBegun || !this.open || !this.reachable || !this.hasTopic("task.new")) return false;
    const { taskTypes } = this.subscription;
    return taskTypes === null || taskTypes.includes(taskType);
  }

  /** The id after which it began. */
  get begun(): number {
    return this.#begun;
  }

  /** The id from which a client that has everything goes on. */
  get id(): number {
    return this.#id;
  }

  /** Greets the client, and tells it where it is: from then on it can go on without loss, even if no event comes. */
  begin(id: number): void {
    this.#hasBegun = true;
    this.#begun = id;
    this.#id = id;
    this.#sent = id;
    this.#sink.begin(id);
  }

  /** Sends an id without an event, if it is a later one: who resumes from there has less to look through. */
  moveTo(id: number): void {
    if (id <= this.#id) return;
    this.#id = id;
    this.#sink.moveTo(id);
  }

  comment(): void {
    this.#sink.comment();
  }

  /** Whether a client whose last event has this id has all that was sent. */
  isAllUpTo(last: number): boolean {
    return last >= this.#sent && !this.#hasRepeatedId;
  }

  /** Sends an event; `data` is JSON. Resolves when the client has read enough for the next one, or is gone. */
  async send(topic: Topic, data: string, id: number): Promise<void> {
    const after = this.#sent;
    if (id <= this.#id) this.#hasRepeatedId = true;
    this.#id = Math.max(this.#id, id);
    this.#sent = Math.max(after, id);
    await this.#sink.send({ topic, data, id: this.#id, after });
  }

  /**
   * Sends a new task once. `key` says which task in which round. Nobody resumes from it: it goes under the id of the event before,
   * because clients take the last id that they see. Resolves as send() does.
   */
  async announce(key: string, data: string): Promise<void> {
    if (!this.#isNew(key)) return;
    if (!(await this.#sink.sendNow(this.#newTask(data)))) this.#told.delete(key);
  }

  /**
   * Sends a new task once, now or with what is sent next, for which `flush` is called at the latest; gives how much is kept until then
   * (characters). It goes under the id of the event before, as with announce().
   */
  gather(key: string, data: string): number {
    if (this.#isNew(key) && !this.#sink.gather(this.#newTask(data))) this.#told.delete(key);
    return this.#sink.gathered;
  }

  /** Sends what was gathered; gives whether there was anything. */
  flush(): boolean {
    return this.#sink.flush();
  }

  /** The new tasks that it has told of, and will not tell of again. */
  get told(): readonly string[] {
    return [...this.#told];
  }

  /** What it would tell of again and again, because it is open for long, is remembered best. */
  remember(keys: readonly string[]): void {
    for (const key of keys) {
      this.#told.delete(key);
      this.#told.add(key);
    }
    for (const oldest of this.#told) {
      if (this.#told.size <= TOLD_MAX) return;
      this.#told.delete(oldest);
    }
  }

  /** Remembers a new task; gives whether it was not told before. */
  #isNew(key: string): boolean {
    const isNew = !this.#told.has(key);
    this.remember([key]);
    return isNew;
  }

  #newTask(data: string): SentEvent {
    return { topic: "task.new", data, id: this.#id, after: this.#sent };
  }

  end(why: Ending): void {
    this.#sink.end(why);
  }

  destroy(): void {
    this.#sink.destroy();
  }

  onClose(closed: () => void): void {
    this.#sink.onClose(closed);
  }
}

/** An event about a task, as its account sees it (JSON). */
export function eventOf(type: Topic, task: StoredTask, account: AccountId): string {
  return JSON.stringify({ type, task: showTask(task, account) });
}
