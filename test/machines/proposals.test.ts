/** What a task decides on the proposals of its matcher: whom it asks, whose bids it places, whom it declines. */
import { describe, expect, test } from "vitest";
import type { OfferReply } from "../../machines/account/protocol.ts";
import { BIDS_MAX } from "../../machines/eligibility.ts";
import { explores } from "../../machines/market/auction.ts";
import type { Offer } from "../../machines/matcher/vocabulary.ts";
import type { CommandOf } from "../../machines/protocols.ts";
import { isRefusal } from "../../machines/refusal.ts";
import { decideTask } from "../../machines/task/decide.ts";
import type { TaskFact } from "../../machines/task/events.ts";
import { task as entity } from "../../machines/task/index.ts";
import type { TaskSnapshot } from "../../machines/task/machine.ts";
import { credits, type QualityPreference, taskId } from "../../machines/vocabulary.ts";
import { Life, offerOf } from "../support/life.ts";
import { AT, awarded, bidOf, cancelled, FULL, STATES } from "../support/task-states.ts";
import { id, order, person, STANDING } from "../support/world.ts";

/** One that goes to the best worker, and not to the cheapest to find out whether that is better. */
const TASK = [...Array(100).keys()].map((n) => taskId(id(7_919 * (n + 1)))).find((one) => !explores(one)) ?? taskId(id(1));
const REQUESTER = person(1);
const LATE = 2_000;
type State = TaskSnapshot;

function offer(n: number, price: number, changes: Partial<Offer> = {}): Offer {
  return { bid: id(500 + n), worker: person(n), credits: price, standing: STANDING, until: null, pull: null, ...changes };
}

const proposal = (offers: readonly Offer[], complete = false, going: number | null = null) =>
  ({ type: "propose", offers, complete, going }) as const;

function facts(quality: QualityPreference, more: readonly TaskFact[] = []): readonly TaskFact[] {
  const what = order({ quality, budget: credits(20) });
  return [
    { type: "Opened", task: TASK, requester: REQUESTER, order: what, createdAt: AT, at: AT },
    { type: "RoutingStarted", until: AT + 3_000, at: AT },
    ...more,
  ];
}

const after = (all: readonly TaskFact[]): State =>
  all.reduce((state, fact) => entity.evolve(state, fact).state, entity.initial(TASK));
const inWindow = (quality: QualityPreference = "balanced", ...more: readonly TaskFact[]) => after(facts(quality, more));
const inPool = () => after(facts("balanced", [{ type: "PoolEntered", until: AT + 3_600_000, at: AT }]));
const bidBy = (n: number, price: number, quality = 0.5): TaskFact => ({
  type: "BidPlaced",
  bid: { id: id(500 + n), worker: person(n), credits: credits(price), quality, identity: person(n) },
  at: AT,
});

function decide(state: State, command: CommandOf<"task">, at = AT + 1) {
  const decision = decideTask(state, command, at);
  if (isRefusal(decision)) throw new Error(`refused: ${decision.refused}`);
  return decision;
}

/** Whom a proposal has the task ask, at what price; undefined if nobody. */
function asks(state: State, command: CommandOf<"task", "propose">) {
  const { ask } = decide(state, command);
  if (ask === undefined) return undefined;
  const { price, going } = offerOf(ask.command);
  return { worker: ask.to.id, price, going };
}

