/** What a task decides, and why: bids, submissions and deadlines, posted prices, webhooks, ratings. */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../actors/limits.ts";
import { FORMATS } from "../../machines/formats.ts";
import type { CommandOf } from "../../machines/protocols.ts";
import { isRefusal } from "../../machines/refusal.ts";
import { decideTask, JUDGING_MS_MAX, RESENDS_MAX } from "../../machines/task/decide.ts";
import type { TaskFact } from "../../machines/task/events.ts";
import { task as entity } from "../../machines/task/index.ts";
import type { Rule } from "../../machines/validation/rules.ts";
import { credits } from "../../machines/vocabulary.ts";
import { VALIDATOR_LIMITS } from "../../src/adapters/validator/pool.ts";
import {
  AT,
  awarded,
  bidOf,
  COMMANDS,
  cancelled,
  completed,
  executing,
  expired,
  failed,
  fold,
  LATE,
  ORDER,
  OTHER,
  opened,
  outcome,
  pooled,
  REQUESTER,
  rejected,
  routing,
  settled,
  TASK,
  timedOut,
  WORKER,
  wrong,
} from "../support/task-states.ts";
import { id, order, person, STANDING } from "../support/world.ts";

describe("a bid is refused", () => {
  const bid = COMMANDS.bid;
  const cases: readonly [string, CommandOf<"task">, string][] = [
    ["by the requester", { ...bid, worker: REQUESTER }, "OWN_TASK"],
    ["over the budget", { ...bid, credits: credits(21) }, "BID_OVER_BUDGET"],
    ["by a frozen account", { ...bid, standing: { ...STANDING, status: "FROZEN" } }, "ACCOUNT_FROZEN"],
    ["while cooling down", { ...bid, standing: { ...STANDING, status: "COOLING", cooldownUntil: AT } }, "ACCOUNT_COOLING_DOWN"],
  ];
  test.each(cases)("%s", (_name, command, code) => {
    expect(outcome(fold(routing), command)).toBe(code);
  });
  test("the second time", () => {
    const once: TaskFact = { type: "BidPlaced", bid: bidOf(OTHER), at: AT };
    expect(outcome(fold([...routing, once]), bid)).toBe("ALREADY_BID");
  });
  test("below the skill tier that the task wants", () => {
    const wanting: TaskFact = {
      type: "Opened",
      task: TASK,
      requester: REQUESTER,
      order: order({ minSkill: 3 }),
      createdAt: AT,
      at: AT,
    };
    expect(outcome(fold([wanting, { type: "RoutingStarted", until: AT, at: AT }]), bid)).toBe("SKILL_TOO_LOW");
  });
  test("by who failed this task", () => {
    const reopened: TaskFact = { type: "Reopened", until: AT, at: AT };
    expect(outcome(fold([...failed, reopened]), { ...bid, worker: WORKER })).toBe("FAILED_THIS_TASK");
  });
});

