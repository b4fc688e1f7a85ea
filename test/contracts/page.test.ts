/** A page ends with its entries or its bytes, and little more is read than is sent. */
import { expect, test } from "vitest";
import { PAGE_BYTES, readPage } from "../../src/adapters/postgres/page.ts";

/** A list of rows of these sizes (bytes), and how many of them were read. */
function list(sizes: readonly number[]) {
  const asked = { rows: 0, times: 0 };
  const read = async (after: number | null, count: number) => {
    const from = after === null ? 0 : after + 1;
    const rows = sizes.slice(from, from + count).map((bytes, n) => ({ index: from + n, bytes }));
    asked.rows += rows.length;
    asked.times += 1;
    return rows;
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
  expect([found.rows.length, found.more]).toEqual([length, more]);
});

test("page after page, every row comes once and in order, whatever their sizes", async () => {
  const sizes = Array.from({ length: 700 }, (_, n) => ((n * 7_919) % 13) ** 3 * 100);
  const { page } = list(sizes);
  const indexes: number[] = [];
  for (let after: number | null = null, more = true; more; ) {
    const found = await page(200, after);
    expect(found.rows.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(MB);
    indexes.push(...found.rows.map(({ index }) => index));
    after = indexes.at(-1) ?? null;
    more = found.more;
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
