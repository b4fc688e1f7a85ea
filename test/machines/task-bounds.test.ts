/** The exact boundaries of a task: what holds at a number, and what holds one beside it. */
import { describe, expect, test } from "vitest";
import { task as entity } from "../../machines/task/index.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { Life } from "../support/life.ts";
import { id, order, person } from "../support/world.ts";

const TASK = taskId(id(99));
const [REQUESTER, WORKER, OTHER] = [person(1), person(2), person(3)];
const AT = 1_000_000;
const BIDS_MAX = 100;
type Command = Parameters<typeof entity.decide>[1];
type Bid = Extract<Command, { type: "bid" }>;

const standing = { status: "ACTIVE", cooldownUntil: null, tier: 1, quality: 0.5, marks: [] } as const;
const bid = (changes: Partial<Bid> = {}): Bid => ({
  ...{ type: "bid", bid: id(50), worker: WORKER, credits: credits(12), standing, online: null },
  ...changes,
});
const offers = [{ worker: WORKER, bid: id(50) }];
const opened = (changes: object = {}) =>
  new Life(entity, TASK).through([
    [{ type: "open", task: TASK, requester: REQUESTER, marks: [], order: order(changes), offers, createdAt: AT }, AT],
  ]);
const timer = (name: string): Command => ({ type: "timer", name, due: AT });
const standingBid = (changes: Partial<Bid> = {}): Command => {
  const { online: _online, credits: price, ...rest } = bid(changes);
  return { ...rest, type: "standingBid", credits: price ?? credits(0) };
};

describe("a bid", () => {
  test.each([0, 1, 2, 3, 4, 5])("at exactly the tier that is asked for (%i) is taken, and one below it is not", (minSkill) => {
    const life = opened({ minSkill });
    const at = (tier: number) => bid({ standing: { ...standing, tier } });
    expect(life.tries(at(minSkill), AT)).toBe("BidPlaced");
    expect(life.tries(at(minSkill + 1), AT)).toBe("BidPlaced");
    if (minSkill > 0) expect(life.tries(at(minSkill - 1), AT)).toBe("SKILL_TOO_LOW");
    const price = (tier: number) => standingBid({ standing: { ...standing, tier } });
    expect(life.tries(price(minSkill), AT)).toBe("BidPlaced+Awarded");
    if (minSkill > 0) expect(life.tries(price(minSkill - 1), AT)).toBe("StandingBidDropped");
  });

  test("of exactly the budget is taken, and of one more is not", () => {
    const life = opened({ budget: credits(20) });
    expect(life.tries(bid({ credits: credits(20) }), AT)).toBe("BidPlaced");
    expect(life.tries(bid({ credits: credits(21) }), AT)).toBe("BID_OVER_BUDGET");
  });

  test("is taken up to the most that a round collects", () => {
    const life = opened();
    for (let n = 0; n < BIDS_MAX; n += 1) life.do(bid({ bid: id(1_000 + n), worker: person(1_000 + n) }), AT);
    expect(life.tries(bid(), AT)).toBe("TOO_MANY_BIDS");
    expect(life.tries(standingBid(), AT)).toBe("StandingBidDropped");
    const [fact] = life.do(timer("routing"), AT).facts;
    expect(fact).toMatchObject({ candidates: { length: BIDS_MAX } });
  });

  test("that takes the last place of a round does not end it: somebody who is online may be better", () => {
    const life = opened();
    const from = (n: number, online: Bid["online"]) => bid({ bid: id(1_000 + n), worker: person(1_000 + n), online });
    for (let n = 2; n < BIDS_MAX; n += 1) life.do(from(n, null), AT);
    expect(life.tries(from(BIDS_MAX, [OTHER]), AT)).toBe("BidPlaced");
    life.do(from(BIDS_MAX, null), AT);
    expect(life.tries(from(BIDS_MAX + 1, [OTHER]), AT)).toBe("BidPlaced");
    expect(life.tries(from(BIDS_MAX + 1, []), AT)).toBe("BidPlaced+Awarded");
    expect(life.tries(from(BIDS_MAX + 1, null), AT)).toBe("BidPlaced");
  });

  test.each(["FROZEN", "SUSPENDED", "COOLING"] as const)("of an account that is %s is refused", (status) => {
    const codes = { FROZEN: "ACCOUNT_FROZEN", SUSPENDED: "ACCOUNT_SUSPENDED", COOLING: "ACCOUNT_COOLING_DOWN" };
    expect(opened().tries(bid({ standing: { ...standing, status } }), AT)).toBe(codes[status]);
  });

  test("once in a round, and again in the next one, but by nobody who failed it", () => {
    const life = opened({ autoRetry: 2 }).through([
      [bid(), AT],
      [bid({ bid: id(51), worker: OTHER, credits: credits(15) }), AT],
    ]);
    expect(life.tries(bid({ bid: id(52) }), AT)).toBe("ALREADY_BID");
    const [award] = life.do(timer("routing"), AT).facts;
    const winner = award?.type === "Awarded" ? award.bid.worker : REQUESTER;
    life.do(timer("execution"), AT);
    expect(life.tries(bid({ bid: id(53), worker: winner }), AT)).toBe("FAILED_THIS_TASK");
    expect(life.tries(bid({ bid: id(54), worker: winner === WORKER ? OTHER : WORKER }), AT)).toBe("BidPlaced");
  });
});

