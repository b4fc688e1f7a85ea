import type { Formats } from "../../machines/formats.ts";

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
  /** What it reads; null for a member of before formats were published. */
  readonly formats: Formats | null;
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
  /** What every member reads, and whoever joins must. Never lowered. */
  readonly formats: Formats;
}

/** One life of a node, as it joins. */
export type Joiner = Pick<Member, "id" | "node" | "weight" | "formats">;

/** Thrown to who would join and does not read what has been written. The message tells the operator what to do. */
export class TooOld extends Error {}

/** Who is in the cluster and owns what. Every call may reject with StoreUnavailable. */
export interface Registry {
  /** Rejects with TooOld when the joiner does not read the formats agreed upon. */
  join(member: Joiner): Promise<void>;
  /** Renews a member's lease; gives the cluster as it is, or null when this member is one no more. */
  beat(id: string, draining: boolean, stats: NodeStats): Promise<ClusterView | null>;
  /**
   * Declares a member dead whose last heartbeat is older than the lease (ms), if it is; its commits are refused from
   * then on. Gives whether it is a member no more.
   */
  evict(id: string, leaseMs: number): Promise<boolean>;
  /** Takes those of the shards that no other member owns, each under a new epoch; gives them. Only members can. */
  acquire(id: string, shards: readonly number[]): Promise<readonly number[]>;
  /**
   * Gives a shard that is closed here to another member; false when that one is a member no more, or the shard is not ours
   * in this epoch.
   */
  handOver(id: string, shard: number, epoch: number, to: string): Promise<boolean>;
  /** Records that these formats are agreed upon, if every member reads them; else nothing happens. Races with no join. */
  raise(formats: Formats): Promise<void>;
  /** Leaves the cluster; what it still owned has no owner then. */
  leave(id: string): Promise<void>;
}
