/** May this worker take this task, and if not, why: each reason at its exact boundary, and everybody who asks against the rule. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideAccount } from "../../machines/account/decide.ts";
import type { AccountFact } from "../../machines/account/events.ts";
import { account } from "../../machines/account/index.ts";
import {
  type Applicant,
  BIDS_MAX,
  bidIneligibility,
  closedToOf,
  offerIneligibility,
  onOfferByRow,
  type PostedTerms,
  roundByRow,
  type TaskOnOffer,
  termsIneligibility,
} from "../../machines/eligibility.ts";
import { termsOf } from "../../machines/market/capability.ts";
import { isRefusal } from "../../machines/refusal.ts";
import { decideTask } from "../../machines/task/decide.ts";
import { task } from "../../machines/task/index.ts";
import { taskRow } from "../../machines/task/row.ts";
import { takesBids } from "../../machines/task/tags.ts";
import { type AccountId, credits, TASK_STATUSES, type TaskStatus, taskId } from "../../machines/vocabulary.ts";
import { Life } from "../support/life.ts";
import { AT, anyTaskLife, MARKS, onOfferOf, type TaskLife, taskAfter, taskFacts, WORKERS } from "../support/lives.ts";
import { id, person, STANDING } from "../support/world.ts";

const [REQUESTER, ME, OTHER] = [person(1), person(2), person(3)];
const open: TaskOnOffer = {
  status: "ROUTING",
  requester: REQUESTER,
  marks: ["mail:a"],
  budget: 20,
  minSkill: 2,
  maxSeconds: 120,
  requesterScore: 0.9,
  bidders: [],
  failed: [],
};
const me: Applicant = { worker: ME, standing: { status: "ACTIVE", cooldownUntil: null, tier: 2, marks: ["mail:b"] } };
const capability = {
  id: id(70),
  taskType: "json_extraction",
  description: "",
  tags: [],
  price: credits(20),
  concurrency: 2,
  available: true,
  createdAt: AT,
};
const terms: PostedTerms = { capability, kept: 1, keepsThis: false };

describe("a bid is taken", () => {
  const full = Array.from({ length: BIDS_MAX }, (_, n) => person(100 + n));
  test.each<[string, Partial<TaskOnOffer>, Partial<Applicant["standing"]>, number | null]>([
    ["at the tier that is wanted, for exactly the budget", {}, {}, 20],
    ["without a price, which is the budget", {}, {}, null],
    ["above the tier", {}, { tier: 3 }, 1],
    ["where no tier is wanted", { minSkill: 0 }, { tier: 1 }, 20],
    ["in the pool", { status: "PENDING_POOL" }, {}, 20],
    ["where all places are taken, because it may be better than one of them", { bidders: full }, {}, 20],
    ["from who is known by nothing", {}, { marks: [] }, 20],
    ["where others failed", { failed: [OTHER] }, {}, 20],
    ["after a cooldown of before", {}, { cooldownUntil: AT }, 20],
  ])("%s", (_, changes, standing, price) => {
    const applicant = { ...me, standing: { ...me.standing, ...standing } } as Applicant;
    expect(bidIneligibility({ ...open, ...changes }, applicant, price)).toBeUndefined();
  });
});

test("a bid is taken from a gateway of before, which does not say what the worker is known by", () => {
  const { marks: _marks, ...standing } = me.standing;
  expect(bidIneligibility(open, { ...me, standing }, 20)).toBeUndefined();
});

describe("a bid is not taken, and the reason says", () => {
  test.each<[Partial<TaskOnOffer>, Partial<Applicant["standing"]>, number | null, object]>([
    [{ requester: ME }, {}, 20, { why: "OWN_TASK" }],
    [{ marks: ["mail:z", "mail:b"] }, {}, 20, { why: "ONE_IDENTITY" }],
    [{}, { status: "FROZEN" }, 20, { why: "FROZEN" }],
    [{}, { status: "SUSPENDED" }, 20, { why: "SUSPENDED" }],
    [{}, { status: "COOLING", cooldownUntil: AT }, 20, { why: "COOLING", until: AT }],
    [{ failed: [ME] }, {}, 20, { why: "FAILED_BEFORE" }],
    [{ bidders: [ME] }, {}, 20, { why: "ALREADY_BID" }],
    [{}, {}, 21, { why: "OVER_BUDGET", price: 21, budget: 20 }],
    [{ minSkill: 3 }, {}, 20, { why: "TIER_TOO_LOW", tier: 2, wanted: 3 }],
  ])("%j %j", (changes, standing, price, reason) => {
    expect(bidIneligibility({ ...open, ...changes }, { ...me, standing: { ...me.standing, ...standing } }, price)).toEqual(
      reason,
    );
  });

  test.each(TASK_STATUSES.filter((status) => !takesBids(status)))("that a task which is %s takes none", (status) => {
    expect(bidIneligibility({ ...open, status }, me, 20)).toEqual({ why: "TASK_NOT_OPEN", status });
  });
});

describe("an offer is", () => {
  test.each<[string, Partial<PostedTerms>]>([
    ["for the last slot", { kept: 1 }],
    ["at exactly the budget", {}],
    ["for exactly the least time", { capability: { ...capability, minSeconds: 120 } }],
    ["at exactly the least score", { capability: { ...capability, minRequesterScore: 0.9 } }],
  ])("taken %s", (_, changes) => {
    expect(offerIneligibility(open, me, { ...terms, ...changes })).toBeUndefined();
  });

  test.each<[Partial<PostedTerms>, object]>([
    [{ capability: undefined }, { why: "NO_CAPABILITY" }],
    [{ capability: { ...capability, available: false } }, { why: "CAPABILITY_AWAY" }],
    [{ capability: { ...capability, price: null } }, { why: "NO_POSTED_PRICE" }],
    [{ capability: { ...capability, price: credits(21) } }, { why: "OVER_BUDGET", price: 21, budget: 20 }],
    [{ capability: { ...capability, minSeconds: 121 } }, { why: "TOO_LITTLE_TIME", seconds: 120, wanted: 121 }],
    [{ capability: { ...capability, minRequesterScore: 0.91 } }, { why: "REQUESTER_SCORE_TOO_LOW", score: 0.9, wanted: 0.91 }],
    [{ keepsThis: true }, { why: "SLOT_RESERVED" }],
    [{ kept: 2 }, { why: "NO_SLOT", slots: 2 }],
  ])("declined because %j", (changes, reason) => {
    expect(offerIneligibility(open, me, { ...terms, ...changes })).toEqual(reason);
  });
});

describe("what is taken unseen", () => {
  const judged = (task: object, terms: object) => termsIneligibility(task, termsOf(terms))?.why;

  test("has 10 s at least, unless something else is set", () => {
    expect([9, 10, 11].map((maxSeconds) => judged({ maxSeconds }, {}))).toEqual(["TOO_LITTLE_TIME", undefined, undefined]);
    expect([1, 2].map((maxSeconds) => judged({ maxSeconds }, { minSeconds: 2 }))).toEqual(["TOO_LITTLE_TIME", undefined]);
    expect(judged({ maxSeconds: 1 }, { minSeconds: 1 })).toBeUndefined();
  });

  test("may be of a requester with any score, unless something else is set", () => {
    expect(judged({ maxSeconds: 10, requesterScore: 0 }, {})).toBeUndefined();
    const scores = [0.79, 0.8, 1].map((requesterScore) => judged({ requesterScore }, { minRequesterScore: 0.8 }));
    expect(scores).toEqual(["REQUESTER_SCORE_TOO_LOW", undefined, undefined]);
  });

  test("is not held against a task of before, which says neither", () => {
    expect(judged({}, { minSeconds: 300, minRequesterScore: 1 })).toBeUndefined();
  });

  test("a bid by hand is no matter of these terms", () => {
    expect(bidIneligibility({ ...open, maxSeconds: 1, requesterScore: 0 }, me, 20)).toBeUndefined();
  });
});

const TASK = taskId(id(99));
const FEW = 6;
const anyStanding = fc.record({
  status: fc.constantFrom("ACTIVE" as const, "COOLING" as const, "SUSPENDED" as const, "FROZEN" as const),
  cooldownUntil: fc.constantFrom(null, AT),
  tier: fc.integer({ min: 1, max: 5 }),
  quality: fc.constant(0.5),
  marks: fc.subarray(MARKS),
});
const live = (life: TaskLife) => taskAfter(taskFacts(life, TASK), TASK);

describe("whatever a task has been through, and whoever asks,", () => {
  test("it takes the bids that the rule allows, and refuses the others with the rule's reason", () => {
    fc.assert(
      fc.property(
        anyTaskLife(FEW),
        fc.constantFrom(...WORKERS.slice(0, FEW)),
        anyStanding,
        fc.option(fc.integer({ min: 5, max: 8 })),
        (life, worker, standing, price) => {
          const state = live(life);
          const reason = bidIneligibility(onOfferOf(life, state), { worker, standing }, price);
          const bid = { bid: id(51), worker, standing, credits: price === null ? null : credits(price) };
          const decision = decideTask(state, { type: "bid", ...bid, online: null }, AT);
          expect(isRefusal(decision) ? decision.reason : undefined).toEqual(reason);
          if (price === null) return;
          const offered = taskFacts(life, TASK).map((fact) =>
            fact.type === "Opened" ? { ...fact, offers: [{ worker, bid: id(51) }] } : fact,
          );
          const standingBid = decideTask(taskAfter(offered, TASK), { type: "standingBid", ...bid, credits: credits(price) }, AT);
          const placed = !isRefusal(standingBid) && standingBid.facts[0]?.type === "BidPlaced";
          expect(placed).toBe(reason === undefined);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("its row says the same while it is open, and never that somebody may who may not", () => {
    fc.assert(
      fc.property(anyTaskLife(FEW), fc.constantFrom(...WORKERS.slice(0, FEW)), anyStanding, (life, worker, standing) => {
        const state = live(life);
        const row = taskRow(state);
        if (row === undefined) throw new Error("a task that lives has a row");
        const byRow = bidIneligibility(onOfferByRow(row, life.autoRetry), { worker, standing }, null);
        const reason = bidIneligibility(onOfferOf(life, state), { worker, standing }, null);
        if (takesBids(row.status)) expect(byRow).toEqual(reason);
        else expect(byRow).toBeDefined();
      }),
      { numRuns: 500 },
    );
  });
});

test.each([
  ["ROUTING", 2, 2, [ME, OTHER, REQUESTER], []],
  ["ROUTING", 2, 1, [ME, OTHER], [REQUESTER]],
  ["PENDING_POOL", 3, 1, [ME], [OTHER, REQUESTER]],
  ["ROUTING", 3, 0, [], [ME, OTHER, REQUESTER]],
  ["AWARDED", 3, 3, [], [ME, OTHER, REQUESTER]],
] as const)("by the row of a task that is %s, with %i retries of which %i are left, its last workers have failed", (...row) => {
  const [status, autoRetry, autoRetriesLeft, bidders, failed] = row;
  const onOffer = { ...open, status, closedTo: [ME, OTHER, REQUESTER], autoRetriesLeft };
  expect(onOfferByRow(onOffer, autoRetry)).toMatchObject({ status, bidders, failed });
});

test("by the row of a task with rounds that cost no retry, these stand between bidders and failures, and count in its round", () => {
  const of = (closedTo: readonly AccountId[], status: TaskStatus = "ROUTING", autoRetriesLeft = 2) => {
    const row = { ...open, status, closedTo, autoRetriesLeft };
    const { bidders, failed } = onOfferByRow(row, 3);
    return { bidders, failed, round: roundByRow(row) };
  };
  expect(of(closedToOf([ME, OTHER], 1, [REQUESTER]))).toEqual({ bidders: [ME, OTHER], failed: [REQUESTER], round: 1 });
  expect(of(closedToOf([ME, OTHER], 2, []))).toEqual({ bidders: [ME, OTHER], failed: [], round: 0 });
  expect(of(closedToOf([], 3, [ME]), "PENDING_POOL")).toEqual({ bidders: [], failed: [ME], round: -1 });
  expect(of(closedToOf([OTHER], 1, [ME]), "AWARDED")).toEqual({ bidders: [], failed: [OTHER, ME], round: 1 });
  expect(of(closedToOf([OTHER], 0, [ME]))).toEqual({ bidders: [OTHER], failed: [ME], round: 2 });
});

test("a worker's account takes the offers that the rule allows, and declines the others with the rule's reason", () => {
  const posted = fc.record({
    price: fc.option(fc.integer({ min: 5, max: 8 })),
    available: fc.boolean(),
    concurrency: fc.integer({ min: 1, max: 3 }),
  });
  const offered = fc.record({
    budget: fc.integer({ min: 5, max: 8 }),
    minSkill: fc.integer({ min: 0, max: 2 }),
    marks: fc.subarray(MARKS),
  });
  const life = fc.record({
    posted: fc.option(posted),
    kept: fc.integer({ min: 0, max: 3 }),
    keepsThis: fc.boolean(),
    marks: fc.subarray(MARKS),
    state: fc.constantFrom("active", "cooling", "frozen"),
  });
  fc.assert(
    fc.property(life, offered, ({ posted: own, kept, keepsThis, marks, state: become }, { budget, ...wants }) => {
      const price = own?.price == null ? null : credits(own.price);
      const mine = own === null ? undefined : { ...capability, ...own, price };
      const registered = { account: ME, email: "me@example.com", source: null, keyHash: "k", grant: credits(0) };
      const slots = keepsThis ? [TASK] : [];
      const facts: AccountFact[] = [
        { type: "Registered", ...registered, at: AT },
        { type: "Marked", marks, kin: [], at: AT },
        ...(mine === undefined ? [] : [{ type: "CapabilityRegistered", capability: mine, at: AT } as const]),
        ...[...slots, ...Array.from({ length: kept }, (_, n) => taskId(id(200 + n)))].map((kept): AccountFact => {
          const taken = { task: kept, bid: id(300), capability: capability.id, price: credits(5), standing: STANDING };
          return { type: "OfferTaken", ...taken, at: AT };
        }),
      ];
      if (become === "cooling") facts.push({ type: "CooldownStarted", until: AT + 1, at: AT });
      if (become === "frozen") facts.push({ type: "Frozen", at: AT });
      const state = facts.reduce((before, fact) => account.evolve(before, fact).state, account.initial(ME));
      const status = become === "active" ? "ACTIVE" : become === "cooling" ? "COOLING" : "FROZEN";
      const standing = { status, cooldownUntil: become === "cooling" ? AT + 1 : null, tier: 1, marks } as const;
      const onOffer: TaskOnOffer = { ...open, ...wants, requester: null, budget };
      const places = { capability: mine, kept: mine === undefined ? 0 : kept + slots.length, keepsThis };
      const reason = offerIneligibility(onOffer, { worker: ME, standing }, places);
      const offer = { task: TASK, bid: id(51), taskType: "json_extraction", budget: credits(budget), ...wants };
      const decision = decideAccount(state, { type: "offer", ...offer }, AT);
      if (isRefusal(decision)) throw new Error("an offer is never refused");
      const [fact] = decision.facts;
      expect(fact?.type === "OfferDeclined" ? fact.reason : fact?.type).toEqual(reason ?? "OfferTaken");
    }),
    { numRuns: 500 },
  );
});

test("the reason of a decline reaches the task; one of a version before has none", () => {
  const facts: AccountFact[] = [
    { type: "Registered", account: ME, email: "me@example.com", source: null, keyHash: "k", grant: credits(0), at: AT },
  ];
  const state = facts.reduce((before, fact) => account.evolve(before, fact).state, account.initial(ME));
  const tells = (fact: AccountFact) => account.evolve(state, fact).effects;
  const reason = { why: "NO_SLOT", slots: 2 } as const;
  expect(tells({ type: "OfferDeclined", task: TASK, reason, at: AT })).toMatchObject([
    { command: { type: "declined", worker: ME, reason } },
  ]);
  expect(tells({ type: "OfferDeclined", task: TASK, at: AT })).toEqual([
    { type: "tell", to: { kind: "task", id: TASK }, command: { type: "declined", worker: ME } },
  ]);
  const routing = live({
    requester: REQUESTER,
    marks: [],
    budget: 20,
    minSkill: 0,
    maxSeconds: 120,
    requesterScore: 0.9,
    failed: [],
    bidders: [],
    autoRetry: 0,
    upTo: "routing",
  });
  const decided = (command: { readonly reason?: typeof reason }) => {
    const decision = decideTask(routing, { type: "declined", worker: ME, ...command }, AT);
    return isRefusal(decision) ? undefined : decision.facts;
  };
  expect(decided({ reason })).toEqual([{ type: "OfferDeclined", worker: ME, reason, at: AT }]);
  expect(decided({})).toEqual([{ type: "OfferDeclined", worker: ME, at: AT }]);
});

test("the window ends early when everyone who is online has failed, has bid or is the requester", () => {
  const state = live({
    requester: REQUESTER,
    marks: [],
    budget: 20,
    minSkill: 0,
    maxSeconds: 120,
    requesterScore: 0.9,
    failed: [OTHER],
    bidders: [],
    autoRetry: 1,
    upTo: "routing",
  });
  const status = (online: readonly (typeof ME)[]) => {
    const bid = { type: "bid", bid: id(51), worker: ME, credits: null, standing: STANDING, online } as const;
    const life = new Life(task, TASK);
    life.state = state;
    return life.do(bid, AT).decision.reply;
  };
  expect(status([ME, OTHER, REQUESTER])).toMatchObject({ status: "AWARDED" });
  expect(status([ME, OTHER, REQUESTER, person(4)])).toMatchObject({ status: "PENDING" });
});
