/** How much of a rating's line can be used, and what counts for it; L1 and L2 are those of machines/market/credit-line.ts. */
import { describe, expect, test } from "vitest";
import type { AccountFact } from "../../machines/account/events.ts";
import { account as entity } from "../../machines/account/index.ts";
import { evidenceOf, lineOf, under } from "../../machines/account/power.ts";
import { creditOf } from "../../machines/account/row.ts";
import {
  type CreditTerms,
  type Evidence,
  GITHUB_AGE_MS_MIN,
  GITHUB_SCORE_MIN,
  githubLack,
  isVerified,
  lineGrowsAt,
  NO_TERMS,
  PURCHASE_HOLD_MS_MAX,
  SETTLEMENTS_PER_IDENTITY,
  usableLine,
  VOUCHERS_MAX,
} from "../../machines/market/credit-line.ts";
import { MARKET_RULES } from "../../machines/market/settings.ts";
import type { CommandOf } from "../../machines/protocols.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { Life, tell } from "../support/life.ts";
import { id, order, person } from "../support/world.ts";

type Command = CommandOf<"account">;
const HOUR = 3_600_000;
const AT = 2_000_000_000_000;
const LINE = credits(5_000);
const IDENTITY: CreditTerms = { requires: "identity", multiple: 10, holdMs: 0 };
const PAYMENT: CreditTerms = { ...IDENTITY, requires: "payment" };
const GITHUB = { score: GITHUB_SCORE_MIN, createdAt: AT - GITHUB_AGE_MS_MIN, elsewhere: false };
const NOTHING: Evidence = { purchases: [], earned: 0, github: null };
const bought = (net: number, at = AT): Evidence => ({ ...NOTHING, purchases: [{ at, net }] });

describe("the usable line", () => {
  test("is the rating's where nothing else is required, and none where the rating has none", () => {
    expect(usableLine(LINE, NOTHING, NO_TERMS, AT)).toEqual({ line: 5_000, limit: null });
    expect(usableLine(credits(0), NOTHING, IDENTITY, AT)).toEqual({ line: 0, limit: null });
  });

  test.each([
    [499, 4_990, { limit: "COUNTED", counted: 499, multiple: 10 }],
    [500, 5_000, null],
    [501, 5_000, null],
  ])("is the multiple of %i NC that were paid in: %i NC", (net, line, limit) => {
    expect(usableLine(LINE, bought(net), IDENTITY, AT)).toEqual({ line, limit });
    const paidIn = limit === null ? null : { ...limit, limit: "PAID_IN" };
    expect(usableLine(LINE, bought(net), PAYMENT, AT)).toEqual({ line, limit: paidIn });
  });

  test("counts earnings of who is verified beside what was paid in, and nothing of who is not", () => {
    expect(usableLine(LINE, { ...NOTHING, earned: 900 }, IDENTITY, AT)).toEqual({
      line: 0,
      limit: { limit: "NOT_VERIFIED", github: "NOT_LINKED" },
    });
    expect(usableLine(LINE, { ...NOTHING, earned: 300, github: GITHUB }, IDENTITY, AT).line).toBe(3_000);
    expect(usableLine(LINE, { ...bought(20), earned: 300 }, IDENTITY, AT).line).toBe(3_200);
  });

  test("counts nothing but purchases where payment is required", () => {
    expect(usableLine(LINE, { ...bought(20), earned: 300, github: GITHUB }, PAYMENT, AT).line).toBe(200);
    expect(usableLine(LINE, { ...NOTHING, earned: 300, github: GITHUB }, PAYMENT, AT).line).toBe(0);
  });

  test("counts a purchase from the hour on that it is held back until, and says so before", () => {
    const held = { ...IDENTITY, holdMs: 72 * HOUR };
    const evidence = bought(100, AT - 72 * HOUR + 1);
    expect(usableLine(LINE, evidence, held, AT)).toEqual({ line: 0, limit: { limit: "PURCHASE_TOO_YOUNG", until: AT + 1 } });
    expect(usableLine(LINE, evidence, held, AT + 1).line).toBe(1_000);
    expect([isVerified(evidence, held.holdMs, AT), isVerified(evidence, held.holdMs, AT + 1)]).toEqual([false, true]);
    expect([lineGrowsAt(evidence, held, AT), lineGrowsAt(evidence, held, AT + 1)]).toEqual([AT + 1, null]);
    expect(lineGrowsAt(evidence, { ...held, requires: "none" }, AT)).toBeNull();
  });
});

