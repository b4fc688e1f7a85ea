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

/** Who is in the cluster and owns what. Every call may reject with StoreUnavailable. */
export interface Registry {
  join(member: { readonly id: string; readonly node: string; readonly weight: number }): Promise<void>;
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
  /** Leaves the cluster; what it still owned has no owner then. */
  leave(id: string): Promise<void>;
}
