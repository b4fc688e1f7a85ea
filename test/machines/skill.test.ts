/** Skill with its evidence: what the latest tasks of a worker prove (guide: Skill Rating). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AccountFact } from "../../machines/account/events.ts";
import { account as entity } from "../../machines/account/index.ts";
import { quality } from "../../machines/market/auction.ts";
import { ENDINGS, type Ending, evidenceOf, LATEST_MAX, withTask } from "../../machines/market/evidence.ts";
import { priorOf } from "../../machines/market/github.ts";
import { qualityIn, skillIn } from "../../machines/market/qualification.ts";
import {
  EMPTY_RECORD,
  lowerBound,
  provenBy,
  type Record,
  seenScore,
  skillParts,
  skillScore,
  skillTier,
} from "../../machines/market/skill.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { Life } from "../support/life.ts";
import { id, person } from "../support/world.ts";

/** Tasks, one after the other; those of a requester each have its number. */
const latestOf = (tasks: readonly (readonly [Ending, number])[]) =>
  tasks.reduce((latest, [ending, whose]) => withTask(latest, ending, `requester ${whose}`), "");

/** A record of so many tasks of so many requesters in turn, of which that share went well. */
function recordOf(tasks: number, requesters: number, share = 1, changes: Partial<Record> = {}): Record {
  const went = (n: number) => Math.floor((n + 1) * share) > Math.floor(n * share);
  const all = Array.from({ length: tasks }, (_, n) => [went(n) ? "first" : "failed", n % requesters] as const);
  const settled = all.filter(([ending]) => ending === "first").length;
  const totals = { finished: tasks, settled, firstTry: settled, timeShare: 0.3 * settled };
  return { ...EMPTY_RECORD, ...totals, latest: latestOf(all), ...changes };
}
const tierOf = (record: Record) => skillTier(skillScore(record));
/** Done in no time, with five stars: what a requester can do for a worker who is himself. */
const FLATTERED = { timeShare: 0, ratings: 1, ratingSum: 5 };

describe("the lower bound of a share", () => {
  test.each([
    [1, 0, 0],
    [1, 1, 0.1],
    [1, 9, 0.5],
    [1, 91, 0.91],
    [0, 1, 0],
    [0, 1_000, 0],
    [0.5, 200, 0.3962],
    [0.9, 200, 0.8182],
    [0.5, 1, 0.0257],
  ])("%d of %d tasks is %d", (share, tasks, bound) => {
    expect(lowerBound(share, tasks)).toBeCloseTo(bound, 3);
  });

  test("is below the share, more so the fewer there are, and never below 0", () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(share, fc.integer({ min: 1, max: 400 }), (seen, tasks) => {
        const bound = lowerBound(seen, tasks);
        expect(bound).toBeGreaterThanOrEqual(0);
        expect(bound).toBeLessThanOrEqual(seen + 1e-12);
        expect(lowerBound(seen, tasks + 1)).toBeGreaterThanOrEqual(bound - 1e-12);
      }),
    );
  });
});

