/** Which batches of an account may open items: the rate limit to the millisecond, and how what is left is divided. */
import { describe, expect, test } from "vitest";
import type { AccountFact } from "../../machines/account/events.ts";
import { account } from "../../machines/account/index.ts";
import type { AccountContext } from "../../machines/account/state.ts";
import {
  callDue,
  callsAt,
  isCallChanged,
  nextCall,
  paceAllows,
  waitsFor,
  withOpened,
  withWaiting,
} from "../../machines/account/turns.ts";
import type { WaitingBatch } from "../../machines/account/waiting.ts";
import { credits } from "../../machines/vocabulary.ts";
import { id, person } from "../support/world.ts";

const ME = person(1);
const AT = 1_800_000_000_000;
const MINUTE_MS = 60_000;
const registered: AccountFact = {
  ...{ type: "Registered", account: ME, email: "a@b.example", source: null, keyHash: "k", grant: credits(100), at: AT },
};
/** An account that has 100 NC and may owe nothing. */
const CONTEXT = account.evolve(account.initial(ME), registered).state.context;
const having = (changes: Partial<AccountContext>): AccountContext => ({ ...CONTEXT, ...changes });
const batch = (n: number, changes: Partial<WaitingBatch> = {}): WaitingBatch => ({
  ...{ batch: id(n), want: 10, budget: credits(1), perMinute: 0, reason: null },
  ...changes,
});
const calls = (context: Partial<AccountContext>) => callsAt(having(context), null, AT).map(({ batch: of, count }) => [of, count]);

describe("an item that opens is counted", () => {
  test("at its moment up to 600 a minute, above that at the end of its quarter of a second", () => {
    expect(withOpened([], 600, AT + 1)).toEqual([{ at: AT + 1, count: 1 }]);
    expect(withOpened([], 601, AT + 1)).toEqual([{ at: AT + 250, count: 1 }]);
    expect(withOpened([], 601, AT)).toEqual([{ at: AT, count: 1 }]);
  });

  test("with those of its moment, and beside those of others", () => {
    const before = [
      { at: AT, count: 3 },
      { at: AT + 5, count: 1 },
    ];
    expect(withOpened(before, 60, AT + 5)).toEqual([
      { at: AT, count: 3 },
      { at: AT + 5, count: 2 },
    ]);
    expect(withOpened(before, 60, AT + 6)).toEqual([...before, { at: AT + 6, count: 1 }]);
  });

  test("for a minute, and kept for one more", () => {
    const one = { at: AT, count: 1 };
    expect(withOpened([one], 60, AT + 2 * MINUTE_MS - 1)).toContainEqual(one);
    expect(withOpened([one], 60, AT + 2 * MINUTE_MS)).not.toContainEqual(one);
    expect(paceAllows([one], 1, AT + MINUTE_MS - 1)).toBe(AT + MINUTE_MS);
    expect(paceAllows([{ at: AT + MINUTE_MS, count: 1 }], 1, AT)).toBe(AT);
    expect(paceAllows([{ at: AT + MINUTE_MS - 1, count: 1 }], 1, AT)).toBe(AT + 2 * MINUTE_MS - 1);
  });
});

describe("an item waits", () => {
  const needs = (budget: number, perMinute = 0) => ({ budget: credits(budget), perMinute });
  test.each([
    ["for nothing, if the credits are just enough", having({}), null, needs(100), null],
    ["for credits, if one is missing", having({}), null, needs(101), "credits"],
    ["for the end of a suspension first", having({}), "suspended", needs(101), "suspension"],
    ["for the pace", having({ opened: [{ at: AT, count: 2 }] }), null, needs(1, 2), "pace"],
    ["for nothing, if the pace leaves one", having({ opened: [{ at: AT, count: 1 }] }), null, needs(1, 2), null],
  ] as const)("%s", (_what, context, restriction, one, reason) => {
    expect(waitsFor(context, restriction, one, AT)).toBe(reason);
  });
});

describe("those that wait are called", () => {
  test("in their order, for as many as the credits cover", () => {
    const waiting = [batch(1, { budget: credits(30), want: 2 }), batch(2, { budget: credits(20), want: 9 }), batch(3)];
    expect(calls({ waiting })).toEqual([
      [id(1), 2],
      [id(2), 2],
    ]);
    expect(calls({ waiting: waiting.slice(1) })).toEqual([[id(2), 5]]);
    expect(callsAt(having({ waiting }), "suspended", AT)).toEqual([]);
  });

  test("for as many as the most open tasks leave", () => {
    expect(calls({ waiting: [batch(1, { want: 3 }), batch(2), batch(3)], openTasks: 9_995 })).toEqual([
      [id(1), 3],
      [id(2), 2],
    ]);
  });

  test("for an equal share of what the pace leaves, rounded up, until it is used up", () => {
    const opened = [{ at: AT - 1, count: 3 }];
    const waiting = [1, 2, 3].map((n) => batch(n, { perMinute: 10 }));
    expect(calls({ waiting, opened })).toEqual([
      [id(1), 3],
      [id(2), 3],
      [id(3), 1],
    ]);
    expect(calls({ waiting, opened: [{ at: AT - 1, count: 10 }] })).toEqual([]);
    expect(calls({ waiting, opened: [{ at: AT - MINUTE_MS, count: 10 }] })).toEqual([
      [id(1), 4],
      [id(2), 4],
      [id(3), 2],
    ]);
  });

  test("as soon as the first of them can open", () => {
    const opened = [
      { at: AT - 40_000, count: 1 },
      { at: AT - 10_000, count: 1 },
    ];
    const [late, soon] = [batch(1, { perMinute: 1 }), batch(2, { perMinute: 2 })];
    expect(nextCall(having({ opened, waiting: [late, soon] }), AT)).toBe(AT + 20_000);
    expect(nextCall(having({ opened, waiting: [late] }), AT)).toBe(AT + 50_000);
    expect(nextCall(having({ opened, waiting: [late, batch(3)] }), AT)).toBe(AT);
    expect(nextCall(having({ waiting: [batch(1, { budget: credits(101) })] }), AT)).toBeNull();
    expect(nextCall(having({}), AT)).toBeNull();
  });

  test("a quarter of a second after the last call at the soonest", () => {
    expect(callDue(having({ calledAt: AT }), AT)).toBe(AT + 250);
    expect(callDue(having({ calledAt: AT }), AT + 250)).toBe(AT + 250);
    expect(callDue(having({ calledAt: AT }), AT + 251)).toBe(AT + 251);
  });
});

test.each<[string, number | null, number, boolean]>([
  ["none is set", null, AT + 9, true],
  ["it is due later than somebody can be called", AT + 10, AT + 9, true],
  ["it is due just then", AT + 9, AT + 9, false],
  ["it is due before anybody can be called", AT + 8, AT + 9, true],
  ["it is overdue, and somebody can be called", AT - 1, AT, false],
])("the timer is set again if %s", (_when, callAt, next, changes) => {
  expect(isCallChanged(having({ callAt, calledAt: 0 }), next, AT)).toBe(changes);
});

test("a batch joins the queue at its end; one that stands in it keeps its place, and wants more", () => {
  const queue = [batch(1, { want: 2 }), batch(2, { want: 3 })];
  expect(withWaiting(queue, batch(3))).toEqual([...queue, batch(3)]);
  const more = batch(1, { want: 5, budget: credits(7), reason: "credits" });
  expect(withWaiting(queue, more)).toEqual([{ ...more, want: 7 }, queue[1]]);
});