describe("a GitHub account vouches", () => {
  test.each([
    ["at exactly its age and score", GITHUB, undefined],
    ["not a moment before its age", { ...GITHUB, createdAt: GITHUB.createdAt + 1 }, "TOO_YOUNG"],
    ["not one point below its score", { ...GITHUB, score: GITHUB_SCORE_MIN - 1 }, "SCORE_TOO_LOW"],
    ["not while its age is unknown", { ...GITHUB, createdAt: null }, "AGE_UNKNOWN"],
    ["for one account only", { ...GITHUB, elsewhere: true }, "VOUCHES_ELSEWHERE"],
    ["if there is one", null, "NOT_LINKED"],
  ])("%s", (_about, github, lack) => {
    expect(githubLack(github, AT)).toBe(lack);
    expect(isVerified({ ...NOTHING, github }, 0, AT)).toBe(lack === undefined);
  });

  test("at 180 days; purchases are held back for 90 at most (ms)", () => {
    expect([GITHUB_AGE_MS_MIN, PURCHASE_HOLD_MS_MAX]).toEqual([15_552_000_000, 7_776_000_000]);
  });

  test("of purchases the one that counts next, and none of which nothing is left", () => {
    const held = { ...PAYMENT, holdMs: HOUR };
    const two = { ...NOTHING, purchases: [0, 5, -HOUR, 9].map((ms, n) => ({ at: AT + ms, net: n === 0 ? 0 : 10 })) };
    expect(lineGrowsAt(two, held, AT + 10)).toBe(AT + HOUR + 5);
    expect(lineGrowsAt(bought(0), held, AT)).toBeNull();
    expect(usableLine(LINE, two, held, AT + 10).limit).toEqual({ limit: "PURCHASE_TOO_YOUNG", until: AT + HOUR + 5 });
    const counted = { limit: "PAID_IN", counted: 0, multiple: 10 };
    expect(usableLine(LINE, bought(0), held, AT)).toEqual({ line: 0, limit: counted });
    expect(usableLine(LINE, NOTHING, PAYMENT, AT)).toEqual({ line: 0, limit: counted });
  });

  test("from its age on by the passing of time", () => {
    const github = { ...GITHUB, createdAt: GITHUB.createdAt + 5 };
    expect(lineGrowsAt({ ...NOTHING, github }, IDENTITY, AT)).toBe(AT + 5);
    expect(lineGrowsAt({ ...NOTHING, github }, PAYMENT, AT)).toBeNull();
  });
});

const ME = person(1);
const register = (n: number, createdAt: number): readonly [Command, number] => [
  { type: "register", account: person(n), email: `p${n}@b.example`, source: null, keyHash: "h", grant: credits(50), marks: [] },
  createdAt,
];
const someone = (n = 1, createdAt = AT) => new Life(entity, person(n)).through([register(n, createdAt)]);
type Somebody = ReturnType<typeof someone>;
const link = (mark = "github:a"): Command => ({
  type: "linkGitHub",
  github: { id: "1", login: "octo", score: GITHUB_SCORE_MIN, token: "t", createdAt: GITHUB.createdAt, mark },
});
const done = { taskType: "x", firstTry: true, durationMs: 1, allowedMs: 2 } as const;
const earn = (n: number, by: string, vouched?: number, payout = 20): Command => ({
  ...{ type: "earn", task: taskId(id(1_000 + n)), ...done, requester: person(9), requesterIdentity: by },
  payout: credits(payout),
  ...(vouched === undefined ? {} : { vouched: credits(vouched) }),
});
const paid = (amount: number, payment = "pi_1"): Command => ({
  ...{ type: "payment", payment, news: { type: "paid", amount }, customer: null },
});

