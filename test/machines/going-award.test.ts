/** Awards weighed with the going price: prices count down to half of it, at exact bounds and ties. */
import { describe, expect, test } from "vitest";
import { award, bestFirst, explores, strongerFirst, weightOf } from "../../machines/market/auction.ts";
import { task as entity } from "../../machines/task/index.ts";
import { credits, QUALITY_PREFERENCES, type TaskId, taskId } from "../../machines/vocabulary.ts";
import { Life } from "../support/life.ts";
import { id, order, person, STANDING } from "../support/world.ts";

const first = (is: (task: TaskId) => boolean): TaskId => {
  for (let n = 0; ; n += 1) if (is(taskId(id(n)))) return taskId(id(n));
};
const [TASK, EXPLORING] = [first((task) => !explores(task)), first(explores)];
const AT = 1_000_000;
const bid = (n: number, price: number, quality: number) => ({ id: id(n), worker: person(n), credits: credits(price), quality });
const wins = (preference: "best" | "balanced" | "cheapest", going: number | null, ...bids: readonly ReturnType<typeof bid>[]) =>
  award(TASK, preference, bids, going)?.winner.id;

describe("with a going price of 20 NC", () => {
  test.each(["cheapest", "balanced"] as const)(
    "%s counts a price down to 10 NC: below that the better quality wins",
    (preference) => {
      expect(wins(preference, 20, bid(1, 10, 0.5), bid(2, 1, 0.49))).toBe(id(1));
      expect(wins(preference, 20, bid(1, 10, 0.5), bid(2, 1, 0.51))).toBe(id(2));
      expect(wins(preference, 20, bid(1, 11, 0.5), bid(2, 10, 0.5))).toBe(id(2));
      expect(wins(preference, 20, bid(1, 11, 0.5), bid(2, 9, 0.5))).toBe(id(2));
      expect(wins(preference, null, bid(1, 10, 0.5), bid(2, 9, 0.49))).toBe(id(2));
    },
  );

  test("1 NC buys nothing: of equals below half of it the lower id wins, as with equal prices", () => {
    for (const preference of QUALITY_PREFERENCES) {
      expect(wins(preference, 20, bid(1, 10, 0.5), bid(2, 1, 0.5))).toBe(id(1));
      expect(strongerFirst(preference, 20)(bid(1, 10, 0.5), bid(2, 1, 0.5))).toBe(0);
    }
    expect(bestFirst("cheapest", 20)(bid(2, 1, 0.5), bid(1, 10, 0.5))).toBe(1);
  });

  test("what is compared is what is told: the price that counts, or the quality", () => {
    const cheap = bid(1, 4, 0.6);
    expect(weightOf("cheapest", cheap, 20)).toBe(10);
    expect(weightOf("balanced", cheap, 20)).toBe(10 / 1.6);
    expect(weightOf("best", cheap, 20)).toBe(0.6);
    expect([weightOf("cheapest", cheap, null), weightOf("balanced", cheap, null)]).toEqual([4, 2.5]);
  });
});

describe("exploration", () => {
  test("is told only where it changed who won", () => {
    const [good, cheap] = [bid(1, 20, 0.9), bid(2, 10, 0.5)];
    expect(award(EXPLORING, "best", [good, cheap])).toEqual({ winner: cheap, explored: true });
    expect(award(EXPLORING, "balanced", [good, cheap])).toEqual({ winner: cheap, explored: false });
    expect(award(EXPLORING, "best", [good, bid(2, 20, 0.5)])).toEqual({ winner: good, explored: false });
    expect(award(EXPLORING, "cheapest", [good, cheap])).toEqual({ winner: cheap, explored: false });
    expect(award(TASK, "best", [good, cheap])).toEqual({ winner: good, explored: false });
  });
});

describe("a task", () => {
  /** The accounts of those who could win are asked, and do not answer. */
  const opened = (task: TaskId, quality: "best" | "balanced" | "cheapest") => {
    const spec = order({ quality, budget: credits(20) });
    const life = new Life(entity, task);
    life.accounts = () => null;
    return life.through([[{ type: "open", task, requester: person(1), marks: [], order: spec, createdAt: AT }, AT]]);
  };
  type Offered = readonly [n: number, price: number, quality: number];
  const offers = (terms: readonly Offered[]) =>
    terms.map(([n, price, quality]) => ({
      ...{ bid: id(n), worker: person(n), credits: price, standing: { ...STANDING, quality }, until: null, pull: null },
    }));
  const propose = (complete: boolean, going: number | null, ...terms: readonly Offered[]) =>
    ({ type: "propose", offers: offers(terms), complete, going }) as const;
  const window = { type: "timer", name: "routing", due: AT } as const;

  test("weighs with the going price that it heard last, whether all has been answered or its window is over", () => {
    const life = opened(TASK, "cheapest");
    expect(life.fork().do(propose(true, 0.5, [10, 5, 0.5], [11, 1, 0.4]), AT).decision.ask).toMatchObject({
      command: { bid: id(10), going: 0.5 },
    });
    expect(life.fork().do(propose(true, null, [10, 5, 0.5], [11, 1, 0.4]), AT).decision.ask).toMatchObject({
      command: { bid: id(11) },
    });
    life.do(propose(false, 0.5, [10, 5, 0.5], [11, 1, 0.4]), AT);
    expect(life.fork().do(window, AT).decision.ask).toMatchObject({ command: { bid: id(10) } });
    // Its matcher, just begun, does not know it yet.
    expect(life.do(propose(true, null, [12, 1, 0.45]), AT).decision.ask).toMatchObject({ command: { bid: id(10), going: 0.5 } });
  });

  test("awards with what it weighed: the going price, and no bid whose worker had stopped waiting", () => {
    const life = opened(EXPLORING, "best");
    life.do(propose(false, 0.5, [10, 12, 0.9], [11, 11, 0.4]), AT);
    const over = offers([[12, 1, 1]]).map((one) => ({ ...one, until: AT + 5, pull: { id: "p", most: 1 } }));
    life.do({ type: "propose", offers: over, complete: false, going: 0.5 }, AT);
    const yes = (n: number, price: number) =>
      ({ type: "standingBid", bid: id(n), worker: person(n), credits: credits(price), standing: STANDING, asked: true }) as const;
    const fact = (n: number, price: number) =>
      life
        .fork()
        .do(yes(n, price), AT + 5)
        .facts.at(-1);
    expect(fact(11, 11)).toMatchObject({ explored: true, going: 0.5, candidates: { length: 2 } });
    expect(fact(10, 12)).toMatchObject({ explored: false, candidates: [{ id: id(11) }, { id: id(10) }] });
  });
});
