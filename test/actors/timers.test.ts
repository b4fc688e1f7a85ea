/** Timers against a plain list of what is due, and what they do when they are put off, taken up and turned away. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Timers } from "../../actors/effects/timers.ts";
import { LIMITS } from "../../actors/limits.ts";
import { type CommandResult, NOT_OWNER, UNDECIDED } from "../../actors/message.ts";
import type { DueTimer, Journal } from "../../actors/ports/journal.ts";
import { refuse } from "../../machines/refusal.ts";
import { ManualClock } from "../support/clock.ts";
import { id, person, World } from "../support/world.ts";

const OK: CommandResult = { ok: true, value: null };
const address = (n: number) => ({ kind: "task", id: id(n) }) as const;
const shardOf = ({ id: of }: { readonly id: string }) => Number.parseInt(of.slice(-1), 16) % 2;

function make(patience = 0) {
  const clock = new ManualClock();
  const fired: (readonly [string, string, number])[] = [];
  const start = clock.now();
  const state = { answer: OK as CommandResult | Promise<CommandResult> };
  const timers = new Timers(
    clock,
    shardOf,
    ({ name }) => (name === "patient" ? patience : 0),
    async ({ address: to, name }) => {
      fired.push([to.id, name, clock.now() - start]);
      return state.answer;
    },
  );
  const set = (n: number, name: string, at: number | null) =>
    timers.change(address(n), { name, at: at === null ? null : start + at });
  const turns = async () => {
    for (let n = 0; n < 6; n += 1) await Promise.resolve();
  };
  /** Goes to a moment, stopping wherever the clock has something to do. */
  const to = async (at: number) => {
    await turns();
    for (let next = clock.next; next !== null && next <= start + at; next = clock.next) {
      clock.to(next);
      await turns();
    }
    clock.to(start + at);
    await turns();
  };
  return { clock, start, fired, state, timers, set, to };
}

const journalOf = (rows: readonly DueTimer[], pages: number[] = []): Journal => {
  const none = async () => [];
  return {
    append: async () => new Set<string>(),
    load: async () => ({ snapshot: null, facts: [] }),
    caused: none,
    outbox: none,
    timers: async (_shard, after, count) => {
      const from = after === null ? 0 : rows.indexOf(after) + 1;
      pages.push(from);
      return rows.slice(from, from + count);
    },
  };
};

test("any timers, set, put off, put forward and forgotten, fire when a plain list says so, in its order", async () => {
  const change = fc.record({
    n: fc.integer({ min: 1, max: 6 }),
    name: fc.constantFrom("a", "b"),
    at: fc.option(fc.integer({ min: 0, max: 60 }), { freq: 5 }),
    wait: fc.integer({ min: 0, max: 12 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 30 }), async (changes) => {
      const { fired, timers, set, to } = make();
      const due = new Map<string, number>();
      const expected: (readonly [string, number])[] = [];
      let now = 0;
      const pass = async (until: number) => {
        const late = [...due].filter(([, at]) => at <= until).sort((a, b) => a[1] - b[1]);
        for (const [key, at] of late) {
          expected.push([key, Math.max(at, now)]);
          due.delete(key);
        }
        now = until;
        await to(until);
      };
      for (const { n, name, at, wait } of changes) {
        const key = `${id(n)} ${name}`;
        const moment = at === null ? null : now + at;
        set(n, name, moment);
        if (moment === null) due.delete(key);
        else due.set(key, moment);
        expect(timers.size).toBe(due.size);
        await pass(now + wait);
      }
      await pass(now + 100);
      const told = fired.map(([of, name, at]) => [`${of} ${name}`, at] as const);
      const order = (list: readonly (readonly [string, number])[]) => list.map(([key, at]) => `${at} ${key}`).sort();
      expect(order(told)).toEqual(order(expected));
      expect(told.map(([, at]) => at)).toEqual(told.map(([, at]) => at).toSorted((a, b) => a - b));
      expect(timers.size).toBe(0);
    }),
    { numRuns: 200 },
  );
});

test("a timer that is put off does not fire at its old time, nor twice", async () => {
  const { fired, set, to } = make();
  set(1, "a", 10);
  set(1, "a", 20);
  await to(19);
  expect(fired).toEqual([]);
  await to(100);
  expect(fired).toEqual([[id(1), "a", 20]]);
});

