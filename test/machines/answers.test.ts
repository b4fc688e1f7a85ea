/** Passing, taking a bid back, better bids in place of the worst, and what becomes of each bid; exact bounds and ties. */
import { describe, expect, test } from "vitest";
import { BIDS_MAX } from "../../machines/eligibility.ts";
import { explores } from "../../machines/market/auction.ts";
import { ANSWERS_MAX, PASSES_MAX } from "../../machines/task/answers.ts";
import { type BidRow, bidRows } from "../../machines/task/bid-rows.ts";
import { task as entity } from "../../machines/task/index.ts";
import { credits, type TaskId, taskId } from "../../machines/vocabulary.ts";
import { Life, tell } from "../support/life.ts";
import { id, order, person, STANDING } from "../support/world.ts";

/** Of the share that goes to whoever is cheapest, and not. */
const EXPLORING = taskId(id([...Array(1_000).keys()].find((n) => explores(taskId(id(n)))) ?? 0));
const TASK = taskId(id([...Array(1_000).keys()].find((n) => !explores(taskId(id(n)))) ?? 0));
const [REQUESTER, WORKER, OTHER] = [person(1), person(2), person(3)];
const AT = 1_000_000;
type Command = Parameters<typeof entity.decide>[1];
type Bid = Extract<Command, { readonly type: "bid" }>;

const opened = (changes: object = {}, task: TaskId = TASK) =>
  new Life(entity, task).through([
    [{ type: "open", task, requester: REQUESTER, marks: [], order: order(changes), createdAt: AT }, AT],
  ]);
const bid = (n: number, price: number, changes: Partial<Bid> = {}): Bid => ({
  ...{ type: "bid", bid: id(1_000 + n), worker: person(1_000 + n), credits: credits(price), standing: STANDING, online: null },
  ...changes,
});
const withQuality = (quality: number) => ({ standing: { ...STANDING, quality } });
const pass = (worker = WORKER): Command => ({ type: "pass", worker, standing: STANDING });
const withdraw = (worker = WORKER): Command => ({ type: "withdrawBid", worker });
const mine = (price = 9, n = 0) => bid(n, price, { worker: WORKER });
const offer = (worker = WORKER, changes: object = {}) => ({
  ...{ bid: id(60), worker, credits: 5, standing: STANDING, until: null, pull: null },
  ...changes,
});
const propose = (changes: object = {}): Command => ({
  type: "propose",
  offers: [offer()],
  complete: false,
  going: null,
  ...changes,
});
const taken = (changes: object = {}): Command => ({
  ...{ type: "standingBid", bid: id(60), worker: WORKER, credits: credits(5), standing: STANDING, asked: true },
  ...changes,
});

describe("a worker who passes", () => {
  test("has answered: a round with nobody else to wait for ends with the next bid", () => {
    const life = opened();
    const step = life.do(pass(), AT);
    expect([step.types, step.decision.reply]).toEqual(["Passed", { id: TASK, status: "PASSED" }]);
    expect(life.fork().do(bid(1, 9, { online: [WORKER] }), AT).decision.ask).toBeDefined();
    expect(life.fork().do(bid(1, 9, { online: [WORKER, OTHER] }), AT).decision.ask).toBeUndefined();
    expect(entity.announce(life.state, step.facts)).toMatchObject([{ command: { type: "opened", task: { passed: [WORKER] } } }]);
  });

  test("changes nothing by passing again, is offered the task no more, and may still bid by hand", () => {
    const life = opened().through([[pass(), AT]]);
    expect(life.do(pass(), AT).types).toBe("");
    expect(life.do(propose(), AT).decision.reply).toEqual({
      outcome: "declined",
      declined: [{ worker: WORKER, reason: { why: "PASSED" } }],
    });
    expect(life.do(mine(), AT).types).toBe("BidPlaced");
    expect(life.tries(withdraw(), AT)).toBe("ALREADY_ANSWERED");
  });

  test("is told why not if it could not bid", () => {
    const refusals = [
      opened().tries(pass(REQUESTER), AT),
      opened({ minSkill: 2 }).tries(pass(), AT),
      opened().tries({ ...pass(), standing: { ...STANDING, status: "FROZEN" } } as Command, AT),
      opened()
        .through([[mine(), AT]])
        .tries(pass(), AT),
      opened()
        .through([[taken({ worker: OTHER }), AT]])
        .tries(pass(), AT),
    ];
    expect(refusals).toEqual(["OWN_TASK", "SKILL_TOO_LOW", "ACCOUNT_FROZEN", "ALREADY_BID", "TASK_NOT_OPEN"]);
  });

  test("while its posted price was asked for does not get the task; its bid by hand does", () => {
    const life = opened().through([[pass(), AT]]);
    expect(life.tries(taken({ posted: true }), AT)).toBe("StandingBidDropped");
    expect(life.tries(taken({ pull: { id: "p", most: 1 } }), AT)).toBe("StandingBidDropped");
    expect(life.tries(taken(), AT)).toBe("BidPlaced+Awarded");
  });

  test(`is one of ${PASSES_MAX} at most, and may pass again in the next round`, () => {
    const life = opened();
    for (let n = 0; n < PASSES_MAX; n += 1) life.do(pass(person(2_000 + n)), AT);
    expect(life.tries(pass(), AT)).toBe("TOO_MANY_PASSES");
    life.do(taken({ worker: OTHER }), AT);
    life.do({ type: "timer", name: "execution", due: AT }, AT);
    expect(life.tries(pass(person(2_000)), AT)).toBe("Passed");
  });
});

