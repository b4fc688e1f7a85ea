/** The going price: the median of what requesters paid, each counted once, of settlements between different identities. */
import { describe, expect, test } from "vitest";
import { GOING_MS, goingPrice, SETTLEMENTS_MAX, type Settlement } from "../../machines/market/going-price.ts";

/** Requesters that it takes for a going price. */
const FEW = 20;

const settled = (requester: number, share: number, changes: Partial<Settlement> = {}): Settlement => ({
  requester: `r${requester}`,
  worker: `w${requester}`,
  share,
  at: 1_000,
  ...changes,
});
const crowd = (count: number, share: (n: number) => number) => Array.from({ length: count }, (_, n) => settled(n, share(n)));

describe("the going price", () => {
  test("is none below twenty requesters, and the median from then on", () => {
    expect(goingPrice([])).toBeNull();
    expect(goingPrice(crowd(FEW - 1, () => 0.5))).toBeNull();
    expect(goingPrice(crowd(FEW, () => 0.5))).toBe(0.5);
  });

  test("is the middle one of an odd number, and the mean of the two in the middle of an even one, in whatever order", () => {
    expect(goingPrice(crowd(21, (n) => (n + 1) / 100))).toBeCloseTo(0.11);
    expect(goingPrice(crowd(20, (n) => (n + 1) / 100))).toBeCloseTo(0.105);
    expect(goingPrice(crowd(21, (n) => (21 - n) / 100))).toBeCloseTo(0.11);
  });

  test("counts each requester once, by the median of its own", () => {
    const loud = Array.from({ length: 500 }, (_, n) => settled(0, 1, { worker: `other ${n}` }));
    expect(goingPrice([...crowd(FEW, () => 0.5), ...loud])).toBe(0.5);
    // Its three are 0.1, 0.9 and 1.
    const three = [0.1, 0.9, 1].map((share, n) => settled(0, share, { worker: `w ${n}` }));
    const others = [...crowd(FEW, () => 0.2).slice(1, 10), ...crowd(FEW, () => 0.95).slice(10)];
    expect(goingPrice([...three, ...others])).toBeCloseTo((0.9 + 0.95) / 2);
  });

  test("counts the latest three of a pair, and none within one identity", () => {
    const pair = [1, 1, 1, 0.1].map((share, n) => settled(0, share, { worker: "w", at: 1_000 - n }));
    const low = crowd(FEW, () => 0.1).slice(1, 11);
    const high = crowd(FEW, () => 0.9).slice(11);
    // Ten are 0.1, nine are 0.9, and the pair's latest three say 1.
    expect(goingPrice([...pair, ...low, ...high])).toBeCloseTo(0.5);
    expect(goingPrice([...pair.toReversed(), ...low, ...high])).toBeCloseTo(0.5);
    const alone = crowd(FEW, () => 0.5).map((one, n) => (n === 0 ? { ...one, worker: one.requester } : one));
    expect(goingPrice(alone)).toBeNull();
  });

  test("looks back seven days, and at no more than 5,000 settlements", () => {
    expect([GOING_MS, SETTLEMENTS_MAX]).toEqual([604_800_000, 5_000]);
  });

  test("counts the third of a pair, and no fourth", () => {
    const pair = (shares: readonly number[]) =>
      Array.from({ length: FEW }, (_, n) => shares.map((share, age) => settled(n, share, { at: 1_000 - age }))).flat();
    expect(goingPrice(pair([0.1, 0.3]))).toBeCloseTo(0.2);
    expect(goingPrice(pair([0.1, 0.3, 0.9]))).toBe(0.3);
    expect(goingPrice(pair([0.1, 0.3, 0.9, 0.9]))).toBe(0.3);
  });
});