describe("evidence", () => {
  const none = { finished: 0, settled: 0, firstTry: 0 };

  test("is each task with how it ended", () => {
    const latest = latestOf([
      ["first", 1],
      ["settled", 2],
      ["failed", 3],
      ["first", 4],
    ]);
    expect(latest).toHaveLength(8);
    expect(evidenceOf({ finished: 4, settled: 3, firstTry: 2, latest })).toEqual({ tasks: 4, settled: 0.75, first: 0.5 });
    expect(evidenceOf(none)).toEqual({ tasks: 0, settled: 0, first: 0 });
    expect(
      evidenceOf({
        finished: 2,
        settled: 0,
        firstTry: 0,
        latest: latestOf([
          ["failed", 1],
          ["failed", 2],
        ]),
      }),
    ).toEqual({
      ...{ tasks: 2, settled: 0, first: 0 },
    });
  });

  test.each([
    [10, 10],
    [11, 10.25],
    [14, 11],
    [200, 57.5],
  ])("%i tasks of one requester are worth %d", (tasks, worth) => {
    expect(evidenceOf(recordOf(tasks, 1))).toEqual({ tasks: worth, settled: 1, first: 1 });
  });

  test("counts the good and the bad ones of a requester together, whatever its number is", () => {
    const both = Array.from({ length: 20 }, (_, n) => [n % 2 === 0 ? "first" : "failed", 0] as const);
    expect(evidenceOf({ finished: 20, settled: 10, firstTry: 10, latest: latestOf(both) })).toEqual({
      tasks: 12.5,
      settled: 0.5,
      first: 0.5,
    });
    // So many that each number comes up: none of them reaches into how the task ended.
    for (let n = 0; n < 10_000; n += 1) {
      const latest = withTask("", "settled", `requester ${n}`);
      expect([n, evidenceOf({ finished: 1, settled: 1, firstTry: 0, latest })]).toEqual([n, { tasks: 1, settled: 1, first: 0 }]);
      expect(evidenceOf({ finished: 1, settled: 0, firstTry: 0, latest: withTask("", "failed", `requester ${n}`) }).settled).toBe(
        0,
      );
    }
  });

  test("of a requester that is not known counts in full", () => {
    const latest = Array.from({ length: 50 }).reduce<string>((before) => withTask(before, "failed", undefined), "");
    expect(evidenceOf({ finished: 50, settled: 0, firstTry: 0, latest })).toEqual({ tasks: 50, settled: 0, first: 0 });
  });

  test("is of the last 200 and not of those before", () => {
    const failed = Array.from({ length: 100 }, (_, n) => ["failed", n % 20] as const);
    const done = Array.from({ length: 200 }, (_, n) => ["first", n % 20] as const);
    const record = { finished: 300, settled: 200, firstTry: 200, latest: latestOf([...failed, ...done]) };
    expect(record.latest).toHaveLength(2 * LATEST_MAX);
    expect(evidenceOf(record)).toEqual({ tasks: 200, settled: 1, first: 1 });
    const less = { finished: 299, settled: 199, firstTry: 199, latest: latestOf([...failed, ...done.slice(1)]) };
    expect(evidenceOf(less).settled).toBeCloseTo(199 / 200, 10);
  });

  test("from before the latest were kept is that of the totals, as far as there is room", () => {
    expect(evidenceOf({ finished: 50, settled: 40, firstTry: 30 })).toEqual({ tasks: 50, settled: 0.8, first: 0.6 });
    expect(evidenceOf({ finished: 1_000, settled: 500, firstTry: 100 })).toEqual({ tasks: 200, settled: 0.5, first: 0.1 });
    // 50 before, 10 since, all well.
    const latest = latestOf(Array.from({ length: 10 }, (_, n) => ["first", n] as const));
    const both = evidenceOf({ finished: 60, settled: 50, firstTry: 40, latest });
    expect(both.tasks).toBe(60);
    expect(both.settled).toBeCloseTo(50 / 60, 10);
    expect(both.first).toBeCloseTo(40 / 60, 10);
    // A version before has counted since, and not kept the latest.
    expect(evidenceOf({ finished: 5, settled: 5, firstTry: 5, latest })).toEqual({ tasks: 10, settled: 1, first: 1 });
  });

  test("is the lower of the share of tasks and that of requesters", () => {
    const one = (ending: Ending, tasks: number) => Array.from({ length: tasks }, () => [ending, 0] as const);
    const others = (ending: Ending, tasks: number) => Array.from({ length: tasks }, (_, n) => [ending, 1 + n] as const);
    // A requester who is served well does not hide those who are not: of weighed tasks 30 + 20 fail 20.
    const served = { finished: 110, settled: 90, firstTry: 90, latest: latestOf([...one("first", 90), ...others("failed", 20)]) };
    expect(evidenceOf(served)).toEqual({ tasks: 50, settled: 0.6, first: 0.6 });
    // Nor the other way about: half of all tasks fail, and so half it is.
    const failing = {
      finished: 100,
      settled: 50,
      firstTry: 50,
      latest: latestOf([...one("failed", 50), ...others("first", 50)]),
    };
    expect(evidenceOf(failing)).toEqual({ tasks: 70, settled: 0.5, first: 0.5 });
  });

  test("is never more than the tasks, for whatever came", () => {
    const task = fc.tuple(fc.constantFrom(...ENDINGS), fc.nat(300));
    fc.assert(
      fc.property(fc.array(task, { maxLength: 260 }), (tasks) => {
        const settled = tasks.filter(([ending]) => ending !== "failed").length;
        const firstTry = tasks.filter(([ending]) => ending === "first").length;
        const latest = latestOf(tasks);
        const { tasks: worth, settled: share, first } = evidenceOf({ finished: tasks.length, settled, firstTry, latest });
        expect(worth).toBeLessThanOrEqual(Math.min(LATEST_MAX, tasks.length) + 1e-9);
        expect([share, first].every((one) => one >= 0 && one <= 1)).toBe(true);
        expect(first).toBeLessThanOrEqual(share + 1e-12);
        expect(latest).toMatch(/^[\w-]*$/);
      }),
      { numRuns: 50 },
    );
  });
});

