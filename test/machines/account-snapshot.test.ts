/** Snapshots of accounts in both formats. */
import { describe, expect, test } from "vitest";
import type { AccountFact } from "../../machines/account/events.ts";
import { account } from "../../machines/account/index.ts";
import { statusOf } from "../../machines/account/machine.ts";
import { accountId, credits, taskId } from "../../machines/vocabulary.ts";
import { id } from "../support/world.ts";

const ME = accountId(id(1));
const AT = 1_800_000_000_000;
const registered: AccountFact = {
  type: "Registered",
  account: ME,
  email: "a@example.com",
  source: null,
  keyHash: "k",
  grant: credits(10),
  at: AT,
};
const cooling: AccountFact = { type: "CooldownStarted", until: AT + 9, at: AT };
const frozen: AccountFact = { type: "Frozen", at: AT };
const owing: AccountFact = { type: "Adjusted", adjustment: id(2), amount: credits(-30), reason: "r", at: AT + 1 };
const suspended: AccountFact = { type: "Suspended", at: AT + 2 };
const waits: AccountFact = {
  type: "BatchWaits",
  batch: id(3),
  item: 0,
  want: 2,
  budget: credits(5),
  perMinute: 0,
  reason: "credits",
  until: null,
  at: AT + 3,
};

const fold = (facts: readonly AccountFact[]) =>
  facts.reduce((state, fact) => account.evolve(state, fact).state, account.initial(ME));
const again = (stored: unknown) => account.restore(ME, JSON.parse(JSON.stringify(stored)));

const STATES: { readonly [name: string]: readonly [readonly AccountFact[], string, string] } = {
  new: [[], "NEW", "FROZEN"],
  active: [[registered], "ACTIVE", "ACTIVE"],
  cooling: [[registered, cooling], "COOLING", "COOLING"],
  frozen: [[registered, frozen], "FROZEN", "FROZEN"],
  "active and indebted": [[registered, owing], "ACTIVE", "ACTIVE"],
  "active and suspended": [[registered, owing, suspended], "ACTIVE", "SUSPENDED"],
  "cooling and suspended": [[registered, cooling, owing, suspended], "COOLING", "SUSPENDED"],
  "frozen and suspended": [[registered, frozen, owing, suspended], "FROZEN", "FROZEN"],
};

describe.each(Object.entries(STATES))("an account that is %s", (_, [facts, word, status]) => {
  const state = fold(facts);

  test("is the same after a snapshot of either format", () => {
    for (const format of [1, 2]) {
      const restored = again(account.persist(state, format));
      expect([restored.value, restored.context]).toEqual([state.value, state.context]);
      expect(statusOf(restored)).toBe(status);
    }
  });

  test("is kept in format 1 as nodes of before keep it", () => {
    const { value, context } = JSON.parse(JSON.stringify(account.persist(state, 1)));
    expect(value).toBe(word);
    const owes = facts.includes(owing);
    expect(context.debt).toEqual(owes ? { since: AT + 1, suspended: facts.includes(suspended) } : null);
    expect(context).not.toHaveProperty("debtSince");
    expect(context).not.toHaveProperty("callAt");
  });
});

describe("a batch that waits when an account is kept", () => {
  const able = credits(5);
  const enough: AccountFact = { type: "ToppedUp", topup: id(4), amount: credits(30), available: able, at: AT + 10 };
  const called: AccountFact = { type: "BatchesCalled", calls: [{ batch: id(3), count: 2 }], at: AT + 11 };

  test.each([1, 2])("is called as before when it was kept in format %i, and its timer goes with its last call", (format) => {
    const before = fold([registered, owing, waits, enough]);
    const { state, effects } = account.evolve(again(account.persist(before, format)), called);
    expect(effects).toContainEqual({ type: "forget", name: "turns" });
    expect(state.matches({ registered: { calls: "unset" } })).toBe(true);
  });

  test("is called at once when it was kept in format 2 before it could be", () => {
    const before = fold([registered, owing, waits]);
    const { effects } = account.evolve(again(account.persist(before, 2)), enough);
    expect(effects).toContainEqual({ type: "remind", name: "turns", at: AT + 10 });
  });

  test("is told so when the account is frozen, and that can be lifted again", () => {
    const { state, effects } = account.evolve(fold([registered, waits]), { ...frozen, at: AT + 12 });
    expect(effects).not.toContainEqual({ type: "forget", name: "turns" });
    expect(state.matches({ registered: { conduct: "frozen", calls: "set" } })).toBe(true);
    const unfrozen: AccountFact = { type: "Unfrozen", reason: "r", at: AT + 13 };
    expect(statusOf(account.evolve(state, unfrozen).state)).toBe("ACTIVE");
  });

  test("waits on while the account is suspended, and no timer stands for it", () => {
    const { effects } = account.evolve(fold([registered, waits, { ...owing, amount: credits(-30) }]), suspended);
    expect(effects.filter(({ type }) => type === "remind")).toEqual([]);
  });
});

test("an account that would hold a negative amount is a bug", () => {
  const released = { type: "Released", task: taskId(id(5)), budget: credits(1), at: AT + 9 } as const;
  expect(() => account.evolve(fold([registered]), released)).toThrow(/hold a negative amount/);
});