describe("the window ends early", () => {
  const ends = (online: Bid["online"], life = opened()) => life.tries(bid({ online }), AT) === "BidPlaced+Awarded";

  test("when nobody who is there could still bid: bidders, the requester and who failed are not waited for", () => {
    expect(ends([WORKER])).toBe(true);
    expect(ends([])).toBe(true);
    expect(ends([WORKER, REQUESTER])).toBe(true);
    expect(ends([WORKER, OTHER])).toBe(false);
    expect(ends([OTHER])).toBe(false);
    expect(ends(null)).toBe(false);
    const second = opened().through([[bid({ bid: id(51), worker: OTHER }), AT]]);
    expect(ends([WORKER, OTHER], second)).toBe(true);
    const failed = opened().through([
      [bid({ bid: id(51), worker: OTHER }), AT],
      [timer("routing"), AT],
      [timer("execution"), AT],
    ]);
    expect(ends([WORKER, OTHER], failed)).toBe(true);
  });
});

describe("an award", () => {
  const DEADLINE = AT + 500 + 120_000;
  const awarded = (changes: object = {}) =>
    opened(changes).through([
      [bid(), AT],
      [timer("routing"), AT + 500],
    ]);
  const submit = (worker = WORKER): Command => ({
    ...{ type: "submit", submission: id(60), worker, result: {} },
    verdict: { code: null, errors: [] },
  });

  test("takes what arrives up to a millisecond before its deadline, which counts from the award", () => {
    for (const command of [submit(), { type: "start", worker: WORKER } as const]) {
      expect(awarded().tries(command, DEADLINE + 9_000, DEADLINE - 1)).not.toBe("TIMEOUT");
      expect(awarded().tries(command, DEADLINE, DEADLINE)).toBe("TIMEOUT");
      expect(awarded().tries(command, AT + 120_001, AT + 120_001)).not.toBe("TIMEOUT");
    }
  });

  test.each([0, 1, 3])("is made anew as often as was asked for (%i)", (autoRetry) => {
    const life = opened({ autoRetry });
    for (let round = 0; round <= autoRetry; round += 1) {
      expect(entity.row(TASK, life.state)?.autoRetriesLeft).toBe(autoRetry - round);
      life.do(bid({ bid: id(100 + round), worker: person(100 + round) }), AT);
      life.do(timer("routing"), AT);
      const step = life.do(timer("execution"), AT);
      expect(step.types).toBe(round === autoRetry ? "AwardTimedOut+Expired" : "AwardTimedOut+Reopened");
    }
  });

  test("is for one worker: others are told that it is not theirs, and who ran out of time is told that", () => {
    const life = awarded();
    expect(life.tries(submit(OTHER), AT + 600)).toBe("NOT_AWARDED_TO_YOU");
    expect(life.tries(submit(REQUESTER), AT + 600)).toBe("NOT_AWARDED_TO_YOU");
    life.do(timer("execution"), DEADLINE);
    expect([life.tries(submit(), DEADLINE), life.tries(submit(OTHER), DEADLINE)]).toEqual(["TIMEOUT", "NOT_AWARDED_TO_YOU"]);
    const wrong = { code: "RULE_VIOLATION", errors: [] } as const;
    const failed = awarded();
    for (let n = 0; n < 3; n += 1) failed.do({ ...submit(), verdict: wrong } as Command, AT + 600);
    expect(failed.tries(submit(), AT + 700)).toBe("NOT_AWARDED_TO_YOU");
  });
});

describe("a timer", () => {
  test("that was put off means nothing in a state that it was not set for", () => {
    const pooled = opened().through([[timer("routing"), AT]]);
    for (const name of ["routing", "execution", "webhook", "nothing"]) expect(pooled.tries(timer(name), AT)).toBe("TIMER_STALE");
    expect(opened().tries(timer("pool"), AT)).toBe("TIMER_STALE");
    expect(opened().tries(timer("execution"), AT)).toBe("TIMER_STALE");
  });
});
