import { describe, expect, test } from "vitest";
import { MATCHING, type QueuedTask } from "../../../actors/matching/vocabulary.ts";
import { account, firstWins, inWindow, manual, ordinary, posted, pull, task, Watched } from "../../support/matching.ts";

const opens = (watched: Watched, made: QueuedTask) => watched.proposes((matcher, now) => matcher.opened(made, now));
const comes = (watched: Watched, n: number, change: Parameters<typeof pull>[1] = {}) =>
  watched.proposes((matcher, now) => matcher.wait(pull(n, change), now));

describe("a matcher that is full", () => {
  test("keeps the best tasks: the highest budgets, and of equal ones the oldest", () => {
    const watched = new Watched({ tasksMax: 2 });
    opens(watched, task(1, { budget: 10 }));
    opens(watched, task(2, { budget: 10 }));
    // Not better than the worst: as dear, and newer.
    opens(watched, task(3, { budget: 10 }));
    opens(watched, task(4, { budget: 11 }));
    opens(watched, task(0, { budget: 10 }));
    const proposed = comes(watched, 1, { most: 9 }).map(([id]) => id);
    expect(proposed).toEqual([ordinary(4), ordinary(0)]);
  });

  test("drops no task that is under way, and takes back what it dropped when there is room", () => {
    const watched = new Watched({ tasksMax: 1 });
    comes(watched, 1);
    expect(opens(watched, task(1, { budget: 10 }))).toHaveLength(1);
    expect(opens(watched, task(2, { budget: 90 }))).toEqual([]);
    watched.answer(ordinary(1), firstWins);
    comes(watched, 2);
    watched.matcher.reconcileBegin();
    expect(watched.proposes((matcher, now) => matcher.reconcilePage([task(2, { budget: 90 })], now))).toHaveLength(1);
  });

  test("answers a pull beyond its waiters at once, and keeps those that it has", () => {
    const watched = new Watched({ waitersMax: 2 });
    for (const n of [1, 2]) expect(comes(watched, n)).toEqual([]);
    expect(watched.do((matcher, now) => matcher.wait(pull(3), now))).toEqual([
      { type: "answer", waiter: pull(3).id, tasks: [], why: "over" },
    ]);
    expect(watched.do((matcher, now) => matcher.wait(posted(4), now))).toEqual([]);
    expect(watched.do((matcher, now) => matcher.wait(pull(2, { until: 9 }), now))).toEqual([]);
    expect(watched.matcher.stats.waiters).toBe(2);
  });

  test("leaves room for others: a worker has 250 waits and no more", () => {
    const watched = new Watched();
    for (let n = 0; n < MATCHING.waitersOfWorkerMax; n += 1) comes(watched, n, { worker: account(1) });
    const more = pull(999, { worker: account(1) });
    expect(watched.see("answer", (matcher, now) => matcher.wait(more, now))).toMatchObject([{ why: "over" }]);
    comes(watched, 1_000);
    expect(watched.matcher.stats.waiters).toBe(MATCHING.waitersOfWorkerMax + 1);
  });

  test("finds the one who may have a task behind hundreds who may not", () => {
    const watched = new Watched();
    const failed = Array.from({ length: MATCHING.passedOverMax - 1 }, (_, n) => account(n));
    for (let n = 0; n < failed.length; n += 1) comes(watched, n);
    comes(watched, 5_000, { since: 9 });
    expect(opens(watched, task(1, { closedTo: failed }))).toEqual([[ordinary(1), [account(5_000)]]]);
  });
});

describe("those who are gone", () => {
  test("are proposed nothing, from the very end of their time on", () => {
    const watched = new Watched();
    watched.do((matcher, now) => matcher.wait(posted(1, { until: 100 }), now));
    watched.now = 100;
    expect(opens(watched, task(1))).toEqual([]);
    expect(watched.matcher.stats).toMatchObject({ waiters: 0, ready: 0 });
  });

  test("leave nothing behind", () => {
    const watched = new Watched();
    for (let n = 0; n < 50; n += 1) {
      comes(watched, n);
      watched.do((matcher, now) => matcher.wait(posted(n), now));
      watched.do((matcher, now) => matcher.wait(manual(n), now));
      opens(watched, inWindow(n));
    }
    for (const { task: id } of [...watched.open.values()]) watched.answer(id, { type: "closed" });
    for (let n = 0; n < 50; n += 1) watched.do((matcher, now) => matcher.closed(ordinary(n), now));
    watched.now = 2_000_000;
    watched.do((matcher, now) => matcher.tick(now));
    expect(watched.matcher.stats).toMatchObject({ tasks: 0, waiters: 0, workers: 0, ready: 0, underWay: 0 });
  });
});