describe("a score", () => {
  test("is the parts of the guide with their weights", () => {
    const record = { ...recordOf(100, 20, 0.9), timeShare: 22.5, ratings: 4, ratingSum: 8 };
    const parts = skillParts(record);
    expect(parts).toEqual({
      success: lowerBound(0.9, 100),
      firstTry: lowerBound(0.9, 100),
      speed: 0.75,
      volume: 0.9,
      rating: 0.25,
    });
    expect(skillScore(record)).toBeCloseTo(55 * lowerBound(0.9, 100) + 11.25 + 13.5 + 3.75, 10);
    expect(skillParts(EMPTY_RECORD)).toEqual({ success: 0, firstTry: 0, speed: 0, volume: 0, rating: 0.5 });
    expect(skillParts({ ...record, settled: 250 }).volume).toBe(1);
    const { ratings: _ratings, ratingSum: _sum, ...older } = record;
    expect(skillParts(older as Record).rating).toBe(0.5);
  });

  test("is 0 for a newcomer, and for who has settled nothing", () => {
    expect([skillScore(EMPTY_RECORD), skillScore(recordOf(5, 5, 0)), seenScore(EMPTY_RECORD)]).toEqual([0, 0, 0]);
  });

  test("is at most the success that is proven: nothing makes up for results that fail", () => {
    const record = recordOf(200, 20, 0.5, FLATTERED);
    expect(skillScore(record)).toBeCloseTo(100 * skillParts(record).success, 10);
    expect(skillScore(record)).toBeLessThan(40);
  });

  /** Tasks, requesters, the share that went well, and what else the record says -> tier. The page on trust has this table. */
  test.each<[number, number, number, Partial<Record>, number]>([
    [1, 1, 1, FLATTERED, 1],
    [5, 5, 1, FLATTERED, 1],
    [6, 6, 1, {}, 2],
    [10, 1, 1, {}, 2],
    [20, 1, 1, FLATTERED, 2],
    [39, 1, 1, {}, 2],
    [40, 1, 1, {}, 3],
    [21, 20, 1, {}, 2],
    [22, 20, 1, {}, 3],
    [60, 20, 1, {}, 3],
    [61, 20, 1, {}, 4],
    [95, 1, 1, {}, 3],
    [96, 1, 1, {}, 4],
    [200, 1, 1, FLATTERED, 4],
    [95, 20, 1, { ratings: 1, ratingSum: 5 }, 4],
    [96, 20, 1, { ratings: 1, ratingSum: 5 }, 5],
    [200, 20, 0.95, {}, 4],
    [200, 20, 0.8, {}, 3],
    [200, 20, 0.6, {}, 2],
    [200, 20, 0.5, {}, 1],
    [200, 20, 0.5, FLATTERED, 1],
    [200, 1, 0.5, FLATTERED, 1],
  ])("%i tasks of %i requesters, %d of them well, with %j: tier %i", (tasks, requesters, share, changes, tier) => {
    expect(tierOf(recordOf(tasks, requesters, share, changes))).toBe(tier);
  });

  test("never rises with a failure, and never falls with a task that is done at once", () => {
    const ending = fc.tuple(fc.constantFrom(...ENDINGS), fc.nat(30));
    const following = (record: Record, how: Ending, whose: string): Record => ({
      ...record,
      finished: record.finished + 1,
      settled: record.settled + (how === "failed" ? 0 : 1),
      firstTry: record.firstTry + (how === "first" ? 1 : 0),
      latest: withTask(record.latest ?? "", how, whose),
    });
    fc.assert(
      fc.property(fc.array(ending, { maxLength: 190 }), (tasks) => {
        const record = tasks.reduce((before, [how, whose]) => following(before, how, `${whose}`), EMPTY_RECORD);
        const score = skillScore(record);
        expect(skillScore(following(record, "failed", "another"))).toBeLessThanOrEqual(score + 1e-9);
        expect(skillScore(following(record, "first", "another"))).toBeGreaterThanOrEqual(score - 1e-9);
      }),
      { numRuns: 100 },
    );
  });

  test("is worked out once for a record that stays", () => {
    const record = recordOf(3, 3);
    expect(provenBy(record)).toBe(provenBy(record));
  });
});

