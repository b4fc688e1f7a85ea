/** Subscriptions to the commands for shards. */
export interface Routes {
  /** Subscribes this node to the commands for a shard. */
  serve(shard: number): void;
  /** Unsubscribes; resolves when all commands that had arrived were passed to the node. */
  retire(shard: number): Promise<void>;
  /** Signals other nodes that shards have changed owners, so that they look at once. */
  changed(): void;
}