describe("what counts", () => {
  const earned = (life: Somebody) => evidenceOf(life.state.context).earned;

  test("of one identity are its first five settlements", () => {
    const life = someone();
    for (let n = 1; n <= SETTLEMENTS_PER_IDENTITY; n += 1) {
      life.do(earn(n, "github:r", 10), AT);
      expect(earned(life)).toBe(10 * n);
    }
    life.do(earn(6, "github:r", 900), AT);
    expect(earned(life)).toBe(50);
    life.do(earn(7, "github:s", 10), AT);
    expect(earned(life)).toBe(60);
  });

  test("are as many identities as are remembered, and no settlement that nobody vouches for, however it is called", () => {
    const life = someone();
    life.do(earn(0, "toString"), AT);
    expect(earned(life)).toBe(0);
    life.do(earn(1, "toString", 1), AT);
    for (let n = 1; n < VOUCHERS_MAX + 2; n += 1) life.do(earn(1 + n, `github:${n}`, 1), AT);
    expect(earned(life)).toBe(VOUCHERS_MAX);
    life.do(earn(900, "toString", 1), AT);
    expect(earned(life)).toBe(VOUCHERS_MAX + 1);
  });

  test("is no top-up, no grant, no adjustment; and of a purchase what was not taken back", () => {
    const life = someone();
    life.do({ type: "topUp", topup: id(5), amount: credits(900) }, AT);
    life.do({ type: "adjust", adjustment: id(6), amount: credits(900), reason: "r" }, AT);
    expect(evidenceOf(life.state.context).purchases).toEqual([]);
    life.do(paid(100), AT + 1);
    life.do({ type: "payment", payment: "pi_1", news: { type: "refunded", total: 40 }, customer: null }, AT + 2);
    expect(evidenceOf(life.state.context).purchases).toEqual([{ at: AT + 1, net: 60 }]);
    const disputed = { type: "disputed", dispute: "d", amount: 60, state: "open" } as const;
    life.do({ type: "payment", payment: "pi_1", news: disputed, customer: null }, AT + 3);
    expect(evidenceOf(life.state.context).purchases).toEqual([]);
  });

  test("of purchases from before their time was kept is all: they are old", () => {
    const changed: AccountFact = {
      ...{ type: "PaymentChanged", payment: "pi_0", change: 1, amount: credits(30), customer: null, at: AT },
      after: { bought: 30, refunded: 0, disputes: {} },
    };
    const state = entity.evolve(someone().state, changed).state;
    expect(evidenceOf(state.context).purchases).toEqual([{ at: 0, net: 30 }]);
  });
});

describe("a requester vouches with its payments", () => {
  const TASK = taskId(id(90));
  const hold = (budget = 20): Command => ({ type: "hold", task: TASK, order: order({ budget: credits(budget) }), fresh: true });
  const settle = (changes: object = {}): Command => ({
    ...{ type: "settle", task: TASK, ...done, worker: person(2), workerIdentity: "mail:w" },
    ...{ budget: credits(20), payout: credits(12), fee: credits(1), refund: credits(7) },
    ...changes,
  });
  const vouched = (life: Somebody, command = settle()) =>
    life.do(command, AT).effects.flatMap((effect) => {
      const isPay = effect.type === "tell" && effect.command.type === "earn";
      return isPay && "vouched" in effect.command ? [effect.command.vouched] : [];
    });

  test("if it is verified, by what it is linked to or has bought", () => {
    expect(vouched(someone().through([[hold(), AT]]))).toEqual([]);
    expect(
      vouched(
        someone().through([
          [link(), AT],
          [hold(), AT],
        ]),
      ),
    ).toEqual([12]);
    expect(
      vouched(
        someone().through([
          [paid(1), AT],
          [hold(), AT],
        ]),
      ),
    ).toEqual([12]);
  });

  test("but never with a task of the platform's own", () => {
    expect(
      vouched(
        someone().through([
          [link(), AT],
          [hold(), AT],
        ]),
        settle({ honeypot: { passed: true, due: AT } }),
      ),
    ).toEqual([]);
  });

  test("and never with what it has borrowed: the rest of the budget comes off that first", () => {
    const silver = Array.from({ length: 10 }, (_, n): readonly [Command, number] => [earn(n, `mail:${n % 3}`, undefined, 0), AT]);
    // 50 NC of its own, so that 3, 10 or 20 of the 20 are borrowed; 7 of them come back.
    for (const [available, expected] of [
      [13, [12]],
      [12, [11]],
      [10, [9]],
      [1, []],
      [0, []],
    ] as const) {
      const life = someone().through([...silver, [link(), AT]]);
      life.do({ type: "adjust", adjustment: id(6), amount: credits(available - 50), reason: "r" }, AT);
      life.do(hold(), AT);
      expect(vouched(life.fork())).toEqual(expected);
      // What was paid meanwhile is borrowed no more.
      life.do({ type: "topUp", topup: id(5), amount: credits(100) }, AT);
      expect(vouched(life)).toEqual([12]);
    }
  });
});

