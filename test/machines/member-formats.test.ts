/** What a cluster of different versions writes: only what each of its members reads. */
import { expect, test } from "vitest";
import { agreedFormats, BASE_FORMATS, FORMATS, type Formats, reads } from "../../machines/formats.ts";

const formats = (task: number, account: number, batch: number): Formats => ({ task, account, batch });

test.each<[string, readonly (Formats | null)[], Formats]>([
  ["nobody agrees on the base", [], BASE_FORMATS],
  ["one agrees with itself", [formats(2, 3, 4)], formats(2, 3, 4)],
  ["two agree on the lower number of each entity", [formats(2, 4, 3), formats(3, 2, 4)], formats(2, 2, 3)],
  ["one that publishes none holds the others at the base", [formats(2, 3, 4), null], BASE_FORMATS],
])("%s", (_about, published, agreed) => {
  expect(agreedFormats(published)).toEqual(agreed);
  expect(agreedFormats([...published].reverse())).toEqual(agreed);
});

test("a member reads what is as new as itself or older, of every entity", () => {
  const needed = formats(2, 2, 2);
  for (const enough of [formats(2, 2, 2), formats(3, 2, 2), formats(2, 3, 2), formats(2, 2, 3)]) {
    expect(reads(enough, needed)).toBe(true);
  }
  for (const behind of [formats(1, 2, 2), formats(2, 1, 2), formats(2, 2, 1), formats(1, 3, 3)]) {
    expect(reads(behind, needed)).toBe(false);
  }
  expect([reads(null, BASE_FORMATS), reads(null, needed), reads(FORMATS, BASE_FORMATS)]).toEqual([true, false, true]);
});
