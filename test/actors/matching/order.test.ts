import { describe, expect, test } from "vitest";
import { award } from "../../../machines/market/auction.ts";
import { credits } from "../../../machines/vocabulary.ts";
import { account, exploratory, ordinary, posted, pull, REQUESTER, standing, task, Watched } from "../../support/matching.ts";

const quality = (of: number) => standing({ quality: of });

describe("which worker a task is proposed", () => {
  /** Proposes a task when these wait, and gives the workers in the order in which they are tried. */
  function order(
    change: Parameters<typeof task>[1],
    waiters: readonly Parameters<Watched["matcher"]["wait"]>[0][],
    going?: number,
  ) {
    const watched = new Watched();
    watched.matcher.setGoing(going ?? null);
    for (const waiter of waiters) watched.do((matcher, now) => matcher.wait(waiter, now));
    const workers: unknown[] = [];
    watched.do((matcher, now) => matcher.opened(task(1, change), now));
    for (let [proposal] = watched.open.values(); proposal !== undefined; [proposal] = watched.open.values()) {
      const { offers } = proposal;
      workers.push(...offers.map(({ worker }) => worker));
      const declined = offers.map(({ worker }) => ({ worker, reason: { why: "FAILED_BEFORE" } as const }));
      watched.answer(proposal.task, { type: "declined", declined });
    }
    return workers.map((id) => waiters.findIndex(({ worker }) => worker === id));
  }

  test("cheapest: the lowest price, and of equal ones the best quality", () => {
    const waiters = [
      posted(1, { price: 11, standing: quality(0.9) }),
      posted(2, { price: 10, standing: quality(0.1) }),
      posted(3, { price: 10, standing: quality(0.2) }),
    ];
    expect(order({ quality: "cheapest" }, waiters)).toEqual([2, 1, 0]);
  });

  test("best: the best quality, and of equal ones the lowest price", () => {
    const waiters = [
      posted(1, { price: 11, standing: quality(0.5) }),
      posted(2, { price: 20, standing: quality(0.6) }),
      posted(3, { price: 10, standing: quality(0.5) }),
    ];
    expect(order({ quality: "best" }, waiters)).toEqual([1, 2, 0]);
  });

  test("balanced: the lowest price by quality", () => {
    const waiters = [
      posted(1, { price: 10, standing: quality(0) }),
      posted(2, { price: 14, standing: quality(0.5) }),
      posted(3, { price: 19, standing: quality(0.8) }),
    ];
    expect(order({}, waiters)).toEqual([1, 0, 2]);
  });

  test("of equal ones who has waited longest; then by the wait's id", () => {
    const waiters = [posted(3, { since: 7 }), posted(2, { since: 7 }), posted(1, { since: 8 }), posted(4, { since: 6 })];
    expect(order({}, waiters)).toEqual([3, 1, 0, 2]);
    const equal = [
      posted(1, { price: 12, standing: quality(0.5), since: 5 }),
      posted(2, { price: 8, standing: quality(0), since: 4 }),
    ];
    expect(order({}, equal)).toEqual([1, 0]);
  });

  test("a price counts down to half of the going price; below that quality decides", () => {
    const waiters = [posted(1, { price: 1, standing: quality(0.1) }), posted(2, { price: 5, standing: quality(0.2) })];
    expect(order({ quality: "cheapest" }, waiters)).toEqual([0, 1]);
    // The going price of 10 NC, as a share of the 20 NC: 5 is its half.
    expect(order({ quality: "cheapest" }, waiters, 0.5)).toEqual([1, 0]);
    const dearer = [posted(1, { price: 5, standing: quality(0.1) }), posted(2, { price: 6, standing: quality(0.9) })];
    expect(order({ quality: "cheapest" }, dearer, 0.5)).toEqual([0, 1]);
  });

  test("who takes it at its budget asks its budget", () => {
    const waiters = [pull(1, { price: null, standing: quality(0.9) }), posted(2, { price: 20 }), posted(3, { price: 19 })];
    expect(order({ quality: "cheapest" }, waiters)).toEqual([2, 0, 1]);
  });

  test("exactly the budget, the tier and the lowest budget suffice, and no less", () => {
    const waiters = [
      posted(1, { price: 20 }),
      posted(2, { price: 21 }),
      pull(3, { minPrice: 20, standing: standing({ tier: 2 }) }),
      pull(4, { minPrice: 21 }),
      posted(5, { standing: standing({ tier: 1 }) }),
    ];
    expect(order({ minSkill: 2, quality: "cheapest" }, waiters)).toEqual([0, 2]);
  });

  test("nobody who may not have it: the requester, its other accounts, who failed, passed or has bid, who may not work", () => {
    const waiters = [
      posted(1, { worker: REQUESTER }),
      posted(2, { standing: standing({ marks: ["mailbox:a"] }) }),
      posted(3),
      posted(4),
      posted(5),
      posted(6, { standing: standing({ status: "FROZEN" }) }),
      posted(7),
    ];
    const change = {
      marks: ["mailbox:a"],
      closedTo: [account(3)],
      passed: [account(4)],
      bids: [{ worker: account(5), credits: 1, quality: 1 }],
    };
    expect(order(change, waiters)).toEqual([6]);
  });

  test("a share of the tasks goes to a newcomer first, if one may have it, unless the lowest price is wanted", () => {
    const id = exploratory(1);
    const old = posted(1, { price: 5, standing: quality(0.9) });
    const seasoned = posted(2, { price: 9, finished: 10 });
    const dear = posted(3, { price: 12, finished: 9 });
    const cheap = posted(4, { price: 11, finished: 0 });
    expect(order({ id }, [old, seasoned, dear, cheap])).toEqual([3, 2, 0, 1]);
    expect(order({ id, quality: "cheapest" }, [old, seasoned, dear, cheap])).toEqual([0, 1, 3, 2]);
    expect(order({ id: ordinary(1) }, [old, cheap])).toEqual([0, 1]);
    expect(order({ id }, [old, { ...cheap, price: 21 }])).toEqual([0]);
  });

  test("one worker by one offer, whatever it waits with", () => {
    const watched = new Watched();
    const twice = [posted(1, { gateway: "g1" }), posted(1, { gateway: "g2" }), pull(1, { price: 10 })];
    for (const waiter of twice) watched.do((matcher, now) => matcher.wait(waiter, now));
    for (let n = 10; n < 200; n += 1) watched.do((matcher, now) => matcher.wait(posted(n, { price: 11 }), now));
    const [proposal] = watched.see("propose", (matcher, now) => matcher.opened(task(1), now));
    expect(proposal?.offers.map(({ worker }) => worker)).toEqual([1, 10].map(account));
  });

  test("a second offer only where 64 are free, and never a third", () => {
    const offers = (count: number) => {
      const watched = new Watched();
      for (let n = 0; n < count; n += 1) watched.do((matcher, now) => matcher.wait(posted(n), now));
      return watched.see("propose", (matcher, now) => matcher.opened(task(1), now))[0]?.offers.length;
    };
    expect([1, 63, 64, 1_000].map(offers)).toEqual([1, 1, 2, 2]);
  });
});