describe("a bid that is taken back", () => {
  test("no longer counts; the same again is answered alike, and the worker has answered", () => {
    const life = opened().through([[mine(), AT]]);
    const step = life.do(withdraw(), AT + 1);
    expect([step.types, step.decision.reply]).toEqual(["BidWithdrawn", { bid: id(1_000), status: "WITHDRAWN" }]);
    const again = life.do(withdraw(), AT + 2);
    expect([again.types, again.decision.reply]).toEqual(["", { bid: id(1_000), status: "WITHDRAWN" }]);
    expect(life.do({ type: "timer", name: "routing", due: AT }, AT + 3_000).types).toBe("PoolEntered");
    expect(life.tries(bid(1, 9, { online: [WORKER] }), AT)).not.toBe("ALREADY_BID");
  });

  test("may be followed by one more, which stays", () => {
    const life = opened().through([
      [mine(9, 0), AT],
      [withdraw(), AT],
      [mine(8, 1), AT],
    ]);
    expect(life.tries(withdraw(), AT)).toBe("ALREADY_ANSWERED");
    expect(life.tries(pass(), AT)).toBe("ALREADY_BID");
  });

  test("is not awarded, though its worker's account was asked and said yes", () => {
    const life = opened().through([[mine(), AT]]);
    life.accounts = () => null;
    expect(life.do({ type: "timer", name: "routing", due: AT }, AT).decision.ask).toBeDefined();
    life.do(withdraw(), AT);
    const late = life.do(taken({ bid: id(1_000) }), AT);
    expect(late.types).toBe("StandingBidDropped");
    expect(late.effects).toContainEqual(tell("account", WORKER, { type: "freed", task: TASK, bid: id(1_000) }));
  });

  test("must be there, and not be awarded", () => {
    expect(opened().tries(withdraw(), AT)).toBe("BID_UNKNOWN");
    const awarded = opened().through([
      [mine(), AT],
      [taken({ bid: id(1_000) }), AT],
    ]);
    expect(awarded.tries(withdraw(), AT)).toBe("TASK_NOT_OPEN");
    expect(awarded.tries(withdraw(OTHER), AT)).toBe("BID_UNKNOWN");
  });

  test("in the pool takes the wait for its award along; another bid keeps it", () => {
    const unanswered = (n: number, worker: typeof WORKER): Command => ({
      type: "bidAnswered",
      bid: { id: id(n), worker, quality: 0.5, credits: credits(9) },
      answer: { bid: id(n), worker, reply: null },
    });
    const window: Command = { type: "timer", name: "routing", due: AT };
    const pooled = () =>
      opened().through([
        [window, AT],
        [unanswered(1_000, WORKER), AT],
      ]);
    expect(pooled().do(withdraw(), AT).effects).toContainEqual({ type: "forget", name: "routing" });
    const two = pooled().through([[unanswered(1_001, OTHER), AT]]);
    expect(two.do(withdraw(), AT).effects).toEqual([]);
  });

  test(`is one of ${ANSWERS_MAX} answers of a round at most`, () => {
    const life = opened();
    for (let n = 0; n < ANSWERS_MAX; n += 1) {
      if (n < PASSES_MAX) life.do(pass(person(2_000 + n)), AT);
      else
        life.through([
          [bid(n, 9), AT],
          [withdraw(person(1_000 + n)), AT],
        ]);
    }
    life.do(mine(), AT);
    expect(life.tries(withdraw(), AT)).toBe("ALREADY_ANSWERED");
  });
});

