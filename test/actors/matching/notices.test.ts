import { describe, expect, test } from "vitest";
import { MATCHING, type Waiter } from "../../../actors/matching/vocabulary.ts";
import type { AccountId } from "../../../machines/vocabulary.ts";
import { account, inWindow, manual, ordinary, posted, pull, REQUESTER, standing, task, Watched } from "../../support/matching.ts";

const listener = (n: number, change: Parameters<typeof manual>[1] = {}) => manual(n, { announce: true, ...change });

function present(waiters: readonly Waiter[], bounds: ConstructorParameters<typeof Watched>[0] = {}) {
  const watched = new Watched(bounds);
  for (const waiter of waiters) watched.do((matcher, now) => matcher.wait(waiter, now));
  return watched;
}

/** The workers that a task is announced to when it opens. */
function told(watched: Watched, change: Parameters<typeof task>[1] = {}, n = 1) {
  const announced = watched.see("announce", (matcher, now) => matcher.opened(inWindow(n, change), now));
  return announced.flatMap(({ to }) => to.flatMap(({ workers }) => workers));
}

describe("a new task is announced", () => {
  test("to listeners who may have it, each once, by gateway", () => {
    const watched = present([
      listener(1),
      listener(2, { gateway: "g2" }),
      listener(1, { id: "g2/again", gateway: "g2" }),
      manual(3),
      listener(4, { standing: standing({ tier: 1 }) }),
      listener(5, { worker: REQUESTER }),
      posted(6, { announce: true, price: 21 }),
      posted(7, { announce: true, price: 20 }),
      pull(8),
    ]);
    const announced = watched.see("announce", (matcher, now) => matcher.opened(inWindow(1, { minSkill: 2 }), now));
    expect(announced).toEqual([
      {
        type: "announce",
        task: ordinary(1),
        to: [
          { gateway: "g1", workers: [account(1), account(7)], streams: 21 },
          { gateway: "g2", workers: [account(2)], streams: 11 },
        ],
      },
    ]);
  });

  test("once in a round, however often it changes, and in the next round again", () => {
    const watched = present([listener(1)]);
    expect(told(watched)).toEqual([account(1)]);
    expect(told(watched, { bids: [{ worker: account(2), credits: 5, quality: 0.5 }] })).toEqual([]);
    expect(told(watched, { status: "PENDING_POOL" })).toEqual([]);
    expect(told(watched, { round: 2 })).toEqual([account(1)]);
  });

  test("to so many and no more: half of them the best, a quarter newcomers, the rest who were told longest ago", () => {
    const waiters = Array.from({ length: 40 }, (_, n) =>
      listener(n, { standing: standing({ quality: n / 100 }), ...(n >= 10 && n < 20 ? { finished: 0 } : {}) }),
    );
    const watched = present(waiters, { announcedMax: 8 });
    const first = [39, 38, 37, 36, 10, 11, 0, 1];
    expect(new Set(told(watched))).toEqual(new Set(first.map(account)));
    watched.now += MATCHING.audienceMs;
    expect(new Set(told(watched, {}, 2))).toEqual(new Set([39, 38, 37, 36, 12, 13, 2, 3].map(account)));
  });

  test("to as many streams in all gateways together, each of which has one for each of its workers", () => {
    const gateways = [1, 2, 4, 13, 12].flatMap((workers, g) => Array.from({ length: workers }, () => `g${g}`));
    for (let count = 1; count <= gateways.length; count += 1) {
      const waiters = gateways.slice(0, count).map((gateway, n) => listener(n, { id: `${gateway}/${n}`, gateway }));
      const [announced] = present(waiters).see("announce", (matcher, now) => matcher.opened(inWindow(1), now));
      const to = announced?.to ?? [];
      expect(to.reduce((sum, { streams }) => sum + streams, 0)).toBe(MATCHING.announcedMax);
      for (const { workers, streams } of to) expect(streams).toBeGreaterThanOrEqual(workers.length);
    }
  });

  test("in turn, so that everybody is told of some", () => {
    const watched = present(Array.from({ length: 1_000 }, (_, n) => listener(n)));
    const heard = new Set<AccountId>();
    for (let n = 0; n < 32; n += 1) {
      for (const worker of told(watched, {}, n)) heard.add(worker);
      watched.now += MATCHING.audienceMs;
    }
    expect(heard.size).toBe(1_000);
  });

  test("to the same listeners for a moment, as far as they may have it and still listen; others fill their places", () => {
    const waiters = [1, 2, 3, 4, 5, 6].map((n) => listener(n, n === 1 ? { standing: standing({ tier: 1 }) } : {}));
    const watched = present(waiters, { announcedMax: 3 });
    const first = told(watched);
    expect(first).toEqual([account(1), account(2), account(3)]);
    watched.now += MATCHING.audienceMs - 1;
    expect(told(watched, {}, 2)).toEqual(first);
    expect(told(watched, { minSkill: 2 }, 3)).toEqual([account(2), account(3), account(4)]);
    watched.do((matcher, now) => matcher.leave(waiters[1]?.id ?? "", now));
    expect(told(watched, {}, 4)).toEqual([account(3), account(4), account(5)]);
    watched.now += 1;
    expect(told(watched, {}, 5)).toEqual([account(6), account(1), account(3)]);
  });

  test("to nobody who has left or listens no more", () => {
    const watched = present([listener(1), listener(2)]);
    watched.do((matcher, now) => matcher.leave(listener(1).id, now));
    watched.do((matcher, now) => matcher.wait(manual(2), now));
    expect(told(watched)).toEqual([]);
  });
});

