/** Every state x every command: taken with these facts, or refused with this code. */
import { describe, expect, test } from "vitest";
import { BALANCE_MAX, decideAccount } from "../../machines/account/decide.ts";
import type { AccountFact } from "../../machines/account/events.ts";
import { account as entity } from "../../machines/account/index.ts";
import { type AccountSnapshot, statusOf } from "../../machines/account/machine.ts";
import { OPEN_TASKS_MAX } from "../../machines/account/power.ts";
import { FORMATS } from "../../machines/formats.ts";
import type { CommandOf } from "../../machines/protocols.ts";
import { isRefusal } from "../../machines/refusal.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { id, order, person } from "../support/world.ts";

const ME = person(1);
const OTHER = person(2);
const [HELD, NEXT] = [taskId(id(90)), taskId(id(91))];
const AT = 1_000_000;
const fold = (facts: readonly AccountFact[]): AccountSnapshot =>
  facts.reduce((state, fact) => entity.evolve(state, fact).state, entity.initial(ME));

const registered: AccountFact[] = [
  { type: "Registered", account: ME, email: "a@b.example", source: null, keyHash: "old", grant: credits(50), at: AT },
];
const active: AccountFact[] = [...registered, { type: "Held", task: HELD, budget: credits(20), at: AT }];
const fail: AccountFact = { type: "Failed", task: HELD, taskType: "x", outcome: "TIMED_OUT", at: AT };
const cooling: AccountFact[] = [...active, fail, fail, fail, { type: "CooldownStarted", until: AT + 10, at: AT }];
const frozen: AccountFact[] = [...active, fail, fail, fail, fail, { type: "Frozen", at: AT }];

const work = { task: NEXT, taskType: "x", firstTry: true, durationMs: 1_000, allowedMs: 120_000 };
const division = { payout: credits(12), fee: credits(1), refund: credits(7) };
const COMMANDS = {
  register: { type: "register", account: ME, email: "a@b.example", source: null, keyHash: "h", grant: credits(50), marks: [] },
  rotate: { type: "rotateKey", presented: "old", keyHash: "new" },
  requestRecovery: { type: "requestRecovery", codeHash: "c" },
  recover: { type: "recover", codeHash: "c", keyHash: "new" },
  topUp: { type: "topUp", topup: id(7), amount: credits(5) },
  startOAuth: { type: "startOAuth", stateHash: "s" },
  useOAuth: { type: "useOAuth", stateHash: "s" },
  linkGitHub: { type: "linkGitHub", github: { id: "1", login: "octo", score: 50, token: "sealed" } },
  freeze: { type: "freeze", reason: "abuse" },
  unfreeze: { type: "unfreeze", reason: "sorry" },
  adjust: { type: "adjust", adjustment: id(8), amount: credits(-100), reason: "fraud" },
  payment: { type: "payment", payment: "pi_1", news: { type: "paid", amount: 5 }, customer: null },
  repay: { type: "repay", repayment: id(7), amount: credits(5) },
  hold: { type: "hold", task: NEXT, order: order(), fresh: true },
  holdAgain: { type: "hold", task: HELD, order: order(), fresh: true },
  release: { type: "release", task: HELD, budget: credits(20) },
  releaseUnknown: { type: "release", task: NEXT, budget: credits(20) },
  settle: { type: "settle", ...work, task: HELD, budget: credits(20), ...division, worker: OTHER, workerIdentity: OTHER },
  settleOther: { type: "settle", ...work, budget: credits(20), ...division, worker: OTHER, workerIdentity: OTHER },
  earn: { type: "earn", ...work, requester: OTHER, requesterIdentity: OTHER, payout: credits(12) },
  fail: { type: "fail", task: NEXT, taskType: "x", outcome: "FAILED_VALIDATION" },
  cooldown: { type: "timer", name: "cooldown", due: AT + 10 },
  unknownTimer: { type: "timer", name: "nothing", due: AT },
} as const satisfies { readonly [name: string]: CommandOf<"account"> };
type CommandName = keyof typeof COMMANDS;

