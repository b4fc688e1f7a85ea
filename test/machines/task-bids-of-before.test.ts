/** Bids as they were before awards came with slots: by posted prices, of accounts of older versions, and asked for again. */
import { describe, expect, test } from "vitest";
import type { Ineligibility } from "../../machines/ineligibility.ts";
import type { CommandOf } from "../../machines/protocols.ts";
import type { PlacedBid, TaskFact } from "../../machines/task/events.ts";
import { task as entity } from "../../machines/task/index.ts";
import { credits, type QualityPreference, taskId } from "../../machines/vocabulary.ts";
import { Life, tell } from "../support/life.ts";
import { id, order, person, STANDING } from "../support/world.ts";

const TASK = taskId(id(99));
const [REQUESTER, WORKER, OTHER] = [person(1), person(2), person(3)];
const AT = 1_000_000;
const WINDOW_ENDS = AT + 3_000;
type Command = Parameters<typeof entity.decide>[1];

/** A task whose price was told to OTHER, and asked for with the bid 80. */
const opened = (quality: QualityPreference = "cheapest") =>
  new Life(entity, TASK).through([
    [
      {
        ...{ type: "open", task: TASK, requester: REQUESTER, marks: [], order: order({ quality }), createdAt: AT },
        offers: [{ worker: OTHER, bid: id(80) }],
      },
      AT,
    ],
  ]);
const timer = (name: string): Command => ({ type: "timer", name, due: AT });
const bid = (worker = WORKER, amount = 10, changes: Partial<CommandOf<"task", "bid">> = {}): Command => ({
  ...{ type: "bid", bid: id(50), worker, credits: credits(amount), standing: STANDING, online: null },
  ...changes,
});
const placed = (worker = WORKER, amount = 10): PlacedBid => ({
  ...{ id: id(50), worker, credits: credits(amount), quality: 0.5, identity: worker },
});
/** A yes as older accounts say it. */
const price = (worker = OTHER, n = 80, amount = 12): Command => ({
  ...{ type: "standingBid", bid: id(n), worker, credits: credits(amount), standing: STANDING },
});
const declined = (worker: typeof WORKER, reason?: Ineligibility, of?: string): Command => ({
  ...{ type: "declined", worker },
  ...(reason === undefined ? {} : { reason }),
  ...(of === undefined ? {} : { bid: of }),
});
const silent = (life: ReturnType<typeof opened>) => {
  life.accounts = () => null;
  return life;
};
const noOne = (): never => {
  throw new Error("nobody is to be asked");
};

describe("a bid by posted price, whose slot came with it,", () => {
  test("is awarded at the end of the window without a question", () => {
    const life = opened().through([[price(), AT]]);
    life.accounts = noOne;
    const [award, ...rest] = life.do(timer("routing"), WINDOW_ENDS).facts;
    expect(rest).toEqual([]);
    expect(award).toMatchObject({ type: "Awarded", bid: { id: id(80), standing: true }, slot: true });
  });

  test("is awarded at once when a worse one is the last that is waited for", () => {
    const life = opened().through([[price(), AT]]);
    life.accounts = noOne;
    const step = life.do(bid(WORKER, 15, { online: [WORKER, OTHER] }), AT);
    expect(step.types).toBe("BidPlaced+Awarded");
    expect(step.facts[1]).toMatchObject({ bid: { id: id(80) }, candidates: [placed(WORKER, 15), { id: id(80) }] });
    expect(step.decision.reply).toEqual({ bid: id(50), status: "PENDING" });
  });

  test("is awarded at once by balanced only if it beats every bid that is there", () => {
    for (const [amount, types] of [
      [13, "BidPlaced+Awarded"],
      [11, "BidPlaced"],
    ] as const) {
      const life = opened("balanced").through([[bid(WORKER, amount), AT]]);
      expect(life.tries(price(), AT)).toBe(types);
    }
  });

  test("is not touched by what its account says about another question", () => {
    const life = opened().through([[price(), AT]]);
    const { facts } = life.do(declined(OTHER, { why: "COOLING", until: AT }), WINDOW_ENDS);
    expect(facts).toEqual([{ type: "OfferDeclined", worker: OTHER, reason: { why: "COOLING", until: AT }, at: WINDOW_ENDS }]);
    expect(life.state.context.bids).toHaveLength(1);
  });

  test("comes after the better ones have been asked about and have no slot", () => {
    const life = opened().through([
      [price(), AT],
      [bid(WORKER, 8), AT],
    ]);
    life.accounts = () => ({ kept: false, reason: { why: "AWARDS_FULL", tier: 1, most: 3 } });
    const { facts } = life.do(timer("routing"), WINDOW_ENDS);
    expect(facts).toMatchObject([
      { type: "OfferDeclined", worker: WORKER, bid: id(50) },
      { type: "Awarded", bid: { id: id(80) }, candidates: [{ id: id(80) }] },
    ]);
  });

  test("frees its slot by its bid when it loses, and whatever it was for when the task ends", () => {
    const life = opened().through([
      [price(), AT],
      [bid(WORKER, 8), AT],
    ]);
    const freed = tell("account", OTHER, { type: "freed", task: TASK, bid: id(80) });
    expect(life.fork().do({ type: "cancel", requester: REQUESTER }, AT).effects).toContainEqual(freed);
    expect(life.do(timer("routing"), WINDOW_ENDS).effects).toContainEqual(freed);
    expect(life.do({ type: "expire", reason: "by request" }, WINDOW_ENDS).effects).toContainEqual(
      tell("account", WORKER, { type: "freed", task: TASK }),
    );
  });
});

