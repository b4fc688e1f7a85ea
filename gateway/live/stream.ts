/**
 * The event stream (contract: SSE): tasks that may be taken, awards to who won them, ends to who posted them.
 *
 * F1  What is told is what the database shows; a signal only says when to look.
 * F2  Every stream looks by itself now and then, further back than its last look, so that a lost signal costs a delay and
 *     no event. An event that was told is not told again on the same stream.
 * F3  A stream that begins with the id of the last event it was told gets all that came after it.
 * F4  A stream ends with its key, and when its account is frozen or suspended: at once when a signal says so, else at its
 *     next look.
 * F5  Streams are bounded for each account, for each address, and in all.
 */
import { PassThrough } from "node:stream";
import { LRUCache } from "lru-cache";
import type { Clock } from "../../actors/ports/clock.ts";
import type { Log } from "../../actors/ports/log.ts";
import type { AccountRow } from "../../machines/account/view.ts";
import { tiersIn } from "../../machines/market/standing.ts";
import { type AccountId, isTerminal, type Millis, TERMINAL_STATUSES, takesBids } from "../../machines/vocabulary.ts";
import type { ReadModel, TaskRow } from "../ports/read-model.ts";
import { mayBid, showTask } from "../show/task.ts";
import type { Presence } from "./presence.ts";

export const TOPICS = ["task.new", "task.awarded", "task.terminal"] as const;
export type Topic = (typeof TOPICS)[number];

/** A comment is sent so often, so that nobody in between thinks the stream dead (ms). */
const COMMENT_MS = 15_000;
/** How often a stream looks by itself, and how much further back than its last look (ms): clocks of nodes differ. */
const LOOK_MS = 5_000;
const OVERLAP_MS = 10_000;
const EVENTS_MAX = 200;
const TOLD_MAX = 5_000;
export const STREAMS_PER_ACCOUNT = 10;
/** Of one process; about 10 KB each, and a look of each every few seconds. */
const STREAMS_MAX = 2_000;
/** An account's row is read at most so often, however many streams and tasks ask for it (ms). */
const ACCOUNT_MS = 1_000;
const ACCOUNTS_MAX = 2_000;
/** What a slow reader may leave unread before it is cut off (bytes); it comes back with the id of its last event. */
const UNREAD_MAX = 1_048_576;
/** What is told in one go (bytes). */
const UNSENT_MAX = 65_536;

export interface FeedPorts {
  readonly reads: Pick<ReadModel, "task" | "account" | "open" | "tasks">;
  readonly presence: Presence;
  readonly clock: Clock;
  readonly log: Log;
  readonly taskTypes: readonly string[];
  /** Streams of one address; 0 is no bound. */
  readonly streamsPerAddress: number;
}

/** Who listens, and to what. */
export interface Listening {
  readonly account: AccountId;
  readonly keyHash: string;
  readonly address: string;
  readonly topics: readonly Topic[];
  /** null for every type. */
  readonly taskType: string | null;
  /** The time of the last event that was told (ms), or null. */
  readonly since: Millis | null;
}

interface Stream extends Omit<Listening, "topics" | "since"> {
  readonly topics: ReadonlySet<Topic>;
  readonly out: PassThrough;
  /** The latest of what it was told, the oldest first. */
  readonly told: Set<string>;
  /** Events before this are not looked for again (ms). */
  since: Millis;
  looking: boolean;
  /** Calls off its next look and its next comment. */
  stop: () => void;
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