const unregistered = Object.fromEntries(Object.keys(COMMANDS).map((name) => [name, "ACCOUNT_UNKNOWN"])) as {
  [C in CommandName]: string;
};
const usual: { readonly [C in CommandName]: string } = {
  register: "ACCOUNT_EXISTS",
  rotate: "KeyRotated",
  requestRecovery: "RecoveryRequested",
  recover: "RECOVERY_FAILED",
  topUp: "ToppedUp",
  startOAuth: "OAuthStarted",
  useOAuth: "OAUTH_STATE_INVALID",
  linkGitHub: "GitHubLinked",
  freeze: "Frozen",
  unfreeze: "NOTHING_TO_DO",
  adjust: "Adjusted",
  payment: "PaymentChanged",
  repay: "NO_DEBT",
  hold: "Held",
  holdAgain: "HOLD_EXISTS",
  release: "Released",
  releaseUnknown: "HOLD_UNKNOWN",
  settle: "Settled",
  settleOther: "HOLD_UNKNOWN",
  earn: "Earned",
  fail: "Failed",
  cooldown: "TIMER_STALE",
  unknownTimer: "TIMER_STALE",
};
const CASES: readonly [string, readonly AccountFact[], { readonly [C in CommandName]: string }][] = [
  ["NEW", [], { ...unregistered, register: "Registered" }],
  ["ACTIVE", active, usual],
  ["COOLING", cooling, { ...usual, fail: "Failed+Frozen", cooldown: "CooldownEnded" }],
  ["FROZEN", frozen, { ...usual, hold: "ACCOUNT_FROZEN", freeze: "NOTHING_TO_DO", unfreeze: "Unfrozen" }],
];

function decide(state: AccountSnapshot, command: CommandOf<"account">, at = AT + 10) {
  const decision = decideAccount(state, command, at);
  if (isRefusal(decision)) return { outcome: decision.refused, state };
  const next = decision.facts.reduce((before, fact) => entity.evolve(before, fact).state, state);
  return { outcome: decision.facts.map(({ type }) => type).join("+"), state: next };
}

describe.each(CASES)("an account that is %s", (name, facts, expected) => {
  test("folds to that state", () => {
    expect(fold(facts).matches("new") ? "NEW" : statusOf(fold(facts))).toBe(name);
  });
  test.each(Object.entries(expected))("given %s: %s", (command, wanted) => {
    expect(decide(fold(facts), COMMANDS[command as CommandName]).outcome).toBe(wanted);
  });
  test("is the same after a snapshot", () => {
    const state = fold(facts);
    const restored = entity.restore(ME, JSON.parse(JSON.stringify(entity.persist(state, FORMATS.account))));
    expect([restored.value, restored.context]).toEqual([state.value, state.context]);
  });
});

test("a frozen account that fails often enough cools down too, and comes out of it frozen", () => {
  const facts: AccountFact[] = [...frozen, { type: "CooldownStarted", until: AT + 5, at: AT }];
  const { outcome, state } = decide(fold(facts), COMMANDS.cooldown);
  expect([outcome, statusOf(state)]).toEqual(["CooldownEnded", "FROZEN"]);
});

test("a hold needs all of its budget, and names what is missing", () => {
  const { outcome } = decide(fold(active), { type: "hold", task: NEXT, order: order({ budget: credits(31) }), fresh: true });
  expect(outcome).toBe("INSUFFICIENT_CREDITS");
  const exact = decide(fold(active), { type: "hold", task: NEXT, order: order({ budget: credits(30) }), fresh: true });
  expect(exact.state.context).toMatchObject({ available: 0, held: 50, openTasks: 2 });
});

test("two commits of one hold: the first settles it, the second is refused", () => {
  const first = decide(fold(active), COMMANDS.settle);
  expect(first.state.context).toMatchObject({ available: 37, held: 0, openTasks: 0 });
  expect(decide(first.state, COMMANDS.settle).outcome).toBe("HOLD_UNKNOWN");
  expect(decide(first.state, COMMANDS.release).outcome).toBe("HOLD_UNKNOWN");
});

test("a settlement that does not divide all of its budget is a bug", () => {
  expect(() => decide(fold(active), { ...COMMANDS.settle, refund: credits(6) })).toThrow("divide all of it");
});

test("a key that was replaced a moment ago cannot replace the new one", () => {
  const { state } = decide(fold(active), COMMANDS.rotate);
  expect(decide(state, COMMANDS.rotate).outcome).toBe("KEY_REPLACED");
});

test("the state of an OAuth flow is good once, for 10 minutes", () => {
  const { state } = decide(fold(active), COMMANDS.startOAuth, AT);
  expect(decide(state, COMMANDS.useOAuth, AT + 600_000).outcome).toBe("OAUTH_STATE_INVALID");
  expect(decide(state, { ...COMMANDS.useOAuth, stateHash: "t" }).outcome).toBe("OAUTH_STATE_INVALID");
  const used = decide(state, COMMANDS.useOAuth, AT + 599_999);
  expect([used.outcome, decide(used.state, COMMANDS.useOAuth).outcome]).toEqual(["OAuthUsed", "OAUTH_STATE_INVALID"]);
});

