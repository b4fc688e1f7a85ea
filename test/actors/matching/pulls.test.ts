import { describe, expect, test } from "vitest";
import { MATCHING, type Outcome, type Propose } from "../../../actors/matching/vocabulary.ts";
import type { Ineligibility } from "../../../machines/ineligibility.ts";
import { account, firstWins, ordinary, posted, pull, standing, task, Watched } from "../../support/matching.ts";

const NO_SLOT: Ineligibility = { why: "NO_SLOT", slots: 3 };
const id = pull(1).id;

/** All of the offers decline for this reason. */
const decline =
  (reason: Ineligibility) =>
  ({ offers }: Propose): Outcome => ({ type: "declined", declined: offers.map(({ worker }) => ({ worker, reason })) });

function opens(watched: Watched, ...numbers: number[]) {
  return numbers.flatMap((n) => watched.proposes((matcher, now) => matcher.opened(task(n), now)));
}

function waits(watched: Watched, waiter: Parameters<Watched["matcher"]["wait"]>[0]) {
  return watched.do((matcher, now) => matcher.wait(waiter, now));
}

describe("a pull", () => {
  test("is answered with its task as soon as it has one and nothing more is under way", () => {
    const watched = new Watched();
    opens(watched, 1, 2, 3);
    expect(waits(watched, pull(1, { most: 2 })).map(({ type }) => type)).toEqual(["propose", "propose"]);
    expect(watched.answer(ordinary(1), firstWins)).toEqual([]);
    expect(watched.answer(ordinary(2), firstWins)).toEqual([
      { type: "answer", waiter: id, tasks: [ordinary(1), ordinary(2)], why: "awarded" },
    ]);
    expect(watched.matcher.stats).toMatchObject({ tasks: 1, waiters: 0, workers: 0, awarded: 2 });
  });

  test("is proposed no more than fits into its answer, to the byte", () => {
    const watched = new Watched();
    opens(watched, 1, 2, 3);
    expect(waits(watched, pull(1, { most: 9, bytesShare: 2_999 }))).toHaveLength(2);
    const exactly = new Watched();
    opens(exactly, 1, 2, 3);
    expect(waits(exactly, pull(1, { most: 9, bytesShare: 3_000 }))).toHaveLength(3);
  });

  test("gets one task that its answer holds, also where that is more than the share of this matcher", () => {
    const watched = new Watched();
    opens(watched, 1, 2);
    expect(waits(watched, pull(1, { most: 9, bytesMost: 1_000, bytesShare: 500 }))).toHaveLength(1);
    const none = new Watched();
    opens(none, 1, 2);
    expect(waits(none, pull(1, { most: 9, bytesMost: 999, bytesShare: 500 }))).toEqual([]);
  });

  test("names a task of which nothing was heard after it was proposed: it may have it", () => {
    const watched = new Watched();
    opens(watched, 1);
    waits(watched, pull(1, { until: 5_000 }));
    watched.answer(ordinary(1), { type: "failed" });
    watched.do((matcher, now) => matcher.closed(ordinary(1), now));
    watched.now = 5_000;
    expect(watched.see("answer", (matcher, now) => matcher.tick(now))).toEqual([
      { type: "answer", waiter: id, tasks: [ordinary(1)], why: "over" },
    ]);
  });

  test("whose room is too small for a task leaves it to another pull of its worker", () => {
    const watched = new Watched();
    waits(watched, pull(1, { bytesMost: 999 }));
    waits(watched, pull(2, { worker: account(1), since: 5 }));
    const [proposal] = watched.see("propose", (matcher, now) => matcher.opened(task(1), now));
    expect(proposal?.offers.map((offer) => offer.pull?.id)).toEqual([pull(2).id]);
  });

  test("without time takes what is there, or is over at once", () => {
    const watched = new Watched();
    watched.now = 10;
    expect(waits(watched, pull(1, { until: 10 }))).toEqual([{ type: "answer", waiter: id, tasks: [], why: "over" }]);
    opens(watched, 1);
    expect(waits(watched, pull(2, { until: 10 })).map(({ type }) => type)).toEqual(["propose"]);
    expect(watched.answer(ordinary(1), firstWins)).toMatchObject([{ waiter: pull(2).id, tasks: [ordinary(1)] }]);
  });

  test("is over at its end, and no sooner; what is under way then is waited for", () => {
    const watched = new Watched();
    waits(watched, pull(1, { until: 500 }));
    waits(watched, pull(2, { until: 500, since: 1 }));
    opens(watched, 1);
    watched.now = 499;
    expect(watched.do((matcher, now) => matcher.tick(now))).toEqual([]);
    watched.now = 500;
    expect(watched.do((matcher, now) => matcher.tick(now))).toEqual([
      { type: "answer", waiter: pull(2).id, tasks: [], why: "over" },
    ]);
    expect(opens(watched, 2)).toEqual([]);
    expect(watched.answer(ordinary(1), firstWins)).toEqual([
      { type: "answer", waiter: id, tasks: [ordinary(1)], why: "awarded" },
    ]);
  });

  test("that is left is answered when what is under way is resolved, and gets nothing new", () => {
    const watched = new Watched();
    waits(watched, pull(1, { most: 5 }));
    opens(watched, 1);
    expect(watched.do((matcher, now) => matcher.leave(id, now))).toEqual([]);
    expect(opens(watched, 2)).toEqual([]);
    expect(watched.answer(ordinary(1), { type: "closed" })).toEqual([{ type: "answer", waiter: id, tasks: [], why: "over" }]);
  });

  test("that is renewed keeps its turn and what is under way", () => {
    const watched = new Watched();
    for (const n of [1, 2]) waits(watched, pull(n, { since: n, until: 50 }));
    watched.now = 40;
    for (const n of [2, 1]) waits(watched, pull(n, { since: 40, until: 100 }));
    expect(opens(watched, 1, 2)).toEqual([
      [ordinary(1), [account(1)]],
      [ordinary(2), [account(2)]],
    ]);
    expect(waits(watched, pull(1, { since: 40, until: 100 }))).toEqual([]);
    expect(opens(watched, 3)).toEqual([]);
  });

  test("that is told again after its end is answered again; asked anew it hears once more what it has got, and then waits anew", () => {
    const watched = new Watched();
    opens(watched, 1);
    waits(watched, pull(1, { since: 5 }));
    const [answer] = watched.answer(ordinary(1), firstWins);
    expect(waits(watched, pull(1, { since: 5 }))).toEqual([answer]);
    expect(waits(watched, pull(1, { since: 6 }))).toEqual([answer]);
    expect(waits(watched, pull(1, { since: 7 }))).toEqual([]);
    expect(opens(watched, 2)).toHaveLength(1);
  });

  test("that was left before it was heard of is over", () => {
    const watched = new Watched();
    watched.now = 7;
    watched.do((matcher, now) => matcher.leave(id, now));
    expect(waits(watched, pull(1, { since: 7 }))).toEqual([{ type: "answer", waiter: id, tasks: [], why: "over" }]);
    expect(waits(watched, pull(1, { since: 8 }))).toEqual([]);
  });

  test("gets a task that it won although the outcome was lost", () => {
    const watched = new Watched();
    waits(watched, pull(1));
    opens(watched, 1);
    const award = { worker: account(1), pull: id };
    expect(watched.do((matcher, now) => matcher.closed(ordinary(1), now, award))).toEqual([]);
    watched.now = MATCHING.proposalMsMax - 1;
    expect(watched.do((matcher, now) => matcher.tick(now))).toEqual([]);
    watched.now += 1;
    const answer = { type: "answer", waiter: id, tasks: [ordinary(1)], why: "awarded" };
    expect(watched.do((matcher, now) => matcher.tick(now))).toEqual([answer]);
    const doubled = new Watched();
    waits(doubled, pull(1));
    opens(doubled, 1);
    doubled.do((matcher, now) => matcher.closed(ordinary(1), now, award));
    expect(doubled.answer(ordinary(1), firstWins)).toEqual([answer]);
  });
});