describe(`the bid after ${BIDS_MAX}`, () => {
  const full = (price: (n: number) => number, changes: object = {}, task: TaskId = TASK) => {
    const life = opened(changes, task);
    for (let n = 0; n < BIDS_MAX; n += 1) life.do(bid(n, price(n), withQuality(0.5)), AT);
    return life;
  };

  test("takes the place of the worst if it beats it, by what the requester prefers", () => {
    const life = full((n) => (n === 7 ? 15 : 10), { quality: "cheapest" });
    const step = life.do(mine(14, 500), AT);
    expect(step.types).toBe("BidPlaced");
    expect(step.facts[0]).toMatchObject({ displaces: id(1_007) });
    expect(life.state.context.bids).toHaveLength(BIDS_MAX);
    expect(full(() => 10, { quality: "best" }).tries(bid(500, 20, withQuality(0.51)), AT)).toBe("BidPlaced");
    expect(full(() => 10, { quality: "balanced" }).tries(bid(500, 20, withQuality(1)), AT)).toBe("TOO_MANY_BIDS");
    // 14 / 2 beats 10 / 1.5 no more than 6.67: the worst is at 6.67.
    expect(full(() => 10, { quality: "balanced" }).tries(bid(500, 13, withQuality(1)), AT)).toBe("BidPlaced");
    expect(full(() => 10, { quality: "balanced" }).tries(bid(500, 14, withQuality(1)), AT)).toBe("TOO_MANY_BIDS");
  });

  test("is refused if it is just as good, or worse", () => {
    const life = full(() => 10, { quality: "cheapest" });
    const refusal = life.refuses(mine(10, 500), AT);
    expect(refusal).toMatchObject({ refused: "TOO_MANY_BIDS", reason: { why: "BIDS_FULL", most: BIDS_MAX } });
    expect(life.tries(mine(11, 500), AT)).toBe("TOO_MANY_BIDS");
    expect(life.tries(mine(9, 500), AT)).toBe("BidPlaced");
    expect(life.tries(bid(500, 10, withQuality(0.51)), AT)).toBe("BidPlaced");
  });

  test("is compared by the price alone where the task goes to the cheapest", () => {
    const life = full(() => 10, { quality: "best" }, EXPLORING);
    expect(life.tries(bid(500, 11, withQuality(1)), AT)).toBe("TOO_MANY_BIDS");
    expect(life.tries(bid(500, 9, withQuality(0)), AT)).toBe("BidPlaced");
  });

  test("gains nothing by a price below half of the going one", () => {
    const life = opened({ quality: "cheapest", budget: credits(20) });
    life.do(propose({ offers: [offer(OTHER, { credits: 5 })], going: 0.5 }), AT);
    for (let n = 1; n < BIDS_MAX; n += 1) life.do(bid(n, 5, withQuality(0.5)), AT);
    expect(life.tries(mine(1, 500), AT)).toBe("TOO_MANY_BIDS");
    expect(life.tries(bid(500, 1, withQuality(0.51)), AT)).toBe("BidPlaced");
  });

  test("takes the place of one whose pull is over before any other, and one that is proposed likewise", () => {
    const life = opened();
    life.do(propose({ offers: [offer(OTHER, { credits: 1, until: AT + 10, pull: { id: "p", most: 1 } })] }), AT);
    for (let n = 1; n < BIDS_MAX; n += 1) life.do(bid(n, 5), AT);
    expect(life.tries(mine(20, 500), AT + 9)).toBe("TOO_MANY_BIDS");
    expect(life.fork().do(mine(20, 500), AT + 10).facts[0]).toMatchObject({ displaces: id(60) });
    const two = [offer(WORKER, { bid: id(61), credits: 4 }), offer(person(4), { bid: id(62), credits: 20 })];
    const step = life.do(propose({ offers: two }), AT + 9);
    expect(step.types).toBe("BidPlaced");
    expect(step.decision.reply).toMatchObject({
      outcome: "placed",
      bids: [id(61)],
      declined: [{ worker: person(4), reason: { why: "BIDS_FULL" } }],
    });
    expect(life.do(propose({ offers: [offer(person(5), { bid: id(63), credits: 20 })] }), AT + 9).decision.reply).toMatchObject({
      outcome: "declined",
    });
  });
});