describe("a recovery code", () => {
  const asked = decide(fold(active), COMMANDS.requestRecovery, AT).state;
  const wrong = { ...COMMANDS.recover, codeHash: "d" };

  test("is good for 300 s and not a moment longer", () => {
    expect(decide(asked, COMMANDS.recover, AT + 299_999).outcome).toBe("KeyRecovered");
    expect(decide(asked, COMMANDS.recover, AT + 300_000).outcome).toBe("RECOVERY_FAILED");
  });

  test("replaces the key once", () => {
    const { state } = decide(asked, COMMANDS.recover);
    expect(state.context).toMatchObject({ keyHash: "new", recovery: null });
    expect(decide(state, COMMANDS.recover).outcome).toBe("RECOVERY_FAILED");
  });

  test("may be tried five times", () => {
    let state = asked;
    for (let tries = 0; tries < 4; tries += 1) ({ state } = decide(state, wrong));
    expect(decide(state, COMMANDS.recover).outcome).toBe("KeyRecovered");
    const fifth = decide(state, wrong);
    expect(fifth.outcome).toBe("RecoveryFailed");
    expect(decide(fifth.state, COMMANDS.recover).outcome).toBe("RECOVERY_FAILED");
  });

  test("is the only one: a new one replaces it, with all its tries", () => {
    const { state } = decide(decide(asked, wrong).state, { type: "requestRecovery", codeHash: "e" });
    expect(state.context.recovery).toMatchObject({ codeHash: "e", triesLeft: 5 });
    expect(decide(state, COMMANDS.recover).outcome).toBe("RecoveryFailed");
  });
});

describe("an identity", () => {
  const marked: AccountFact[] = [...active, { type: "Marked", marks: ["mail:a"], kin: [], at: AT }];

  test("is marked at registration, and more marks may come; the accounts that share one are told of all", () => {
    const { outcome, state } = decide(fold([]), { ...COMMANDS.register, marks: ["mail:a", "mail:a"] });
    expect([outcome, state.context.marks]).toEqual(["Registered+Marked", ["mail:a"]]);
    const decision = decideAccount(fold(marked), { type: "mark", marks: ["mail:a", "github:b"], kin: [OTHER] }, AT);
    const [fact] = isRefusal(decision) ? [] : decision.facts;
    expect(fact).toMatchObject({ type: "Marked", marks: ["github:b"], kin: [OTHER] });
    if (fact === undefined) throw new Error("it must be taken");
    expect(entity.evolve(fold(marked), fact).effects).toEqual([
      { type: "tell", to: { kind: "account", id: OTHER }, command: { type: "mark", marks: ["mail:a", "github:b"], kin: [] } },
    ]);
    expect(decide(fold(marked), { type: "mark", marks: ["mail:a"], kin: [] }).outcome).toBe("");
  });

  test("counts once as a counterparty, however many accounts it has", () => {
    const first = decide(fold(active), { ...COMMANDS.earn, requesterIdentity: "mail:x" }).state;
    const again = { ...COMMANDS.earn, task: taskId(id(95)), requester: person(3), requesterIdentity: "mail:x" };
    expect(decide(first, again).state.context.counterparties).toEqual(["mail:x"]);
  });

  test("goes with the task, and with what the worker is paid", () => {
    const decision = decideAccount(fold(marked), COMMANDS.hold, AT);
    if (isRefusal(decision)) throw new Error("it must be taken");
    expect(decision.carry?.[0]?.command).toMatchObject({ type: "open", marks: ["mail:a"] });
    const settled = decideAccount(fold(marked), COMMANDS.settle, AT);
    if (isRefusal(settled) || settled.facts[0] === undefined) throw new Error("it must be taken");
    expect(entity.evolve(fold(marked), settled.facts[0]).effects[1]).toMatchObject({ command: { requesterIdentity: "mail:a" } });
  });
});

