/** How debt is dated; D1 to D5 are those of machines/market/debt.ts. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  BUCKETS_MAX,
  DEBT_DAY_MS,
  type Debt,
  drawn,
  NO_DEBT,
  oldestIn,
  owedIn,
  paid,
  undone,
} from "../../machines/market/debt.ts";

const DAY = DEBT_DAY_MS;
const HOUR = 3_600_000;
const AT = 1_000 * DAY;
const dates = ({ buckets }: Debt) => buckets.map(({ since, amount }) => [since - AT, amount]);
/** 100 NC of each of these days, the oldest first. */
const owing = (...days: readonly number[]) => days.reduce((debt, day) => drawn(debt, 100, AT + day * DAY), NO_DEBT);

describe("a bucket", () => {
  test("takes what is drawn within 24 h of its date, and at exactly 24 h there is another", () => {
    const first = owing(0);
    expect(dates(drawn(first, 5, AT + DAY - 1))).toEqual([[0, 105]]);
    expect(dates(drawn(first, 5, AT + DAY))).toEqual([
      [0, 100],
      [DAY, 5],
    ]);
  });

  test("is one of eight at most: what is drawn beyond joins the youngest (D1, D5)", () => {
    const eight = owing(0, 1, 2, 3, 4, 5, 6, 7);
    expect(eight.buckets.length).toBe(BUCKETS_MAX);
    const more = drawn(eight, 5, AT + 9 * DAY);
    expect([more.buckets.length, dates(more).at(-1), owedIn(more)]).toEqual([BUCKETS_MAX, [7 * DAY, 105], 805]);
  });

  test("is made again for a date that was repaid; of nine the two youngest are one, as old as the older", () => {
    const eight = paid(owing(0, 1, 2, 3, 4, 5, 6, 7), 100, AT + 9 * DAY);
    const full = {
      ...drawn(eight, 0, AT),
      buckets: [...eight.buckets, { since: AT + 8 * DAY, last: AT + 8 * DAY, amount: 100 }],
    };
    const again = drawn(full, 10, AT + 9 * DAY + 1);
    expect([again.buckets.length, oldestIn(again), owedIn(again)]).toEqual([BUCKETS_MAX, AT, 810]);
    expect(dates(again).at(-1)?.[0]).toBe(7 * DAY);
    expect(again.buckets.at(-1)?.last).toBe(AT + 9 * DAY + 1);
  });
});

describe("a payment", () => {
  test("pays the oldest first (D2)", () => {
    const after = paid(owing(0, 2, 4), 150, AT + 6 * DAY);
    expect(dates(after)).toEqual([
      [2 * DAY, 50],
      [4 * DAY, 100],
    ]);
  });

  test("of all of it leaves no date; of more is a mistake", () => {
    expect(oldestIn(paid(owing(0, 2), 200, AT + 3 * DAY))).toBeNull();
    expect(() => paid(owing(0), 101, AT)).toThrow("more than the debt");
  });

  test("and what is drawn less than 24 h after it are one: it has the date that was repaid, up to what was repaid (D3)", () => {
    const after = paid(owing(0), 40, AT + 5 * DAY);
    expect(dates(drawn(after, 50, AT + 6 * DAY - 1))).toEqual([
      [0, 100],
      [6 * DAY - 1, 10],
    ]);
    expect(dates(drawn(after, 50, AT + 6 * DAY))).toEqual([
      [0, 60],
      [6 * DAY, 50],
    ]);
  });

  test("with what was drawn less than 24 h before it rejuvenates nothing either, and with what is older it does (D3)", () => {
    const borrowed = drawn(owing(0), 90, AT + 5 * DAY);
    expect(dates(paid(borrowed, 90, AT + 6 * DAY - 1))).toEqual([[0, 100]]);
    expect(dates(paid(borrowed, 90, AT + 6 * DAY))).toEqual([
      [0, 10],
      [5 * DAY, 90],
    ]);
  });
});

describe("what was repaid", () => {
  const later = AT + 6 * DAY;
  const repaid = (debt: Debt) => debt.repaid.map(({ since, at, amount }) => [since - AT, at - later, amount]);

  test("of one date within an hour is kept as one, with the later time; at exactly an hour there are two", () => {
    const once = paid(owing(0, 2), 10, later);
    expect(repaid(paid(once, 5, later + HOUR - 1))).toEqual([[0, HOUR - 1, 15]]);
    expect(repaid(paid(once, 5, later + HOUR))).toEqual([
      [0, 0, 10],
      [0, HOUR, 5],
    ]);
  });

  test("of several dates is kept by date, the youngest first, and nothing of a date that nothing was paid of", () => {
    const two = paid(owing(0, 2), 130, later);
    expect(repaid(two)).toEqual([
      [2 * DAY, 0, 30],
      [0, 0, 100],
    ]);
    expect(repaid(paid(two, 10, later + 1))).toEqual([
      [2 * DAY, 1, 40],
      [0, 0, 100],
    ]);
    expect(repaid(paid(owing(0, 2), 100, later))).toEqual([[0, 0, 100]]);
  });

  test("of a date gives that date to what is drawn after it, not to what has it anyway", () => {
    const debt = paid(drawn(NO_DEBT, 100, AT + 5 * DAY), 10, AT + 5 * DAY + 1);
    expect(dates(drawn(debt, 50, AT + 6 * DAY))).toEqual([
      [5 * DAY, 100],
      [6 * DAY, 40],
    ]);
  });
});

