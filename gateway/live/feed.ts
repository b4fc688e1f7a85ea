/**
 * The event streams of a gateway (contract: SSE): open tasks, awards to their winners, outcomes to their requesters.
 *
 * F1  Ends and awards come from the journal of the account (follower.ts); a signal only says when to look. A stream that is opened
 *     with the id of the last event seen gets all later ones, however many.
 * F2  All streams together ask every ROUND_MS for what has changed of their accounts, in one read, so that a lost signal costs
 *     that delay and no event.
 * F3  What is open is told when a stream is opened, a selection; after that the matcher sends new tasks, without a read. Each is told
 *     to a bounded number of streams: one of each of its workers, then second ones by turns (new-tasks.ts).
 * F4  A stream ends when its key is rotated or its account frozen or suspended: at once if a signal says so, else with the next
 *     round.
 * F5  Streams are limited per account, per address, and in total; few look at the database at a time.
 */
import { MATCHING } from "../../actors/matching/vocabulary.ts";
import type { Clock } from "../../actors/ports/clock.ts";
import type { Log } from "../../actors/ports/log.ts";
import { mayWork } from "../../machines/eligibility.ts";
import type { AccountId, Millis } from "../../machines/vocabulary.ts";
import type { ReadModel, StoredTask, Watched } from "../ports/read-model.ts";
import type { SignalHub } from "../ports/signals.ts";
import { type AccountEvent, type Followed, Follower } from "./follower.ts";
import { Looks } from "./looks.ts";
import { NewTasks, roundOf } from "./new-tasks.ts";
import { openTasksFor } from "./open-tasks.ts";
import type { Position } from "./position.ts";
import type { Presence } from "./presence.ts";
import { EventStream, eventOf, type Sink, type Subscription } from "./stream.ts";

/** Keep-alive interval: a comment, so that no proxy closes the stream (ms). */
const COMMENT_MS = 15_000;
/** How often all streams ask for what has changed of their accounts (ms). */
export const ROUND_MS = 5_000;
/** Accounts of one read. */
const WATCHED_MAX = 500;
/** How long until a stream tries again that could not look (ms). */
const RETRY_MS = 1_000;
/** When a new stream looks again for what is open (ms): when matchers usually know of it, and after they have been told a second time. */
const OPEN_AGAIN_MS = [1_000, 6_000] as const;
/** How far before the time of an event it may be dated by another node's clock (ms). */
const OVERLAP_MS = 10_000;
/** Streams that look at the database at a time. */
const LOOKS_MAX = 4;
export const STREAMS_PER_ACCOUNT = 10;
/** Streams of one process; each takes about 10 KB. */
const STREAMS_MAX = 5_000;

export interface FeedPorts {
  readonly reads: Pick<ReadModel, "task" | "account" | "open" | "accountNews" | "tasksOf" | "factBefore" | "watched">;
  readonly signals: Pick<SignalHub, "listenFor">;
  readonly presence: Pick<Presence, "listens">;
  readonly clock: Clock;
  readonly log: Log;
  readonly taskTypes: readonly string[];
  /** Streams per address; 0: no limit. */
  readonly streamsPerAddress: number;
}

export interface Opening extends Subscription {
  /** What the client has seen, or null: all up to now. */
  readonly last: Position | null;
  /** Whether it may take work: who may not is not online for it. */
  readonly works: boolean;
  /** Where its events go. */
  readonly sink: Sink;
  /** The stream that ends when this one is open: it counts for no limit. */
  readonly instead?: EventStream | undefined;
  /** Whether to wait before it looks for what is open: it may be told by then what the client knows. */
  readonly unhurried?: boolean;
}

/** Which limit on streams is reached. */
export type Full = "account" | "address" | "process";

