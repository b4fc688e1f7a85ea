import type { Formats } from "../../machines/formats.ts";

/** What a node reports with every heartbeat. */
export interface NodeStats {
  readonly actors: number;
  readonly timers: number;
  readonly inFlight: number;
  readonly commits: number;
  readonly facts: number;
  /** The longest delay of the node's event loop since the last heartbeat (ms). */
  readonly lagMs: number;
}

/** One life of a node in the cluster. */
export interface Member {
  /** A UUID, new for each life. */
  readonly id: string;
  /** The name that operators use. */
  readonly node: string;
  readonly weight: number;
  /** Whether it is being drained: it hands over its shards and takes none. */
  readonly draining: boolean;
  /** Age of its last heartbeat (ms), by the registry's clock. */
  readonly ageMs: number;
  /** The formats that it reads; null for a member from before formats were published. */
  readonly formats: Formats | null;
}

export interface ShardOwner {
  readonly shard: number;
  readonly owner: string | null;
  /** Number of owners that the shard has had. */
  readonly epoch: number;
}

/** A consistent snapshot of the cluster. */
export interface ClusterView {
  readonly members: readonly Member[];
  /** All shards, in order. */
  readonly shards: readonly ShardOwner[];
  /** The agreed formats: every member reads them, and whoever joins must. Never lowered. */
  readonly formats: Formats;
}

/** One life of a node, as it joins. */
export type Joiner = Pick<Member, "id" | "node" | "weight" | "formats">;

/** Thrown if a node that wants to join cannot read the agreed formats. The message tells the operator what to do. */
export class TooOld extends Error {}

/** Membership and shard ownership. Every call may reject with StoreUnavailable. */
export interface Registry {
  /** Rejects with TooOld if the joiner does not read the agreed formats. */
  join(member: Joiner): Promise<void>;
  /** Renews a member's lease; gives the cluster, or null if it is no longer a member. */
  beat(id: string, draining: boolean, stats: NodeStats): Promise<ClusterView | null>;
  /**
   * Declares a member dead if its last heartbeat is older than the lease (ms); its commits are refused from then on. Gives
   * whether it is no longer a member.
   */
  evict(id: string, leaseMs: number): Promise<boolean>;
  /** Acquires those of the shards that no other member owns, each under a new epoch; gives them. Only members can. */
  acquire(id: string, shards: readonly number[]): Promise<readonly number[]>;
  /**
   * Hands over a shard that is closed here; false if the receiver is no longer a member, or the shard is not ours in this
   * epoch.
   */
  handOver(id: string, shard: number, epoch: number, to: string): Promise<boolean>;
  /** Records that these formats are agreed on, if every member reads them; else does nothing. Does not race with joins. */
  raise(formats: Formats): Promise<void>;
  /** Leaves the cluster; shards that it still owned have no owner then. */
  leave(id: string): Promise<void>;
}