describe("the right to submit comes before the judgement", () => {
  const { verdict: _, ...submit } = COMMANDS.good;
  const asked = (facts: readonly TaskFact[], worker = WORKER, arrived = AT) =>
    entity.question(fold(facts), { ...submit, worker }, arrived);

  test("who is in charge and in time has a question, in the turn of who wrote the schema", () => {
    const { schema, rules } = ORDER;
    const question = { demands: { schema, rules }, result: submit.result, account: REQUESTER, lane: "submission" };
    for (const facts of [awarded, executing, rejected]) expect(asked(facts)).toEqual(question);
    expect(asked(awarded, WORKER, LATE - 1)).toEqual(question);
  });

  test("it is about the text where a rule compares the two", () => {
    const rules: readonly Rule[] = [{ type: "grounded", field: "name" }];
    const [first, ...rest] = awarded;
    if (first?.type !== "Opened") throw new Error("a task begins with Opened");
    const question = asked([{ ...first, order: { ...first.order, rules } }, ...rest]);
    expect(question).toMatchObject({ demands: { rules }, input: first.order.inputData });
  });

  test("a stranger, the requester, a late worker, one that failed, and a task that takes none have no question", () => {
    for (const who of [OTHER, REQUESTER])
      for (const facts of [awarded, executing, rejected]) expect(asked(facts, who)).toBeUndefined();
    for (const late of [LATE, LATE + 1]) expect(asked(awarded, WORKER, late)).toBeUndefined();
    for (const facts of [[], opened, routing, pooled, failed, timedOut, completed, settled, expired, cancelled]) {
      expect(asked(facts)).toBeUndefined();
    }
  });

  test("and are refused without a verdict, as they are with one", () => {
    for (const [facts, who, arrived] of [
      [awarded, OTHER, AT],
      [awarded, WORKER, LATE],
      [timedOut, WORKER, AT],
      [settled, WORKER, AT],
      [routing, WORKER, AT],
      [[], WORKER, AT],
    ] as const) {
      const refused = decideTask(fold(facts), { ...submit, worker: who }, arrived, arrived);
      expect(refused).toMatchObject({ refused: expect.any(String) });
      expect(refused).toEqual(decideTask(fold(facts), { ...COMMANDS.good, worker: who }, arrived, arrived));
    }
  });

  test("what is judged already is not judged again, and nothing else is judged at all", () => {
    for (const command of Object.values(COMMANDS)) expect(entity.question(fold(awarded), command, AT)).toBeUndefined();
  });
});

describe("a deadline", () => {
  const types = (facts: readonly TaskFact[], command: CommandOf<"task">, at: number, arrived: number) => {
    const decided = decideTask(fold(facts), command, at, arrived);
    return isRefusal(decided) ? decided.refused : decided.facts.map(({ type }) => type).join("+");
  };

  test("goes by when a submission arrived, however late it was judged", () => {
    for (const judged of [LATE - 1, LATE, LATE + JUDGING_MS_MAX, LATE + 60_000]) {
      expect(types(executing, COMMANDS.good, judged, LATE - 1)).toBe("ResultAccepted");
      expect(types(executing, COMMANDS.bad, judged, LATE - 1)).toBe("ResultRejected");
      expect(types(awarded, COMMANDS.start, judged, LATE - 1)).toBe("ExecutionStarted");
      expect(types(executing, COMMANDS.good, Math.max(judged, LATE), LATE)).toBe("TIMEOUT");
      expect(types(awarded, COMMANDS.start, Math.max(judged, LATE), LATE)).toBe("TIMEOUT");
    }
  });

  test("has a timer that is acted on one judging deadline later, and no other timer waits", () => {
    expect(entity.timerGraceMs("execution")).toBe(JUDGING_MS_MAX);
    for (const timer of ["routing", "pool", "webhook"]) expect(entity.timerGraceMs(timer)).toBe(0);
    const { deadlineMs, waitMs } = VALIDATOR_LIMITS;
    expect(deadlineMs + waitMs).toBeLessThanOrEqual(JUDGING_MS_MAX);
    // An attempt that is lost is made again within it.
    expect(LIMITS.attemptMs + LIMITS.askRetryMaxMs).toBeLessThanOrEqual(JUDGING_MS_MAX);
  });

  test("takes nothing from who is too expensive to judge: no retry, and the award stands", () => {
    const unjudged = { because: "slow", unjudged: "takes too long" } as const;
    expect(types(executing, { ...COMMANDS.good, verdict: unjudged }, AT, AT)).toBe("VALIDATION_TOO_EXPENSIVE");
    expect(types(executing, { ...COMMANDS.good, verdict: { ...unjudged, because: "busy" } }, AT, AT)).toBe("OVERLOADED");
  });
});