/** A stream, and what keeps it going. */
interface Live {
  readonly stream: EventStream;
  /** null until it is known where it begins, and where it listens to new tasks alone. */
  follower: Follower | null;
  /** As its account's row said last. */
  works: boolean;
  /** Whether it has been sent what is open. */
  hasOpen: boolean;
  /** Whether it sends what it has found, and whether it must look again after that. */
  sending: boolean;
  mustLook: boolean;
  /** Cancels the next comment, and the next look. */
  stopComments: () => void;
  stopLooking: () => void;
  /** Cancels the looks for what opened while matchers did not know of it. */
  stopLookingAgain: () => void;
  /** Ends its worker's being online; undefined while that may not work. */
  leave: (() => void) | undefined;
}

/** The streams of an account. */
interface Listeners {
  readonly live: Set<Live>;
  readonly deafen: () => void;
}

export class Feed {
  readonly #ports: FeedPorts;
  readonly #streams = new Set<Live>();
  readonly #accounts = new Map<AccountId, Listeners>();
  readonly #looks = new Looks<Live>(LOOKS_MAX, (live) => this.#look(live));
  readonly #newTasks: NewTasks;
  #stopRounds: (() => void) | undefined;

  constructor(ports: FeedPorts) {
    this.#ports = ports;
    this.#newTasks = new NewTasks(ports.clock);
  }

  /**
   * Opens a stream; if there are too many, says which limit was reached. Whatever happens once this has resolved is told. Rejects
   * with StoreUnavailable.
   */
  async open({ last, works, sink, instead, unhurried = false, ...subscription }: Opening): Promise<EventStream | Full> {
    const reached = this.#reached(subscription, instead?.open === true ? 1 : 0);
    if (reached !== undefined) return reached;
    const stream = new EventStream(subscription, sink);
    const live: Live = {
      stream,
      follower: null,
      works,
      hasOpen: unhurried,
      sending: false,
      mustLook: false,
      stopComments: () => {},
      stopLooking: () => {},
      stopLookingAgain: () => {},
      leave: undefined,
    };
    this.#add(live);
    try {
      await this.#begin(live, last);
    } catch (error) {
      stream.destroy();
      throw error;
    }
    return stream;
  }

  /** Number of open streams. */
  get size(): number {
    return this.#streams.size;
  }

