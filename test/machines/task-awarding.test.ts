/** How a task is awarded: whom it asks, and what it makes of a yes, of a no and of silence. W1 to W3 of awarding.ts. */
import { describe, expect, test } from "vitest";
import type { OfferReply } from "../../machines/account/protocol.ts";
import type { Ask } from "../../machines/entity.ts";
import type { Ineligibility } from "../../machines/ineligibility.ts";
import type { CommandOf } from "../../machines/protocols.ts";
import { isRefusal } from "../../machines/refusal.ts";
import type { PlacedBid } from "../../machines/task/events.ts";
import { task as entity } from "../../machines/task/index.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { forget, Life, offerOf, remind, tell } from "../support/life.ts";
import { id, order, person, STANDING } from "../support/world.ts";

const TASK = taskId(id(99));
const [REQUESTER, WORKER, OTHER, THIRD, REST] = [person(1), person(2), person(3), person(4), person(5)];
const AT = 1_000_000;
const WINDOW_ENDS = AT + 3_000;
type Command = Parameters<typeof entity.decide>[1];
type Bid = CommandOf<"task", "bid">;

const FULL = { why: "AWARDS_FULL", tier: 1, most: 3 } as const;
const NO: OfferReply = { kept: false, reason: FULL };
const YES: OfferReply = { kept: true };

const opened = (changes: object = {}) =>
  new Life(entity, TASK).through([
    [
      {
        ...{ type: "open", task: TASK, requester: REQUESTER, marks: ["mail:r"], createdAt: AT },
        order: order({ quality: "cheapest", ...changes }),
      },
      AT,
    ],
  ]);
const timer = (name: string): Command => ({ type: "timer", name, due: AT });
const pooled = () => opened().through([[timer("routing"), WINDOW_ENDS]]);
/** Bids of these workers: the first for 10 NC, each further one for 1 NC more. */
const bidOf = (worker = WORKER, n = 0, changes: Partial<Bid> = {}): Bid => ({
  ...{ type: "bid", bid: id(50 + n), worker, credits: credits(10 + n), standing: STANDING, online: null },
  ...changes,
});
const placed = (worker = WORKER, n = 0): PlacedBid => ({
  ...{ id: id(50 + n), worker, credits: credits(10 + n), quality: 0.5, identity: worker },
});
const yes = (worker = WORKER, n = 0, changes: object = {}): Command => ({
  ...{ type: "standingBid", bid: id(50 + n), worker, credits: credits(10 + n), standing: STANDING, asked: true, posted: false },
  ...changes,
});

/** What a command decides, without an answer to what it asks. */
function decided(life: ReturnType<typeof opened>, command: Command, at = AT) {
  const decision = entity.decide(life.state, command, at, at);
  if (isRefusal(decision)) throw new Error(`refused: ${decision.refused}`);
  return decision;
}
const askOf = (life: ReturnType<typeof opened>, command: Command, at = AT): Ask => {
  const { ask } = decided(life, command, at);
  if (ask === undefined) throw new Error("nobody is asked");
  return ask;
};
/** Who is asked, one after the other, when each answers so. */
function asked(life: ReturnType<typeof opened>, command: Command, reply: (bid: string) => OfferReply | null, at = AT) {
  const bids: string[] = [];
  life.accounts = (asks) => {
    const { bid } = offerOf(asks);
    bids.push(bid);
    return reply(bid);
  };
  return { ...life.do(command, at), bids };
}