describe("a submission", () => {
  test("at the deadline or after it is refused with TIMEOUT", () => {
    expect(outcome(fold(executing), COMMANDS.good, LATE - 1)).toBe("ResultAccepted");
    expect(outcome(fold(executing), COMMANDS.good, LATE)).toBe("TIMEOUT");
  });
  test("by anyone else is refused", () => {
    expect(outcome(fold(executing), { ...COMMANDS.good, worker: OTHER })).toBe("NOT_AWARDED_TO_YOU");
  });
  test("that is wrong for the third time ends the award, and the task reopens", () => {
    expect(outcome(fold([...rejected, { ...wrong, left: 1 }]), COMMANDS.bad)).toBe("ResultRejected+AwardFailed+Reopened");
  });
  test("that is wrong for the third time in the last round makes the task expire", () => {
    const last = order({ autoRetry: 0 });
    const facts = [{ ...opened[0], order: last } as TaskFact, ...rejected.slice(1), { ...wrong, left: 1 }];
    expect(outcome(fold(facts), COMMANDS.bad)).toBe("ResultRejected+AwardFailed+Expired");
  });
});

test("only the requester cancels", () => {
  expect(outcome(fold(routing), { type: "cancel", requester: OTHER })).toBe("NOT_YOUR_TASK");
});

test("a fact that does not fit the state is a bug, and told as one", () => {
  expect(() =>
    entity.evolve(fold(routing), { type: "Settled", payout: credits(1), fee: credits(1), refund: credits(1), at: AT }),
  ).toThrow("cannot take the fact");
});

test("facts of a version or type that this code does not know are refused", () => {
  const stored = { seq: 1, type: "Opened", version: FORMATS.task + 1, body: {}, at: AT };
  expect(() => entity.upcast(stored)).toThrow("newer NexusToken");
  expect(() => entity.upcast({ ...stored, version: 1, type: "Vanished" })).toThrow("newer NexusToken");
});

describe("workers whose price stands", () => {
  const offers = [WORKER, OTHER, person(4)].map((worker, n) => ({ worker, bid: id(80 + n) }));
  const opening = (quality: "balanced" | "cheapest"): TaskFact[] => [
    { type: "Opened", task: TASK, requester: REQUESTER, order: order({ quality }), offers, createdAt: AT, at: AT },
  ];
  const started: TaskFact = { type: "RoutingStarted", until: AT + 3_000, at: AT };
  /** Who is told what by the last of these facts. */
  function told(facts: readonly TaskFact[]): readonly (readonly [string, string])[] {
    const [last, before] = [facts.at(-1), fold(facts.slice(0, -1))];
    if (last === undefined) throw new Error("there must be a fact");
    const tells = entity.evolve(before, last).effects.filter((effect) => effect.type === "tell");
    return tells.map(({ to, command }) => [to.id, command.type]);
  }
  const declines = (worker: typeof WORKER): TaskFact => ({ type: "OfferDeclined", worker, at: AT });
  const bids = (worker: typeof WORKER, n: number): TaskFact => ({
    type: "BidPlaced",
    bid: { ...bidOf(worker), id: id(n), standing: true },
    at: AT,
  });

  test("are asked one by one by balanced, the best first, until one takes it", () => {
    const facts = [...opening("balanced"), started];
    expect(told(facts)).toEqual([[WORKER, "offer"]]);
    expect(told([...facts, declines(WORKER)])).toEqual([[OTHER, "offer"]]);
    const all = [...facts, declines(WORKER), declines(OTHER), declines(person(4))];
    expect(told(all)).toEqual([]);
    expect(outcome(fold(facts), { ...COMMANDS.standingBid, bid: id(81) })).toBe("BidPlaced+Awarded");
  });

  test("are asked all at once by the others, which wait for the window", () => {
    const facts = [...opening("cheapest"), started];
    expect(told(facts)).toEqual(offers.map(({ worker }) => [worker, "offer"]));
    expect(told([...facts, declines(WORKER)])).toEqual([]);
    expect(outcome(fold(facts), { ...COMMANDS.standingBid, bid: id(81) })).toBe("BidPlaced");
  });

  test("are told when they have lost, when the task is cancelled, and when they come too late", () => {
    const two = [...opening("cheapest"), started, bids(WORKER, 80), bids(OTHER, 81)];
    const won = { ...bidOf(WORKER), id: id(80), standing: true };
    const candidates = fold(two).context.bids;
    const award: TaskFact = { type: "Awarded", bid: won, deadline: LATE, explored: false, candidates, at: AT };
    expect(told([...two, award])).toEqual([[OTHER, "freed"]]);
    expect(told([...two, { type: "Cancelled", at: AT }])).toEqual([
      [REQUESTER, "release"],
      [WORKER, "freed"],
      [OTHER, "freed"],
    ]);
    expect(told([...completed, { type: "StandingBidDropped", worker: OTHER, at: AT }])).toEqual([[OTHER, "freed"]]);
  });

  test("are asked again when the task reopens, but not who failed it", () => {
    const won = { ...bidOf(WORKER), id: id(80), standing: true };
    const facts: TaskFact[] = [
      ...opening("balanced"),
      started,
      { type: "BidPlaced", bid: won, at: AT },
      { type: "Awarded", bid: won, deadline: LATE, explored: false, candidates: [won], at: AT },
      { type: "AwardTimedOut", at: LATE },
      { type: "Reopened", until: LATE + 3_000, at: LATE },
    ];
    expect(told(facts)).toEqual([[OTHER, "offer"]]);
  });
});