describe("the comparison with the index", () => {
  const page = (watched: Watched, ...tasks: QueuedTask[]) =>
    watched.do((matcher, now) => matcher.reconcilePage(tasks, now)).map(({ type }) => type);
  const end = (watched: Watched, whole = true) => watched.do((matcher, now) => matcher.reconcileEnd(whole, now));

  test("takes in what was not heard of, and drops what is no longer there", () => {
    const watched = new Watched();
    opens(watched, task(1));
    watched.matcher.reconcileBegin();
    page(watched, task(2));
    end(watched);
    expect(comes(watched, 1, { most: 9 })).toEqual([[ordinary(2), [account(1)]]]);
  });

  test("drops nothing if only part of the index was read, nor what is under way", () => {
    const watched = new Watched();
    opens(watched, task(1));
    watched.matcher.reconcileBegin();
    end(watched, false);
    expect(watched.matcher.stats.tasks).toBe(1);
    comes(watched, 1);
    watched.matcher.reconcileBegin();
    end(watched);
    expect(watched.matcher.stats).toMatchObject({ tasks: 1, underWay: 1 });
  });

  test("believes what was heard since it began more than the index", () => {
    const watched = new Watched();
    opens(watched, task(1));
    watched.matcher.reconcileBegin();
    opens(watched, task(2, { budget: 30 }));
    opens(watched, inWindow(3));
    watched.do((matcher, now) => matcher.closed(ordinary(1), now));
    page(watched, task(1), task(3));
    end(watched);
    expect(watched.matcher.stats.tasks).toBe(2);
    // The next one is newer.
    watched.matcher.reconcileBegin();
    page(watched, task(1));
    end(watched);
    expect(watched.matcher.stats.tasks).toBe(1);
  });

  test("keeps what is known of a task that has not moved on, and takes over what has", () => {
    const watched = new Watched();
    const bids = [{ worker: account(1), credits: 5, quality: 0.5 }];
    watched.do((matcher, now) => matcher.wait(manual(9), now));
    opens(watched, inWindow(1, { bids }));
    watched.matcher.reconcileBegin();
    page(watched, inWindow(1));
    expect(watched.see("propose", (matcher, now) => matcher.leave(manual(9).id, now))).toMatchObject([{ offers: [] }]);
    watched.answer(ordinary(1), { type: "failed" });
    watched.matcher.reconcileBegin();
    page(watched, inWindow(1, { round: 2, status: "PENDING_POOL" }));
    expect(comes(watched, 2)).toHaveLength(1);
  });

  test("gives a worker the task again whose bid in the pool is gone", () => {
    const watched = new Watched();
    watched.do((matcher, now) => matcher.wait(posted(1), now));
    opens(watched, task(1, { bids: [{ worker: account(1), credits: 5, quality: 0.5 }] }));
    watched.matcher.reconcileBegin();
    expect(page(watched, task(1))).toEqual(["propose"]);
  });

  test("announces what is new, and not again what a matcher before may have announced", () => {
    const watched = new Watched();
    watched.do((matcher, now) => matcher.wait(manual(1, { announce: true }), now));
    watched.now = MATCHING.announceAfterMs;
    watched.matcher.reconcileBegin();
    expect(page(watched, task(1, { windowEnds: 1 }))).toEqual(["announce"]);
    expect(page(watched, task(2, { windowEnds: 0 }))).toEqual([]);
    expect(watched.see("announce", (matcher, now) => matcher.opened(task(2, { windowEnds: 0 }), now))).toEqual([]);
  });
});
