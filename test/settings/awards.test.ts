/** AWARDS_BY_TIER: five numbers that do not fall, each within its bounds. */
import { expect, test } from "vitest";
import { readConfig } from "../../src/app/settings/config.ts";

const read = (text: string) => readConfig({ AWARDS_BY_TIER: text }).awardsByTier;

test("unset, an unrated worker may have 3 tasks in progress, and one of the highest tier 1,000", () => {
  expect(readConfig({}).awardsByTier).toEqual([3, 10, 30, 100, 1_000]);
});

test.each([
  ["1,1,1,1,1", [1, 1, 1, 1, 1]],
  ["1, 2, 3, 4, 10000", [1, 2, 3, 4, 10_000]],
  ["10000,10000,10000,10000,10000", [10_000, 10_000, 10_000, 10_000, 10_000]],
])("%s is taken", (text, awards) => {
  expect(read(text)).toEqual(awards);
});

test.each([
  "3,10,30,100",
  "3,10,30,100,1000,1000",
  "0,10,30,100,1000",
  "3,10,9,100,1000",
  "3,2,30,100,1000",
  "3,10,30,100,99",
  "3,10,30,29,1000",
  "3,10,30,100,10001",
  "3,10,30,100,1e3",
  "3,10,30,100,-1",
  "3,10,30,100,1.5",
  "3,10,,100,1000",
  "3",
])("%s is refused with what it must be", (text) => {
  const rule = "five integers from 1 to 10000 separated by commas, none lower than the one before it";
  expect(() => read(text)).toThrow(`AWARDS_BY_TIER ("${text}") must be ${rule}.`);
});