describe("a proposal", () => {
  test("in the pool has the best of the proposed asked at once, at its price, or at its posted one", () => {
    expect(asks(inPool(), proposal([offer(2, 15), offer(3, 9, { pull: { id: "p", most: 1 }, until: AT + 500 })]))).toEqual({
      worker: person(3),
      price: 9,
      going: undefined,
    });
    // Its account knows its posted price.
    expect(asks(inPool(), proposal([offer(2, 15)], false, 0.4))).toEqual({ worker: person(2), price: undefined, going: 0.4 });
  });

  test("leaves no fact until the account has answered, and its reply is that nobody has", () => {
    expect(decide(inPool(), proposal([offer(2, 15)]))).toMatchObject({ facts: [], reply: { outcome: "unanswered" } });
  });

  test("in the window has the best asked at once when everybody has answered, bids that are there among them", () => {
    expect(asks(inWindow("best"), proposal([offer(2, 15)], true))).toMatchObject({ worker: person(2) });
    expect(asks(inWindow("best", bidBy(4, 9, 0.9)), proposal([offer(2, 15)], true))).toMatchObject({
      worker: person(4),
      price: 9,
    });
    // Nobody else is left, so the window need not run.
    expect(asks(inWindow("best", bidBy(4, 9)), proposal([], true))).toMatchObject({ worker: person(4) });
  });

  test("of a balanced task has the best asked at once if it beats every bid at no more than the going price", () => {
    const going = 0.5;
    expect(asks(inWindow(), proposal([offer(2, 10)], false, going))).toMatchObject({ worker: person(2), going });
    expect(asks(inWindow(), proposal([offer(2, 11)], false, going))).toBeUndefined();
    expect(asks(inWindow(), proposal([offer(2, 10)], false, null))).toBeUndefined();
    expect(asks(inWindow("best"), proposal([offer(2, 10)], false, going))).toBeUndefined();
    expect(asks(inWindow("cheapest"), proposal([offer(2, 10)], false, going))).toBeUndefined();
    expect(asks(inWindow("balanced", bidBy(4, 9)), proposal([offer(2, 10)], false, going))).toBeUndefined();
  });

  test("else places bids, which say by what price and pull they are, and what was going then", () => {
    const pulled = offer(3, 12, { pull: { id: "p", most: 2 }, until: AT + 4_000 });
    const decision = decide(inWindow("best"), proposal([offer(2, 15), pulled], false, 0.5));
    expect(decision.ask).toBeUndefined();
    expect(decision.facts).toEqual([
      { type: "BidPlaced", bid: { ...bid(2, 15), posted: true }, going: 0.5, at: AT + 1 },
      { type: "BidPlaced", bid: { ...bid(3, 12), pull: { id: "p", most: 2 }, until: AT + 4_000 }, going: 0.5, at: AT + 1 },
    ]);
    expect(decision.reply).toEqual({ outcome: "placed", bids: [id(502), id(503)], declined: [] });
  });

  test("declines each who may not take the task, with its reason, and goes on with the others", () => {
    const offers = [
      offer(1, 5),
      offer(2, 21),
      offer(4, 9),
      offer(5, 9, { standing: { ...STANDING, status: "FROZEN" } }),
      offer(6, 20),
    ];
    expect(decide(inWindow("best", bidBy(4, 9)), proposal(offers))).toMatchObject({
      facts: [{ bid: { worker: person(6), credits: 20 } }],
      reply: {
        outcome: "placed",
        declined: [
          { worker: person(1), reason: { why: "OWN_TASK" } },
          { worker: person(2), reason: { why: "OVER_BUDGET" } },
          { worker: person(4), reason: { why: "ALREADY_BID" } },
          { worker: person(5), reason: { why: "FROZEN" } },
        ],
      },
    });
    expect(decide(inPool(), proposal([offer(1, 5)]))).toMatchObject({
      facts: [],
      reply: { outcome: "declined", declined: [{}] },
    });
    // A bid is there, but others may still come.
    expect(decide(inWindow("best", bidBy(4, 9)), proposal([]))).toMatchObject({ reply: { outcome: "declined", declined: [] } });
    expect(decide(inWindow("best"), proposal([], true))).toMatchObject({ reply: { outcome: "declined", declined: [] } });
  });

  test("places no more bids than a round collects, and one of each worker", () => {
    const full = Array.from({ length: BIDS_MAX - 1 }, (_, n) => bidBy(100 + n, 9));
    const { facts: placed, reply } = decide(inWindow("best", ...full), proposal([offer(2, 9), offer(3, 9)]));
    expect(placed).toHaveLength(1);
    expect(reply).toMatchObject({ bids: [id(502)], declined: [{ worker: person(3), reason: { why: "BIDS_FULL" } }] });
    const twice = decide(inWindow("best"), proposal([offer(2, 9), offer(2, 8, { bid: id(600) })]));
    expect(twice).toMatchObject({ facts: [{ bid: { id: id(502) } }], reply: { declined: [{ reason: { why: "ALREADY_BID" } }] } });
  });

  test("is over for a task that takes no bids, whatever it is", () => {
    for (const [name, all] of Object.entries(STATES)) {
      if (name === "ROUTING" || name === "PENDING_POOL" || name === "NEW") continue;
      const state = all.reduce((before, fact) => entity.evolve(before, fact).state, entity.initial(id(99)));
      expect([name, decide(state, proposal([offer(7, 9)], true))]).toMatchObject([
        name,
        { facts: [], reply: { outcome: "closed" } },
      ]);
    }
  });
});

const bid = (n: number, price: number) => ({
  id: id(500 + n),
  worker: person(n),
  credits: price,
  quality: 0.5,
  identity: person(n),
});

function lifeIn(state: State, answer: OfferReply | null) {
  const life = new Life(entity, TASK);
  life.state = state;
  life.accounts = () => answer;
  return life;
}

/** A pull, because the helper does not know posted prices. */
const pulled = (n: number, price: number, until = AT + 60_000) => offer(n, price, { pull: { id: `pull ${n}`, most: 1 }, until });