describe("a task in the pool that nobody takes is explained", () => {
  const why = (waiters: readonly Waiter[], change: Parameters<typeof task>[1] = {}) =>
    present(waiters)
      .see("explain", (matcher, now) => matcher.opened(task(1, change), now))
      .map((explained) => [explained.why, explained.present]);

  test("by who is present, to the exact tier and price", () => {
    expect(why([])).toEqual([["NOBODY_PRESENT", 0]]);
    expect(why([posted(1, { price: 21 }), pull(2, { minPrice: 21 })])).toEqual([["ALL_TOO_DEAR", 2]]);
    expect(why([posted(1, { price: 20, free: 0 })])).toEqual([]);
    expect(why([posted(1), manual(2)], { minSkill: 4 })).toEqual([["SKILL_TOO_LOW", 2]]);
    expect(why([posted(1), posted(2, { price: 21, standing: standing({ tier: 4 }) })], { minSkill: 4 })).toEqual([
      ["ALL_TOO_DEAR", 2],
    ]);
    expect(why([posted(1), manual(2)], { closedTo: [account(1), account(2)] })).toEqual([["NONE_ELIGIBLE", 2]]);
    expect(why([posted(1, { standing: standing({ status: "FROZEN" }) })])).toEqual([["NONE_ELIGIBLE", 1]]);
  });

  test("not while somebody may take it who is busy, or bids by hand; nor in its window", () => {
    expect(why([manual(1)])).toEqual([]);
    expect(why([], { status: "ROUTING", windowEnds: 3_000 })).toEqual([]);
    expect(why([pull(1)])).toEqual([]);
  });

  test("again only if the reason changes, after a minute, and in a new round", () => {
    const watched = present([]);
    const explained = () => watched.see("explain", (matcher, now) => matcher.tick(now)).map((one) => one.why);
    const comes = (waiter: Waiter) => watched.do((matcher, now) => matcher.wait(waiter, now));
    watched.do((matcher, now) => matcher.opened(task(1), now));
    watched.now = MATCHING.explainAgainMs;
    expect(explained()).toEqual([]);
    comes(posted(1, { price: 21, until: 1e9 }));
    expect(explained()).toEqual(["ALL_TOO_DEAR"]);
    watched.do((matcher, now) => matcher.leave(posted(1).id, now));
    watched.now += MATCHING.explainAgainMs - 1;
    expect(explained()).toEqual([]);
    watched.now += 1;
    expect(explained()).toEqual(["NOBODY_PRESENT"]);
    expect(watched.see("explain", (matcher, now) => matcher.opened(task(1, { round: 2 }), now))).toMatchObject([
      { why: "NOBODY_PRESENT" },
    ]);
  });

  test("no more than eight times in a round", () => {
    const watched = present([]);
    watched.do((matcher, now) => matcher.opened(task(1), now));
    for (let times = 0; times < 20; times += 1) {
      watched.now += MATCHING.explainAgainMs;
      const dear = posted(1, { price: 21, until: 1e9, since: watched.now });
      watched.do((matcher, now) => (times % 2 === 0 ? matcher.wait(dear, now) : matcher.leave(dear.id, now)));
      watched.do((matcher, now) => matcher.tick(now));
    }
    expect(watched.actions.filter(({ type }) => type === "explain")).toHaveLength(MATCHING.explanationsMax);
  });
});