describe("a price that stands", () => {
  const capability = { id: id(70), taskType: "x", description: "", tags: [], price: credits(8), concurrency: 2, available: true };
  const able: AccountFact[] = [...active, { type: "CapabilityRegistered", capability: { ...capability, createdAt: AT }, at: AT }];
  const offered = (n: number) =>
    ({
      type: "offer",
      task: taskId(id(n)),
      bid: id(n + 500),
      taskType: "x",
      budget: credits(20),
      minSkill: 0,
      marks: ["mail:z"],
    }) as const;
  const given = (facts: readonly AccountFact[], changes: object = {}) =>
    decide(fold(facts), { ...offered(200), ...changes }).outcome;

  test("bids for a task that can pay it, with what the market knows of the worker", () => {
    const decision = decideAccount(fold(able), offered(200), AT);
    if (isRefusal(decision) || decision.facts[0] === undefined) throw new Error("it must be taken");
    expect(entity.evolve(fold(able), decision.facts[0]).effects).toEqual([
      {
        type: "tell",
        to: { kind: "task", id: id(200) },
        command: {
          type: "standingBid",
          bid: id(700),
          worker: ME,
          credits: 8,
          standing: { status: "ACTIVE", cooldownUntil: null, tier: 1, quality: 0.5, marks: [] },
        },
      },
    ]);
  });

  test.each<[string, readonly AccountFact[], object]>([
    ["without a capability for the type", active, {}],
    ["for less than it asks", able, { budget: credits(7) }],
    ["above its tier", able, { minSkill: 2 }],
    ["while it is off", [...able, { type: "AvailabilityChanged", capability: id(70), available: false, at: AT }], {}],
    ["while it cools down", [...cooling, ...able.slice(-1)], {}],
    ["when its account is frozen", [...frozen, ...able.slice(-1)], {}],
    ["for the same identity", [...able, { type: "Marked", marks: ["mail:z"], kin: [], at: AT }], {}],
  ])("declines %s, and says so", (_, facts, changes) => {
    expect(given(facts, changes)).toBe("OfferDeclined");
  });

  test("reserves a slot for each task until it is paid, has failed or is told that another one won", () => {
    let state = decide(fold(able), offered(200)).state;
    state = decide(state, offered(201)).state;
    expect(decide(state, offered(202)).outcome).toBe("OfferDeclined");
    for (const command of [
      { ...COMMANDS.earn, task: taskId(id(200)) },
      { ...COMMANDS.fail, task: taskId(id(200)) },
      { type: "freed", task: taskId(id(200)) },
    ] satisfies CommandOf<"account">[]) {
      expect(decide(decide(state, command).state, offered(202)).outcome).toBe("OfferTaken");
    }
    expect(decide(state, { type: "freed", task: taskId(id(209)) }).outcome).toBe("");
  });

  test("is one for each task type: a second one takes the place of the first, under its id", () => {
    const again = { type: "registerCapability", capability: { ...capability, id: id(71), price: credits(9) } } as const;
    expect(Object.values(decide(fold(able), again).state.context.capabilities)).toMatchObject([{ id: id(70), price: 9 }]);
    expect(decide(fold(able), { type: "setAvailability", capability: id(71), available: false }).outcome).toBe(
      "CAPABILITY_UNKNOWN",
    );
  });
});

test("balances stay where a double counts exactly", () => {
  expect(decide(fold(active), { type: "topUp", topup: id(8), amount: credits(BALANCE_MAX) }).outcome).toBe("BALANCE_TOO_LARGE");
});

test("the open tasks of one account have a bound", () => {
  const state = fold(registered);
  const having = (openTasks: number) => ({ ...state, context: { ...state.context, openTasks } }) as AccountSnapshot;
  expect(decide(having(OPEN_TASKS_MAX - 1), COMMANDS.hold).outcome).toBe("Held");
  expect(decide(having(OPEN_TASKS_MAX), COMMANDS.hold).outcome).toBe("TOO_MANY_OPEN_TASKS");
});

test("what ratings will need is counted", () => {
  const { context } = decide(fold(active), COMMANDS.earn).state;
  expect(context.tally).toMatchObject({ created: 1, earned: 1, firstTry: 1, durationMs: 1_000 });
  expect(context.counterparties).toEqual([OTHER]);
  expect(context.records["x"]).toMatchObject({ finished: 1, settled: 1, firstTry: 1 });
});

