/** What a node knows of its shards: those that it could open although others failed, and those that others owned in between. */
import { expect, test } from "vitest";
import { SHARDS_DEFAULT } from "../../actors/address.ts";
import { Host } from "../../actors/host/host.ts";
import { StoreUnavailable } from "../../actors/ports/journal.ts";
import type { ClusterView, Registry } from "../../actors/ports/registry.ts";
import { Node } from "../../actors/shards/node.ts";
import { ENTITIES } from "../../machines/entities.ts";
import { FORMATS } from "../../machines/formats.ts";
import { ManualClock } from "../support/clock.ts";
import { MemoryJournal } from "../support/memory-journal.ts";
import { id, judgeAtOnce, SILENT } from "../support/world.ts";

const LEASE_MS = 5_000;
const [ME, OTHER] = [id(1), id(2)];

/** A node that owns shards 0 and 1, and whose registry tells what `shards` says. */
function make() {
  const clock = new ManualClock();
  const journal = new MemoryJournal();
  const read: number[] = [];
  const broken = new Set<number>();
  const { timers } = journal;
  journal.timers = async (shard, after, rows) => {
    read.push(shard);
    if (broken.has(shard)) throw new StoreUnavailable("away");
    return timers.call(journal, shard, after, rows);
  };
  const shards = Array.from({ length: SHARDS_DEFAULT }, (_, shard) => ({ shard, owner: shard < 2 ? ME : OTHER, epoch: 1 }));
  const member = (name: string) => ({ id: name, node: name, draining: false, ageMs: 0, formats: FORMATS });
  const view = (): ClusterView => ({
    // This one weighs so much that it should own everything, so that it hands nothing over.
    members: [
      { ...member(ME), weight: 1e9 },
      { ...member(OTHER), weight: 1e-9 },
    ],
    shards: shards.map((shard) => ({ ...shard })),
    formats: FORMATS,
  });
  const registry: Registry = {
    join: async () => {},
    beat: async () => view(),
    evict: async () => false,
    acquire: async () => [],
    handOver: async () => false,
    raise: async () => {},
    leave: async () => {},
  };
  const node = new Node(
    {
      registry,
      routes: { serve() {}, retire: async () => {}, changed() {} },
      clock,
      ids: { next: () => ME },
      log: SILENT,
      lagMs: () => 0,
      hostOf: (_, leased, fenced) =>
        new Host({
          entities: ENTITIES,
          journal,
          validator: { judge: judgeAtOnce },
          calls: { make: async () => null },
          clock,
          ids: { next: () => ME },
          log: SILENT,
          leased,
          fenced,
          writers: 1,
        }),
    },
    { name: "one", weight: 1, leaseMs: LEASE_MS, formats: FORMATS },
  );
  /** Lets the next heartbeat come, and all that follows from it. */
  const beat = async () => {
    clock.to(clock.now() + LEASE_MS / 20);
    for (let n = 0; n < 100; n += 1) await Promise.resolve();
  };
  const own = () => [0, 1].filter((shard) => node.owns(shard));
  return { node, shards, broken, read, beat, own };
}

test("a shard that is open although another could not be opened is dropped when it is lost, and read anew when it is ours again", async () => {
  const { node, shards, broken, read, beat, own } = make();
  broken.add(1);
  await node.start();
  await beat();
  expect([own(), node.stats.shards]).toEqual([[0], 1]);
  shards[0] = { shard: 0, owner: OTHER, epoch: 2 };
  await beat();
  expect([own(), node.stats.shards]).toEqual([[], 0]);
  shards[0] = { shard: 0, owner: ME, epoch: 3 };
  broken.clear();
  read.length = 0;
  await beat();
  expect([own(), node.stats.shards]).toEqual([[0, 1], 2]);
  expect(read.toSorted()).toEqual([0, 1]);
  node.kill();
});

test("a shard that another owned between two heartbeats is read anew, and the others are left as they are", async () => {
  const { node, shards, read, beat, own } = make();
  await node.start();
  await beat();
  expect(own()).toEqual([0, 1]);
  shards[1] = { shard: 1, owner: ME, epoch: 3 };
  read.length = 0;
  await beat();
  expect([own(), read]).toEqual([[0, 1], [1]]);
  read.length = 0;
  await beat();
  expect(read).toEqual([]);
  node.kill();
});