describe("a worker that has no place", () => {
  test.each<Ineligibility>([
    NO_SLOT,
    { why: "FROZEN" },
    { why: "SUSPENDED" },
    { why: "COOLING", until: null },
    { why: "NO_CAPABILITY" },
    { why: "CAPABILITY_AWAY" },
    { why: "NO_POSTED_PRICE" },
    { why: "AWARDS_FULL", tier: 1, most: 3 },
    { why: "PULL_FULL", most: 2 },
  ])("is left alone for a second, and told why: %o", (reason) => {
    const watched = new Watched();
    waits(watched, pull(1, { until: 5_000 }));
    opens(watched, 1);
    expect(watched.answer(ordinary(1), decline(reason))).toEqual([]);
    expect(opens(watched, 2)).toEqual([]);
    watched.now = MATCHING.fullMs - 1;
    expect(watched.proposes((matcher, now) => matcher.tick(now))).toEqual([]);
    watched.now = MATCHING.fullMs;
    expect(watched.proposes((matcher, now) => matcher.tick(now))).toHaveLength(1);
    watched.answer(ordinary(1), decline(reason));
    watched.now = 5_000;
    watched.do((matcher, now) => matcher.closed(ordinary(1), now));
    watched.do((matcher, now) => matcher.closed(ordinary(2), now));
    const answers = watched.actions.filter(({ type }) => type === "answer");
    expect(answers).toEqual([{ type: "answer", waiter: id, tasks: [], why: "full", limited: reason }]);
  });

  test("gets the next task as soon as a slot is freed, whatever it waits with", () => {
    for (const waiter of [pull(1), posted(1)]) {
      const watched = new Watched();
      waits(watched, waiter);
      opens(watched, 1);
      watched.answer(ordinary(1), decline(NO_SLOT));
      expect(watched.proposes((matcher, now) => matcher.freed(account(1), now))).toEqual([[ordinary(1), [account(1)]]]);
    }
  });

  test("gets it too if that is heard before the decline, and is left alone if it declines once more", () => {
    for (const waiter of [pull(1, { until: 1_000_000 }), posted(1, { free: 2 })]) {
      const watched = new Watched();
      waits(watched, waiter);
      opens(watched, 1);
      expect(watched.proposes((matcher, now) => matcher.freed(account(1), now))).toEqual([]);
      expect(watched.answer(ordinary(1), decline(NO_SLOT))).toMatchObject([{ type: "propose", task: ordinary(1) }]);
      expect(watched.answer(ordinary(1), decline(NO_SLOT))).toEqual([]);
      watched.now = MATCHING.fullMs - 1;
      expect(watched.proposes((matcher, now) => matcher.tick(now))).toEqual([]);
    }
  });

  test("is told why its pull has got fewer tasks than it asked for", () => {
    const watched = new Watched();
    opens(watched, 1, 2);
    waits(watched, pull(1, { most: 2 }));
    watched.answer(ordinary(1), firstWins);
    expect(watched.answer(ordinary(2), decline(NO_SLOT))).toMatchObject([
      { tasks: [ordinary(1)], why: "awarded", limited: NO_SLOT },
    ]);
  });

  test("does not keep the next worker from the task", () => {
    const watched = new Watched();
    for (const n of [1, 2]) waits(watched, pull(n, { since: n }));
    opens(watched, 1);
    watched.answer(ordinary(1), decline(NO_SLOT));
    expect([...watched.open.values()].map(({ offers }) => offers[0]?.worker)).toEqual([account(2)]);
  });
});

