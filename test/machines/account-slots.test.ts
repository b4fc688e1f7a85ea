/** What a worker's account answers when a task asks whether it takes an award, and when its slots are free again. S1 to S3 of offers.ts. */
import { describe, expect, test } from "vitest";
import { account as entity } from "../../machines/account/index.ts";
import { FORMATS } from "../../machines/formats.ts";
import { AWARDS_BY_TIER, type AwardsByTier, awardLimit } from "../../machines/market/awards.ts";
import { MARKET_RULES } from "../../machines/market/settings.ts";
import { EMPTY_RECORD, type Record, skillScore, skillTier } from "../../machines/market/skill.ts";
import type { CommandOf } from "../../machines/protocols.ts";
import { isRefusal } from "../../machines/refusal.ts";
import { type Credits, credits, taskId } from "../../machines/vocabulary.ts";
import { Life, tell } from "../support/life.ts";
import { id, person, STANDING } from "../support/world.ts";

const [ME, REQUESTER] = [person(1), person(2)];
const AT = 1_000_000;
const TYPE = "json_extraction";
type Command = Parameters<typeof entity.decide>[1];
type Offer = CommandOf<"account", "offer">;

const me = (changes: object = {}) =>
  new Life(entity, ME).through([
    [
      {
        ...{ type: "register", account: ME, email: "a@b.example", source: null, keyHash: "k", grant: credits(50), marks: [] },
        ...changes,
      },
      AT,
    ],
  ]);
type Me = ReturnType<typeof me>;
/** The n-th task asks about the bid n + 500, by hand for 12 NC. */
const offer = (n: number, changes: Partial<Offer> = {}): Offer => ({
  ...{ type: "offer", task: taskId(id(n)), bid: id(500 + n), taskType: TYPE, budget: credits(20), minSkill: 0, marks: [] },
  ...{ price: credits(12), asked: true },
  ...changes,
});
/** Without a price of its own, the bid is by the posted price. */
const posted = (n: number, changes: Partial<Offer> = {}): Offer => {
  const { price: _price, ...rest } = offer(n, changes);
  return rest;
};
const capability = (concurrency: number, price: Credits | null = credits(8)): Command => ({
  type: "registerCapability",
  capability: { id: id(70), taskType: TYPE, description: "", tags: [], price, concurrency, available: true },
});
const freed = (n: number, bid?: number): Command => ({
  ...{ type: "freed", task: taskId(id(n)) },
  ...(bid === undefined ? {} : { bid: id(bid) }),
});

/** What it answers; nothing happens. */
function answer(life: Me, command: Offer, awardsByTier?: AwardsByTier) {
  const rules = awardsByTier === undefined ? undefined : { ...MARKET_RULES, awardsByTier };
  const decision = entity.decide(life.state, command, AT, AT, rules);
  if (isRefusal(decision)) throw new Error(decision.refused);
  return decision;
}
const why = (life: Me, command: Offer, awardsByTier?: AwardsByTier) => {
  const { reply } = answer(life, command, awardsByTier);
  return reply === null || reply.kept ? reply : reply.reason;
};
const KEPT = { kept: true };

