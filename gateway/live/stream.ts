/**
 * The event stream (contract: SSE): open tasks, awards to their winners, outcomes to their requesters.
 *
 * F1  Awards and ends come from the database; a signal only says when to poll. A stream polls on its own, too, further back than its
 *     last poll, so that a lost signal costs a delay and no event. No event is sent twice on the same stream.
 * F2  Of open tasks a stream is sent those of its beginning, and then the new ones that a matcher has chosen it for, as they come.
 * F3  A stream that is opened with the id of the last event seen gets all later events.
 * F4  A stream ends when its key is rotated or its account frozen or suspended: at once if a signal says so, else at its next
 *     poll.
 * F5  Streams are limited per account, per address, and in total.
 */
import { PassThrough } from "node:stream";
import { LRUCache } from "lru-cache";
import type { Clock } from "../../actors/ports/clock.ts";
import type { Log } from "../../actors/ports/log.ts";
import type { AccountRow } from "../../machines/account/row.ts";
import { mayWork } from "../../machines/eligibility.ts";
import { tiersIn } from "../../machines/market/qualification.ts";
import { hasEnded, TERMINAL_STATUSES, takesBids } from "../../machines/task/tags.ts";
import type { AccountId, Millis } from "../../machines/vocabulary.ts";
import type { ReadModel, StoredTask } from "../ports/read-model.ts";
import { mayBid, showTask } from "../show/task.ts";
import type { Presence } from "./presence.ts";

export const TOPICS = ["task.new", "task.awarded", "task.terminal"] as const;
export type Topic = (typeof TOPICS)[number];

/** Keep-alive interval: a comment, so that no proxy closes the stream (ms). */
const COMMENT_MS = 15_000;
/** Poll interval of a stream, and how much further back than its last poll it reads, because the clocks of nodes differ (ms). */
const LOOK_MS = 5_000;
const OVERLAP_MS = 10_000;
const EVENTS_MAX = 200;
const TOLD_MAX = 5_000;
export const STREAMS_PER_ACCOUNT = 10;
/** Streams of one process; each takes about 10 KB and a poll every few seconds. */
const STREAMS_MAX = 2_000;
/** How long an account's row is cached for all streams (ms). */
const ACCOUNT_MS = 1_000;
const ACCOUNTS_MAX = 2_000;
/** A slow client with this much unread is disconnected (bytes); it can reconnect with the id of its last event. */
const UNREAD_MAX = 1_048_576;
/** What is sent in one go (bytes). */
const UNSENT_MAX = 65_536;

export interface FeedPorts {
  readonly reads: Pick<ReadModel, "task" | "account" | "open" | "tasks">;
  readonly presence: Pick<Presence, "listens">;
  readonly clock: Clock;
  readonly log: Log;
  readonly taskTypes: readonly string[];
  /** Streams per address; 0: no limit. */
  readonly streamsPerAddress: number;
}

/** Who subscribes, and to what. */
export interface Listening {
  readonly account: AccountId;
  readonly keyHash: string;
  readonly address: string;
  readonly topics: readonly Topic[];
  /** null: all types. */
  readonly taskType: string | null;
  /** The time of the last event that the client saw (ms), or null. */
  readonly since: Millis | null;
  /** Whether it may take work: who may not is not online for it. */
  readonly works: boolean;
}

interface Stream extends Omit<Listening, "topics" | "since" | "works"> {
  readonly topics: ReadonlySet<Topic>;
  readonly out: PassThrough;
  /** The latest events sent, the oldest first. */
  readonly told: Set<string>;
  /** Events before this were sent (ms). */
  since: Millis;
  looking: boolean;
  /** Whether it has been sent what is open. */
  hasOpen: boolean;
  /** As its account's row said at the last look. */
  works: boolean;
  /** Cancels the next poll and the next comment. */
  stop: () => void;
  /** Ends its worker's being online; undefined while that may not work. */
  leave: (() => void) | undefined;
}