  /** Opens a stream; where there are too many, says of what. */
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
      stop: () => {},
    };
    this.#streams.add(stream);
    out.on("close", () => this.#forget(stream));
    out.write(": welcome\n\n");
    this.#pulse(stream, 0);
    return out;
  }

  /** How many streams there are. */
  get size(): number {
    return this.#streams.size;
  }

  /** Ends the streams of a key that is valid no longer. */
  endKey(keyHash: string): void {
    for (const stream of this.#streams) if (stream.keyHash === keyHash) stream.out.end();
  }

  /** Looks whether an account's streams may go on, because somebody said that its state has changed. */
  check(account: AccountId): void {
    const streams = [...this.#streams].filter((stream) => stream.account === account);
    if (streams.length === 0) return;
    this.#accounts.delete(account);
    for (const stream of streams) void this.#look(stream);
  }

  /** Looks at a task because somebody said that it has changed. */
  hear(task: string): void {
    if (this.#streams.size === 0) return;
    void this.#ports.reads
      .task(task)
      .then((row) => (row === undefined ? [] : Promise.all([...this.#streams].map((stream) => this.#offer(stream, row)))))
      .catch((error: unknown) => this.#ports.log.debug({ err: error }, "a task that changed could not be read"));
  }

  close(): void {
    for (const stream of this.#streams) stream.out.end();
  }

  #forget(stream: Stream): void {
    stream.stop();
    this.#streams.delete(stream);
  }

  /** Looks, notes that the worker is there, and says that the stream lives. */
  #pulse(stream: Stream, beats: number): void {
    const { clock, presence, taskTypes } = this.#ports;
    if (stream.topics.has("task.new")) {
      const types = stream.taskType === null ? taskTypes : [stream.taskType];
      for (const type of types) presence.seen(stream.account, type, clock.now());
    }
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
      const rows = await this.#recent(stream, from);
      stream.since = Math.max(from, this.#ports.clock.now() - OVERLAP_MS);
      for (const row of rows) {
        if (stream.out.destroyed) return;
        await this.#offer(stream, row);
        // What was written gets its turn to leave, and so does everybody else's work.
        if (stream.out.writableLength > UNSENT_MAX) await new Promise((resolve) => setImmediate(resolve));
      }
    } catch (error) {
      this.#ports.log.debug({ err: error }, "a stream could not look; it does so again");
    } finally {
      stream.looking = false;
    }
  }

  /** An account's row of a moment ago, read once for all who ask meanwhile. */
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
    // What is remembered may be older than the key.
    this.#accounts.delete(account);
    return !isGood(await this.#account(account));
  }

  /** What may be news to a stream, the oldest first. */
  async #recent({ account, topics, taskType }: Stream, since: Millis): Promise<readonly TaskRow[]> {
    const { reads } = this.#ports;
    const query = { account, limit: EVENTS_MAX, cursor: null, since };
    const me = topics.has("task.new") ? await this.#account(account) : undefined;
    const pages = await Promise.all([
      me?.status === "ACTIVE"
        ? reads.open({ ...query, worker: account, marks: me.marks, taskType, tiers: tiersIn(me.records) })
        : undefined,
      topics.has("task.awarded") ? reads.tasks({ ...query, role: "worker", status: "AWARDED" }) : undefined,
      ...(topics.has("task.terminal") ? TERMINAL_STATUSES : []).map((status) =>
        reads.tasks({ ...query, role: "requester", status }),
      ),
    ]);
    return pages.flatMap((page) => page?.items ?? []).sort((a, b) => a.view.updatedAt - b.view.updatedAt);
  }

  /** Tells a stream of a task, if that is for it and not told yet. */
  async #offer(stream: Stream, row: TaskRow): Promise<void> {
    const { view } = row;
    const topic = this.#topicOf(stream, row);
    if (topic === undefined || !stream.topics.has(topic)) return;
    // A task that takes bids is news once in each round, however many have bid on it since.
    const key =
      topic === "task.new" ? `${view.id} new ${view.autoRetriesLeft}` : `${view.id} ${view.status} ${view.worker ?? ""}`;
    if (stream.told.has(key)) return;
    if (topic === "task.new" && !(await this.#mayTake(stream, row))) return;
    if (stream.told.has(key)) return;
    stream.told.add(key);
    const [oldest] = stream.told;
    if (stream.told.size > TOLD_MAX && oldest !== undefined) stream.told.delete(oldest);
    const event = JSON.stringify({ type: topic, task: showTask(row, stream.account) });
    this.#write(stream, `id: ${view.updatedAt}\ndata: ${event}\n\n`);
  }

  #topicOf({ account, taskType }: Stream, { view }: TaskRow): Topic | undefined {
    if (takesBids(view.status)) return taskType === null || taskType === view.taskType ? "task.new" : undefined;
    if (view.status === "AWARDED") return view.worker === account ? "task.awarded" : undefined;
    return isTerminal(view.status) && view.requester === account ? "task.terminal" : undefined;
  }

  async #mayTake({ account }: Stream, row: TaskRow): Promise<boolean> {
    const me = await this.#account(account);
    return me !== undefined && mayBid(row, me);
  }

  #write({ out }: Stream, text: string): void {
    if (out.writableLength > UNREAD_MAX) out.destroy();
    else if (!out.destroyed && !out.writableEnded) out.write(text);
  }
}

/** Whether an account may be told of what happens; who may not work or pay hears nothing of work. */
function mayListen({ status }: AccountRow): boolean {
  return status !== "FROZEN" && status !== "SUSPENDED";
}