describe("a yes", () => {
  test("is a fact, the message that tells the task, and a reply that waits until the task has it", () => {
    const pull = { id: id(40), most: 3 };
    const candidates = [{ id: id(80), worker: person(3), credits: credits(9), quality: 0.5 }];
    const decision = answer(me({ marks: ["mail:a"] }), offer(200, { pull, candidates }));
    const standing = { status: "ACTIVE", cooldownUntil: null, tier: 1, quality: 0.5, marks: ["mail:a"] };
    const [task, bid] = [id(200), id(700)];
    expect(decision).toEqual({
      facts: [{ type: "OfferTaken", task, bid, capability: "", price: 12, standing, asked: true, pull, at: AT }],
      reply: KEPT,
      carry: [
        tell("task", task, {
          ...{ type: "standingBid", bid, worker: ME, credits: 12, standing, posted: false, asked: true, pull, candidates },
        }),
      ],
      afterDelivery: true,
    });
    // The message is carried by the decision; the fact leads to no other.
    expect(me().do(offer(200), AT).effects).toEqual([]);
  });

  test("at the posted price says that price, and takes a slot of that capability as well", () => {
    const life = me().through([[capability(1), AT]]);
    const { facts, carry } = answer(life, posted(200));
    expect(facts).toMatchObject([{ capability: id(70), price: 8 }]);
    expect(carry).toMatchObject([{ command: { credits: 8, posted: true } }]);
    life.do(posted(200), AT);
    expect(why(life, posted(201))).toEqual({ why: "NO_SLOT", slots: 1 });
    expect(why(life, offer(201))).toEqual(KEPT);
    expect(why(me().through([[capability(1, null), AT]]), posted(200))).toEqual({ why: "NO_POSTED_PRICE" });
    expect(why(me(), posted(200))).toEqual({ why: "NO_CAPABILITY" });
  });

  test("is said again about a bid that has its slot, whatever the worker has become, and does nothing then", () => {
    const life = me().through([[offer(200), AT]]);
    life.do({ type: "freeze", reason: "test" }, AT);
    expect(answer(life, offer(200))).toEqual({ facts: [], reply: KEPT });
    expect(why(life, offer(201))).toEqual({ why: "FROZEN" });
  });

  test("to a task of an older version is a fact that leads to the message, whatever was asked before, and no second message", () => {
    const life = me().through([[capability(2), AT]]);
    const { asked: _asked, ...older } = posted(200);
    const standing = { status: "ACTIVE", cooldownUntil: null, tier: 1, quality: 0.5, marks: [] };
    expect(answer(life, older)).toStrictEqual({
      facts: [{ type: "OfferTaken", task: id(200), bid: id(700), capability: id(70), price: 8, standing, at: AT }],
      reply: null,
    });
    life.do(posted(200), AT);
    expect(answer(life, older).facts).toMatchObject([{ type: "OfferDeclined", reason: { why: "SLOT_RESERVED" } }]);
  });

  test("is for one bid: about another one on the same task nothing is said until the slot is free", () => {
    const life = me();
    life.do(offer(200), AT);
    const other = offer(200, { bid: id(999) });
    expect(life.tries(other, AT)).toBe("UNAVAILABLE");
    expect(answer(life, offer(200))).toEqual({ facts: [], reply: KEPT });
    life.do({ type: "freed", task: taskId(id(200)), bid: id(700) }, AT);
    expect(life.do(other, AT).types).toBe("OfferTaken");
    expect(life.tries(offer(200), AT)).toBe("UNAVAILABLE");
  });
});

describe("a no", () => {
  test("is only the reply", () => {
    const decision = answer(me({ marks: ["mail:a"] }), offer(200, { marks: ["mail:a"] }));
    expect(decision).toEqual({ facts: [], reply: { kept: false, reason: { why: "ONE_IDENTITY" } } });
  });

  test.each<[string, Partial<Offer>, object]>([
    ["a price of exactly the budget", { price: credits(20) }, KEPT],
    ["one more than the budget", { price: credits(21) }, { why: "OVER_BUDGET", price: 21, budget: 20 }],
    ["exactly its tier", { minSkill: 1 }, KEPT],
    ["the tier above", { minSkill: 2 }, { why: "TIER_TOO_LOW", tier: 1, wanted: 2 }],
  ])("is said, or not, to %s", (_what, changes, expected) => {
    expect(why(me(), offer(200, changes))).toEqual(expected);
  });

  test("to a task of an older version, which waits for a message, is a fact with the reason and the bid", () => {
    const { asked: _asked, ...before } = posted(200);
    const { facts, effects, decision } = me().do(before, AT);
    const reason = { why: "NO_CAPABILITY" };
    expect(facts).toEqual([{ type: "OfferDeclined", task: id(200), bid: id(700), reason, at: AT }]);
    expect(effects).toEqual([tell("task", id(200), { type: "declined", worker: ME, reason, bid: id(700) })]);
    expect(decision.reply).toBeNull();
  });
});

/** So many awards, from before the latest were kept, each done at once with the first result, and well rated. */
const recordOf = (settled: number): Record => ({
  ...{ ...EMPTY_RECORD, finished: settled, settled, firstTry: settled, ratings: 1, ratingSum: 5 },
});