describe("a bid that can win at once", () => {
  test("is not placed: its worker's account is asked for a second, and the caller waits for that", () => {
    const decision = decided(pooled(), bidOf(), AT);
    expect(decision).toMatchObject({ facts: [], reply: { bid: id(50), status: "PENDING" } });
    const { answered, ...ask } = askOf(pooled(), bidOf());
    const { taskType, budget } = order();
    expect(ask).toEqual({
      to: { kind: "account", id: WORKER },
      command: {
        ...{ type: "offer", task: TASK, bid: id(50), taskType, budget, minSkill: 0, marks: ["mail:r"], price: 10 },
        ...{ maxSeconds: 120, requesterScore: 0.9, candidates: [placed()], asked: true },
      },
      ms: 1_000,
    });
    expect(answered(YES)).toEqual({ type: "bidAnswered", bid: placed(), answer: { bid: id(50), worker: WORKER, reply: YES } });
  });

  test("wins when its worker has a slot, and says so", () => {
    const step = pooled().do(bidOf(), AT);
    expect(step.types).toBe("BidPlaced+Awarded");
    expect(step.facts[1]).toMatchObject({ bid: placed(), candidates: [placed()], slot: true });
    expect(step.decision.reply).toEqual({ bid: id(50), status: "AWARDED" });
  });

  test("is refused when its worker has none, and nothing was changed", () => {
    const life = pooled();
    life.accounts = () => NO;
    expect(life.refuses(bidOf(), AT)).toMatchObject({ refused: "TOO_MANY_AWARDS", reason: FULL });
    life.accounts = () => YES;
    expect(life.tries(bidOf(), AT)).toBe("BidPlaced+Awarded");
  });

  test.each<[Ineligibility, string]>([
    [{ why: "ONE_IDENTITY" }, "OWN_TASK"],
    [{ why: "FROZEN" }, "ACCOUNT_FROZEN"],
    [{ why: "SUSPENDED" }, "ACCOUNT_SUSPENDED"],
    [{ why: "COOLING", until: 9 }, "ACCOUNT_COOLING_DOWN"],
    [{ why: "TIER_TOO_LOW", tier: 1, wanted: 2 }, "SKILL_TOO_LOW"],
    [{ why: "OVER_BUDGET", price: 21, budget: 20 }, "BID_OVER_BUDGET"],
    [{ why: "NO_CAPABILITY" }, "CAPABILITY_UNKNOWN"],
    [{ why: "CAPABILITY_AWAY" }, "CAPABILITY_UNKNOWN"],
    [{ why: "NO_POSTED_PRICE" }, "CAPABILITY_UNKNOWN"],
    [{ why: "SLOT_RESERVED" }, "ALREADY_BID"],
    [{ why: "NO_SLOT", slots: 1 }, "TOO_MANY_AWARDS"],
    [{ why: "PULL_FULL", most: 1 }, "TOO_MANY_AWARDS"],
  ])("is refused because of %j with %s", (reason, code) => {
    const life = pooled();
    life.accounts = () => ({ kept: false, reason });
    expect(life.refuses(bidOf(), AT)).toMatchObject({ refused: code, reason });
  });

  test("is placed when nobody answers in time, and asked about again in two seconds", () => {
    const life = pooled();
    life.accounts = () => null;
    const step = life.do(bidOf(), AT + 9_000);
    expect(step.facts).toEqual([{ type: "BidPlaced", bid: { ...placed(), waited: true }, at: AT + 9_000 }]);
    expect(step.effects).toEqual([remind("routing", AT + 11_000)]);
    expect(step.decision.reply).toEqual({ bid: id(50), status: "PENDING" });
    life.accounts = () => YES;
    expect(life.do(timer("routing"), AT + 11_000).types).toBe("Awarded");
    // Its worker was told so, and is told the same when it asks again.
    expect(life.do(bidOf(), AT + 11_000)).toMatchObject({ facts: [], decision: { reply: { status: "PENDING" } } });
  });

  test("is not placed when its task was awarded, or it was placed, while its account was asked", () => {
    const answer = askOf(pooled(), bidOf()).answered(YES) as Command;
    const lost = pooled().through([[bidOf(OTHER, 1), AT]]);
    expect(lost.refuses(answer, AT)).toMatchObject({ refused: "TASK_NOT_OPEN", reason: { status: "AWARDED" } });
    const there = pooled();
    there.accounts = () => null;
    there.do(bidOf(), AT);
    expect(there.do(answer, AT)).toMatchObject({ facts: [], decision: { reply: { status: "PENDING" } } });
  });

  test("is placed if another is better, which is asked about apart: until the window ends, the round is an early one", () => {
    const life = opened().through([[bidOf(), AT]]);
    const dearer = bidOf(OTHER, 1, { online: [OTHER, WORKER] });
    const decision = decided(life, dearer);
    expect(decision).toMatchObject({ facts: [{ type: "BidPlaced", bid: placed(OTHER, 1) }], reply: { status: "PENDING" } });
    expect(decision.ask).toMatchObject({ command: { bid: id(50) }, ms: 2_000, apart: true });
    expect(decision.ask?.timer).toBeUndefined();
    expect(decision.ask?.answered(null)).toEqual({
      ...{ type: "awardAnswered", early: true, answer: { bid: id(50), worker: WORKER, reply: null } },
    });
    const step = life.do(dearer, AT);
    expect([step.types, step.decision.reply]).toEqual(["BidPlaced+Awarded", { bid: id(51), status: "PENDING" }]);
    expect(life.state.context.award).toEqual(placed());
  });

  test("in the pool leads to a round that is not early", () => {
    const life = pooled();
    life.accounts = () => null;
    life.do(bidOf(), AT);
    const { answered, ...ask } = askOf(life, bidOf(OTHER, 1));
    expect(ask).toMatchObject({ command: { bid: id(50) }, apart: true });
    expect(answered(null)).toEqual({ type: "awardAnswered", answer: { bid: id(50), worker: WORKER, reply: null } });
  });
});