describe("a draw that is undone", () => {
  test("is in the bucket of its day: of exactly a day later it is in none, nor what joined the youngest of eight", () => {
    expect(dates(undone(owing(0, 2), 30, AT + 3 * DAY, AT + 6 * DAY))[0]).toEqual([0, 70]);
    expect(dates(undone(owing(0, 2), 30, AT + 3 * DAY - 1, AT + 6 * DAY))[0]).toEqual([0, 100]);
    const eight = drawn(owing(0, 1, 2, 3, 4, 5, 6, 7), 5, AT + 9 * DAY);
    expect(dates(undone(eight, 5, AT + 9 * DAY, AT + 11 * DAY))[0]).toEqual([0, 95]);
  });

  test("leaves its own bucket, whatever else is owed, and no date to take (D4)", () => {
    const debt = owing(0, 2, 4);
    const after = undone(debt, 60, AT + 2 * DAY, AT + 6 * DAY);
    expect(dates(after)).toEqual([
      [0, 100],
      [2 * DAY, 40],
      [4 * DAY, 100],
    ]);
    expect(dates(drawn(after, 60, AT + 6 * DAY)).at(-1)).toEqual([6 * DAY, 60]);
  });

  test("pays the oldest with what its bucket has no more", () => {
    expect(dates(undone(owing(0, 2), 130, AT + 2 * DAY, AT + 6 * DAY))).toEqual([[0, 70]]);
    expect(dates(undone(owing(0, 2), 30, AT + DAY, AT + 6 * DAY))).toEqual([
      [0, 70],
      [2 * DAY, 100],
    ]);
  });

  test("does not free the dates that a repayment left: cancelling makes no debt young (D3)", () => {
    const repaid = paid(owing(0), 100, AT + 5 * DAY);
    const two = drawn(drawn(repaid, 100, AT + 5 * DAY + 1), 50, AT + 5 * DAY + 2);
    expect(dates(undone(two, 100, AT + 5 * DAY + 1, AT + 5 * DAY + 3))).toEqual([[0, 50]]);
  });
});

interface Step {
  readonly kind: "draw" | "pay" | "undo";
  readonly amount: number;
  readonly ms: number;
}
const step = (msMax: number) =>
  fc.record({
    kind: fc.constantFrom("draw", "pay", "undo"),
    amount: fc.integer({ min: 1, max: 60 }),
    ms: fc.integer({ min: 0, max: msMax }),
  });

/** What the steps lead to, from `debt` at `from` on; draws that are undone are those of these steps. */
function through(debt: Debt, steps: readonly Step[], from: number, seen: (debt: Debt, at: number) => void = () => {}): Debt {
  let [now, at, owed] = [debt, from, owedIn(debt)];
  const open: { amount: number; at: number }[] = [];
  for (const { kind, amount, ms } of steps) {
    at += ms;
    if (kind === "draw") {
      now = drawn(now, amount, at);
      owed += amount;
      open.push({ amount, at });
    } else {
      const draw = kind === "undo" ? open.shift() : undefined;
      const back = Math.min(owed, draw?.amount ?? (kind === "undo" ? 0 : amount));
      now = draw === undefined ? paid(now, back, at) : undone(now, back, draw.at, at);
      owed -= back;
    }
    expect(owedIn(now)).toBe(owed);
    seen(now, at);
  }
  return now;
}

describe("whatever is drawn, paid and undone,", () => {
  test("the buckets are the debt, in order, eight at most, and none without an amount (D1)", () => {
    fc.assert(
      fc.property(fc.array(step(30 * HOUR), { maxLength: 60 }), (steps) => {
        through(NO_DEBT, steps, AT, ({ buckets, repaid }, at) => {
          expect(buckets.length).toBeLessThanOrEqual(BUCKETS_MAX);
          expect(buckets.map(({ since }) => since)).toEqual(
            [...new Set(buckets.map(({ since }) => since))].sort((a, b) => a - b),
          );
          for (const { since, last, amount } of buckets) expect(amount > 0 && since <= last && last <= at).toBe(true);
          for (const { amount, at: when } of repaid) expect(amount > 0 && when <= at).toBe(true);
        });
      }),
    );
  });

  test("within a day only the difference counts: in any order, with any detours (D2, D3, D4)", () => {
    const old = owing(0, 1, 3);
    const start = AT + 5 * DAY;
    fc.assert(
      fc.property(fc.array(step(HOUR), { maxLength: 22 }), (steps) => {
        const end = through(old, steps, start);
        const more = owedIn(end) - owedIn(old);
        const straight = more >= 0 ? old : paid(old, -more, start);
        expect(dates({ ...end, buckets: end.buckets.filter(({ since }) => since < start) })).toEqual(dates(straight));
        expect(owedIn({ buckets: end.buckets.filter(({ since }) => since >= start) })).toBe(Math.max(0, more));
      }),
      { numRuns: 500 },
    );
  });

  test("no debt is younger than the least that was owed since: an account that stays in debt is not dated after it began", () => {
    fc.assert(
      fc.property(fc.array(step(12 * HOUR), { maxLength: 80 }), (steps) => {
        // Money that was there before all is paid at the most: a debt of 1,000 NC, of which 60 in a step are paid back, and borrowed.
        let least = 1_000;
        const debt = drawn(NO_DEBT, 1_000, AT);
        const borrowed = steps
          .filter(({ kind }) => kind !== "undo")
          .map((one, n) => ({
            ...one,
            kind: n % 2 === 0 ? ("draw" as const) : ("pay" as const),
            ms: Math.min(one.ms, 11 * HOUR),
            amount: 60,
          }));
        through(debt, borrowed, AT + 2 * DAY, (now) => {
          least = Math.min(least, owedIn(now));
          expect(oldestIn(now)).toBe(AT);
          expect(now.buckets[0]?.amount).toBe(least);
        });
      }),
    );
  });
});
