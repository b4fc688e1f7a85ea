import { describe, expect, test } from "vitest";
import { MATCHING, type QueuedTask, type Waiter } from "../../../actors/matching/vocabulary.ts";
import { account, firstWins, inWindow, manual, posted, pull, standing, Watched, WINDOW_MS } from "../../support/matching.ts";

/** A task's window begins while these wait; gives its proposal. */
function begins(change: Partial<QueuedTask>, waiters: readonly Waiter[], going: number | null = null) {
  const watched = new Watched();
  watched.matcher.setGoing(going);
  for (const waiter of waiters) watched.do((matcher, now) => matcher.wait(waiter, now));
  const [proposal] = watched.see("propose", (matcher, now) => matcher.opened(inWindow(1, change), now));
  return { watched, proposal, workers: proposal?.offers.map(({ worker }) => worker) };
}
const bid = (n: number, credits: number, quality = 0.5) => ({ worker: account(n), credits, quality });

describe("a window is cut short", () => {
  test("when nobody is present who bids by hand", () => {
    const { proposal, workers } = begins({ quality: "cheapest" }, [pull(1)]);
    expect([proposal?.complete, workers]).toEqual([true, [account(1)]]);
  });

  test("when all who bid by hand have bid or passed, or may not have it", () => {
    const hands = [manual(1), manual(2), manual(3, { standing: standing({ tier: 1 }) })];
    const change = { minSkill: 2, bids: [bid(1, 12)], passed: [account(2)] };
    expect(begins(change, hands).proposal).toMatchObject({ complete: true, offers: [] });
    expect(begins({ ...change, passed: [] }, hands).proposal).toBeUndefined();
    expect(begins({ ...change, bids: [] }, hands).proposal).toBeUndefined();
  });

  test("not when one is left who has not answered; a price answers for its worker", () => {
    expect(begins({ quality: "cheapest" }, [posted(1), manual(2)]).proposal?.complete).toBe(false);
    expect(begins({ quality: "cheapest" }, [posted(1), manual(1)]).proposal?.complete).toBe(true);
  });

  test("when 32 have passed, and not when 33 have", () => {
    const hands = (count: number) => Array.from({ length: count }, (_, n) => manual(n + 10));
    const passed = hands(MATCHING.manualMax + 1).map(({ worker }) => worker);
    expect(begins({ passed }, [posted(1), ...hands(MATCHING.manualMax)]).proposal?.complete).toBe(true);
    expect(begins({ passed }, [posted(1), ...hands(MATCHING.manualMax + 1)]).proposal?.complete).toBe(false);
  });

  test("when the last who bids by hand leaves", () => {
    const { watched } = begins({ bids: [bid(7, 12)] }, [manual(1)]);
    expect(watched.see("propose", (matcher, now) => matcher.leave(manual(1).id, now))).toMatchObject([
      { complete: true, offers: [] },
    ]);
  });

  test("once: if that leads nowhere, it is tried again only after a while, and not without a bid that can win", () => {
    const { watched, proposal } = begins({ bids: [bid(7, 12)] }, []);
    expect(watched.answer(inWindow(1).id, { type: "placed", bids: [] })).toEqual([]);
    watched.now = MATCHING.retryMinMs - 1;
    expect(watched.do((matcher, now) => matcher.tick(now))).toEqual([]);
    watched.now = MATCHING.retryMinMs;
    expect(watched.see("propose", (matcher, now) => matcher.tick(now))).toMatchObject([{ complete: true, offers: [] }]);
    const declined = [{ worker: account(7), reason: { why: "FAILED_BEFORE" } as const }];
    expect(watched.answer(inWindow(1).id, { type: "declined", declined })).toEqual([]);
    expect(proposal?.offers).toEqual([]);
  });
});

describe("in a balanced window that waits for others", () => {
  const wins = (change: Partial<QueuedTask>, waiter: Waiter, going: number | null) =>
    begins(change, [waiter, manual(9)], going).proposal !== undefined;
  // A pull is proposed before the window's end only if it wins at once.
  const asking = (price: number) => pull(1, { price });

  test("an offer at exactly the going price wins at once, and none above it", () => {
    expect(wins({}, asking(12), 0.6)).toBe(true);
    expect(wins({}, asking(13), 0.6)).toBe(false);
    expect(wins({}, asking(12), null)).toBe(false);
  });

  test("only if it beats every bid; a tie does not", () => {
    expect(wins({ bids: [bid(2, 13), bid(3, 12.1)] }, asking(12), 0.6)).toBe(true);
    expect(wins({ bids: [bid(2, 13), bid(3, 12)] }, asking(12), 0.6)).toBe(false);
    // Both count as half of the going price.
    expect(wins({ bids: [bid(2, 6)] }, asking(1), 0.6)).toBe(false);
    expect(wins({ bids: [bid(2, 6, 0.4)] }, asking(1), 0.6)).toBe(true);
  });

  test("only there: not where the best or the cheapest is wanted", () => {
    expect(wins({ quality: "cheapest" }, asking(12), 0.6)).toBe(false);
    expect(wins({ quality: "best" }, asking(12), 0.6)).toBe(false);
  });
});