describe("the end of the window", () => {
  const three = () =>
    opened().through([
      [bidOf(), AT],
      [bidOf(OTHER, 1), AT],
      [bidOf(THIRD, 2), AT],
    ]);
  const drop = (worker: typeof WORKER, n: number) => ({ type: "OfferDeclined", worker, reason: FULL, bid: id(50 + n), at: AT });

  test("asks about the best bid for two seconds, by its timer", () => {
    const { answered, ...ask } = askOf(three(), timer("routing"));
    expect(ask).toMatchObject({
      to: { id: WORKER },
      command: { bid: id(50), price: 10 },
      ms: 2_000,
      apart: true,
      timer: "routing",
    });
    expect(offerOf(ask.command).candidates).toBeUndefined();
    expect(answered(YES)).toMatchObject({ type: "awardAnswered", timer: "routing", answer: { bid: id(50), worker: WORKER } });
  });

  test("drops who has no slot, and asks the next; without any the task goes to the pool", () => {
    const life = three();
    const { facts, bids } = asked(life, timer("routing"), (bid) => (bid === id(52) ? YES : NO));
    expect(bids).toEqual([id(50), id(51), id(52)]);
    expect(facts.slice(0, 2)).toEqual([drop(WORKER, 0), drop(OTHER, 1)]);
    expect(facts.slice(2)).toMatchObject([{ type: "Awarded", bid: placed(THIRD, 2), candidates: [placed(THIRD, 2)] }]);
    const none = three();
    expect(asked(none, timer("routing"), () => NO).types).toBe("OfferDeclined+OfferDeclined+OfferDeclined+PoolEntered");
    expect(entity.row(TASK, none.state)).toMatchObject({ status: "PENDING_POOL", closedTo: [] });
    // Who had no slot then may have one now.
    none.accounts = () => YES;
    expect(none.tries(bidOf(WORKER, 3), AT)).toBe("BidPlaced+Awarded");
  });

  test("asks the next about whom nobody answers, and keeps that bid: a later yes, or the next round, is its award", () => {
    const life = three();
    const first = asked(life, timer("routing"), () => null);
    expect(first).toMatchObject({ facts: [], bids: [id(50), id(51), id(52)] });
    expect(life.state.context.bids).toHaveLength(3);
    const mixed = life.fork();
    const second = asked(mixed, timer("routing"), (bid) => (bid === id(50) ? null : bid === id(51) ? NO : YES));
    expect(second.bids).toEqual([id(50), id(51), id(52)]);
    expect(second.facts).toMatchObject([drop(OTHER, 1), { type: "Awarded", bid: placed(THIRD, 2) }]);
    expect(life.do(yes(), AT).facts).toMatchObject([{ type: "Awarded", bid: placed() }]);
    const silentAndNo = asked(three(), timer("routing"), (bid) => (bid === id(50) ? null : NO));
    expect(silentAndNo.types).toBe("OfferDeclined+OfferDeclined");
  });

  test("waits for a yes whose message is on its way", () => {
    const answer = askOf(three(), timer("routing")).answered(YES) as Command;
    expect(decided(three(), answer)).toEqual({ facts: [], reply: null });
  });

  test("leaves alone what became of the task meanwhile", () => {
    const answer = askOf(three(), timer("routing")).answered(NO) as Command;
    const cancelled = three().through([[{ type: "cancel", requester: REQUESTER }, AT]]);
    expect(decided(cancelled, answer)).toEqual({ facts: [], reply: null });
    const twice = decided(three(), answer).facts.reduce((state, fact) => entity.evolve(state, fact).state, three().state);
    const life = three();
    life.state = twice;
    expect(decided(life, answer)).toMatchObject({ facts: [], ask: { command: { bid: id(51) } } });
  });

  test("comes no sooner for a task whose bids of an early round were all dropped", () => {
    const life = opened().through([[bidOf(), AT]]);
    const { types, bids } = asked(life, bidOf(OTHER, 1, { online: [OTHER, WORKER] }), () => NO);
    expect([types, bids]).toEqual(["BidPlaced+OfferDeclined+OfferDeclined", [id(50), id(51)]]);
    expect(entity.row(TASK, life.state)).toMatchObject({ status: "ROUTING", closedTo: [], expiresAt: WINDOW_ENDS });
    expect(life.do(timer("routing"), WINDOW_ENDS).types).toBe("PoolEntered");
  });
});