describe("a decline that is about worker and task", () => {
  test.each<Ineligibility>([
    { why: "OWN_TASK" },
    { why: "ONE_IDENTITY" },
    { why: "FAILED_BEFORE" },
    { why: "ALREADY_BID" },
    { why: "BIDS_FULL", most: 100 },
    { why: "SLOT_RESERVED" },
    { why: "OVER_BUDGET", price: 21, budget: 20 },
    { why: "TIER_TOO_LOW", tier: 1, wanted: 2 },
  ])("closes this task to this worker, and no other: %o", (reason) => {
    const watched = new Watched();
    waits(watched, posted(1, { free: 5 }));
    opens(watched, 1);
    expect(watched.answer(ordinary(1), decline(reason)).filter(({ type }) => type === "propose")).toEqual([]);
    expect(opens(watched, 2)).toHaveLength(1);
    watched.now = 5_000;
    expect(watched.proposes((matcher, now) => matcher.tick(now))).toEqual([]);
  });

  test("and one that is about the task closes it", () => {
    const watched = new Watched();
    for (const n of [1, 2]) waits(watched, posted(n));
    opens(watched, 1);
    watched.answer(ordinary(1), decline({ why: "TASK_NOT_OPEN", status: "SETTLED" }));
    expect(watched.matcher.stats).toMatchObject({ tasks: 0, underWay: 0, ready: 2 });
  });
});

