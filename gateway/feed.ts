/**
 * The event stream (contract: SSE): tasks that may be taken, awards to who won them, ends to who posted them.
 *
 * F1  What is told is what the database shows; a signal only says when to look.
 * F2  Every stream looks by itself now and then, further back than its last look, so that a lost signal costs a delay and
 *     no event. An event that was told is not told again on the same stream.
 * F3  A stream that begins with the id of the last event it was told gets all that came after it.
 */
import { PassThrough } from "node:stream";
import { LRUCache } from "lru-cache";
import type { Clock, Log } from "../actors/ports.ts";
import { type AccountId, isTerminal, type Millis, TERMINAL_STATUSES } from "../machines/vocabulary.ts";
import type { ReadModel, TaskRow } from "./ports.ts";
import type { Presence } from "./presence.ts";
import { tiersOf } from "./show/skill.ts";
import { isVisible, showTask } from "./show/task.ts";

export const TOPICS = ["task.new", "task.awarded", "task.terminal"] as const;
export type Topic = (typeof TOPICS)[number];

/** A comment is sent so often, so that nobody in between thinks the stream dead (ms). */
const COMMENT_MS = 15_000;
/** How often a stream looks by itself, and how much further back than its last look (ms): clocks of nodes differ. */
const LOOK_MS = 5_000;
const OVERLAP_MS = 10_000;
const EVENTS_MAX = 200;
const TOLD_MAX = 5_000;
const STREAMS_PER_ACCOUNT = 10;
/** What a slow reader may leave unread before it is cut off (bytes); it comes back with the id of its last event. */
const UNREAD_MAX = 1_048_576;

export interface FeedPorts {
  readonly reads: ReadModel;
  readonly presence: Presence;
  readonly clock: Clock;
  readonly log: Log;
  readonly taskTypes: readonly string[];
}

interface Stream {
  readonly account: AccountId;
  readonly topics: ReadonlySet<Topic>;
  readonly taskType: string | null;
  readonly out: PassThrough;
  readonly told: LRUCache<string, true>;
  /** Events before this are not looked for again (ms). */
  since: Millis;
  looking: boolean;
  /** Calls off its next look and its next comment. */
  stop: () => void;
}

export class Feed {
  readonly #ports: FeedPorts;
  readonly #streams = new Set<Stream>();

  constructor(ports: FeedPorts) {
    this.#ports = ports;
  }

  /** Opens a stream; `since` is the time of the last event that was told (ms), or null. Undefined when an account has too many. */
  open(account: AccountId, topics: readonly Topic[], taskType: string | null, since: Millis | null): PassThrough | undefined {
    if ([...this.#streams].filter((stream) => stream.account === account).length >= STREAMS_PER_ACCOUNT) return undefined;
    const out = new PassThrough();
    const told = new LRUCache<string, true>({ max: TOLD_MAX });
    const from = since ?? this.#ports.clock.now();
    const stream: Stream = { account, topics: new Set(topics), taskType, out, told, since: from, looking: false, stop: () => {} };
    this.#streams.add(stream);
    out.on("close", () => this.#forget(stream));
    out.write(": welcome\n\n");
    this.#pulse(stream, 0);
    return out;
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
      const from = stream.since;
      const rows = await this.#recent(stream, from);
      stream.since = Math.max(from, this.#ports.clock.now() - OVERLAP_MS);
      for (const row of rows) await this.#offer(stream, row);
    } catch (error) {
      this.#ports.log.debug({ err: error }, "a stream could not look; it does so again");
    } finally {
      stream.looking = false;
    }
  }

  /** What may be news to a stream, the oldest first. */
  async #recent({ account, topics, taskType }: Stream, since: Millis): Promise<readonly TaskRow[]> {
    const { reads } = this.#ports;
    const query = { account, limit: EVENTS_MAX, cursor: null };
    const me = topics.has("task.new") ? await reads.account(account) : undefined;
    const lists = await Promise.all([
      me?.status === "ACTIVE"
        ? reads.open({ worker: account, marks: me.marks, taskType, tiers: tiersOf(me.records), limit: EVENTS_MAX })
        : [],
      topics.has("task.awarded")
        ? reads.tasks({ ...query, role: "worker", status: "AWARDED" }).then((page) => page?.items ?? [])
        : [],
      ...(topics.has("task.terminal") ? TERMINAL_STATUSES : []).map((status) =>
        reads.tasks({ ...query, role: "requester", status }).then((page) => page?.items ?? []),
      ),
    ]);
    return lists
      .flat()
      .filter(({ view }) => view.updatedAt > since)
      .sort((a, b) => a.view.updatedAt - b.view.updatedAt);
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
    stream.told.set(key, true);
    const event = JSON.stringify({ type: topic, task: showTask(row, stream.account) });
    this.#write(stream, `id: ${view.updatedAt}\ndata: ${event}\n\n`);
  }

  #topicOf({ account, taskType }: Stream, { view }: TaskRow): Topic | undefined {
    if (view.status === "ROUTING" || view.status === "PENDING_POOL") {
      const wanted = taskType === null || taskType === view.taskType;
      return wanted && view.requester !== account ? "task.new" : undefined;
    }
    if (view.status === "AWARDED") return view.worker === account ? "task.awarded" : undefined;
    return isTerminal(view.status) && view.requester === account ? "task.terminal" : undefined;
  }

  async #mayTake({ account }: Stream, row: TaskRow): Promise<boolean> {
    const { view } = row;
    const me = await this.#ports.reads.account(account);
    if (me?.status !== "ACTIVE" || !isVisible(row, account)) return false;
    const able = (tiersOf(me.records)[view.taskType] ?? 1) >= view.minSkill;
    return able && !view.closedTo.includes(account) && !view.marks.some((mark) => me.marks.includes(mark));
  }

  #write({ out }: Stream, text: string): void {
    if (out.writableLength > UNREAD_MAX) out.destroy();
    else if (!out.destroyed && !out.writableEnded) out.write(text);
  }
}