describe("an account of an older version that is asked about a bid by hand", () => {
  /** Its reply says nothing, so the bid is asked about again. */
  const waiting = () => silent(opened().through([[bid(), AT]]));

  test.each<[Ineligibility | undefined]>([
    [undefined],
    [{ why: "NO_CAPABILITY" }],
    [{ why: "CAPABILITY_AWAY" }],
    [{ why: "NO_POSTED_PRICE" }],
    [{ why: "OVER_BUDGET", price: 21, budget: 20 }],
    [{ why: "SLOT_RESERVED" }],
    [{ why: "NO_SLOT", slots: 1 }],
  ])("and declines because of %j, which is about its posted price, gets the task without a slot", (reason) => {
    const life = waiting();
    expect(life.do(timer("routing"), WINDOW_ENDS).types).toBe("");
    const { facts } = life.do(declined(WORKER, reason), WINDOW_ENDS);
    expect(facts).toMatchObject([{ type: "Awarded", bid: placed(), slot: false }]);
    expect(life.state.context.slot).toBe(false);
  });

  test("and declines for another reason does not get it: its bid is dropped", () => {
    const life = waiting();
    const reason = { why: "COOLING", until: AT } as const;
    const { facts } = life.do(declined(WORKER, reason), WINDOW_ENDS);
    expect(facts).toEqual([{ type: "OfferDeclined", worker: WORKER, reason, bid: id(50), at: WINDOW_ENDS }]);
    expect(life.do(timer("routing"), WINDOW_ENDS).types).toBe("PoolEntered");
  });

  test("is believed only when it may have been asked: in the pool, or when the window is over, to the millisecond", () => {
    const reason = { why: "NO_CAPABILITY" } as const;
    const early = waiting().do(declined(WORKER, reason), WINDOW_ENDS - 1);
    expect(early.facts).toEqual([{ type: "OfferDeclined", worker: WORKER, reason, at: WINDOW_ENDS - 1 }]);
    const pool = silent(opened().through([[timer("routing"), WINDOW_ENDS]])).through([[bid(), WINDOW_ENDS]]);
    expect(pool.tries(declined(WORKER, reason), WINDOW_ENDS + 1)).toBe("Awarded");
    expect(pool.tries(declined(OTHER, reason), WINDOW_ENDS + 1)).toBe("");
    const cancelled = pool.through([[{ type: "cancel", requester: REQUESTER }, WINDOW_ENDS]]);
    expect(cancelled.tries(declined(WORKER, reason), WINDOW_ENDS + 1)).toBe("");
  });

  test("is told from one of this version, which names the bid at its posted price that it declines", () => {
    const reason = { why: "NO_SLOT", slots: 1 } as const;
    const { facts } = waiting().do(declined(WORKER, reason, id(81)), WINDOW_ENDS);
    expect(facts).toEqual([{ type: "OfferDeclined", worker: WORKER, reason, at: WINDOW_ENDS }]);
  });

  test("is not asked for a price that it has posted: a bid by that is dropped for every reason", () => {
    const life = silent(opened());
    const posted: TaskFact = { type: "BidPlaced", bid: { ...placed(), posted: true }, at: AT };
    life.state = entity.evolve(life.state, posted).state;
    const reason = { why: "NO_POSTED_PRICE" } as const;
    expect(life.do(declined(WORKER, reason), WINDOW_ENDS).facts).toMatchObject([{ type: "OfferDeclined", bid: id(50) }]);
  });

  test("and says yes gets the task at the price of the bid, not at its posted price", () => {
    const { facts } = waiting().do(price(WORKER, 50, 18), WINDOW_ENDS);
    expect(facts).toMatchObject([{ type: "Awarded", bid: placed(), slot: true }]);
  });

  test("and says yes before the bid is placed frees its slot, and is asked again", () => {
    const life = silent(opened().through([[timer("routing"), WINDOW_ENDS]]));
    const early = life.do(price(WORKER, 50, 18), WINDOW_ENDS);
    expect(early.facts).toEqual([{ type: "StandingBidDropped", worker: WORKER, bid: id(50), at: WINDOW_ENDS }]);
    expect(early.effects).toEqual([tell("account", WORKER, { type: "freed", task: TASK, bid: id(50) })]);
    life.do(bid(), WINDOW_ENDS);
    expect(life.do(price(WORKER, 50, 18), WINDOW_ENDS).facts).toMatchObject([{ type: "Awarded", bid: placed() }]);
  });
});

