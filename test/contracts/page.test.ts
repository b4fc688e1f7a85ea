/** A page ends with its entries or its bytes, and little more is read than is sent. */
import { describe, expect, test } from "vitest";
import { joinFound, PAGE_BYTES, readPage } from "../../src/adapters/postgres/page.ts";

/** A list of rows of these sizes (bytes), and how many of them were read. */
function list(sizes: readonly number[]) {
  const asked = { rows: 0, times: 0 };
  const read = async (after: number | null, count: number) => {
    const from = after === null ? 0 : after + 1;
    const rows = sizes.slice(from, from + count).map((bytes, n) => ({ index: from + n, bytes }));
    asked.rows += rows.length;
    asked.times += 1;
    return { rows, stopped: null };
  };
  const page = (limit: number, after: number | null = null) =>
    readPage<{ index: number; bytes: number }, number>({
      limit,
      after,
      read,
      positionOf: ({ index }) => index,
      bytesOf: ({ bytes }) => bytes,
    });
  return { page, asked };
}

const alike = (count: number, bytes: number) => Array.from({ length: count }, () => bytes);
const MB = PAGE_BYTES;

test.each([
  ["nothing", [], 5, 0, false],
  ["fewer than the limit", alike(4, 10), 5, 4, false],
  ["exactly the limit", alike(5, 10), 5, 5, false],
  ["one more than the limit", alike(6, 10), 5, 5, true],
  ["exactly the bytes", alike(4, MB / 4), 50, 4, false],
  ["one more than the bytes", alike(5, MB / 4), 50, 4, true],
  ["a byte too many", [...alike(3, MB / 4), MB / 4 + 1], 50, 3, true],
  ["a first one that is too large by itself", [2 * MB, 10], 50, 1, true],
  ["only one that is too large", [2 * MB], 50, 1, false],
  ["a limit of one", alike(3, 10), 1, 1, true],
] as const)("of %s", async (_about, sizes, limit, length, more) => {
  const { page } = list(sizes);
  const found = await page(limit);
  expect([found.rows.length, found.next !== null]).toEqual([length, more]);
});

test("page after page, every row comes once and in order, whatever their sizes", async () => {
  const sizes = Array.from({ length: 700 }, (_, n) => ((n * 7_919) % 13) ** 3 * 100);
  const { page } = list(sizes);
  const indexes: number[] = [];
  for (let after: number | null = null, ended = false; !ended; ) {
    const found = await page(200, after);
    expect(found.rows.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(MB);
    indexes.push(...found.rows.map(({ index }) => index));
    after = found.next;
    ended = found.next === null;
  }
  expect(indexes).toEqual(sizes.map((_, n) => n));
});

test("small rows are read in two goes, large ones a few at a time", async () => {
  const small = list(alike(1_000, 500));
  await small.page(200);
  expect(small.asked).toEqual({ rows: 201, times: 2 });
  const large = list(alike(1_000, 120_000));
  expect((await large.page(200)).rows).toHaveLength(8);
  expect(large.asked).toEqual({ rows: 16, times: 1 });
});

describe("a list of which a read looks at a bounded number of rows", () => {
  const LOOKED = 10;
  /** Numbers, of which those fit that can be divided by `every`. */
  const sparse = (length: number, every: number) => (limit: number, after: number | null) =>
    readPage<number, number>({
      limit,
      after,
      read: async (from, count) => {
        const start = from === null ? 0 : from + 1;
        const looked = Array.from({ length: Math.min(LOOKED, length - start) }, (_, n) => start + n);
        const rows = looked.filter((n) => n % every === every - 1).slice(0, count);
        const all = looked.length === LOOKED;
        return { rows, stopped: rows.length < count && all ? (looked.at(-1) ?? null) : null };
      },
      positionOf: (n) => n,
      bytesOf: () => 1,
    });

  test.each([
    ["where none fits", 25, 1_000, [[], [], []]],
    ["where the last that is looked at is the only one that fits", 20, 10, [[9], [19], []]],
    ["where the end is where the look ends", 10, 3, [[2, 5, 8], []]],
    ["where all fit", 7, 1, [[0, 1, 2], [3, 4, 5], [6]]],
  ] as const)("%s: pages go on to the end, each row once", async (_what, length, every, pages) => {
    const read = sparse(length, every);
    const found = [];
    for (let after: number | null = null, ended = false; !ended; ) {
      const page = await read(3, after);
      found.push(page.rows);
      after = page.next;
      ended = page.next === null;
    }
    expect(found).toEqual(pages);
  });
});

test.each([
  [
    "of two that found enough, the first ones",
    [
      { rows: [1, 4], stopped: null },
      { rows: [2, 3], stopped: null },
    ],
    3,
    [1, 2, 3],
    null,
  ],
  [
    "of one that stopped, nothing beyond is taken from the others",
    [
      { rows: [1, 7], stopped: null },
      { rows: [2], stopped: 5 },
    ],
    3,
    [1, 2],
    5,
  ],
  [
    "a row exactly where one stopped is taken",
    [
      { rows: [5], stopped: null },
      { rows: [], stopped: 5 },
    ],
    3,
    [5],
    5,
  ],
  [
    "of two that stopped, the earlier one counts",
    [
      { rows: [1], stopped: 9 },
      { rows: [2], stopped: 4 },
    ],
    3,
    [1, 2],
    4,
  ],
  [
    "of one that stopped behind enough rows, nothing is said",
    [
      { rows: [1, 2, 3], stopped: null },
      { rows: [], stopped: 3 },
    ],
    3,
    [1, 2, 3],
    null,
  ],
  [
    "of none that stopped, the end",
    [
      { rows: [1], stopped: null },
      { rows: [], stopped: null },
    ],
    3,
    [1],
    null,
  ],
] as const)("what several databases found is one list: %s", (_what, found, count, rows, stopped) => {
  const joined = joinFound<number, number>(
    found,
    count,
    (n) => n,
    (a, b) => a - b,
  );
  expect(joined).toEqual({ rows, stopped });
});
