/** Every state x every command: taken with these facts, or refused with this code. */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../actors/limits.ts";
import { FORMATS } from "../../machines/formats.ts";
import type { CommandOf } from "../../machines/protocols.ts";
import { isRefusal } from "../../machines/refusal.ts";
import { decideTask, JUDGING_MS_MAX, RESENDS_MAX } from "../../machines/task/decide.ts";
import type { TaskFact } from "../../machines/task/events.ts";
import { task as entity } from "../../machines/task/index.ts";
import type { TaskSnapshot } from "../../machines/task/machine.ts";
import { credits, type TaskStatus, taskId } from "../../machines/vocabulary.ts";
import { VALIDATOR_LIMITS } from "../../src/adapters/validator/pool.ts";
import { id, order, person, STANDING } from "../support/world.ts";

const TASK = taskId(id(99));
const [REQUESTER, WORKER, OTHER] = [person(1), person(2), person(3)];
const AT = 1_000_000;
const LATE = AT + 120_000;
const ORDER = order({ callbackUrl: "https://example.com/hook" });

const fold = (facts: readonly TaskFact[]): TaskSnapshot =>
  facts.reduce((state, fact) => entity.evolve(state, fact).state, entity.initial(TASK));
const bidOf = (worker = WORKER) => ({ id: id(50), worker, credits: credits(12), quality: 0.5 });

const opened: TaskFact[] = [{ type: "Opened", task: TASK, requester: REQUESTER, order: ORDER, createdAt: AT, at: AT }];
const routing: TaskFact[] = [...opened, { type: "RoutingStarted", until: AT + 3_000, at: AT }];
const pooled: TaskFact[] = [...routing, { type: "PoolEntered", until: AT + 3_600_000, at: AT }];
const awarded: TaskFact[] = [
  ...routing,
  { type: "BidPlaced", bid: bidOf(), at: AT },
  { type: "Awarded", bid: bidOf(), deadline: LATE, explored: false, candidates: [bidOf()], at: AT },
];
const executing: TaskFact[] = [...awarded, { type: "ExecutionStarted", worker: WORKER, at: AT }];
const wrong: TaskFact = { type: "ResultRejected", submission: id(60), code: "SCHEMA_MISMATCH", errors: [], left: 2, at: AT };
const rejected: TaskFact[] = [...executing, wrong];
const failed: TaskFact[] = [...rejected, { type: "AwardFailed", code: "SCHEMA_MISMATCH", at: AT }];
const timedOut: TaskFact[] = [...executing, { type: "AwardTimedOut", at: AT }];
const completed: TaskFact[] = [
  ...executing,
  { type: "ResultAccepted", submission: id(61), result: { name: "Ada" }, firstTry: true, at: AT },
];
const settled: TaskFact[] = [...completed, { type: "Settled", payout: credits(12), fee: credits(1), refund: credits(7), at: AT }];
const expired: TaskFact[] = [...pooled, { type: "Expired", at: AT }];
const cancelled: TaskFact[] = [...routing, { type: "Cancelled", at: AT }];

const STATES: { readonly [S in TaskStatus | "NEW"]: readonly TaskFact[] } = {
  NEW: [],
  CREATED: opened,
  ROUTING: routing,
  PENDING_POOL: pooled,
  AWARDED: awarded,
  EXECUTING: executing,
  REJECTED: rejected,
  FAILED: failed,
  TIMED_OUT: timedOut,
  COMPLETED: completed,
  SETTLED: settled,
  EXPIRED: expired,
  CANCELLED: cancelled,
};

const COMMANDS = {
  open: { type: "open", task: TASK, requester: REQUESTER, marks: [], order: ORDER, createdAt: AT },
  bid: { type: "bid", bid: id(51), worker: OTHER, credits: credits(9), standing: STANDING, online: null },
  standingBid: { type: "standingBid", bid: id(52), worker: OTHER, credits: credits(9), standing: STANDING },
  declined: { type: "declined", worker: OTHER },
  rate: { type: "rate", requester: REQUESTER, stars: 4 },
  expire: { type: "expire", reason: "by request" },
  start: { type: "start", worker: WORKER },
  good: { type: "submit", submission: id(62), worker: WORKER, result: { name: "Ada" }, verdict: { code: null, errors: [] } },
  bad: { type: "submit", submission: id(62), worker: WORKER, result: {}, verdict: { code: "RULE_VIOLATION", errors: [] } },
  cancel: { type: "cancel", requester: REQUESTER },
  settled: { type: "settled", payout: credits(12), fee: credits(1), refund: credits(7) },
  routing: { type: "timer", name: "routing", due: AT },
  pool: { type: "timer", name: "pool", due: AT },
  execution: { type: "timer", name: "execution", due: AT },
  webhook: { type: "timer", name: "webhook", due: AT },
  unknownTimer: { type: "timer", name: "nothing", due: AT },
  attempted: { type: "webhook.attempted", attempt: 1, outcome: { id: id(70), ms: 3, result: "delivered", status: 200 } },
  resend: { type: "webhook.resend", requester: REQUESTER },
} as const satisfies { readonly [name: string]: CommandOf<"task"> };
type CommandName = keyof typeof COMMANDS;

