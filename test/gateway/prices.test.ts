/** Whom a new task asks: those who are there, whose price and tier will do, the best first. */
import { beforeEach, expect, test } from "vitest";
import { Presence } from "../../gateway/live/presence.ts";
import { PostedPrices } from "../../gateway/live/prices.ts";
import type { PostedPrice, ReadModel } from "../../gateway/ports/read-model.ts";
import { explores } from "../../machines/market/auction.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { ManualClock } from "../support/clock.ts";
import { id, order, person } from "../support/world.ts";

const TYPE = order().taskType;
const REQUESTER = person(1);
const TASK = [...Array(100).keys()].map((n) => taskId(id(7_919 * n))).find((one) => !explores(one)) ?? taskId(id(0));

let clock: ManualClock;
let presence: Presence;
let stored: PostedPrice[];
let reads: number;
let fails: boolean;
let prices: PostedPrices;
beforeEach(() => {
  clock = new ManualClock();
  presence = new Presence({ send: () => {} }, [TYPE]);
  [stored, reads, fails] = [[], 0, false];
  const postedPrices = async () => {
    reads += 1;
    if (fails) throw new Error("away");
    return stored;
  };
  let ids = 500;
  const next = () => {
    ids += 1;
    return id(ids);
  };
  prices = new PostedPrices({ postedPrices } as unknown as ReadModel, presence, clock, { next });
});

function worker(n: number, price: number, tier = 1, quality = 0.5): void {
  stored.push({ account: person(n), price: credits(price), tier, quality });
  presence.note(person(n), TYPE, clock.now());
}
const asked = async (changes: object = {}) =>
  (await prices.offers(TASK, REQUESTER, order({ budget: credits(10), minSkill: 2, ...changes }))).map((offer) => offer.worker);

test("those whose price is at most the budget and whose tier is at least the one that is asked for", async () => {
  worker(2, 10, 2);
  worker(3, 11, 5);
  worker(4, 1, 1);
  worker(5, 9, 3);
  expect((await asked()).toSorted()).toEqual([person(2), person(5)]);
});

test("not the requester, and nobody who is not there", async () => {
  worker(1, 1, 5);
  worker(2, 5, 5);
  stored.push({ account: person(3), price: credits(1), tier: 5, quality: 1 });
  expect(await asked()).toEqual([person(2)]);
});

test("in the order of what the requester prefers, eight at most, each under an id of its own", async () => {
  for (let n = 0; n < 12; n += 1) worker(20 + n, 10 - (n % 10), 5, n / 12);
  const all = await asked({ quality: "best" });
  expect(all).toEqual([31, 30, 29, 28, 27, 26, 25, 24].map(person));
  expect((await asked({ quality: "cheapest" }))[0]).toBe(person(29));
  const offers = await prices.offers(TASK, REQUESTER, order({ budget: credits(10) }));
  expect(new Set(offers.map(({ bid }) => bid)).size).toBe(8);
});

test("nothing is read while nobody is there, once for many tasks of a moment, and again after a read that failed", async () => {
  expect([await asked(), reads]).toEqual([[], 0]);
  worker(2, 5, 5);
  fails = true;
  await expect(asked()).rejects.toThrow("away");
  fails = false;
  expect(await asked()).toEqual([person(2)]);
  await asked();
  expect(reads).toBe(2);
});
