/** Where commands for shards arrive. */
export interface Routes {
  /** Brings what is asked of a shard to this node from now on. */
  serve(shard: number): void;
  /** Brings nothing more; done when all that had arrived was handed to the node. */
  retire(shard: number): Promise<void>;
  /** Tells the other nodes that owners have changed, so that they look at once. */
  changed(): void;
}