test("in the pool the timer is forgotten with the last bid that is dropped, and not before", () => {
  const life = pooled();
  life.accounts = () => null;
  life.through([
    [bidOf(), AT],
    [bidOf(OTHER, 1), AT],
  ]);
  const round = asked(life, timer("routing"), (bid) => (bid === id(50) ? NO : null));
  expect([round.types, round.effects]).toEqual(["OfferDeclined", []]);
  const last = asked(life, timer("routing"), () => NO);
  expect([last.types, last.effects]).toEqual(["OfferDeclined", [forget("routing")]]);
  expect(life.tries(timer("routing"), AT)).toBe("TIMER_STALE");
});

test("a bid by posted price is asked about without a price, and one of a pull with that", () => {
  const life = opened();
  const pull = { id: id(40), most: 3 };
  life.state = entity.evolve(life.state, { type: "BidPlaced", bid: { ...placed(), posted: true, pull }, at: AT }).state;
  const asks = offerOf(askOf(life, timer("routing")).command);
  expect([asks.price, asks.pull]).toEqual([undefined, pull]);
});

test("an award to the next best, because the best is silent, was not for its price alone", () => {
  let tried = 0;
  for (let n = 0; n < 200 && tried < 3; n += 1) {
    const life = opened({ quality: "best" });
    // Who wins for its price depends on the task's id.
    life.state = { ...life.state, context: { ...life.state.context, id: id(n) } };
    life.through([
      [bidOf(WORKER, 0), AT],
      [bidOf(OTHER, 1, { standing: { ...STANDING, quality: 0.9 } }), AT],
    ]);
    if (offerOf(askOf(life, timer("routing")).command).bid !== id(50)) continue;
    tried += 1;
    const { facts } = asked(life, timer("routing"), (bid) => (bid === id(50) ? null : YES));
    expect(facts).toMatchObject([{ type: "Awarded", bid: { id: id(51) }, explored: false }]);
  }
  expect(tried).toBe(3);
});