describe("the answer of the account", () => {
  test("yes: the task is awarded, weighed against all that were proposed, and its pull gets it whole", () => {
    const life = lifeIn(inPool(), { kept: true });
    const { types, facts: made, decision } = life.do(proposal([pulled(2, 9), pulled(3, 12)], false, 0.4), AT + 1);
    expect(types).toBe("BidPlaced+Awarded");
    expect(made[1]).toMatchObject({
      slot: true,
      going: 0.4,
      bid: { worker: person(2), pull: { id: "pull 2" } },
      candidates: [{}, {}],
    });
    expect(decision.reply).toMatchObject({
      outcome: "awarded",
      worker: person(2),
      bid: id(502),
      task: { row: { id: TASK, status: "AWARDED", worker: person(2) }, order: { inputData: order().inputData } },
    });
  });

  test("yes to a posted price, or to a bid by hand: nobody waits for the task's text", () => {
    const won = {
      type: "proposalAnswered",
      answer: { bid: id(50), worker: person(2), reply: { kept: true } },
      declined: [],
    } as const;
    const state = awarded.reduce((before, fact) => entity.evolve(before, fact).state, entity.initial(id(99)));
    expect(decide(state, won)).toMatchObject({ facts: [], reply: { outcome: "awarded", bid: bidOf().id, task: null } });
  });

  test("no: with those who were declined before; a bid that is there is dropped", () => {
    const life = lifeIn(inPool(), FULL);
    const { types, decision } = life.do(proposal([pulled(1, 5), pulled(2, 9)]), AT + 1);
    expect(types).toBe("");
    expect(decision.reply).toEqual({
      outcome: "declined",
      declined: [
        { worker: person(1), reason: { why: "OWN_TASK" } },
        { worker: person(2), reason: FULL.reason },
      ],
    });
    const bidden = lifeIn(inWindow("best", bidBy(4, 9)), FULL);
    const step = bidden.do(proposal([], true), AT + 1);
    expect(step.facts).toEqual([{ type: "OfferDeclined", worker: person(4), reason: FULL.reason, bid: id(504), at: AT + 1 }]);
  });

  test("none in time: it is not known, and nothing has happened", () => {
    const { types, decision } = lifeIn(inPool(), null).do(proposal([pulled(2, 9)]), AT + 1);
    expect([types, decision.reply]).toEqual(["", { outcome: "unanswered" }]);
  });

  test("of whatever kind, when the task was closed meanwhile", () => {
    const state = cancelled.reduce((before, fact) => entity.evolve(before, fact).state, entity.initial(id(99)));
    for (const reply of [{ kept: true }, FULL, null] as const) {
      const answer = { bid: id(51), worker: person(3), reply };
      expect(decide(state, { type: "proposalAnswered", answer, declined: [] })).toMatchObject({
        facts: [],
        reply: { outcome: "closed" },
      });
    }
  });
});

describe("a slot for a pull", () => {
  const yes = (until: number | undefined) => {
    const mine = { ...bid(2, 9), credits: credits(9), pull: { id: "p", most: 1 }, ...(until === undefined ? {} : { until }) };
    const said = { worker: person(2), credits: credits(9), standing: STANDING, asked: true, posted: false } as const;
    return { type: "standingBid", bid: mine.id, ...said, pull: mine.pull, candidates: [mine] } as const;
  };
  const types = (until: number | undefined, at: number) => decide(inPool(), yes(until), at).facts.map(({ type }) => type);

  test("that comes up to two seconds after the pull becomes the award, and is freed from then on", () => {
    expect(types(AT, AT + LATE - 1)).toEqual(["BidPlaced", "Awarded"]);
    expect(types(AT, AT + LATE)).toEqual(["StandingBidDropped"]);
    expect(types(undefined, AT + LATE)).toEqual(["BidPlaced", "Awarded"]);
  });
});

describe("why nobody takes a task", () => {
  const explain = (why: "NOBODY_PRESENT" | "ALL_TOO_DEAR") => ({ type: "explain", why, present: 3 }) as const;

  test("is kept for a task in the pool, once for each reason in turn", () => {
    const life = new Life(entity, TASK);
    life.state = inPool();
    const said = [explain("NOBODY_PRESENT"), explain("NOBODY_PRESENT"), explain("ALL_TOO_DEAR"), explain("NOBODY_PRESENT")];
    expect(said.map((command) => life.do(command, AT + 1).types)).toEqual([
      "PoolExplained",
      "",
      "PoolExplained",
      "PoolExplained",
    ]);
  });

  test("means nothing in a window, nor for a task that has ended", () => {
    expect(decide(inWindow(), explain("NOBODY_PRESENT")).facts).toEqual([]);
    const ended = cancelled.reduce((before, fact) => entity.evolve(before, fact).state, entity.initial(id(99)));
    expect(decide(ended, explain("NOBODY_PRESENT")).facts).toEqual([]);
  });
});
