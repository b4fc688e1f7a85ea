/** Every state x every command: taken with these facts, or refused with this code. */
import { describe, expect, test } from "vitest";
import type { AccountCommand } from "../../machines/account/commands.ts";
import { BALANCE_MAX, decideAccount, OPEN_TASKS_MAX } from "../../machines/account/decide.ts";
import type { AccountFact } from "../../machines/account/facts.ts";
import { account as entity } from "../../machines/account/index.ts";
import type { AccountSnapshot } from "../../machines/account/machine.ts";
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
  register: { type: "register", account: ME, email: "a@b.example", source: null, keyHash: "h", grant: credits(50) },
  rotate: { type: "rotateKey", presented: "old", keyHash: "new" },
  topUp: { type: "topUp", topup: id(7), amount: credits(5) },
  hold: { type: "hold", task: NEXT, order: order(), fresh: true },
  holdAgain: { type: "hold", task: HELD, order: order(), fresh: true },
  release: { type: "release", task: HELD, budget: credits(20) },
  releaseUnknown: { type: "release", task: NEXT, budget: credits(20) },
  settle: { type: "settle", ...work, task: HELD, budget: credits(20), ...division, worker: OTHER },
  settleOther: { type: "settle", ...work, budget: credits(20), ...division, worker: OTHER },
  earn: { type: "earn", ...work, requester: OTHER, payout: credits(12) },
  fail: { type: "fail", task: NEXT, taskType: "x", outcome: "FAILED_VALIDATION" },
  cooldown: { type: "timer", name: "cooldown", due: AT + 10 },
  unknownTimer: { type: "timer", name: "nothing", due: AT },
} satisfies { readonly [name: string]: AccountCommand };
type CommandName = keyof typeof COMMANDS;

const unregistered = Object.fromEntries(Object.keys(COMMANDS).map((name) => [name, "ACCOUNT_UNKNOWN"])) as {
  [C in CommandName]: string;
};
const usual: { readonly [C in CommandName]: string } = {
  register: "ACCOUNT_EXISTS",
  rotate: "KeyRotated",
  topUp: "ToppedUp",
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
  ["FROZEN", frozen, { ...usual, hold: "ACCOUNT_FROZEN" }],
];

function decide(state: AccountSnapshot, command: AccountCommand, at = AT + 10) {
  const decision = decideAccount(state, command, at);
  if (isRefusal(decision)) return { outcome: decision.refused, state };
  const next = decision.facts.reduce((before, fact) => entity.evolve(before, fact).state, state);
  return { outcome: decision.facts.map(({ type }) => type).join("+"), state: next };
}

describe.each(CASES)("an account that is %s", (name, facts, expected) => {
  test("folds to that state", () => {
    expect(fold(facts).value).toBe(name);
  });
  test.each(Object.entries(expected))("given %s: %s", (command, wanted) => {
    expect(decide(fold(facts), COMMANDS[command as CommandName]).outcome).toBe(wanted);
  });
  test("is the same after a snapshot", () => {
    const state = fold(facts);
    const restored = entity.restore(ME, JSON.parse(JSON.stringify(entity.persist(state))));
    expect([restored.value, restored.context]).toEqual([state.value, state.context]);
  });
});

test("a frozen account that fails often enough cools down too, and comes out of it frozen", () => {
  const facts: AccountFact[] = [...frozen, { type: "CooldownStarted", until: AT + 5, at: AT }];
  const { outcome, state } = decide(fold(facts), COMMANDS.cooldown);
  expect([outcome, state.value]).toEqual(["CooldownEnded", "FROZEN"]);
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

test("balances stay where a double counts exactly", () => {
  expect(decide(fold(active), { type: "topUp", topup: id(8), amount: credits(BALANCE_MAX) }).outcome).toBe("BALANCE_TOO_LARGE");
});

test("the open tasks of one account have a bound", () => {
  const state = fold(registered);
  const full = { ...state, context: { ...state.context, openTasks: OPEN_TASKS_MAX } } as AccountSnapshot;
  expect(decide(full, COMMANDS.hold).outcome).toBe("TOO_MANY_OPEN_TASKS");
});

test("what ratings will need is counted", () => {
  const { context } = decide(fold(active), COMMANDS.earn).state;
  expect(context.tally).toMatchObject({ created: 1, earned: 1, firstTry: 1, durationMs: 1_000 });
  expect(context.counterparties).toEqual([OTHER]);
  expect(context.records["x"]).toMatchObject({ finished: 1, settled: 1, firstTry: 1 });
});