describe("one GitHub account vouches for one account", () => {
  const mark = (from: Somebody, to: number): Command[] =>
    from
      .do({ type: "mark", marks: ["github:a"], kin: [person(to)] }, AT + 9)
      .effects.flatMap((effect) => (effect.type === "tell" && effect.command.type === "mark" ? [effect.command] : []));
  const lack = ({ state }: Somebody) => githubLack(evidenceOf(state.context).github, AT);

  test("the oldest of those that are linked to it: the others stand back when they hear of it", () => {
    const [older, younger] = [someone(1, AT - 1), someone(2, AT)].map((life) => life.through([[link(), AT]]));
    if (older === undefined || younger === undefined) throw new Error("there are two");
    for (const told of mark(older, 2)) younger.do(told, AT + 10);
    expect([lack(older), lack(younger)]).toEqual([undefined, "VOUCHES_ELSEWHERE"]);
    // Told again it has nothing to note, and linked anew it stands back still.
    for (const told of mark(older, 2)) expect(younger.do(told, AT + 11).facts).toEqual([]);
    younger.do(link(), AT + 12);
    expect(lack(younger)).toBe("VOUCHES_ELSEWHERE");
    younger.do(link("github:b"), AT + 13);
    expect(lack(younger)).toBeUndefined();
  });

  test("the older one answers the younger one that found it", () => {
    const [older, younger] = [someone(1, AT - 1), someone(2, AT)].map((life) => life.through([[link(), AT]]));
    if (older === undefined || younger === undefined) throw new Error("there are two");
    const [claim] = mark(younger, 1);
    if (claim === undefined) throw new Error("it must claim");
    const answer = older.do(claim, AT + 10).effects;
    expect(answer).toEqual([
      tell("account", person(2), {
        ...{ type: "mark", marks: ["github:a"], kin: [] },
        claim: { mark: "github:a", by: ME, createdAt: AT - 1 },
      }),
    ]);
    for (const effect of answer) if (effect.type === "tell") younger.do(effect.command as Command, AT + 11);
    expect([lack(older), lack(younger)]).toEqual([undefined, "VOUCHES_ELSEWHERE"]);
  });

  test("of two of one age the one with the lower id; and who is linked to another one minds no claim", () => {
    const [first, second, other] = [someone(1), someone(2), someone(3)];
    first.do(link(), AT);
    second.do(link(), AT);
    other.do(link("github:c"), AT);
    for (const told of mark(first, 2)) {
      second.do(told, AT + 10);
      other.do(told, AT + 10);
    }
    expect([lack(first), lack(second), lack(other)]).toEqual([undefined, "VOUCHES_ELSEWHERE", undefined]);
  });
});