describe("how many awards a worker may have at a time", () => {
  const TIERS: readonly (readonly [number, Record])[] = [
    [1, recordOf(5)],
    [2, recordOf(6)],
    [3, recordOf(14)],
    [4, recordOf(28)],
    [5, recordOf(100)],
  ];

  test.each(TIERS)("tier %i: by the best tier in any type, whichever type the task is of", (tier, record) => {
    expect(skillTier(skillScore(record))).toBe(tier);
    const records = { poor: EMPTY_RECORD, other: record, [TYPE]: EMPTY_RECORD };
    expect(awardLimit(records, AWARDS_BY_TIER)).toEqual({ tier, most: [3, 10, 30, 100, 1_000][tier - 1] });
    expect(awardLimit(records, [2, 4, 6, 8, 10])).toEqual({ tier, most: 2 * tier });
  });

  test.each(TIERS)("tier %i: the last slot is taken, and one more is not", (tier, record) => {
    const most = AWARDS_BY_TIER[tier - 1] ?? 0;
    const life = me();
    life.state = entity.restore(ME, {
      ...{ value: life.state.value, context: { ...life.state.context, records: { other: record } } },
    });
    for (let n = 0; n < most; n += 1) expect(life.do(offer(1_000 + n), AT).types).toBe("OfferTaken");
    expect(why(life, offer(500))).toEqual({ why: "AWARDS_FULL", tier, most });
    expect(life.do(freed(1_000, 1_500), AT).types).toBe("OfferFreed");
    expect(why(life, offer(500))).toEqual(KEPT);
  });

  test("bounds bids by posted prices, too, of which older tasks ask", () => {
    const life = me().through([[capability(10), AT]]);
    const older = (n: number): Command => {
      const { asked: _asked, ...rest } = posted(n);
      return rest;
    };
    for (const n of [200, 201]) expect(life.do(older(n), AT).types).toBe("OfferTaken");
    expect(life.do(offer(202), AT).types).toBe("OfferTaken");
    const { facts } = life.do(older(203), AT);
    expect(facts).toMatchObject([{ type: "OfferDeclined", reason: { why: "AWARDS_FULL", tier: 1, most: 3 } }]);
  });

  test("is as an operator has set it", () => {
    const life = me().through([[offer(200), AT]]);
    expect(why(life, offer(201), [1, 1, 1, 1, 1])).toEqual({ why: "AWARDS_FULL", tier: 1, most: 1 });
    expect(why(life, offer(201), [2, 2, 2, 2, 2])).toEqual(KEPT);
  });

  test("leaves a pull no more tasks than it asked for; other pulls have their own", () => {
    const life = me();
    const of = (n: number, pull: number) => offer(n, { pull: { id: id(pull), most: 2 } });
    life.do(of(200, 40), AT);
    expect(why(life, of(201, 40))).toEqual(KEPT);
    life.do(of(201, 40), AT);
    expect(why(life, of(202, 40))).toEqual({ why: "PULL_FULL", most: 2 });
    expect(why(life, of(201, 40))).toEqual(KEPT);
    expect([why(life, of(202, 41)), why(life, offer(202))]).toEqual([KEPT, KEPT]);
    life.do(freed(200, 700), AT);
    expect(why(life, of(202, 40))).toEqual(KEPT);
  });
});

describe("a slot is free again", () => {
  const full = () =>
    me().through([
      [offer(200), AT],
      [offer(201), AT],
      [offer(202), AT],
    ]);
  const work = { task: taskId(id(200)), taskType: TYPE };

  test.each<[string, Command]>([
    [
      "when its task is paid",
      {
        ...{ type: "earn", ...work, requester: REQUESTER, requesterIdentity: REQUESTER, payout: credits(12) },
        ...{ firstTry: true, durationMs: 1, allowedMs: 2 },
      },
    ],
    ["when it has failed", { type: "fail", ...work, outcome: "FAILED_VALIDATION" }],
    ["when its time has run out", { type: "fail", ...work, outcome: "TIMED_OUT" }],
    ["when the task does not need it", freed(200, 700)],
    ["when the task has ended, whatever bid it was for", freed(200)],
  ])("%s", (_when, command) => {
    const life = full();
    expect(why(life, offer(203))).toEqual({ why: "AWARDS_FULL", tier: 1, most: 3 });
    life.do(command, AT);
    expect(life.state.context).toMatchObject({ slots: { [id(201)]: "", [id(202)]: "" } });
    expect(Object.keys(life.state.context.reserved)).toEqual([id(201), id(202)]);
    expect(life.tries(freed(200), AT)).toBe("");
  });

  test("only for the bid that it is for: a message about an earlier one is late", () => {
    const life = me().through([[offer(200), AT]]);
    expect(life.tries(freed(200, 999), AT)).toBe("");
    life.do(freed(200, 700), AT);
    life.do(offer(200, { bid: id(999) }), AT);
    expect(life.tries(freed(200, 700), AT)).toBe("");
    expect(life.tries(freed(201, 999), AT)).toBe("");
    expect(life.do(freed(200, 999), AT).facts).toEqual([{ type: "OfferFreed", task: id(200), at: AT }]);
  });

  test("for any bid, if it is from before that was kept", () => {
    const taken = { task: taskId(id(200)), bid: id(700), capability: id(70), price: credits(8), standing: STANDING };
    const life = me();
    life.state = entity.evolve(life.state, { type: "OfferTaken", ...taken, at: AT }).state;
    expect(life.state.context).toMatchObject({ slots: { [id(200)]: id(70) }, reserved: {} });
    const { reserved: _reserved, ...context } = life.state.context;
    life.state = entity.restore(ME, { value: life.state.value, context });
    expect(life.tries(freed(200, 999), AT)).toBe("OfferFreed");
  });
});

test("what slots are for is kept in a snapshot of any format", () => {
  const life = me().through([[offer(200, { pull: { id: id(40), most: 2 } }), AT]]);
  for (let format = 1; format <= FORMATS.account; format += 1) {
    const stored = JSON.parse(JSON.stringify(entity.persist(life.state, format)));
    expect(entity.restore(ME, stored).context.reserved).toEqual({ [id(200)]: { bid: id(700), pull: id(40) } });
  }
});
