/** What a member does about the cluster as it sees it. Pure: the same view gives the same plan. */
import type { ClusterView } from "../ports/registry.ts";
import { ownerOf } from "./placement.ts";

export interface Plan {
  /** Members whose lease has run out. */
  readonly evict: readonly string[];
  /** Shards that are ours and not open yet. */
  readonly open: readonly number[];
  /** Shards that are open here and belong to somebody else. */
  readonly drop: readonly number[];
  /** Shards that nobody owns and that should be ours. */
  readonly acquire: readonly number[];
  /** Shards of ours that should be somebody else's. */
  readonly handOver: readonly { readonly shard: number; readonly epoch: number; readonly to: string }[];
}

/** Takes the view, who looks at it, what is open there, and the lease (ms). */
export function planFor(view: ClusterView, me: string, open: ReadonlySet<number>, leaseMs: number): Plan {
  const dead = view.members.filter(({ id, ageMs }) => id !== me && ageMs > leaseMs).map(({ id }) => id);
  const living = new Set(view.members.map(({ id }) => id).filter((id) => !dead.includes(id)));
  const takers = view.members.filter(({ id, draining }) => living.has(id) && !draining);
  const mine = view.shards.filter(({ owner }) => owner === me);
  const orphans = view.shards.filter(({ owner }) => owner === null || !living.has(owner)).map(({ shard }) => shard);
  const owned = new Set(mine.map(({ shard }) => shard));
  return {
    evict: dead,
    open: [...owned].filter((shard) => !open.has(shard)),
    drop: [...open].filter((shard) => !owned.has(shard)),
    acquire: orphans.filter((shard) => ownerOf(shard, takers) === me),
    handOver: mine.flatMap(({ shard, epoch }) => {
      const to = ownerOf(shard, takers);
      return to === undefined || to === me ? [] : [{ shard, epoch, to }];
    }),
  };
}