describe("which task a waiter that arrives is proposed", () => {
  const arrives = (
    waiter: Parameters<Watched["matcher"]["wait"]>[0],
    tasks: readonly Parameters<Watched["matcher"]["opened"]>[0][],
  ) => {
    const watched = new Watched();
    for (const one of tasks) watched.do((matcher, now) => matcher.opened(one, now));
    return watched.proposes((matcher, now) => matcher.wait(waiter, now)).map(([id]) => tasks.findIndex((one) => one.id === id));
  };

  test("by a posted price the oldest that takes it, whatever its budget; of one age the lower id", () => {
    const tasks = [
      task(5, { createdAt: 3, budget: 50 }),
      task(4, { createdAt: 2, budget: 10 }),
      task(3, { createdAt: 1, budget: 9 }),
      task(2, { createdAt: 2, budget: 10 }),
      task(1, { createdAt: 0, minSkill: 4 }),
    ];
    expect(arrives(posted(1, { price: 10, free: 9 }), tasks)).toEqual([3, 1, 0]);
    expect(arrives(pull(1, { price: 10, most: 1 }), tasks)).toEqual([3]);
  });

  test("with no price the highest budget, and of equal ones the oldest", () => {
    const tasks = [
      task(1, { createdAt: 3, budget: 50 }),
      task(2, { createdAt: 2, budget: 60 }),
      task(3, { createdAt: 1, budget: 50 }),
    ];
    expect(arrives(pull(1, { most: 9 }), tasks)).toEqual([1, 2, 0]);
    expect(arrives(pull(1, { most: 9, minPrice: 51 }), tasks)).toEqual([1]);
  });

  test("those behind many that it may not have, too", () => {
    const own = Array.from({ length: 200 }, (_, n) => task(n, { requester: account(1) }));
    expect(arrives(pull(1), [...own, task(1_000)])).toEqual([200]);
  });

  test("and behind more than it looks at, in turn with the ticks", () => {
    const watched = new Watched();
    for (let n = 0; n < 1_000; n += 1) watched.do((matcher, now) => matcher.opened(task(n, { requester: account(1) }), now));
    watched.do((matcher, now) => matcher.opened(task(1_000), now));
    expect(watched.proposes((matcher, now) => matcher.wait(pull(1), now))).toEqual([]);
    const ticks = Array.from({ length: 16 }, () => watched.proposes((matcher, now) => matcher.tick(now)));
    expect(ticks.flat()).toEqual([[ordinary(1_000), [account(1)]]]);
  });
});