test("a bid counts until its worker stops waiting, to the millisecond", () => {
  const life = opened();
  const until = { ...placed(), until: AT + 100 };
  life.state = entity.evolve(life.state, { type: "BidPlaced", bid: until, at: AT }).state;
  life.do(bidOf(OTHER, 1), AT);
  expect(askOf(life, timer("routing"), AT + 99).command).toMatchObject({ bid: id(50) });
  expect(askOf(life, timer("routing"), AT + 100).command).toMatchObject({ bid: id(51) });
});

describe("a yes", () => {
  test("awards a bid that was placed at its own price, and one that was not as its account got it", () => {
    const known = opened().through([[bidOf(), AT]]);
    const [award, ...rest] = known.do(yes(WORKER, 0, { credits: credits(15) }), AT + 7).facts;
    expect(rest).toEqual([]);
    expect(award).toMatchObject({ type: "Awarded", bid: placed(), deadline: AT + 7 + 120_000, slot: true });
    const asIs = { ...placed(), quality: 0.9, request: id(7) };
    const { facts } = opened().do(yes(WORKER, 0, { candidates: [asIs] }), AT);
    expect(facts).toMatchObject([
      { type: "BidPlaced", bid: asIs },
      { type: "Awarded", bid: asIs },
    ]);
  });

  test("says what else was weighed, each once, and by whose pull or posted price it is", () => {
    const pull = { id: id(40), most: 3 };
    const candidates = [placed(OTHER, 1), placed(THIRD, 2)];
    const life = opened().through([
      [bidOf(OTHER, 1), AT],
      [bidOf(REST, 3), AT],
    ]);
    const { facts } = life.do(yes(WORKER, 0, { candidates, pull, posted: true }), AT);
    const bid = { ...placed(), posted: true, pull };
    expect(facts[0]).toEqual({ type: "BidPlaced", bid, at: AT });
    expect(facts[1]).toMatchObject({ bid, candidates: [placed(OTHER, 1), placed(REST, 3), placed(THIRD, 2), bid] });
  });

  test("that comes again, or about another bid of who has the task, changes nothing", () => {
    const life = opened().through([[yes(), AT]]);
    for (const command of [yes(), yes(WORKER, 1)]) expect(decided(life, command)).toEqual({ facts: [], reply: null });
    life.do({ type: "start", worker: WORKER }, AT);
    expect(decided(life, yes()).facts).toEqual([]);
  });

  test.each<[string, readonly Command[]]>([
    ["somebody else has the task", [yes(OTHER, 1)]],
    ["it has ended", [{ type: "cancel", requester: REQUESTER }]],
    ["its worker has failed it", [yes(), timer("execution")]],
    ["its worker is done", [yes(), submission()]],
    ["its worker has been paid", [yes(), submission(), settlement()]],
    ["an operator has ended it", [yes(), { type: "expire", reason: "by request" }]],
  ])("that comes when %s is freed, for this bid", (_when, before) => {
    const life = opened({ autoRetry: 1 }).through(before.map((one) => [one, AT]));
    const { facts, effects } = life.do(yes(), AT + 5);
    expect(facts).toEqual([{ type: "StandingBidDropped", worker: WORKER, bid: id(50), at: AT + 5 }]);
    expect(effects).toEqual([tell("account", WORKER, { type: "freed", task: TASK, bid: id(50) })]);
  });

  test("is taken though the round has as many bids as it may, and this worker's among them", () => {
    const life = opened();
    for (let n = 0; n < 100; n += 1) life.do(bidOf(person(200 + n), 200 + n, { credits: credits(10) }), AT);
    expect(life.tries(yes(WORKER, 0), AT)).toBe("BidPlaced+Awarded");
    expect(life.tries(yes(person(201), 0), AT)).toBe("BidPlaced+Awarded");
  });
});

function submission(): Command {
  return { type: "submit", submission: id(60), worker: WORKER, result: {}, verdict: { code: null, errors: [] } };
}

function settlement(): Command {
  return { type: "settled", payout: credits(10), fee: credits(1), refund: credits(9) };
}