test("one that is put forward fires then, and not again at its old time", async () => {
  const { fired, set, to } = make();
  set(1, "a", 20);
  set(1, "a", 10);
  await to(100);
  expect(fired).toEqual([[id(1), "a", 10]]);
});

test("one that is forgotten and set again for the same moment fires once", async () => {
  const { fired, set, to } = make();
  for (const at of [10, null, 10, 10]) set(1, "a", at);
  await to(100);
  expect(fired).toEqual([[id(1), "a", 10]]);
});

test("one that is turned away for now fires again a little later, and one that is refused and still set after a minute", async () => {
  const { fired, set, to, state, timers } = make();
  state.answer = { ok: false, refusal: NOT_OWNER };
  set(1, "a", 10);
  await to(10 + LIMITS.retryMaxMs - 1);
  expect([fired.length, timers.size]).toEqual([1, 1]);
  state.answer = { ok: false, refusal: refuse("TIMER_STALE", "means nothing") };
  await to(10 + LIMITS.retryMaxMs);
  const refused = 10 + LIMITS.retryMaxMs;
  await to(refused + LIMITS.refusedTimerMs - 1);
  expect([fired.length, timers.size]).toEqual([2, 1]);
  state.answer = OK;
  await to(refused + LIMITS.refusedTimerMs);
  expect([fired.length, timers.size]).toEqual([3, 0]);
});

describe("one whose command is not decided yet, because another actor is asked first,", () => {
  const asking = async () => {
    const made = make();
    made.state.answer = UNDECIDED;
    made.set(1, "a", 10);
    await made.to(10);
    return made;
  };

  test("stays set, and fires again after a minute if nothing comes of that", async () => {
    const { fired, timers, to } = await asking();
    await to(10 + LIMITS.refusedTimerMs - 1);
    expect([fired.length, timers.size]).toEqual([1, 1]);
    await to(10 + LIMITS.refusedTimerMs);
    expect(fired.length).toBe(2);
  });

  test("fires when it is hastened, if that is sooner", async () => {
    const { fired, timers, to, state } = await asking();
    timers.hasten(address(1), "a", LIMITS.refusedTimerMs + 1);
    timers.hasten(address(1), "a", 500);
    timers.hasten(address(1), "a", 900);
    state.answer = OK;
    await to(509);
    expect(fired.length).toBe(1);
    await to(510);
    expect([fired.length, timers.size]).toEqual([2, 0]);
    await to(2 * LIMITS.refusedTimerMs);
    expect(fired.length).toBe(2);
  });

  test("is not set again by that if a commit has unset it, or its shard was given away", async () => {
    const { fired, timers, set, to } = await asking();
    set(1, "a", null);
    timers.hasten(address(1), "a", 500);
    expect(timers.size).toBe(0);
    set(1, "a", 2_000);
    timers.drop(1);
    timers.hasten(address(1), "a", 500);
    await to(2 * LIMITS.refusedTimerMs);
    expect([fired.length, timers.size]).toEqual([1, 0]);
  });
});

test("one that is refused because it was unset meanwhile does not fire again", async () => {
  const { fired, set, to, state, timers } = make();
  let answer: (result: CommandResult) => void = () => {};
  state.answer = new Promise((resolve) => {
    answer = resolve;
  });
  set(1, "a", 10);
  await to(10);
  timers.change({ kind: "task", id: id(1) }, { name: "a", at: null });
  answer({ ok: false, refusal: refuse("TIMER_STALE", "means nothing") });
  await to(100_000);
  expect([fired.length, timers.size]).toEqual([1, 0]);
});

test("one that is set anew while it is carried out stays set", async () => {
  const { fired, set, to, state, timers } = make();
  let answer: (result: CommandResult) => void = () => {};
  state.answer = new Promise((resolve) => {
    answer = resolve;
  });
  set(1, "a", 10);
  await to(10);
  set(1, "a", 50);
  answer(OK);
  await to(49);
  expect([fired.length, timers.size]).toEqual([1, 1]);
  state.answer = OK;
  await to(50);
  expect([fired.length, timers.size]).toEqual([2, 0]);
});