  /** Ends the streams of a key that is no longer valid. */
  endKey(keyHash: string): void {
    for (const { stream } of this.#streams) if (stream.subscription.keyHash === keyHash) stream.end("key");
  }

  /** Checks whether an account's streams may continue, after a signal that its state has changed. */
  check(account: AccountId): void {
    if (this.#accounts.has(account)) void this.#watch([account]);
  }

  /** Looks at what has happened to an account, after a signal that its streams have more to tell. */
  wake(account: AccountId): void {
    for (const live of this.#accounts.get(account)?.live ?? []) {
      if (live.follower === null) continue;
      live.follower.hurry();
      this.#looks.ask(live);
    }
  }

  /** Wakes the parties of a task, after the signal of an older node, which does not say who they are. */
  hear(task: string): void {
    if (this.#streams.size === 0) return;
    void this.#ports.reads
      .task(task)
      .then((found) => {
        if (found === undefined) return;
        const { requester, worker } = found.row;
        this.wake(requester);
        if (worker !== null) this.wake(worker);
      })
      .catch((error: unknown) => this.#ports.log.debug({ err: error }, "could not read a changed task"));
  }

  /** A new task, which the matcher has found these workers for; at most so many of their streams are told. */
  hearNew(task: StoredTask, workers: readonly AccountId[], streams: number = MATCHING.announcedMax): void {
    const listening = workers.map((account) => {
      const live = this.#accounts.get(account)?.live ?? [];
      return [...live].flatMap(({ stream }) => (stream.hearsOf(task.row.taskType) ? stream : []));
    });
    this.#newTasks.tell(task, listening, streams);
  }

  close(): void {
    for (const { stream } of this.#streams) stream.end("gateway");
  }

  /** `ending` is how many streams of this account and address are about to end. */
  #reached({ account, address }: Subscription, ending: number): Full | undefined {
    const { streamsPerAddress } = this.#ports;
    if ((this.#accounts.get(account)?.live.size ?? 0) - ending >= STREAMS_PER_ACCOUNT) return "account";
    const ofAddress = [...this.#streams].filter(({ stream }) => stream.subscription.address === address).length;
    if (streamsPerAddress > 0 && ofAddress - ending >= streamsPerAddress) return "address";
    return this.#streams.size - ending >= STREAMS_MAX ? "process" : undefined;
  }

  #add(live: Live): void {
    const { stream } = live;
    const { account } = stream.subscription;
    this.#streams.add(live);
    // Heard from before it is read where it begins.
    const known = this.#accounts.get(account);
    const of = known ?? { live: new Set<Live>(), deafen: this.#ports.signals.listenFor(account, () => this.wake(account)) };
    of.live.add(live);
    this.#accounts.set(account, of);
    this.#stopRounds ??= this.#ports.clock.after(ROUND_MS, () => this.#round());
    stream.onClose(() => this.#remove(live));
  }

  #remove(live: Live): void {
    const { account } = live.stream.subscription;
    live.stopComments();
    live.stopLooking();
    live.stopLookingAgain();
    this.#looks.drop(live);
    this.#newTasks.forget(live.stream);
    this.#setOnline(live, false);
    this.#streams.delete(live);
    const of = this.#accounts.get(account);
    of?.live.delete(live);
    if (of?.live.size === 0) {
      of.deafen();
      this.#accounts.delete(account);
    }
    if (this.#streams.size > 0) return;
    this.#stopRounds?.();
    this.#stopRounds = undefined;
  }

  async #begin(live: Live, last: Position | null): Promise<void> {
    const { reads, clock } = this.#ports;
    const { stream } = live;
    const { account } = stream.subscription;
    const before = last !== null && "since" in last ? last.since - OVERLAP_MS : null;
    const newest = await reads.factBefore(account, before);
    // A higher number than there is comes from another account, or from before this database was restored.
    const after = last !== null && "after" in last ? Math.min(last.after, newest) : newest;
    const [ends, awards] = [stream.hasTopic("task.terminal"), stream.hasTopic("task.awarded")];
    if (ends || awards) live.follower = new Follower({ reads, clock }, { account, ends, awards, after });
    stream.begin(after);
    // It may have ended meanwhile, and left.
    this.#setOnline(live, live.works && stream.open);
    this.#scheduleComment(live);
    this.#looks.ask(live);
    this.#lookForOpenAgain(live);
  }

  /** Finds what opens after the first look, and before the matchers have heard of this stream. */
  #lookForOpenAgain(live: Live): void {
    if (!live.stream.open || !live.stream.hasTopic("task.new")) return;
    const cancels = OPEN_AGAIN_MS.map((ms) =>
      this.#ports.clock.after(ms, () => {
        live.hasOpen = false;
        this.#looks.ask(live);
      }),
    );
    live.stopLookingAgain = () => {
      for (const cancel of cancels) cancel();
    };
  }

  #scheduleComment(live: Live): void {
    if (!live.stream.open) return;
    live.stopComments = this.#ports.clock.after(COMMENT_MS, () => {
      live.stream.comment();
      if (live.follower !== null && !live.sending) live.stream.moveTo(live.follower.position);
      this.#scheduleComment(live);
    });
  }

  /** A worker is online while it has a stream on which it can be reached, whatever that listens to. */
  #setOnline(live: Live, online: boolean): void {
    const { presence, taskTypes } = this.#ports;
    const { stream } = live;
    if (online === (live.leave !== undefined)) return;
    live.leave?.();
    const { account: worker, taskTypes: asked } = stream.subscription;
    const announce = stream.hasTopic("task.new");
    live.leave = online ? presence.listens({ worker, taskTypes: asked ?? taskTypes, announce }) : undefined;
  }