describe("what becomes of bids", () => {
  /** The rows that the last of these commands writes, as [bid, status]. */
  const rows = (life: ReturnType<typeof opened>, command: Command, at = AT): readonly BidRow[] => {
    const before = life.state;
    return bidRows(before, life.do(command, at).facts);
  };
  const statuses = (changed: readonly BidRow[]) => changed.map(({ id: bidId, status }) => [bidId, status]);

  test("is told in full when one is placed, however it came", () => {
    expect(rows(opened(), mine(), AT + 7)).toEqual([
      {
        ...{ id: id(1_000), task: TASK, taskType: "json_extraction", worker: WORKER, credits: 9, via: "hand" },
        ...{ status: "PENDING", reason: null, placedAt: AT + 7, updatedAt: AT + 7 },
      },
    ]);
    const offers = [offer(), offer(OTHER, { bid: id(61), pull: { id: "p", most: 1 }, until: AT + 9_000 })];
    expect(rows(opened(), propose({ offers }))).toMatchObject([{ via: "posted" }, { via: "pull", worker: OTHER }]);
  });

  test("is won or lost with the award, also by one that is placed with it, and later nothing more", () => {
    const life = opened({ autoRetry: 0 }).through([[mine(), AT]]);
    expect(statuses(rows(life, taken({ bid: id(61), worker: OTHER })))).toEqual([
      [id(61), "WON"],
      [id(1_000), "LOST"],
    ]);
    expect(rows(life, { type: "timer", name: "execution", due: AT })).toEqual([]);
    expect(life.state.value).toBe("EXPIRED");
  });

  test("is told of a posted price once it competes; one that is only weighed when another wins at once is no bid", () => {
    const competing = opened().through([[propose({ offers: [offer(), offer(OTHER, { bid: id(61) })] }), AT]]);
    expect(statuses(rows(competing, taken({ bid: id(61), worker: OTHER })))).toEqual([
      [id(60), "LOST"],
      [id(61), "WON"],
    ]);
    const weighed = { id: id(61), worker: OTHER, credits: credits(6), quality: 0.5, posted: true } as const;
    expect(statuses(rows(opened(), taken({ posted: true, candidates: [weighed] })))).toEqual([[id(60), "WON"]]);
  });

  test("is told with the reason if its worker has no slot", () => {
    const life = opened().through([[mine(), AT]]);
    const reason = { why: "AWARDS_FULL", tier: 1, most: 3 } as const;
    const answer = { bid: id(1_000), worker: WORKER, reply: { kept: false, reason } } as const;
    expect(rows(life, { type: "awardAnswered", answer })).toMatchObject([{ status: "DECLINED", reason }]);
  });

  test("is told of what was withdrawn, displaced, cancelled with its task, or ran out with it", () => {
    const one = () => opened().through([[mine(), AT]]);
    expect(statuses(rows(one(), withdraw()))).toEqual([[id(1_000), "WITHDRAWN"]]);
    expect(statuses(rows(one(), { type: "cancel", requester: REQUESTER }))).toEqual([[id(1_000), "CANCELLED"]]);
    expect(statuses(rows(one(), { type: "expire", reason: "r" }))).toEqual([[id(1_000), "EXPIRED"]]);
    const life = opened({ quality: "cheapest" });
    for (let n = 0; n < BIDS_MAX; n += 1) life.do(bid(n, 10), AT);
    expect(statuses(rows(life, bid(500, 9)))).toEqual([
      [id(1_099), "DISPLACED"],
      [id(1_500), "PENDING"],
    ]);
  });
});