describe("the quality with which bids compete", () => {
  const worker = (record: Record, github: number | null, reputation: number) => ({
    ...{ records: { analysis: record }, reputation, github: github === null ? null : { score: github } },
  });

  test("is above every newcomer's for who has 200 tasks done well, whatever GitHub says", () => {
    const proven = qualityIn("analysis", worker(recordOf(200, 20), null, 50));
    expect(proven).toBeGreaterThan(priorOf(100));
    expect(qualityIn("other", worker(recordOf(200, 20), 100, 0))).toBe(priorOf(100));
    expect([priorOf(null), priorOf(0), priorOf(50), priorOf(100)]).toEqual([0.5, 0.5, 0.6, 0.7]);
  });

  test("rises with each of the first good tasks: the doubt about few is the prior's, and counts once", () => {
    const at = (tasks: number) => qualityIn("analysis", worker(recordOf(tasks, 20), null, tasks));
    for (let tasks = 1; tasks < 60; tasks += 1) expect([tasks, at(tasks) > at(tasks - 1)]).toEqual([tasks, true]);
    expect(at(10)).toBeCloseTo(quality(seenScore(recordOf(10, 20)), 10, 10), 10);
    // Many tasks of one requester outweigh the prior less.
    const alone = qualityIn("analysis", worker(recordOf(100, 1), null, 50));
    expect(alone).toBeLessThan(qualityIn("analysis", worker(recordOf(100, 20), null, 50)));
  });

  test("a type without a record is a newcomer's, by whatever name", () => {
    expect(skillIn({}, "toString")).toEqual({ score: 0, tier: 1, finished: 0 });
    expect(skillIn({ analysis: recordOf(6, 6) }, "analysis")).toMatchObject({ tier: 2, finished: 6 });
  });
});

describe("an account keeps it", () => {
  const AT = 1_000_000;
  const me = () =>
    new Life(entity, person(1)).through([
      [
        {
          ...{
            type: "register",
            account: person(1),
            email: "a@b.example",
            source: null,
            keyHash: "k",
            grant: credits(50),
            marks: [],
          },
        },
        AT,
      ],
    ]);
  const work = (n: number) => ({ task: taskId(id(n)), taskType: "analysis" }) as const;
  const earn = (n: number, changes: object = {}) => ({
    ...{ type: "earn" as const, ...work(n), requester: person(2), requesterIdentity: "mail:b", payout: credits(5) },
    ...{ firstTry: true, durationMs: 300, allowedMs: 1_000, ...changes },
  });
  const recordIn = (life: ReturnType<typeof me>) => life.state.context.records["analysis"];

  test("task by task, with whose it was and how it ended", () => {
    const life = me();
    life.do(earn(1), AT);
    life.do(earn(2, { firstTry: false, requesterIdentity: "mail:c" }), AT);
    life.do({ type: "fail", ...work(3), outcome: "TIMED_OUT", requesterIdentity: "mail:d" }, AT);
    life.do({ type: "fail", ...work(4), outcome: "FAILED_VALIDATION" }, AT);
    const expected = [
      ["first", "mail:b"],
      ["settled", "mail:c"],
      ["failed", "mail:d"],
      ["failed", undefined],
    ] as const;
    expect(recordIn(life)?.latest).toBe(expected.reduce((latest, [how, whose]) => withTask(latest, how, whose), ""));
    expect(recordIn(life)).toMatchObject({ finished: 4, settled: 2, firstTry: 1, timeShare: 0.6 });
    const { facts } = life.do({ type: "fail", ...work(5), outcome: "TIMED_OUT", requesterIdentity: "mail:d" }, AT);
    expect(facts[0]).toEqual({ type: "Failed", ...work(5), outcome: "TIMED_OUT", counterparty: "mail:d", at: AT });
  });

  test("results that are the example are counted, in their type", () => {
    const life = me();
    life.do(earn(1), AT);
    expect(recordIn(life)).not.toHaveProperty("echoes");
    expect(life.do(earn(2, { echo: true }), AT).facts).toMatchObject([{ type: "Earned", echo: true }]);
    life.do(earn(3, { echo: true }), AT);
    life.do(earn(4), AT);
    expect(recordIn(life)).toMatchObject({ settled: 4, echoes: 2 });
  });

  test("facts from before say no identity but the requester's account", () => {
    const life = me();
    const before: AccountFact = {
      ...{ type: "Earned", ...work(1), requester: person(2), payout: credits(5), firstTry: true },
      ...{ durationMs: 1, allowedMs: 2, at: AT },
    };
    life.state = entity.evolve(life.state, before).state;
    expect(recordIn(life)?.latest).toBe(withTask("", "first", person(2)));
  });
});
