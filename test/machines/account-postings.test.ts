/** What each fact of an account moves in the books, leg by leg. */
import { expect, test } from "vitest";
import type { AccountFact } from "../../machines/account/events.ts";
import { accountPostings } from "../../machines/account/postings.ts";
import { credits, taskId } from "../../machines/vocabulary.ts";
import { id, person } from "../support/world.ts";

const ME = person(1);
const TASK = taskId(id(99));
const AT = 1_000_000;
type Leg = readonly [account: string, owner: string | null, amount: number];

const work = { task: TASK, taskType: "x", firstTry: true, durationMs: 1, allowedMs: 2, at: AT } as const;
const payment = (amount: number): AccountFact => ({
  ...{ type: "PaymentChanged", payment: "pi", change: 2, amount: credits(amount), customer: null, at: AT },
  after: { bought: credits(0), refunded: credits(0), disputes: {} },
});
const amount = { amount: credits(30), at: AT };

test.each<[string, AccountFact, string, readonly Leg[]]>([
  [
    "a registration grants",
    { type: "Registered", account: ME, email: "e", source: null, keyHash: "k", grant: credits(50), at: AT },
    "GRANT",
    [
      ["issuance", null, -50],
      ["available", ME, 50],
    ],
  ],
  [
    "a top-up issues",
    { type: "ToppedUp", topup: id(7), available: credits(80), ...amount },
    "TOPUP",
    [
      ["issuance", null, -30],
      ["available", ME, 30],
    ],
  ],
  [
    "a purchase issues",
    payment(30),
    "PURCHASE",
    [
      ["issuance", null, -30],
      ["available", ME, 30],
    ],
  ],
  [
    "a chargeback takes back",
    payment(-30),
    "CHARGEBACK",
    [
      ["issuance", null, 30],
      ["available", ME, -30],
    ],
  ],
  [
    "a correction takes what an operator says",
    { type: "Adjusted", adjustment: id(8), amount: credits(-9), reason: "r", at: AT },
    "ADJUSTMENT",
    [
      ["issuance", null, 9],
      ["available", ME, -9],
    ],
  ],
  [
    "a repayment issues",
    { type: "Repaid", repayment: id(9), available: credits(0), debt: credits(0), ...amount },
    "REPAY",
    [
      ["issuance", null, -30],
      ["available", ME, 30],
    ],
  ],
  [
    "a hold sets aside",
    { type: "Held", task: TASK, budget: credits(20), at: AT },
    "HOLD",
    [
      ["available", ME, -20],
      ["held", ME, 20],
    ],
  ],
  [
    "a release gives back",
    { type: "Released", task: TASK, budget: credits(20), at: AT },
    "RELEASE",
    [
      ["held", ME, -20],
      ["available", ME, 20],
    ],
  ],
  [
    "a settlement divides what was held among the worker, the platform and the requester",
    { type: "Settled", ...work, worker: person(2), payout: credits(12), fee: credits(1), refund: credits(7) },
    "SETTLE",
    [
      ["held", ME, -20],
      ["transit", null, 12],
      ["fees", null, 1],
      ["available", ME, 7],
    ],
  ],
  [
    "earnings come out of what is on its way",
    { type: "Earned", ...work, requester: person(2), payout: credits(12) },
    "EARN",
    [
      ["transit", null, -12],
      ["available", ME, 12],
    ],
  ],
])("%s", (_about, fact, reason, legs) => {
  const postings = accountPostings(ME, fact);
  expect(postings.map((leg) => [leg.account, leg.owner, leg.amount])).toEqual(legs);
  expect(new Set(postings.map((leg) => leg.reason))).toEqual(new Set([reason]));
  expect(postings.reduce((sum, leg) => sum + leg.amount, 0)).toBe(0);
});

test.each<[string, AccountFact, AccountFact]>([
  ["payment", payment(30), { ...payment(30), change: 3 } as AccountFact],
  [
    "task",
    { type: "Held", task: TASK, budget: credits(20), at: AT },
    { type: "Held", task: taskId(id(98)), budget: credits(20), at: AT },
  ],
])("each change of a %s is a transfer of its own, and the same one when it is told again", (_what, one, other) => {
  const transferOf = (fact: AccountFact) => accountPostings(ME, fact)[0]?.transfer;
  expect(transferOf(one)).toBe(transferOf({ ...one, at: AT + 1 }));
  expect(transferOf(one)).not.toBe(transferOf(other));
});

test("what is 0 has no leg, and the others are numbered without it", () => {
  const fact: AccountFact = {
    ...{ type: "Settled", ...work, worker: person(2), payout: credits(19), fee: credits(1), refund: credits(0) },
  };
  expect(accountPostings(ME, fact).map(({ leg, account, amount }) => [leg, account, amount])).toEqual([
    [0, "held", -20],
    [1, "transit", 19],
    [2, "fees", 1],
  ]);
});

test("what moves no credits has no entry", () => {
  expect(accountPostings(ME, { type: "CooldownEnded", at: AT })).toEqual([]);
  expect(accountPostings(ME, { type: "BatchEnded", batch: id(5), at: AT })).toEqual([]);
});