export class Feed {
  readonly #ports: FeedPorts;
  readonly #streams = new Set<Stream>();
  readonly #accounts = new LRUCache<AccountId, { readonly at: Millis; readonly row: Promise<AccountRow | undefined> }>({
    max: ACCOUNTS_MAX,
  });

  constructor(ports: FeedPorts) {
    this.#ports = ports;
  }

  /** Opens a stream; if there are too many, says which limit was reached. */
  open({ topics, since, ...listening }: Listening): PassThrough | "account" | "address" | "process" {
    const { account, address } = listening;
    const { streamsPerAddress, clock } = this.#ports;
    const count = (is: (stream: Stream) => boolean) => [...this.#streams].filter(is).length;
    if (count((stream) => stream.account === account) >= STREAMS_PER_ACCOUNT) return "account";
    if (streamsPerAddress > 0 && count((stream) => stream.address === address) >= streamsPerAddress) return "address";
    if (this.#streams.size >= STREAMS_MAX) return "process";
    const out = new PassThrough();
    const stream: Stream = {
      ...listening,
      topics: new Set(topics),
      out,
      told: new Set(),
      since: since ?? clock.now(),
      looking: false,
      hasOpen: false,
      stop: () => {},
      leave: undefined,
    };
    this.#streams.add(stream);
    this.#setOnline(stream, stream.works);
    out.on("close", () => this.#forget(stream));
    out.write(": welcome\n\n");
    this.#pulse(stream, 0);
    return out;
  }

  /** Number of open streams. */
  get size(): number {
    return this.#streams.size;
  }

  /** Ends the streams of a key that is no longer valid. */
  endKey(keyHash: string): void {
    for (const stream of this.#streams) if (stream.keyHash === keyHash) stream.out.end();
  }

  /** Checks whether an account's streams may continue, after a signal that its state has changed. */
  check(account: AccountId): void {
    const streams = [...this.#streams].filter((stream) => stream.account === account);
    if (streams.length === 0) return;
    this.#accounts.delete(account);
    for (const stream of streams) void this.#look(stream);
  }

  /** Reads a task after a signal that it has changed. */
  hear(task: string): void {
    if (this.#streams.size === 0) return;
    void this.#ports.reads
      .task(task)
      .then((row) => (row === undefined ? [] : Promise.all([...this.#streams].map((stream) => this.#offer(stream, row)))))
      .catch((error: unknown) => this.#ports.log.debug({ err: error }, "could not read a changed task"));
  }

  /** A new task, which the matcher has found these workers for. */
  hearNew(task: StoredTask, workers: readonly AccountId[]): void {
    const listeners = new Set(workers);
    for (const stream of this.#streams) if (listeners.has(stream.account)) void this.#offer(stream, task);
  }

  close(): void {
    for (const stream of this.#streams) stream.out.end();
  }

  #forget(stream: Stream): void {
    stream.stop();
    this.#setOnline(stream, false);
    this.#streams.delete(stream);
  }

  /** A worker is online while it has a stream, whatever that listens to. */
  #setOnline(stream: Stream, online: boolean): void {
    const { presence, taskTypes } = this.#ports;
    if (online === (stream.leave !== undefined)) return;
    stream.leave?.();
    const types = stream.taskType === null ? taskTypes : [stream.taskType];
    const announce = stream.topics.has("task.new");
    stream.leave = online ? presence.listens({ worker: stream.account, taskTypes: types, announce }) : undefined;
  }

  /** Polls, and sends the keep-alive. */
  #pulse(stream: Stream, beats: number): void {
    const { clock } = this.#ports;
    if (beats > 0 && (beats * LOOK_MS) % COMMENT_MS === 0) this.#write(stream, ": here\n\n");
    void this.#look(stream);
    stream.stop = clock.after(LOOK_MS, () => this.#pulse(stream, beats + 1));
  }

  async #look(stream: Stream): Promise<void> {
    if (stream.looking) return;
    stream.looking = true;
    try {
      if (await this.#isOver(stream)) {
        stream.out.end();
        return;
      }
      const from = stream.since;
      const me = await this.#account(stream.account);
      stream.works = me !== undefined && mayWork(me.status);
      this.#setOnline(stream, stream.works && !stream.out.destroyed);
      // New tasks come by signal from then on.
      const rows = await this.#recent(stream, from, stream.works && !stream.hasOpen ? me : undefined);
      stream.hasOpen ||= stream.works;
      stream.since = Math.max(from, this.#ports.clock.now() - OVERLAP_MS);
      for (const row of rows) {
        if (stream.out.destroyed) return;
        await this.#offer(stream, row);
        // Lets the written bytes leave, and other work run.
        if (stream.out.writableLength > UNSENT_MAX) await new Promise((resolve) => setImmediate(resolve));
      }
    } catch (error) {
      this.#ports.log.debug({ err: error }, "a stream could not poll; it will try again");
    } finally {
      stream.looking = false;
    }
  }

  /** An account's row, cached for a moment and read once for concurrent callers. */
  #account(account: AccountId): Promise<AccountRow | undefined> {
    const { clock, reads } = this.#ports;
    const now = clock.now();
    const known = this.#accounts.get(account);
    if (known !== undefined && now - known.at < ACCOUNT_MS) return known.row;
    const row = reads.account(account);
    this.#accounts.set(account, { at: now, row });
    row.catch(() => this.#accounts.delete(account));
    return row;
  }

  async #isOver({ account, keyHash }: Stream): Promise<boolean> {
    const isGood = (row: AccountRow | undefined) => row !== undefined && row.keyHash === keyHash && mayListen(row);
    if (isGood(await this.#account(account))) return false;
    // The cached row may be older than the key.
    this.#accounts.delete(account);
    return !isGood(await this.#account(account));
  }

  /** Candidate events for a stream, the oldest first; `me` is its account where that may work. */
  async #recent(
    { account, topics, taskType }: Stream,
    since: Millis,
    me: AccountRow | undefined,
  ): Promise<readonly StoredTask[]> {
    const { reads } = this.#ports;
    const query = { account, limit: EVENTS_MAX, cursor: null, since };
    const pages = await Promise.all([
      me !== undefined && topics.has("task.new")
        ? reads.open({ ...query, worker: account, marks: me.marks, taskType, tiers: tiersIn(me.records) })
        : undefined,
      topics.has("task.awarded") ? reads.tasks({ ...query, role: "worker", status: "AWARDED" }) : undefined,
      ...(topics.has("task.terminal") ? TERMINAL_STATUSES : []).map((status) =>
        reads.tasks({ ...query, role: "requester", status }),
      ),
    ]);
    return pages.flatMap((page) => page?.items ?? []).sort((a, b) => a.row.updatedAt - b.row.updatedAt);
  }

  /** Sends a task to a stream, if it is for it and was not sent before. */
  async #offer(stream: Stream, task: StoredTask): Promise<void> {
    const { row } = task;
    const topic = this.#topicOf(stream, task);
    if (topic === undefined || !stream.topics.has(topic)) return;
    // An open task is sent once per round, however many bids it gets.
    const key = topic === "task.new" ? `${row.id} new ${row.autoRetriesLeft}` : `${row.id} ${row.status} ${row.worker ?? ""}`;
    if (stream.told.has(key)) return;
    if (topic === "task.new" && !(await this.#mayTake(stream, task))) return;
    if (stream.told.has(key)) return;
    stream.told.add(key);
    const [oldest] = stream.told;
    if (stream.told.size > TOLD_MAX && oldest !== undefined) stream.told.delete(oldest);
    const event = JSON.stringify({ type: topic, task: showTask(task, stream.account) });
    this.#write(stream, `id: ${row.updatedAt}\ndata: ${event}\n\n`);
  }

  #topicOf({ account, taskType }: Stream, { row }: StoredTask): Topic | undefined {
    if (takesBids(row.status)) return taskType === null || taskType === row.taskType ? "task.new" : undefined;
    if (row.status === "AWARDED") return row.worker === account ? "task.awarded" : undefined;
    return hasEnded(row.status) && row.requester === account ? "task.terminal" : undefined;
  }

  async #mayTake({ account }: Stream, task: StoredTask): Promise<boolean> {
    const me = await this.#account(account);
    return me !== undefined && mayBid(task, me);
  }

  #write({ out }: Stream, text: string): void {
    if (out.writableLength > UNREAD_MAX) out.destroy();
    else if (!out.destroyed && !out.writableEnded) out.write(text);
  }
}

/** Whether an account may listen; frozen and suspended accounts may not. */
function mayListen({ status }: AccountRow): boolean {
  return status !== "FROZEN" && status !== "SUSPENDED";
}
