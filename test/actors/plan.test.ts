/** What a member does about the cluster as it sees it, at each boundary. */
import { describe, expect, test } from "vitest";
import type { ClusterView } from "../../actors/ports/registry.ts";
import { placement } from "../../actors/shards/placement.ts";
import { planFor } from "../../actors/shards/plan.ts";

const LEASE = 5_000;
const SHARDS = 32;
const NONE: ReadonlyMap<number, number> = new Map();
const opened = (...shards: readonly number[]) => new Map(shards.map((shard) => [shard, shard + 100]));
type Member = Partial<ClusterView["members"][number]> & { readonly id: string };

function view(members: readonly Member[], owners: (shard: number) => string | null): ClusterView {
  const known = members.map((one) => ({ weight: 1, ageMs: 0, draining: false, ...one }));
  const shards = Array.from({ length: SHARDS }, (_, shard) => ({ shard, owner: owners(shard), epoch: shard + 100 }));
  return { members: known, shards } as unknown as ClusterView;
}
const shards = (is: (shard: number) => boolean) => Array.from({ length: SHARDS }, (_, shard) => shard).filter(is);
const A = { id: "a" };
const B = { id: "b" };

describe("a member whose heartbeat is late", () => {
  const plan = (ageMs: number, me = "a") =>
    planFor(
      view([A, { ...B, ageMs }], () => "b"),
      me,
      NONE,
      LEASE,
    );

  test("is there until its lease is over, and dead a millisecond later: then its shards are shared", () => {
    expect(plan(LEASE)).toMatchObject({ evict: [], acquire: [] });
    expect(plan(LEASE + 1)).toMatchObject({ evict: ["b"], acquire: shards(() => true) });
  });

  test("does not declare itself dead", () => {
    expect(plan(LEASE + 1, "b").evict).toEqual([]);
  });

  test("is given nothing once it is dead", () => {
    const seen = view([A, { ...B, ageMs: LEASE + 1 }], () => "a");
    expect(planFor(seen, "a", NONE, LEASE).handOver).toEqual([]);
  });
});

test("shards of nobody, and of somebody who is not there, are taken by whom they belong to", () => {
  const members = [A, B];
  const candidates = members.map((one) => ({ ...one, weight: 1 }));
  for (const owner of [null, "gone"]) {
    const plan = planFor(
      view(members, () => owner),
      "a",
      NONE,
      LEASE,
    );
    expect(plan.acquire).toEqual(shards((shard) => placement(candidates)(shard) === "a"));
    expect([plan.open, plan.handOver, plan.evict]).toEqual([[], [], []]);
  }
});

test("shards of ours are opened when they are not open, dropped when they are not ours, and given to whom they belong to", () => {
  const candidates = [A, B].map((one) => ({ ...one, weight: 1 }));
  const plan = planFor(
    view([A, B], (shard) => (shard < 4 ? "a" : "b")),
    "a",
    opened(2, 3, 9),
    LEASE,
  );
  expect([plan.open, plan.drop, plan.acquire]).toEqual([[0, 1], [9], []]);
  const theirs = shards((shard) => shard < 4 && placement(candidates)(shard) === "b");
  expect(plan.handOver).toEqual(theirs.map((shard) => ({ shard, epoch: shard + 100, to: "b" })));
});

test("a shard that had another owner since it was opened is dropped and opened anew: what is known of it here is outdated", () => {
  const open = new Map([...opened(0, 1, 2), [1, 100]]);
  const plan = planFor(
    view([A], (shard) => (shard < 3 ? "a" : "z")),
    "a",
    open,
    LEASE,
  );
  expect([plan.open, plan.drop]).toEqual([[1], [1]]);
});

test("a member that drains gives everything away and takes nothing; alone it keeps what it has", () => {
  const draining = { ...A, draining: true };
  const given = planFor(
    view([draining, B], () => "a"),
    "a",
    NONE,
    LEASE,
  );
  expect(given.handOver).toHaveLength(SHARDS);
  expect(
    planFor(
      view([draining, B], () => null),
      "a",
      NONE,
      LEASE,
    ).acquire,
  ).toEqual([]);
  expect(
    planFor(
      view([draining], () => "a"),
      "a",
      NONE,
      LEASE,
    ).handOver,
  ).toEqual([]);
  expect(
    planFor(
      view([draining, B], () => "b"),
      "b",
      NONE,
      LEASE,
    ).handOver,
  ).toEqual([]);
});
