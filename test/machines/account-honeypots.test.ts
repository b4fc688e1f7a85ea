/** Honeypots in a worker's account: shown like any other task until they are due, then counted. */
import { describe, expect, test } from "vitest";
import { UNTOLD_MAX } from "../../machines/account/honeypots.ts";
import { account as entity } from "../../machines/account/index.ts";
import { bidIneligibility } from "../../machines/eligibility.ts";
import { isDoubted, LATELY_MAX, withOutcome } from "../../machines/market/honeypot.ts";
import { qualificationIn, skillIn, tiersIn } from "../../machines/market/qualification.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { Life } from "../support/life.ts";
import { id, order, person } from "../support/world.ts";

const ME = person(1);
const AT = 1_000_000;
const TYPE = "json_extraction";
type Command = Parameters<typeof entity.decide>[1];
type Honeypot = { readonly passed: boolean; readonly due: number };

const me = () =>
  new Life(entity, ME).through([
    [{ type: "register", account: ME, email: "a@b.example", source: null, keyHash: "k", grant: credits(0), marks: [] }, AT],
  ]);
const row = (life: ReturnType<typeof me>) => {
  const found = entity.row(ME, life.state);
  if (found === undefined) throw new Error("a registered account has a row");
  return found;
};
const earn = (n: number, honeypot?: Honeypot): Command => ({
  type: "earn",
  task: taskId(id(100 + n)),
  taskType: TYPE,
  requester: person(200 + n),
  requesterIdentity: `mail:${n}`,
  payout: credits(10),
  firstTry: true,
  durationMs: 30_000,
  allowedMs: 120_000,
  ...(honeypot === undefined ? {} : { honeypot }),
});
const fail = (n: number, honeypot?: Honeypot): Command => ({
  ...{ type: "fail", task: taskId(id(100 + n)), taskType: TYPE, outcome: "TIMED_OUT" },
  ...(honeypot === undefined ? {} : { honeypot }),
});
const due = (at: number): Command => ({ type: "timer", name: "honeypots", due: at });

test("until one is due, its worker's account has as many facts, and the same record, as after any other task", () => {
  for (const passed of [true, false]) {
    const [plain, honeypot] = [me(), me()];
    const facts = honeypot.do(earn(1, { passed, due: AT + 500 }), AT + 9).facts;
    expect(facts).toHaveLength(plain.do(earn(1), AT + 9).facts.length);
    const { tally, counterparties, ...same } = row(plain);
    const { tally: counted, counterparties: fewer, ...shown } = row(honeypot);
    expect(shown).toEqual(same);
    expect(counted).toEqual({ ...tally, honeypotsUntold: 1 });
    expect([counterparties, fewer]).toEqual([1, 0]);
  }
});

test("the house is never a counterparty, not even when the honeypot counts", () => {
  const life = me();
  for (let n = 0; n < 40; n += 1) life.do(earn(n, { passed: true, due: AT + 10 }), AT + 9);
  life.do(due(AT + 10), AT + 10);
  expect(row(life)).toMatchObject({ counterparties: 0, tally: { earned: 40, honeypotsPassed: 40, honeypotsUntold: 0 } });
});

test("each is counted when it is due, and the timer is set for the next one", () => {
  const life = me();
  const timer = (at: number) => ({ type: "remind", name: "honeypots", at });
  expect(life.do(earn(1, { passed: true, due: AT + 500 }), AT).effects).toContainEqual(timer(AT + 500));
  expect(life.do(earn(2, { passed: false, due: AT + 300 }), AT).effects).toContainEqual(timer(AT + 300));
  expect(life.do(fail(3, { passed: false, due: AT + 400 }), AT).effects).toContainEqual(timer(AT + 300));
  expect(life.do(earn(4), AT).effects).toEqual([]);
  expect(life.tries(due(AT + 299), AT + 299)).toBe("TIMER_STALE");
  const first = life.do(due(AT + 300), AT + 300);
  expect(first.facts).toEqual([{ type: "HoneypotJudged", task: id(102), passed: false, at: AT + 300 }]);
  expect(first.effects).toEqual([timer(AT + 400)]);
  const both = life.do(due(AT + 400), AT + 500);
  expect(both.types).toBe("HoneypotJudged+HoneypotJudged");
  expect(both.effects.at(-1)).toEqual({ type: "forget", name: "honeypots" });
  expect(life.tries(due(AT + 500), AT + 600)).toBe("TIMER_STALE");
  expect(row(life).tally).toMatchObject({ honeypotsPassed: 1, honeypotsFailed: 2, honeypotsLately: [false, false, true] });
});

