/** What a member should do in the cluster that it sees. Pure: the same view gives the same plan. */
import type { ClusterView } from "../ports/registry.ts";
import { placement } from "./placement.ts";

export interface Plan {
  /** Members whose lease has expired. */
  readonly evict: readonly string[];
  /** Shards that we own and have not opened under this epoch. */
  readonly open: readonly number[];
  /** Shards that are open here but owned by another member, or were in between: their state and timers here are outdated. */
  readonly drop: readonly number[];
  /** Shards without an owner that should be ours. */
  readonly acquire: readonly number[];
  /** Shards that we own and another member should. */
  readonly handOver: readonly { readonly shard: number; readonly epoch: number; readonly to: string }[];
}

/** Takes the view, the member that plans, its open shards with their epochs, and the lease (ms). */
export function planFor(view: ClusterView, me: string, open: ReadonlyMap<number, number>, leaseMs: number): Plan {
  const dead = view.members.filter(({ id, ageMs }) => id !== me && ageMs > leaseMs).map(({ id }) => id);
  const living = new Set(view.members.map(({ id }) => id).filter((id) => !dead.includes(id)));
  const takers = view.members.filter(({ id, draining }) => living.has(id) && !draining);
  const ownerOf = placement(takers);
  const mine = view.shards.filter(({ owner }) => owner === me);
  const orphans = view.shards.filter(({ owner }) => owner === null || !living.has(owner)).map(({ shard }) => shard);
  const owned = new Map(mine.map(({ shard, epoch }) => [shard, epoch]));
  const isCurrent = (shard: number) => open.has(shard) && open.get(shard) === owned.get(shard);
  return {
    evict: dead,
    open: [...owned.keys()].filter((shard) => !isCurrent(shard)),
    drop: [...open.keys()].filter((shard) => !isCurrent(shard)),
    acquire: orphans.filter((shard) => ownerOf(shard) === me),
    handOver: mine.flatMap(({ shard, epoch }) => {
      const to = ownerOf(shard);
      return to === undefined || to === me ? [] : [{ shard, epoch, to }];
    }),
  };
}
