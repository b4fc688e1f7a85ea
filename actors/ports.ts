/** What the host needs of the world; src/ has the adapters. */
import type { Address, AnyCommand } from "../machines/effect.ts";
import type { Delivery, Answer as Judgement, Question, StoredFact } from "../machines/entity.ts";
import type { Posting } from "../machines/money/postings.ts";
import type { DeliveryOutcome } from "../machines/task/facts.ts";
import type { Millis } from "../machines/vocabulary.ts";
import type { Answer, Envelope } from "./message.ts";

/** A message that waits in the outbox of its sender. `seq` and `leg` order the messages of one sender. */
export interface OutboxMessage {
  readonly id: string;
  readonly from: Address;
  readonly seq: number;
  readonly leg: number;
  readonly to: Address;
  readonly command: AnyCommand;
}

/** A timer is set to a moment, or removed (null). */
export interface TimerChange {
  readonly name: string;
  readonly at: Millis | null;
}

export interface DueTimer {
  readonly address: Address;
  readonly name: string;
  readonly at: Millis;
}

/** What one decision adds to the journal. Its facts are numbered after + 1, after + 2, … */
export interface Entry {
  readonly address: Address;
  readonly after: number;
  readonly facts: readonly Omit<StoredFact, "seq">[];
  /** The command that caused it; unique for each actor. */
  readonly cause: string | null;
  readonly postings: readonly (readonly Posting[])[];
  readonly messages: readonly OutboxMessage[];
  readonly timers: readonly TimerChange[];
  /** The row for lists as it is after these facts. */
  readonly view: unknown;
  readonly snapshot: unknown;
}

/** One commit: all of it or nothing. */
export interface Batch {
  /** Marks the facts of this batch, so that a commit whose outcome got lost is known again. A UUID. */
  readonly id: string;
  readonly entries: readonly Entry[];
  /** Messages that their receivers have committed; they leave the outbox. */
  readonly delivered: readonly string[];
  /** Messages that their receivers refused for good; they stay, marked, for the operator. */
  readonly dead: readonly { readonly id: string; readonly reason: string }[];
}

export interface StoredActor {
  readonly snapshot: { readonly seq: number; readonly state: unknown } | null;
  /** The facts after the snapshot, in order. */
  readonly facts: readonly StoredFact[];
}

/** Thrown by a journal that takes nothing from this writer any more: others own what it owned. */
export class Fenced extends Error {}

/** Thrown by a journal that cannot be reached, or whose commit has an unknown outcome: the same call must be repeated. */
export class StoreUnavailable extends Error {}

export interface Journal {
  /**
   * Appends a batch; repeating it with the same id is safe. Gives the keys (addressKey) of the actors for which
   * another writer was first, or whose command is there already: nothing of theirs is written, all else is.
   * Throws StoreUnavailable when it cannot be told what happened, and Fenced, with nothing written, when the writer has been
   * declared dead.
   */
  append(batch: Batch): Promise<ReadonlySet<string>>;
  load(address: Address): Promise<StoredActor>;
  /** The facts that a command caused at an actor, in order; empty when it never came. */
  caused(address: Address, cause: string): Promise<readonly StoredFact[]>;
  /** A page of the undelivered messages whose senders are in a shard, in the order of (from, seq, leg), after the given one. */
  outbox(shard: number, after: OutboxMessage | null, rows: number): Promise<readonly OutboxMessage[]>;
  /** A page of the timers of a shard in the order of (address, name), after the given one. */
  timers(shard: number, after: DueTimer | null, rows: number): Promise<readonly DueTimer[]>;
}

/** Carries an envelope to whoever owns the actor and brings the answer back. Never throws. */
export interface Transport {
  request(envelope: Envelope): Promise<Answer>;
}

/** Where a result may be judged: wherever that is light enough, or only where it can be stopped, whatever it does. */
export type JudgedWhere = "anywhere" | "thread";

export interface Validator {
  /** Judges a result within a bounded time; never throws, never rejects. At once where the judgement is light. */
  judge(question: Question, where?: JudgedWhere): Promise<Judgement> | Judgement;
}

export interface Courier {
  /** Brings one webhook to its receiver; null when there is no room now and it should be asked again soon. */
  deliver(delivery: Delivery): Promise<DeliveryOutcome | null>;
}

export interface Clock {
  now(): Millis;
  /** Ms since some moment, on a clock that nobody sets. */
  elapsed(): number;
  /** Runs `job` after so many ms; gives a function that calls it off. */
  after(ms: Millis, job: () => void): () => void;
}

export interface Ids {
  /** A new UUID. */
  next(): string;
}

export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What a node tells of itself with every heartbeat. */
export interface NodeStats {
  readonly actors: number;
  readonly timers: number;
  readonly inFlight: number;
  readonly commits: number;
  readonly facts: number;
  /** How late the node's event loop was at worst since the last heartbeat (ms). */
  readonly lagMs: number;
}

/** One life of a node in the cluster. */
export interface Member {
  /** A UUID, new for each life. */
  readonly id: string;
  /** The name that operators know it by. */
  readonly node: string;
  readonly weight: number;
  /** Whether it gives its shards away and takes none. */
  readonly draining: boolean;
  /** How long ago its last heartbeat was (ms), by the registry's clock. */
  readonly ageMs: number;
}

export interface ShardOwner {
  readonly shard: number;
  readonly owner: string | null;
  /** Counts the owners that the shard has had. */
  readonly epoch: number;
}

/** The cluster as of one moment. */
export interface ClusterView {
  readonly members: readonly Member[];
  /** Every shard, in order. */
  readonly shards: readonly ShardOwner[];
}

/** Where commands for shards arrive. */
export interface Routes {
  /** Brings what is asked of a shard to this node from now on. */
  serve(shard: number): void;
  /** Brings nothing more; done when all that had arrived was handed to the node. */
  retire(shard: number): Promise<void>;
  /** Tells the other nodes that owners have changed, so that they look at once. */
  changed(): void;
}

/** Who is in the cluster and owns what. Every call may reject with StoreUnavailable. */
export interface Registry {
  join(member: { readonly id: string; readonly node: string; readonly weight: number }): Promise<void>;
  /** Renews a member's lease; gives the cluster as it is, or null when this member is one no more. */
  beat(id: string, draining: boolean, stats: NodeStats): Promise<ClusterView | null>;
  /**
   * Declares a member dead whose last heartbeat is older than the lease (ms), if it is; its commits are refused from
   * then on. Gives whether it is a member no more.
   */
  bury(id: string, leaseMs: number): Promise<boolean>;
  /** Takes those of the shards that no other member owns, each under a new epoch; gives them. Only members can. */
  claim(id: string, shards: readonly number[]): Promise<readonly number[]>;
  /**
   * Gives a shard that is closed here to another member; false when that one is a member no more, or the shard is not ours
   * in this epoch.
   */
  hand(id: string, shard: number, epoch: number, to: string): Promise<boolean>;
  /** Leaves the cluster; what it still owned has no owner then. */
  leave(id: string): Promise<void>;
}