describe("a bid that is asked for again gets its reply again", () => {
  const PENDING = { facts: [], decision: { reply: { bid: id(50), status: "PENDING" } } };
  const AWARDED = { facts: [], decision: { reply: { bid: id(50), status: "AWARDED" } } };

  test("while it waits, when it has won, when its award has failed, and when it is paid", () => {
    const life = opened().through([[bid(), AT]]);
    expect(life.do(bid(), AT)).toMatchObject(PENDING);
    life.do(timer("routing"), WINDOW_ENDS);
    expect(life.do(bid(), AT)).toMatchObject(AWARDED);
    const failed = life.fork().through([[timer("execution"), AT]]);
    expect(entity.row(TASK, failed.state)?.status).toBe("ROUTING");
    expect(failed.do(bid(), AT)).toMatchObject(AWARDED);
    life.do({ type: "submit", submission: id(60), worker: WORKER, result: {}, verdict: { code: null, errors: [] } }, AT);
    expect(life.do(bid(), AT)).toMatchObject(AWARDED);
  });

  test("also under another id, by its request: whoever asked can tell that it was another bid", () => {
    const life = opened().through([[bid(WORKER, 10, { request: id(7) }), AT]]);
    const other = bid(WORKER, 11, { bid: id(51), request: id(7) });
    expect(life.do(other, AT)).toMatchObject(PENDING);
    life.do(timer("routing"), WINDOW_ENDS);
    expect(life.do(other, AT)).toMatchObject(AWARDED);
    life.do(timer("execution"), AT);
    expect(life.do(other, AT)).toMatchObject(AWARDED);
    expect(life.refuses(bid(WORKER, 11, { bid: id(51), request: id(8) }), AT).refused).toBe("FAILED_THIS_TASK");
    expect(life.refuses(bid(WORKER, 11, { bid: id(51) }), AT).refused).toBe("FAILED_THIS_TASK");
  });

  test("also if it won at once, so that its account knows its request before the task does", () => {
    const life = opened().through([
      [timer("routing"), WINDOW_ENDS],
      [bid(WORKER, 10, { request: id(7) }), WINDOW_ENDS],
    ]);
    expect(life.state.context.award).toEqual({ ...placed(), request: id(7) });
    expect(life.do(bid(WORKER, 11, { bid: id(51), request: id(7) }), AT)).toMatchObject(AWARDED);
  });
});

test("a task whose snapshot is from before awards had slots has none for its award, and knows no bid of its failures", () => {
  const life = opened().through([
    [bid(), AT],
    [timer("routing"), WINDOW_ENDS],
  ]);
  const { slot: _slot, ...context } = life.state.context;
  const restored = entity.restore(TASK, {
    value: "AWARDED",
    context: { ...context, failures: [{ worker: OTHER, code: "TIMEOUT" }] },
  });
  expect(restored.context).toMatchObject({ slot: false, award: placed() });
  life.state = restored;
  expect(life.do({ type: "start", worker: WORKER }, AT).types).toBe("ExecutionStarted");
  expect(life.refuses(bid(OTHER, 9, { bid: id(51), request: id(7) }), AT).refused).toBe("TASK_NOT_OPEN");
});
