import { describe, expect, test } from "vitest";
import type { ClusterView } from "../../actors/ports/registry.ts";
import { placement } from "../../actors/shards/placement.ts";
import { planFor } from "../../actors/shards/plan.ts";
import { FORMATS } from "../../machines/formats.ts";
import { id } from "../support/world.ts";

const SHARDS = Array.from({ length: 1_024 }, (_, shard) => shard);
const member = (n: number, weight = 1) => ({ id: id(n), weight });
const owners = (members: readonly { id: string; weight: number }[]) => SHARDS.map(placement(members));

describe("placement", () => {
  test("is the same whatever the order of the members", () => {
    const members = [member(1), member(2), member(3)];
    expect(owners(members.toReversed())).toEqual(owners(members));
  });

  test("is the same in every version: members of two versions must agree", () => {
    const members = [
      { id: "one", weight: 1 },
      { id: "two", weight: 1 },
      { id: "three", weight: 2 },
    ];
    const first = SHARDS.slice(0, 16).map(placement(members)).join(" ");
    expect(first).toBe("three three two three two one one one three one three one three three one one");
  });

  test("gives each its share, by weight", () => {
    const placed = owners([member(1), member(2), member(3, 2)]);
    const share = (n: number) => placed.filter((owner) => owner === id(n)).length / SHARDS.length;
    expect(share(1)).toBeGreaterThan(0.2);
    expect(share(1)).toBeLessThan(0.3);
    expect(share(3)).toBeGreaterThan(0.45);
    expect(share(3)).toBeLessThan(0.55);
  });

  test("moves nothing but the share of who joins or leaves", () => {
    const before = owners([member(1), member(2), member(3)]);
    const after = owners([member(1), member(2), member(3), member(4)]);
    const moved = SHARDS.filter((shard) => before[shard] !== after[shard]);
    expect(moved.every((shard) => after[shard] === id(4))).toBe(true);
    expect(moved.length / SHARDS.length).toBeGreaterThan(0.2);
    expect(moved.length / SHARDS.length).toBeLessThan(0.3);
  });

  test("moves nothing but its own shards when a weight changes", () => {
    const before = owners([member(1), member(2), member(3)]);
    const after = owners([member(1), member(2), member(3, 3)]);
    expect(SHARDS.every((shard) => before[shard] === after[shard] || after[shard] === id(3))).toBe(true);
  });

  test("has nobody where there is nobody", () => {
    expect(placement([])(1)).toBeUndefined();
  });
});

describe("the plan of a member", () => {
  const LEASE_MS = 5_000;
  const seen = (n: number, changes: object = {}) => ({
    id: id(n),
    node: `n${n}`,
    weight: 1,
    draining: false,
    ageMs: 100,
    formats: FORMATS,
    ...changes,
  });
  const view = (members: ClusterView["members"], owner: (shard: number) => string | null): ClusterView => ({
    members,
    shards: SHARDS.slice(0, 128).map((shard) => ({ shard, owner: owner(shard), epoch: 3 })),
    formats: FORMATS,
  });
  const opened = (shards: readonly number[]) => new Map(shards.map((shard) => [shard, 3]));
  const two = [seen(1), seen(2)];
  const mine = (members: readonly { id: string; weight: number }[], me: number) =>
    SHARDS.slice(0, 128).filter((shard) => placement(members)(shard) === id(me));

  test("acquires of what nobody owns just its own share", () => {
    expect(
      planFor(
        view(two, () => null),
        id(1),
        opened([]),
        LEASE_MS,
      ),
    ).toEqual({
      evict: [],
      open: [],
      drop: [],
      acquire: mine(two, 1),
      handOver: [],
    });
  });

  test("opens what is its own, and lets go of what is somebody else's", () => {
    const plan = planFor(
      view(two, (shard) => placement(two)(shard) ?? null),
      id(1),
      opened([mine(two, 2)[0] ?? -1]),
      LEASE_MS,
    );
    expect(plan).toMatchObject({ open: mine(two, 1), drop: [mine(two, 2)[0]], acquire: [], handOver: [] });
  });

  test("gives who joins its share, and nothing else moves", () => {
    const open = opened(SHARDS.slice(0, 128));
    const { handOver } = planFor(
      view(two, () => id(1)),
      id(1),
      open,
      LEASE_MS,
    );
    expect(handOver).toEqual(mine(two, 2).map((shard) => ({ shard, epoch: 3, to: id(2) })));
  });

  test("gives everything away while it drains, and takes nothing", () => {
    const members = [seen(1, { draining: true }), seen(2)];
    const plan = planFor(
      view(members, (shard) => (shard < 64 ? id(1) : null)),
      id(1),
      opened(SHARDS.slice(0, 64)),
      LEASE_MS,
    );
    expect(plan.handOver).toHaveLength(64);
    expect(plan.acquire).toEqual([]);
  });

  test("keeps what it has while nobody can take it", () => {
    const members = [seen(1, { draining: true }), seen(2, { draining: true })];
    expect(
      planFor(
        view(members, () => id(1)),
        id(1),
        opened(SHARDS.slice(0, 128)),
        LEASE_MS,
      ).handOver,
    ).toEqual([]);
  });

  test("evicts who has been silent for longer than a lease, and takes its share of what that one had", () => {
    const members = [seen(1), seen(2), seen(3, { ageMs: LEASE_MS + 1 })];
    const plan = planFor(
      view(members, () => id(3)),
      id(1),
      opened([]),
      LEASE_MS,
    );
    expect(plan).toMatchObject({ evict: [id(3)], acquire: mine(two, 1) });
    const alive = planFor(
      view([seen(1), seen(2), seen(3, { ageMs: LEASE_MS })], () => id(3)),
      id(1),
      opened([]),
      LEASE_MS,
    );
    expect(alive).toMatchObject({ evict: [], acquire: [] });
  });
});