describe("a worker with a posted price", () => {
  test("has one number of slots, whichever gateway it is at, and whatever is under way", () => {
    const watched = new Watched();
    for (const gateway of ["g1", "g2"]) waits(watched, posted(1, { gateway, free: 2 }));
    expect(opens(watched, 1, 2, 3)).toHaveLength(2);
    watched.answer(ordinary(1), firstWins);
    expect(opens(watched, 4)).toEqual([]);
    // It leaves and comes back while a proposal is under way.
    for (const gateway of ["g1", "g2"]) watched.do((matcher, now) => matcher.leave(posted(1, { gateway }).id, now));
    expect(watched.matcher.stats).toMatchObject({ waiters: 0, workers: 0 });
    expect(waits(watched, posted(1, { free: 1 }))).toEqual([]);
    expect(watched.matcher.stats).toMatchObject({ waiters: 1, workers: 1 });
    watched.answer(ordinary(2), firstWins);
    expect(watched.proposes((matcher, now) => matcher.freed(account(1), now))).toEqual([[ordinary(3), [account(1)]]]);
  });

  test("is proposed by the terms that it told last", () => {
    const watched = new Watched();
    for (const n of [1, 2]) waits(watched, posted(n, { since: n, free: 9 }));
    expect(opens(watched, 1)).toEqual([[ordinary(1), [account(1)]]]);
    waits(watched, posted(2, { free: 9, price: 21 }));
    expect(opens(watched, 2)).toEqual([[ordinary(2), [account(1)]]]);
    waits(watched, posted(2, { free: 9, standing: standing({ quality: 0.9 }) }));
    expect(opens(watched, 3)).toEqual([[ordinary(3), [account(2)]]]);
  });

  test("that is awarded a task goes behind those that are equal to it, though others were offered it first", () => {
    const watched = new Watched();
    for (let n = 1; n <= 64; n += 1) waits(watched, posted(n, { free: 2 }));
    expect(opens(watched, 1)).toEqual([[ordinary(1), [account(1), account(2)]]]);
    watched.answer(ordinary(1), ({ offers }) => {
      const [, second] = offers;
      return { type: "awarded", worker: second?.worker ?? account(0), bid: second?.bid ?? "" };
    });
    expect(opens(watched, 2)).toEqual([[ordinary(2), [account(3), account(4)]]]);
  });

  test.each([
    ["soon keeps the turn that it had", 2_000, 1],
    ["late begins anew", 2_001, 2],
  ])("whose pull ended with nothing and who pulls again %s", (_, afterMs, first) => {
    const watched = new Watched();
    waits(watched, pull(1, { since: 0, until: 1_000 }));
    waits(watched, pull(2, { since: 500, until: 60_000 }));
    watched.now = 1_000;
    watched.do((matcher, now) => matcher.tick(now));
    watched.now += afterMs;
    waits(watched, pull(1, { id: "pull-again", since: watched.now, until: 60_000 }));
    expect(opens(watched, 1)).toEqual([[ordinary(1), [account(first)]]]);
  });

  test("whose pull ended with nothing keeps its turn for one pull, and not once it has got a task", () => {
    const watched = new Watched();
    waits(watched, pull(2, { since: 1, until: 60_000 }));
    waits(watched, pull(1, { since: 0, until: 10 }));
    watched.now = 10;
    watched.do((matcher, now) => matcher.tick(now));
    const again = (id: string) => waits(watched, pull(1, { id, since: watched.now, until: 60_000 }));
    again("pull-a");
    again("pull-b");
    expect(opens(watched, 1)).toEqual([[ordinary(1), [account(1)]]]);
    watched.answer(ordinary(1), firstWins);
    expect(opens(watched, 2)).toEqual([[ordinary(2), [account(2)]]]);
    watched.answer(ordinary(2), firstWins);
    again("pull-c");
    waits(watched, pull(3, { since: 5, until: 60_000 }));
    expect(opens(watched, 3)).toEqual([[ordinary(3), [account(3)]]]);
  });

  test("gets what it can have by a lower price, a higher tier or more slots as soon as it tells", () => {
    const watched = new Watched();
    watched.do((matcher, now) => matcher.opened(task(1, { budget: 9 }), now));
    watched.do((matcher, now) => matcher.opened(task(2, { minSkill: 4 }), now));
    const tells = (change: Parameters<typeof posted>[1]) =>
      waits(watched, posted(1, { free: 0, ...change })).filter(({ type }) => type === "propose").length;
    expect([tells({}), tells({ price: 9 }), tells({ price: 9, free: 1 })]).toEqual([0, 0, 1]);
    expect(tells({ price: 9, free: 2, standing: standing({ tier: 4 }) })).toBe(1);
  });
});

describe("a proposal without an answer", () => {
  test("is made again after 500 ms, and then after twice as long each time, up to 5 s", () => {
    const watched = new Watched();
    waits(watched, posted(1));
    opens(watched, 1);
    for (const ms of [500, 1_000, 2_000, 4_000, 5_000, 5_000]) {
      watched.answer(ordinary(1), { type: "failed" });
      watched.now += ms - 1;
      expect(watched.proposes((matcher, now) => matcher.tick(now))).toEqual([]);
      watched.now += 1;
      expect(watched.proposes((matcher, now) => matcher.tick(now))).toHaveLength(1);
    }
  });

  test("frees its worker for other tasks at once; an outcome that nobody waits for changes nothing", () => {
    const watched = new Watched();
    waits(watched, posted(1));
    opens(watched, 1, 2);
    watched.answer(ordinary(1), { type: "failed" });
    expect([...watched.open.values()].map((proposal) => proposal.task)).toEqual([ordinary(2)]);
    const { stats } = watched.matcher;
    watched.do((matcher, now) => matcher.answered("unknown", { type: "closed" }, now));
    expect(watched.matcher.stats).toEqual(stats);
  });
});
