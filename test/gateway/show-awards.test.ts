/** What a history tells of an award and of its end: what was weighed, why it was won, and who gave it back. */
import { describe, expect, test } from "vitest";
import { showHistory } from "../../gateway/show/history.ts";
import { UNMATCHED_SENTENCES } from "../../gateway/show/unmatched.ts";
import { showExtended, showReturned } from "../../gateway/show/work.ts";
import type { ReturnKind, TaskFact } from "../../machines/task/events.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { id, person } from "../support/world.ts";

const [REQUESTER, WORKER, OTHER] = [person(1), person(2), person(3)];
const AT = 1_700_000_000_000;
const NOW = new Date(AT).toISOString();

type Preference = "best" | "balanced" | "cheapest";
const seen = (fact: TaskFact, account = REQUESTER, preference: Preference = "cheapest") =>
  showHistory(
    { items: [{ seq: 1, fact }], worker: WORKER, next: null },
    { account, requester: REQUESTER, party: true, preference, budget: 20 },
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

describe("a history keeps", () => {
  test("why nobody takes a task for its requester", () => {
    const explained: TaskFact = { type: "PoolExplained", why: "ALL_TOO_DEAR", present: 3, at: AT };
    const data = { reason: "ALL_TOO_DEAR", detail: UNMATCHED_SENTENCES.ALL_TOO_DEAR, workers_online: 3 };
    expect(seen(explained)).toEqual([{ seq: 1, event: "PoolExplained", at: NOW, by: "platform", data }]);
    for (const who of [WORKER, OTHER]) expect(seen(explained, who)).toEqual([]);
  });

  test("why a standing price was dropped from everybody, and why an offer was declined from all but its worker and operators", () => {
    const reason = { why: "NO_SLOT", slots: 1 } as const;
    const declined: TaskFact = { type: "OfferDeclined", worker: WORKER, bid: id(7), reason, at: AT };
    expect(seen(declined, WORKER)).toHaveLength(1);
    expect(seen(declined)).toEqual([]);
    const page = { items: [{ seq: 1, fact: declined }], worker: WORKER, next: null };
    const viewer = { account: REQUESTER, requester: REQUESTER, party: true, preference: "cheapest", budget: 20 } as const;
    expect(showHistory(page, { ...viewer, operator: true })).toHaveLength(1);
  });

  test("which bids stood by a price, given before or posted, and which were made by hand", () => {
    const standing = { ...bid(3, 10), standing: true as const };
    const posted = { ...bid(4, 11), posted: true as const };
    expect(seen(award(bid(2, 9), [standing, posted]))[0]?.data).toMatchObject({
      bids: [
        { bid_credits: 10, standing_price: true },
        { bid_credits: 11, standing_price: true },
        { bid_credits: 9, standing_price: false },
      ],
    });
  });

  test("the bid that took nobody's place free of any mention of one", () => {
    const placed: TaskFact = { type: "BidPlaced", bid: bid(2, 9), at: AT };
    expect(seen(placed)[0]?.data).toStrictEqual({ bid_id: id(2), bid_credits: 9 });
  });
});

describe("a worker is told", () => {
  const TASK = taskId(id(9));

  test.each<[ReturnKind, boolean, RegExp]>([
    ["FREE", true, /counts for nothing/],
    ["LATE", false, /after its first 10 s; it counts as a failure/],
    ["TOO_MANY", false, /too often.*counts as a failure/],
    ["UNDELIVERED", true, /did not reach you; it counts for nothing/],
  ])("whether an award that was given back %s was free: %s", (how, free, detail) => {
    const shown = showReturned({ id: TASK, how });
    expect(shown).toEqual({ id: TASK, status: "RELEASED", free, why: how, detail: expect.stringMatching(detail) });
  });

  test("until when it has more time, and how much is left to ask for", () => {
    expect(showExtended({ id: TASK, deadline: AT, left: 30 })).toEqual({ id: TASK, expires_at: NOW, seconds_left: 30 });
  });
});