test("a wrong answer stays paid and finished, and is then not settled in the skill; a right one changes nothing there", () => {
  const life = me().through([
    [earn(1), AT],
    [earn(2, { passed: false, due: AT + 5 }), AT],
    [earn(3, { passed: true, due: AT + 5 }), AT],
    [fail(4, { passed: false, due: AT + 5 }), AT],
  ]);
  expect(row(life).records[TYPE]).toMatchObject({ finished: 4, settled: 3, firstTry: 3, timeShare: 0.75 });
  life.do(due(AT + 5), AT + 5);
  expect(row(life).records[TYPE]).toMatchObject({ finished: 4, settled: 2, firstTry: 2, timeShare: 0.5 });
  expect(row(life)).toMatchObject({ available: 30, tally: { earned: 3, timedOut: 1, honeypotsPassed: 1, honeypotsFailed: 2 } });
});

test("one of before, told at once, is counted and changes no skill", () => {
  const life = me().through([[earn(1), AT]]);
  life.do({ type: "honeypot", task: taskId(id(101)), passed: false }, AT + 1);
  expect(row(life)).toMatchObject({ records: { [TYPE]: { settled: 1 } }, tally: { honeypotsFailed: 1, honeypotsUntold: 0 } });
});

test("as many as are kept are kept; one more makes the one that is due first count sooner", () => {
  const life = me();
  for (let n = 0; n < UNTOLD_MAX; n += 1) life.do(earn(n, { passed: true, due: AT + 1_000 - n }), AT);
  expect(life.state.context.untold).toHaveLength(UNTOLD_MAX);
  expect(life.fork().do(earn(900), AT).types).toBe("Earned");
  expect(life.fork().do(fail(900, { passed: false, due: AT + 7 }), AT).types).toBe("HoneypotJudged+Failed");
  const { facts } = life.do(earn(901, { passed: true, due: AT + 7 }), AT + 2);
  expect(facts[0]).toEqual({ type: "HoneypotJudged", task: id(100 + UNTOLD_MAX - 1), passed: true, at: AT + 2 });
  expect(life.state.context.untold).toHaveLength(UNTOLD_MAX);
  expect(life.state.context.untold[0]).toMatchObject({ task: id(1001) });
});

test("the requester's account hands on what a settlement says of a honeypot", () => {
  const life = me().through([
    [{ type: "adjust", adjustment: id(8), amount: credits(20), reason: "honeypot" }, AT],
    [{ type: "hold", task: taskId(id(101)), order: order({ budget: credits(20) }), fresh: true }, AT],
  ]);
  const honeypot = { passed: false, due: AT + 99 };
  const { facts, effects } = life.do(
    {
      ...{ type: "settle", task: taskId(id(101)), taskType: TYPE, budget: credits(20), payout: credits(10), fee: credits(1) },
      ...{ refund: credits(9), worker: person(2), workerIdentity: "mail:2", firstTry: true, durationMs: 1, allowedMs: 9 },
      honeypot,
    },
    AT,
  );
  expect(facts).toMatchObject([{ type: "Settled", honeypot }]);
  expect(effects).toContainEqual(expect.objectContaining({ command: expect.objectContaining({ type: "earn", honeypot }) }));
});