test("so many are carried out at once, and the next when one of them has ended", async () => {
  const { fired, set, to, state } = make();
  const answers: ((result: CommandResult) => void)[] = [];
  Object.defineProperty(state, "answer", {
    get: () => new Promise((resolve) => answers.push(resolve)),
  });
  for (let n = 0; n < LIMITS.timersAtOnce + 3; n += 1) set(n, "a", 10);
  await to(1_000);
  expect(fired.length).toBe(LIMITS.timersAtOnce);
  answers[0]?.(OK);
  await to(1_001);
  expect(fired.length).toBe(LIMITS.timersAtOnce + 1);
});

test("one in the far future waits in steps that a clock can hold", async () => {
  const { clock, fired, set, to, start } = make();
  const far = 2 ** 31 + 1_000;
  set(1, "a", far);
  expect(clock.next).toBe(start + 2 ** 31 - 1);
  await to(far - 1);
  expect(fired).toEqual([]);
  await to(far);
  expect(fired).toEqual([[id(1), "a", far]]);
});

describe("a shard that is taken over", () => {
  test("has its timers taken up, page by page, and what was set since is newer than its row", async () => {
    const { fired, timers, set, to, start } = make();
    const rows = Array.from({ length: LIMITS.pageRows + 2 }, (_, n) => ({
      address: address(2 * n + 2),
      name: "a",
      at: start + 10,
    }));
    set(2, "a", 90);
    const pages: number[] = [];
    await timers.resume(journalOf(rows, pages), 0);
    expect(pages).toEqual([0, LIMITS.pageRows]);
    expect(timers.size).toBe(rows.length);
    await to(80);
    expect(fired.length).toBe(rows.length - 1);
    await to(90);
    expect([fired.length, timers.size]).toEqual([rows.length, 0]);
  });

  test("waits for those with patience from when it was taken up, and fires the others at once", async () => {
    const { fired, timers, to, start } = make(300);
    await to(5_000);
    await timers.resume(
      journalOf([
        { address: address(2), name: "patient", at: start + 100 },
        { address: address(4), name: "a", at: start + 100 },
      ]),
      0,
    );
    await to(5_299);
    expect(fired.map(([of]) => of)).toEqual([id(4)]);
    await to(5_300);
    expect(fired.map(([of, , at]) => [of, at])).toEqual([
      [id(4), 5_000],
      [id(2), 5_300],
    ]);
  });

  test("and one that is given away fires no more here", async () => {
    const { fired, timers, set, to } = make();
    set(1, "a", 10);
    set(2, "a", 10);
    timers.drop(1);
    expect(timers.size).toBe(1);
    await to(100);
    expect(fired.map(([of]) => of)).toEqual([id(2)]);
    timers.close();
    set(2, "a", 200);
    await to(300);
    expect(fired.length).toBe(1);
  });
});

test("a thousand rounds of putting one timer off leave one timer", async () => {
  const { timers, set, to, fired, clock } = make();
  for (let n = 0; n < 5_000; n += 1) set(1, "a", 1_000 + n);
  expect(timers.size).toBe(1);
  await to(5_998);
  expect(fired).toEqual([]);
  await to(5_999);
  expect([fired.length, timers.size, clock.next]).toEqual([1, 0, null]);
});

test("a webhook that is asked for again between two retries is sent when that says, and not at the old retry's time too", async () => {
  const world = new World();
  await world.host.start();
  for (const n of [1, 2]) await world.answer(world.register(n));
  const sent: number[] = [];
  world.deliver = async () => {
    sent.push(world.clock.now());
    return { id: id(1), ms: 1, result: "failed", status: 500, error: "answered 500" };
  };
  const task = world.newTask();
  await world.answer(world.post(1, task, { callbackUrl: "https://example.com/hook" }));
  await world.answer(world.ask("task", task, { type: "cancel", requester: person(1) }));
  const from = world.clock.now();
  // At once, and 1, 3 and 10 s later: the third retry is due at 14 s.
  await world.pass(4_500);
  await world.answer(world.ask("task", task, { type: "webhook.resend", requester: person(1) }));
  const again = world.clock.now() - from;
  await world.pass(60_000);
  expect(sent.map((at) => at - from)).toEqual([0, 1_000, 4_000, again, again + 1_000, again + 4_000, again + 14_000]);
  expect(world.host.stats.timers).toBe(0);
});