describe("equal workers", () => {
  test("share the tasks equally: 1,000 of them 10,000 tasks", () => {
    const watched = new Watched();
    const shares = new Map<unknown, number>();
    for (let n = 0; n < 1_000; n += 1) watched.do((matcher, now) => matcher.wait(posted(n), now));
    for (let n = 0; n < 10_000; n += 1) {
      const [proposal] = watched.see("propose", (matcher, now) => matcher.opened(task(n), now));
      const winner = proposal?.offers[0]?.worker ?? account(0);
      shares.set(winner, (shares.get(winner) ?? 0) + 1);
      watched.answer(task(n).id, { type: "awarded", worker: winner, bid: proposal?.offers[0]?.bid ?? "" });
      watched.do((matcher, now) => matcher.freed(winner, now));
    }
    expect(shares.size).toBe(1_000);
    expect(Math.min(...shares.values())).toBeGreaterThanOrEqual(9);
    expect(Math.max(...shares.values())).toBeLessThanOrEqual(11);
  });

  test("of whom several are offered a task: it decides for who has waited longest, whatever the ids", () => {
    const watched = new Watched();
    // After these, the ids of each proposal's bids are not in their order as texts.
    watched.do((matcher, now) => matcher.wait(pull(1_000), now));
    watched.do((matcher, now) => matcher.opened(task(1_000), now));
    for (let n = 0; n < 512; n += 1) watched.do((matcher, now) => matcher.wait(posted(n, { since: n }), now));
    for (let n = 0; n < 32; n += 1) {
      const [proposal] = watched.see("propose", (matcher, now) => matcher.opened(task(n), now));
      const bids = (proposal?.offers ?? []).map(({ bid: id, worker, credits: price, standing: { quality: good } }) => {
        return { id, worker, credits: credits(price), quality: good };
      });
      expect(bids.length).toBe(2);
      expect(award(task(n).id, "balanced", bids.toReversed())?.winner.worker).toBe(account(n));
      watched.answer(task(n).id, { type: "awarded", worker: account(n), bid: bids[0]?.id ?? "" });
    }
  });
});