describe("credit and debt", () => {
  const DAY_MS = 24 * 3_600_000;
  const earned = (n: number): AccountFact => ({
    type: "Earned",
    task: taskId(id(1_000 + n)),
    taskType: "x",
    requester: person(10 + (n % 3)),
    payout: credits(1),
    firstTry: true,
    durationMs: 1_000,
    allowedMs: 120_000,
    at: AT,
  });
  /** Silver: 10 tasks for 3 others, 60 NC and a line of 5,000 NC. */
  const silver = [...registered, ...Array.from({ length: 10 }, (_, n) => earned(n))];
  const holdOf = (budget: number) =>
    ({ type: "hold", task: NEXT, order: order({ budget: credits(budget) }), fresh: true }) as const;
  const owing: AccountFact[] = [...silver, { type: "Held", task: NEXT, budget: credits(160), at: AT }];
  const timer = { type: "timer", name: "debt", due: AT } as const;
  const suspended: AccountFact[] = [...owing, { type: "Suspended", at: AT + 7 * DAY_MS }];

  test("a hold may go down to the credit line and no further", () => {
    expect(decide(fold(silver), holdOf(5_060)).state.context).toMatchObject({ available: -5_000, debtSince: AT + 10 });
    expect(decide(fold(silver), holdOf(5_061)).outcome).toBe("INSUFFICIENT_CREDITS");
    const tenth = silver.slice(0, -1);
    expect(decide(fold(tenth), holdOf(60)).outcome).toBe("INSUFFICIENT_CREDITS");
  });

  test("debt counts from the day on which the balance went below 0, and sets a timer for day 7", () => {
    const held = { type: "Held", task: NEXT, budget: credits(160), at: AT } as const;
    expect(entity.evolve(fold(silver), held).effects).toEqual([{ type: "remind", name: "debt", at: AT + 7 * DAY_MS }]);
    const more = { type: "Held", task: taskId(id(92)), budget: credits(10), at: AT + DAY_MS } as const;
    const { state, effects } = entity.evolve(fold(owing), more);
    expect([state.context.debtSince, effects]).toEqual([AT, []]);
  });

  test("on day 7, and not a moment before, the account is suspended", () => {
    expect(decide(fold(owing), timer, AT + 7 * DAY_MS - 1).outcome).toBe("TIMER_STALE");
    const { outcome, state } = decide(fold(owing), timer, AT + 7 * DAY_MS);
    expect([outcome, entity.row(ME, state)?.status]).toEqual(["Suspended", "SUSPENDED"]);
    expect(decide(state, timer, AT + 8 * DAY_MS).outcome).toBe("TIMER_STALE");
  });

  test("a suspended account can pay and be paid, and nothing else", () => {
    const state = fold(suspended);
    expect(decide(state, { ...holdOf(5), task: taskId(id(94)) }).outcome).toBe("ACCOUNT_SUSPENDED");
    expect(decide(state, COMMANDS.earn).outcome).toBe("Earned");
    expect(decide(state, COMMANDS.topUp).outcome).toBe("ToppedUp");
    expect(entity.row(ME, decide(state, COMMANDS.topUp).state)?.status).toBe("SUSPENDED");
  });

  test.each<[string, CommandOf<"account">]>([
    ["a repayment of all of it", { type: "repay", repayment: id(8), amount: credits(100) }],
    ["a top-up", { type: "topUp", topup: id(8), amount: credits(100) }],
    ["earnings", { ...COMMANDS.earn, task: taskId(id(93)), payout: credits(100) }],
    ["a hold that is given back", { type: "release", task: NEXT, budget: credits(160) }],
  ])("%s ends debt and suspension at once", (_, command) => {
    for (const facts of [owing, suspended]) {
      const { state } = decide(fold(facts), command);
      expect(state.context.debtSince).toBeNull();
      expect(entity.row(ME, state)?.status).toBe("ACTIVE");
    }
    const decision = decideAccount(fold(owing), command, AT + 10);
    const [fact] = isRefusal(decision) ? [] : decision.facts;
    if (fact === undefined) throw new Error("it must be taken");
    expect(entity.evolve(fold(owing), fact).effects).toContainEqual({ type: "forget", name: "debt" });
  });

  test("a repayment of a part leaves the rest, and the days count on", () => {
    const { outcome, state } = decide(fold(owing), { type: "repay", repayment: id(8), amount: credits(99) });
    expect(outcome).toBe("Repaid");
    expect(state.context).toMatchObject({ available: -1, debtSince: AT });
    expect(decide(fold(owing), { type: "repay", repayment: id(8), amount: credits(101) }).outcome).toBe("REPAYMENT_TOO_LARGE");
    expect(decide(fold(silver), { type: "repay", repayment: id(8), amount: credits(1) }).outcome).toBe("NO_DEBT");
  });

  test("a snapshot from before there was credit is read as one without debt", () => {
    const { value, context } = entity.persist(fold(silver), 1) as { value: string; context: { [name: string]: unknown } };
    const { debt: _debt, tally, ...old } = context;
    const { honeypotsPassed: _passed, honeypotsFailed: _failed, ...oldTally } = tally as { [name: string]: unknown };
    const restored = entity.restore(ME, { value, context: { ...old, tally: oldTally } });
    expect(restored.context).toEqual({ ...fold(silver).context, conduct: expect.anything() });
  });
});