describe("who has failed more of its latest honeypots than it has passed", () => {
  test.each([
    [[], false],
    [[false], false],
    [[false, false], true],
    [[true, false, false], true],
    [[true, true, false, false], false],
    [[true, false, false, false], true],
  ])("%j: doubted is %s", (lately, doubted) => expect(isDoubted(lately)).toBe(doubted));

  test("is what counts, of the last ten only", () => {
    const all = Array.from({ length: 12 }, (_, n) => n >= 2).reduce(withOutcome, [] as readonly boolean[]);
    expect(all).toEqual(Array(LATELY_MAX).fill(true));
  });

  test("may take no task that asks for a tier, whatever its skill, and any other", () => {
    const life = me();
    for (let n = 0; n < 60; n += 1) life.do(earn(n), AT);
    const tier = () => qualificationIn(TYPE, "ACTIVE", row(life)).tier;
    const before = tier();
    expect(before).toBeGreaterThan(2);
    for (const n of [61, 62]) life.do(earn(n, { passed: false, due: AT + 5 }), AT);
    expect(tier()).toBe(before);
    life.do(due(AT + 5), AT + 5);
    expect([tier(), tiersIn(row(life))]).toEqual([1, { [TYPE]: 1 }]);
    const task = { status: "ROUTING", requester: person(9), marks: [], budget: 20, bidders: [], failed: [] } as const;
    const standing = qualificationIn(TYPE, "ACTIVE", row(life));
    const may = (minSkill: number) => bidIneligibility({ ...task, minSkill }, { worker: ME, standing }, 10)?.why;
    expect([0, 1, 2].map(may)).toEqual([undefined, undefined, "TIER_TOO_LOW"]);
    for (const n of [71, 72]) life.do(earn(n, { passed: true, due: AT + 6 }), AT + 5);
    life.do(due(AT + 6), AT + 6);
    // It is doubted no more; but two of its tasks do not count as settled any more, and that is seen in its skill.
    expect(tier()).toBe(before - 1);
  });
});

test("one whose answer was wrong proves, once it counts, as much as a failed task", () => {
  const [wrong, failed] = [me(), me()];
  for (const life of [wrong, failed]) for (let n = 0; n < 20; n += 1) life.do(earn(n), AT);
  wrong.do(earn(30, { passed: false, due: AT + 5 }), AT);
  const before = skillIn(row(wrong).records, TYPE).score;
  wrong.do(due(AT + 5), AT + 5);
  failed.do({ ...fail(30), requesterIdentity: "mail:30" } as Command, AT);
  const [after, wanted] = [wrong, failed].map((life) => row(life).records[TYPE]);
  expect(skillIn(row(wrong).records, TYPE).score).toBeLessThan(before);
  expect(after).toEqual(wanted);
});

test("one whose penalty is taken back before it is due is never counted, and one that was counted is no longer", () => {
  const failing = { ...fail(1, { passed: false, due: AT + 500 }), requesterIdentity: "mail:1" } as Command;
  const excuse = {
    ...{ type: "excuse", task: taskId(id(101)), taskType: TYPE, outcome: "TIMED_OUT", reason: "UNSOLVED" },
    ...{ requesterIdentity: "mail:1", honeypot: true },
  } as Command;
  const early = me().through([[failing, AT]]);
  expect(early.do(excuse, AT + 9).effects).toContainEqual({ type: "forget", name: "honeypots" });
  expect(row(early).tally).toMatchObject({ honeypotsFailed: 0, timedOut: 0 });
  expect(early.state.context.untold).toEqual([]);
  const late = me().through([
    [failing, AT],
    [due(AT + 500), AT + 500],
  ]);
  expect(row(late).tally.honeypotsFailed).toBe(1);
  late.do(excuse, AT + 509);
  expect(row(late).tally).toMatchObject({ honeypotsFailed: 0, timedOut: 0 });
});