test("a webhook is sent again a hundred times and no more, also where a snapshot of before does not count them", () => {
  const command = { type: "webhook.resend", requester: REQUESTER } as const;
  const { webhook: _webhook, ...context } = fold(settled).context;
  let state = entity.restore(TASK, { value: "SETTLED", context: { ...context, webhook: { attempts: 4, done: true } } });
  for (let n = 0; n < RESENDS_MAX; n += 1) {
    const decided = decideTask(state, command, AT);
    if (isRefusal(decided)) throw new Error(`refused after ${n}`);
    for (const fact of decided.facts) state = entity.evolve(state, fact).state;
    const outcome = { id: id(70), ms: 1, result: "delivered", status: 200 } as const;
    state = entity.evolve(state, { type: "WebhookAttempted", attempt: 1, outcome, next: null, at: AT }).state;
  }
  expect(decideTask(state, command, AT)).toMatchObject({ refused: "TOO_MANY_RESENDS" });
});

test("a settled task is rated once, and its worker is told", () => {
  expect(outcome(fold(settled), { ...COMMANDS.rate, requester: WORKER })).toBe("NOT_YOUR_TASK");
  const rated: TaskFact[] = [...settled, { type: "Rated", stars: 4, at: AT }];
  expect(outcome(fold(rated), COMMANDS.rate)).toBe("ALREADY_RATED");
  const [effect] = entity.evolve(fold(settled), { type: "Rated", stars: 4, at: AT }).effects;
  expect(effect).toMatchObject({ to: { id: WORKER }, command: { type: "rated", stars: 4 } });
});

test("nobody bids on a task of the same identity, whichever of its accounts posted it", () => {
  const open = { ...COMMANDS.open, marks: ["mail:a", "github:b"] } as const;
  const decision = decideTask(fold([]), open, AT);
  if (isRefusal(decision)) throw new Error("it must be taken");
  const state = fold(decision.facts);
  const bid = (marks: readonly string[]) => decideTask(state, { ...COMMANDS.bid, standing: { ...STANDING, marks } }, AT);
  expect(bid(["github:b", "stripe:c"])).toMatchObject({ refused: "OWN_TASK" });
  expect(bid(["github:c"])).toMatchObject({ facts: [{ type: "BidPlaced", bid: { identity: "github:c" } }] });
  expect(entity.row(TASK, state)?.marks).toEqual(["mail:a", "github:b"]);
});