describe("the terms", () => {
  const silver = () => {
    const life = someone();
    for (let n = 0; n < 10; n += 1) life.do(earn(n, `mail:${n % 3}`, undefined, 0), AT);
    return life;
  };
  const hold = (budget: number, n = 95): Command => ({
    ...{ type: "hold", task: taskId(id(n)), order: order({ budget: credits(budget) }), fresh: true },
  });
  const decide = (life: Somebody, command: Command, credit: CreditTerms, at = AT) =>
    entity.decide(life.state, command, at, at, { ...MARKET_RULES, credit });

  test("stand in the fact that they decided, so that its replay asks no setting; those of none need none", () => {
    const life = silver();
    expect(decide(life, hold(60), NO_TERMS)).toMatchObject({ facts: [{ type: "Held", budget: 60 }] });
    expect(decide(life, hold(60), IDENTITY)).toMatchObject({
      refused: "INSUFFICIENT_CREDITS",
      detail: "The budget is 60 NC and you have 50 NC; top up 10 NC or lower the budget.",
      reason: { why: "LINE_LIMITED", budget: 60, power: 50, line: 0, whole: 5_000, limit: { limit: "NOT_VERIFIED" } },
    });
    life.do(paid(1), AT);
    expect(decide(life, hold(62), IDENTITY)).toMatchObject({ refused: "INSUFFICIENT_CREDITS" });
    const taken = decide(life, hold(61), IDENTITY);
    expect(taken).toMatchObject({ facts: [{ type: "Held", budget: 61, terms: IDENTITY }] });
    if ("refused" in taken || taken.facts[0] === undefined) throw new Error("it must be taken");
    const { context } = entity.evolve(life.state, taken.facts[0]).state;
    expect([context.terms, lineOf(context, AT).line, context.available]).toEqual([IDENTITY, 10, -10]);
    expect(lineOf(under(context, NO_TERMS), AT).line).toBe(5_000);
  });

  test("let a batch that waits for credits be called when a purchase begins to count, not before", () => {
    const credit = { ...IDENTITY, holdMs: 5 * HOUR };
    const life = silver();
    life.do(paid(10), AT);
    const what = order({ budget: credits(80), batch: { id: id(70), item: 0 } });
    const waits = decide(life, { type: "holdItem", task: taskId(id(96)), order: what }, credit, AT + 1);
    if ("refused" in waits || waits.facts[0] === undefined) throw new Error("it must be taken");
    expect(waits.facts).toMatchObject([{ type: "BatchWaits", reason: "credits", terms: credit }]);
    const after = entity.evolve(life.state, waits.facts[0]);
    expect(after.effects).toContainEqual({ type: "remind", name: "turns", at: AT + 5 * HOUR });
    life.state = after.state;
    const timer: Command = { type: "timer", name: "turns", due: AT };
    expect(decide(life, timer, credit, AT + 5 * HOUR - 1)).toMatchObject({
      facts: [{ type: "BatchesCalled", calls: [], terms: credit }],
    });
    expect(decide(life, timer, credit, AT + 5 * HOUR)).toMatchObject({ facts: [{ calls: [{ batch: id(70), count: 1 }] }] });
  });

  test("say the same of a row as of the state", () => {
    const life = silver();
    life.through([
      [paid(30), AT + 1],
      [paid(40, "pi_2"), AT + 2 + PURCHASE_HOLD_MS_MAX],
      [link(), AT + 3 + PURCHASE_HOLD_MS_MAX],
      [earn(80, "github:z", 7), AT + 4 + PURCHASE_HOLD_MS_MAX],
    ]);
    const row = entity.row(ME, life.state);
    if (row === undefined) throw new Error("it must be there");
    expect(row.tally.evidence?.purchases).toEqual([
      { at: 0, net: 30 },
      { at: AT + 2 + PURCHASE_HOLD_MS_MAX, net: 40 },
    ]);
    for (const terms of [NO_TERMS, IDENTITY, PAYMENT, { ...IDENTITY, holdMs: HOUR }]) {
      for (const at of [AT + 4 + PURCHASE_HOLD_MS_MAX, AT + PURCHASE_HOLD_MS_MAX * 2]) {
        expect(creditOf(row, terms, at).usable).toEqual(lineOf(under(life.state.context, terms), at));
      }
    }
    const { evidence: _none, ...tally } = row.tally;
    expect(creditOf({ ...row, tally, github: null }, IDENTITY, AT).usable.line).toBe(0);
  });
});