describe("in any other window", () => {
  const change = { quality: "cheapest" } as const;

  test("the best eight posted prices are placed as bids, each once in a round, with the going price", () => {
    const waiters = Array.from({ length: 12 }, (_, n) => posted(n, { price: n + 1 }));
    const { watched, proposal, workers } = begins(change, [...waiters, manual(99)], 0.5);
    expect(proposal).toMatchObject({ complete: false, going: 0.5 });
    expect(workers).toHaveLength(8);
    const bids = proposal?.offers.map((offer) => offer.bid) ?? [];
    expect(watched.answer(inWindow(1).id, { type: "placed", bids })).toEqual([]);
    expect(watched.do((matcher, now) => matcher.wait(posted(50, { price: 5 }), now))).toEqual([]);
    expect(
      watched.proposes((matcher, now) => matcher.wait(posted(51, { price: 4, standing: standing({ quality: 0.9 }) }), now)),
    ).toEqual([[inWindow(1).id, [account(51)]]]);
  });

  test("one that was not placed is not proposed again in the round", () => {
    const { watched } = begins(change, [posted(1), manual(99)]);
    expect(watched.answer(inWindow(1).id, { type: "placed", bids: [] })).toEqual([]);
    expect(watched.do((matcher, now) => matcher.tick(now))).toEqual([]);
  });

  test("a new round begins anew", () => {
    const { watched, proposal } = begins(change, [posted(1), manual(99)]);
    const bids = proposal?.offers.map((offer) => offer.bid) ?? [];
    watched.answer(inWindow(1).id, { type: "placed", bids });
    expect(watched.do((matcher, now) => matcher.opened(inWindow(1, { ...change, bids: [bid(1, 10)] }), now))).toEqual([]);
    expect(watched.proposes((matcher, now) => matcher.opened(inWindow(1, { ...change, round: 2 }), now))).toHaveLength(1);
  });

  test("pulls are placed when it is about to end, if they wait that long", () => {
    const ends = pull(1, { until: WINDOW_MS, price: 9 });
    const early = pull(2, { until: WINDOW_MS - 1, price: 8 });
    const { watched, proposal } = begins(change, [ends, early, manual(99)]);
    expect(proposal).toBeUndefined();
    watched.now = WINDOW_MS - MATCHING.windowClosingMs - 1;
    expect(watched.proposes((matcher, now) => matcher.tick(now))).toEqual([]);
    watched.now += 1;
    expect(watched.proposes((matcher, now) => matcher.tick(now))).toEqual([[inWindow(1).id, [account(1)]]]);
  });

  test("a pull that is placed keeps its place until its task is gone, and gets it if it has won", () => {
    const place = (then: (watched: Watched) => unknown) => {
      const { watched } = begins(change, [pull(1, { until: 60_000 }), manual(99)]);
      watched.now = WINDOW_MS - 1;
      watched.do((matcher, now) => matcher.tick(now));
      watched.answer(inWindow(1).id, ({ offers }) => ({ type: "placed", bids: offers.map((offer) => offer.bid) }));
      expect(watched.proposes((matcher, now) => matcher.opened(inWindow(2, { status: "PENDING_POOL" }), now))).toEqual([]);
      return then(watched);
    };
    const { id } = inWindow(1);
    const won = { type: "answer", waiter: pull(1).id, tasks: [id], why: "awarded" };
    const free = [[inWindow(2).id, [account(1)]]];
    const award = { worker: account(1), pull: pull(1).id };
    expect(place((watched) => watched.do((matcher, now) => matcher.closed(id, now, award)))).toEqual([won]);
    expect(place((watched) => watched.proposes((matcher, now) => matcher.closed(id, now)))).toEqual(free);
    expect(place((watched) => watched.proposes((matcher, now) => matcher.opened(inWindow(1, { round: 2 }), now)))).toContainEqual(
      free[0],
    );
    // Nothing is heard.
    const silence = (watched: Watched, ms: number) => {
      watched.now = WINDOW_MS + MATCHING.poolAfterMs + ms;
      return watched.proposes((matcher, now) => matcher.tick(now));
    };
    expect(place((watched) => silence(watched, -1))).toEqual([]);
    expect(place((watched) => silence(watched, 0))).toContainEqual(free[0]);
  });
});

describe("after a window", () => {
  test("the task decides; long after it is taken to be in the pool though nothing was heard", () => {
    const { watched } = begins({}, [manual(9), pull(1, { until: WINDOW_MS - 1 })]);
    watched.now = WINDOW_MS;
    expect(watched.do((matcher, now) => matcher.wait(pull(2), now)).filter(({ type }) => type === "propose")).toEqual([]);
    watched.now = WINDOW_MS + MATCHING.poolAfterMs - 1;
    expect(watched.proposes((matcher, now) => matcher.tick(now))).toEqual([]);
    watched.now += 1;
    expect(watched.proposes((matcher, now) => matcher.tick(now))).toEqual([[inWindow(1).id, [account(2)]]]);
  });

  test("what is old is not believed: a window after the pool, a round after the next", () => {
    const { watched } = begins({ status: "PENDING_POOL" }, [manual(9)]);
    watched.do((matcher, now) => matcher.opened(inWindow(1), now));
    watched.do((matcher, now) => matcher.opened(inWindow(1, { round: 4 }), now));
    expect(watched.proposes((matcher, now) => matcher.wait(pull(1), now))).toHaveLength(1);
    // A late outcome of one round leaves the next one alone.
    watched.do((matcher, now) => matcher.opened(inWindow(1, { round: 2, status: "PENDING_POOL" }), now));
    watched.do((matcher, now) => matcher.wait(pull(2), now));
    watched.answer(inWindow(1).id, firstWins);
    expect(watched.matcher.stats).toMatchObject({ tasks: 1, underWay: 1 });
  });
});
