/** What a history tells of an award and of its end: what was weighed, why it was won, and who gave it back. */
import { describe, expect, test } from "vitest";
import { showHistory } from "../../gateway/show/history.ts";
import type { TaskFact } from "../../machines/task/events.ts";
import { credits } from "../../machines/vocabulary.ts";
import { id, person } from "../support/world.ts";

const [REQUESTER, WORKER, OTHER] = [person(1), person(2), person(3)];
const AT = 1_700_000_000_000;
const NOW = new Date(AT).toISOString();

type Preference = "best" | "balanced" | "cheapest";
const seen = (fact: TaskFact, account = REQUESTER, preference: Preference = "cheapest") =>
  showHistory(
    { items: [{ seq: 1, fact }], worker: WORKER, next: null },
    { account, requester: REQUESTER, preference, budget: 20 },
  );

const bid = (n: number, price: number, quality = 0.5) => ({ id: id(n), worker: person(n), credits: credits(price), quality });
type Bid = ReturnType<typeof bid>;
const award = (
  winner: Bid,
  others: readonly Bid[],
  more: { readonly going?: number; readonly explored?: boolean } = {},
): TaskFact => ({
  ...{ type: "Awarded", bid: winner, deadline: AT, explored: false, candidates: [...others, winner], at: AT },
  ...more,
});
const why = (fact: TaskFact, preference: Preference = "cheapest") => String(seen(fact, REQUESTER, preference)[0]?.data["why"]);

describe("the history of an award says why it was won:", () => {
  test("the only one, the best by what the requester prefers, or the cheapest because the task is of the share for newcomers", () => {
    expect(why(award(bid(2, 9), []))).toBe("The only one there was.");
    expect(why(award(bid(2, 9), [bid(3, 10)]))).toMatch(/^The lowest price; among/);
    expect(why(award(bid(2, 9, 0.6), [bid(3, 1, 0.5)]), "best")).toMatch(/^The best quality/);
    expect(why(award(bid(2, 9), [bid(3, 10)]), "balanced")).toBe("The lowest price / (1 + quality).");
    expect(why(award(bid(2, 9, 0.1), [bid(3, 10, 0.9)], { explored: true }), "best")).toMatch(/newcomers/);
  });

  test("the best when it was asked, where a better bid came before its answer", () => {
    expect(why(award(bid(2, 9), [bid(3, 8)]))).toBe("The best when its worker was asked; a better bid came while it answered.");
  });

  test("with the going price where that counted, at exactly half of it not", () => {
    const half = { going: 0.5 };
    expect(why(award(bid(2, 5), [bid(3, 6)], half))).not.toMatch(/going price/);
    expect(why(award(bid(2, 4, 0.6), [bid(3, 5, 0.5)], half))).toMatch(/down to half of the going price/);
    expect(why(award(bid(2, 4, 0.6), [bid(3, 5, 0.5)], half), "best")).not.toMatch(/going price/);
    // By its price alone it would not have won.
    expect(why(award(bid(2, 5, 0.6), [bid(3, 4, 0.5)], half))).toMatch(/^The lowest price.*going price/);
  });

  test("and what each bid weighed by it", () => {
    const [event] = seen(award(bid(2, 5, 0.6), [bid(3, 4, 0.5)], { going: 0.5 }));
    expect(event?.data).toMatchObject({
      going_price: 10,
      bids: [
        { bid_credits: 4, weight: 5 },
        { bid_credits: 5, weight: 5 },
      ],
    });
    const [before] = seen(award(bid(2, 5, 0.6), [bid(3, 6, 0.5)]));
    expect(before?.data).toMatchObject({ going_price: null, bids: [{ weight: 6 }, { weight: 5 }] });
    expect(seen(award(bid(2, 5), [bid(3, 4)]), WORKER)[0]?.data).toEqual({ awarded_to: WORKER, deadline: NOW });
  });
});

describe("a history tells", () => {
  const shown = (event: string, by: string | null, data: object) => [{ seq: 1, event, at: NOW, by, data }];

  test("who passed, took a bid back or lost its place, to that worker and to the requester; by which bid, only to the latter", () => {
    const passed: TaskFact = { type: "Passed", worker: WORKER, at: AT };
    const withdrawn: TaskFact = { type: "BidWithdrawn", worker: WORKER, bid: id(7), at: AT };
    const displacing: TaskFact = { type: "BidPlaced", bid: bid(2, 9), displaces: id(7), at: AT };
    for (const who of [REQUESTER, WORKER]) {
      expect(seen(passed, who)).toEqual(shown("Passed", WORKER, {}));
      expect(seen(withdrawn, who)).toEqual(shown("BidWithdrawn", WORKER, { bid_id: id(7) }));
    }
    const own = { bid_id: id(2), bid_credits: 9 };
    expect(seen(displacing)).toEqual(shown("BidPlaced", WORKER, { ...own, displaces: id(7) }));
    expect(seen(displacing, WORKER)).toEqual(shown("BidPlaced", WORKER, own));
    for (const fact of [passed, withdrawn, displacing]) expect(seen(fact, OTHER)).toEqual([]);
  });

  test("how an award was given back and why, how it was extended, and whether the next round cost a retry", () => {
    const returned: TaskFact = { type: "AwardReturned", worker: WORKER, how: "LATE", reason: "too long", at: AT };
    const data = { awarded_to: WORKER, how: "LATE", reason: "too long" };
    expect(seen(returned)).toEqual(shown("AwardReturned", WORKER, data));
    expect(seen(returned, OTHER)).toEqual(shown("AwardReturned", null, { ...data, awarded_to: null }));
    const undelivered: TaskFact = { type: "AwardReturned", worker: WORKER, how: "UNDELIVERED", at: AT };
    expect(seen(undelivered)).toEqual(
      shown("AwardReturned", "platform", { awarded_to: WORKER, how: "UNDELIVERED", reason: null }),
    );
    const extended: TaskFact = { type: "AwardExtended", worker: WORKER, seconds: 20, deadline: AT, left: 0, at: AT };
    expect(seen(extended, WORKER)).toEqual(shown("AwardExtended", WORKER, { seconds: 20, deadline: NOW }));
    const reopened = (free?: boolean): TaskFact => ({
      type: "Reopened",
      until: AT,
      ...(free === undefined ? {} : { free }),
      at: AT,
    });
    expect(seen(reopened(true))).toEqual(shown("Reopened", "platform", { until: NOW, costs_retry: false }));
    expect(seen(reopened())).toEqual(shown("Reopened", "platform", { until: NOW, costs_retry: true }));
  });
});