  /** Asks for what has changed of all accounts that have streams. */
  #round(): void {
    this.#stopRounds = this.#ports.clock.after(ROUND_MS, () => this.#round());
    const accounts = [...this.#accounts.keys()];
    for (let from = 0; from < accounts.length; from += WATCHED_MAX) {
      void this.#watch(accounts.slice(from, from + WATCHED_MAX));
    }
  }

  async #watch(accounts: readonly AccountId[]): Promise<void> {
    // Of a stream that is opened later, the key may be newer than what is read.
    const streams = accounts.flatMap((account) => [...(this.#accounts.get(account)?.live ?? [])]);
    try {
      const watched = new Map((await this.#ports.reads.watched(accounts)).map((one) => [one.id, one]));
      for (const live of streams) if (live.stream.open) this.#judge(live, watched.get(live.stream.subscription.account));
    } catch (error) {
      this.#ports.log.debug({ err: error }, "streams could not see what has changed; they try again");
    }
  }

  /** `now` is undefined where the account's database does not answer. */
  #judge(live: Live, now: Watched | undefined): void {
    if (now === undefined) return;
    const { keyHash, status, lastFact } = now;
    if (keyHash !== live.stream.subscription.keyHash) live.stream.end("key");
    else if (status === "FROZEN" || status === "SUSPENDED") live.stream.end("account");
    if (!live.stream.open) return;
    live.works = mayWork(status);
    this.#setOnline(live, live.works && live.stream.reachable);
    const hasMore = live.follower?.hear(lastFact) === true;
    if (hasMore || (live.works && !live.hasOpen)) this.#looks.ask(live);
  }

  /** One turn of a stream: a bounded step through what it has to tell. */
  async #look(live: Live): Promise<void> {
    live.stopLooking();
    if (!live.stream.open) return;
    // It looks on when that is sent.
    if (live.sending) {
      live.mustLook = true;
      return;
    }
    live.mustLook = false;
    try {
      const open = await this.#openFor(live);
      const { events, again } = (await live.follower?.look()) ?? NOTHING;
      live.sending = true;
      // A slow client takes nobody's turn.
      void this.#send(live.stream, open, events).then(() => {
        live.sending = false;
        this.#lookIn(live, live.mustLook ? 0 : again);
      });
    } catch (error) {
      this.#ports.log.debug({ err: error }, "a stream could not look; it tries again");
      this.#lookIn(live, RETRY_MS);
    }
  }

  #lookIn(live: Live, ms: Millis | null): void {
    if (ms === null || !live.stream.open) return;
    if (ms === 0) this.#looks.ask(live);
    else live.stopLooking = this.#ports.clock.after(ms, () => this.#looks.ask(live));
  }

  /** Sends each when the client has read those before. */
  async #send(stream: EventStream, open: readonly StoredTask[], events: readonly AccountEvent[]): Promise<void> {
    const { account } = stream.subscription;
    for (const task of open) if (stream.open) await stream.announce(roundOf(task), eventOf("task.new", task, account));
    for (const { topic, task, id } of events) {
      if (!stream.open) return;
      await stream.send(topic, eventOf(topic, task, account), id);
    }
  }

  /** What a new stream is told of: tasks that are open and that its account can take, the oldest first. */
  async #openFor(live: Live): Promise<readonly StoredTask[]> {
    const { stream, works, hasOpen } = live;
    if (!works || hasOpen) return [];
    live.hasOpen = true;
    if (!stream.hasTopic("task.new")) return [];
    const { account, taskTypes } = stream.subscription;
    try {
      return await openTasksFor(this.#ports.reads, account, taskTypes ?? this.#ports.taskTypes);
    } catch (error) {
      live.hasOpen = false;
      throw error;
    }
  }
}

const NOTHING: Followed = { events: [], again: null };