/** Facts' types with + between, or the refusal's code. A dot stands for an outbound call without a fact. */
const unopened: { readonly [C in CommandName]: string } = {
  open: "Opened+RoutingStarted",
  bid: "TASK_UNKNOWN",
  standingBid: "TASK_UNKNOWN",
  declined: "TASK_UNKNOWN",
  rate: "TASK_UNKNOWN",
  expire: "TASK_UNKNOWN",
  start: "TASK_UNKNOWN",
  good: "TASK_UNKNOWN",
  bad: "TASK_UNKNOWN",
  cancel: "TASK_UNKNOWN",
  settled: "TASK_UNKNOWN",
  routing: "TASK_UNKNOWN",
  pool: "TASK_UNKNOWN",
  execution: "TASK_UNKNOWN",
  webhook: "TASK_UNKNOWN",
  unknownTimer: "TASK_UNKNOWN",
  attempted: "TASK_UNKNOWN",
  resend: "TASK_UNKNOWN",
};
const nobody: { readonly [C in CommandName]: string } = {
  open: "TASK_EXISTS",
  bid: "TASK_NOT_OPEN",
  standingBid: "StandingBidDropped",
  declined: ".",
  rate: "NOT_ENDED",
  expire: "Expired",
  start: "NOT_AWARDED_TO_YOU",
  good: "NOT_AWARDED_TO_YOU",
  bad: "NOT_AWARDED_TO_YOU",
  cancel: "TASK_NOT_CANCELLABLE",
  settled: "MESSAGE_STALE",
  routing: "TIMER_STALE",
  pool: "TIMER_STALE",
  execution: "TIMER_STALE",
  webhook: "TIMER_STALE",
  unknownTimer: "TIMER_STALE",
  attempted: "MESSAGE_STALE",
  resend: "NOT_ENDED",
};
const inCharge = {
  ...nobody,
  good: "ResultAccepted",
  bad: "ResultRejected",
  execution: "AwardTimedOut+Reopened",
  start: "ALREADY_STARTED",
};
const over = { ...nobody, expire: "TASK_ENDED", webhook: ".", attempted: "WebhookAttempted", resend: "WebhookRequested" };
const done = { ...over, start: "TASK_ENDED", good: "TASK_ENDED", bad: "TASK_ENDED" };

const EXPECTED: { readonly [S in TaskStatus | "NEW"]: { readonly [C in CommandName]: string } } = {
  NEW: unopened,
  CREATED: { ...nobody, cancel: "Cancelled" },
  ROUTING: {
    ...nobody,
    bid: "BidPlaced",
    standingBid: "BidPlaced+Awarded",
    declined: "OfferDeclined",
    cancel: "Cancelled",
    routing: "PoolEntered",
  },
  PENDING_POOL: { ...nobody, bid: "BidPlaced+Awarded", standingBid: "BidPlaced+Awarded", cancel: "Cancelled", pool: "Expired" },
  AWARDED: {
    ...inCharge,
    start: "ExecutionStarted",
    good: "ExecutionStarted+ResultAccepted",
    bad: "ExecutionStarted+ResultRejected",
  },
  EXECUTING: inCharge,
  REJECTED: inCharge,
  FAILED: nobody,
  TIMED_OUT: { ...nobody, start: "TIMEOUT", good: "TIMEOUT", bad: "TIMEOUT" },
  COMPLETED: { ...nobody, expire: "TASK_ENDED", settled: "Settled", start: "TASK_ENDED", good: "TASK_ENDED", bad: "TASK_ENDED" },
  SETTLED: { ...done, rate: "Rated" },
  EXPIRED: over,
  CANCELLED: over,
};

function outcome(state: TaskSnapshot, command: CommandOf<"task">, at = AT + 1): string {
  const decision = decideTask(state, command, at);
  if (isRefusal(decision)) return decision.refused;
  decision.facts.reduce((before, fact) => entity.evolve(before, fact).state, state);
  return decision.facts.length === 0 ? "." : decision.facts.map(({ type }) => type).join("+");
}

describe.each(Object.entries(STATES))("a task that is %s", (name, facts) => {
  test("folds to that state", () => {
    expect(fold(facts).value).toBe(name);
  });
  test.each(Object.entries(EXPECTED[name as TaskStatus]))("given %s: %s", (command, expected) => {
    expect(outcome(fold(facts), COMMANDS[command as CommandName])).toBe(expected);
  });
  test("is the same after a snapshot", () => {
    const state = fold(facts);
    const restored = entity.restore(TASK, JSON.parse(JSON.stringify(entity.persist(state, FORMATS.task))));
    expect(restored.value).toBe(state.value);
    expect(restored.context).toEqual(state.context);
  });
});

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
  const stored = { seq: 1, type: "Opened", version: 2, body: {}, at: AT };
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
    expect(outcome(fold(facts), COMMANDS.standingBid)).toBe("BidPlaced+Awarded");
  });

  test("are asked all at once by the others, which wait for the window", () => {
    const facts = [...opening("cheapest"), started];
    expect(told(facts)).toEqual(offers.map(({ worker }) => [worker, "offer"]));
    expect(told([...facts, declines(WORKER)])).toEqual([]);
    expect(outcome(fold(facts), COMMANDS.standingBid)).toBe("BidPlaced");
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
