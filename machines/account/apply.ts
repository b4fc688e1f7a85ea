/** Fact -> what it changes of an account. The statechart says in which states it may come. */
import type { Capability } from "../market/capability.ts";
import { judge } from "../market/reputation.ts";
import { EMPTY_RECORD, type Record } from "../market/skill.ts";
import { type Credits, credits, type Millis } from "../vocabulary.ts";
import type { AccountFact } from "./events.ts";
import { withHold, withoutHold } from "./holds.ts";
import type { AccountContext, Debt, Tally } from "./state.ts";
import { withOpened, withWaiting } from "./turns.ts";

/** So many counterparties are told apart; the highest rating asks for 20 (guide: Credit Rating System). */
export const COUNTERPARTIES_MAX = 100;

/** How often a recovery code may be tried (contract). */
export const RECOVERY_TRIES = 5;

function met(known: readonly string[], other: string): readonly string[] {
  return known.includes(other) || known.length >= COUNTERPARTIES_MAX ? known : [...known, other];
}

type Of<T extends AccountFact["type"]> = Extract<AccountFact, { type: T }>;

function recordOf(context: AccountContext, taskType: string): Record {
  // Those that were written before there were ratings lack them.
  return { ...EMPTY_RECORD, ...context.records[taskType] };
}

function withoutSlot({ slots }: AccountContext, task: string): AccountContext["slots"] {
  const { [task]: _free, ...rest } = slots;
  return rest;
}

function withCapability(
  { capabilities }: AccountContext,
  id: string,
  changes: Partial<Capability>,
): AccountContext["capabilities"] {
  return Object.fromEntries(
    Object.entries(capabilities).map(([type, one]) => [type, one.id === id ? { ...one, ...changes } : one]),
  );
}

function afterEarning(context: AccountContext, fact: Of<"Earned">): Partial<AccountContext> {
  const { reputation, failuresInRow } = judge(context, "DELIVERED", fact.at);
  const { tally } = context;
  const before = recordOf(context, fact.taskType);
  const first = fact.firstTry ? 1 : 0;
  return {
    available: credits(context.available + fact.payout),
    reputation,
    failuresInRow,
    counterparties: met(context.counterparties, fact.counterparty ?? fact.requester),
    tally: {
      ...tally,
      earned: tally.earned + 1,
      firstTry: tally.firstTry + first,
      durationMs: tally.durationMs + fact.durationMs,
    },
    slots: withoutSlot(context, fact.task),
    records: {
      ...context.records,
      [fact.taskType]: {
        ...before,
        finished: before.finished + 1,
        settled: before.settled + 1,
        firstTry: before.firstTry + first,
        timeShare: before.timeShare + Math.min(1, fact.durationMs / fact.allowedMs),
      },
    },
  };
}

function afterFailing(context: AccountContext, fact: Of<"Failed">): Partial<AccountContext> {
  const { reputation, failuresInRow } = judge(context, fact.outcome, fact.at);
  const { tally } = context;
  const timedOut = fact.outcome === "TIMED_OUT" ? 1 : 0;
  const before = recordOf(context, fact.taskType);
  return {
    reputation,
    failuresInRow,
    slots: withoutSlot(context, fact.task),
    tally: { ...tally, failed: tally.failed + 1 - timedOut, timedOut: tally.timedOut + timedOut },
    records: { ...context.records, [fact.taskType]: { ...before, finished: before.finished + 1 } },
  };
}

/** Sets the amounts of a hold that ends; `back` is what returns to the requester, in NC. */
function withoutHeld(
  context: AccountContext,
  task: Of<"Released">["task"],
  budget: number,
  back: number,
): Partial<AccountContext> {
  return {
    available: credits(context.available + back),
    held: credits(context.held - budget),
    holds: withoutHold(context.holds, task),
    openTasks: context.openTasks - 1,
  };
}

function afterPayment(context: AccountContext, fact: Of<"PaymentChanged">): Partial<AccountContext> {
  const { payment, after, change, amount, customer } = fact;
  return {
    available: credits(context.available + amount),
    payments: { ...context.payments, [payment]: { ...after, changes: change } },
    customer: customer ?? context.customer,
  };
}

function afterHoneypot(tally: Tally, passed: boolean): Tally {
  const { honeypotsPassed, honeypotsFailed } = tally;
  return passed ? { ...tally, honeypotsPassed: honeypotsPassed + 1 } : { ...tally, honeypotsFailed: honeypotsFailed + 1 };
}

function afterRating(context: AccountContext, { taskType, stars }: Of<"Rated">): Partial<AccountContext> {
  const { ratings, ratingSum, ...rest } = recordOf(context, taskType);
  const record = { ...rest, ratings: ratings + 1, ratingSum: ratingSum + stars };
  return { records: { ...context.records, [taskType]: record } };
}

function afterHold(context: AccountContext, { task, budget, perMinute = 0, at }: Of<"Held">): Partial<AccountContext> {
  return {
    available: credits(context.available - budget),
    held: credits(context.held + budget),
    holds: withHold(context.holds, task, budget),
    openTasks: context.openTasks + 1,
    tally: { ...context.tally, created: context.tally.created + 1 },
    ...(perMinute === 0 ? {} : { opened: withOpened(context.opened, perMinute, at) }),
  };
}

function afterBatch(
  { batches, waiting }: AccountContext,
  fact: Of<"BatchStarted" | "BatchEnded" | "BatchWaits" | "BatchesCalled">,
): Partial<AccountContext> {
  switch (fact.type) {
    case "BatchStarted":
      return { batches: [...batches, fact.batch] };
    case "BatchEnded": {
      const others = batches.filter((batch) => batch !== fact.batch);
      return { batches: others, waiting: waiting.filter(({ batch }) => batch !== fact.batch) };
    }
    case "BatchWaits": {
      const { batch, want, budget, perMinute, reason } = fact;
      return { waiting: withWaiting(waiting, { batch, want, budget, perMinute, reason }) };
    }
    case "BatchesCalled": {
      const called = new Set(fact.calls.map(({ batch }) => batch));
      return { waiting: waiting.filter(({ batch }) => !called.has(batch)), calledAt: fact.at };
    }
    default:
      return fact satisfies never;
  }
}

function applyFact(context: AccountContext, fact: AccountFact): Partial<AccountContext> {
  switch (fact.type) {
    case "Registered": {
      const { email, source, keyHash, grant, at } = fact;
      return { email, source, keyHash, available: grant, createdAt: at };
    }
    case "Marked":
      return { marks: [...context.marks, ...fact.marks] };
    case "KeyRotated":
      return { keyHash: fact.keyHash };
    case "RecoveryRequested":
      return { recovery: { codeHash: fact.codeHash, until: fact.until, triesLeft: RECOVERY_TRIES } };
    case "RecoveryFailed":
      return { recovery: context.recovery === null ? null : { ...context.recovery, triesLeft: context.recovery.triesLeft - 1 } };
    case "KeyRecovered":
      return { keyHash: fact.keyHash, recovery: null };
    case "ToppedUp":
    case "Repaid":
    case "Adjusted":
      return { available: credits(context.available + fact.amount) };
    case "PaymentChanged":
      return afterPayment(context, fact);
    case "Held":
      return afterHold(context, fact);
    case "BatchStarted":
    case "BatchEnded":
    case "BatchWaits":
    case "BatchesCalled":
      return afterBatch(context, fact);
    case "Released":
      return withoutHeld(context, fact.task, fact.budget, fact.budget);
    case "Settled":
      return {
        ...withoutHeld(context, fact.task, fact.payout + fact.fee + fact.refund, fact.refund),
        counterparties: met(context.counterparties, fact.counterparty ?? fact.worker),
        tally: { ...context.tally, paid: context.tally.paid + 1 },
      };
    case "Earned":
      return afterEarning(context, fact);
    case "Failed":
      return afterFailing(context, fact);
    case "OAuthStarted":
      return { oauth: { stateHash: fact.stateHash, until: fact.until } };
    case "OAuthUsed":
      return { oauth: null };
    case "GitHubLinked":
      return { github: fact.github };
    case "CapabilityRegistered":
      return { capabilities: { ...context.capabilities, [fact.capability.taskType]: fact.capability } };
    case "AvailabilityChanged":
      return { capabilities: withCapability(context, fact.capability, { available: fact.available }) };
    case "OfferTaken":
      return { slots: { ...context.slots, [fact.task]: fact.capability } };
    case "OfferDeclined":
    case "ItemHoldRefused":
      return {};
    case "OfferFreed":
      return { slots: withoutSlot(context, fact.task) };
    case "HoneypotJudged":
      return { tally: afterHoneypot(context.tally, fact.passed) };
    case "Rated":
      return afterRating(context, fact);
    case "CooldownStarted":
      return { cooldownUntil: fact.until };
    case "CooldownEnded":
      return { cooldownUntil: null };
    case "Frozen":
    case "Unfrozen":
      return {};
    case "Suspended":
      return context.debt === null ? {} : { debt: { ...context.debt, suspended: true } };
    default:
      return fact satisfies never;
  }
}

/** The debt that a balance is: it begins when the balance first goes below 0, and all of it ends at 0. */
function debtOf(before: Debt | null, available: Credits, at: Millis): Debt | null {
  if (available >= 0) return null;
  return before ?? { since: at, suspended: false };
}

/** What a fact changes, its debt with it. */
export function fold(context: AccountContext, fact: AccountFact): Partial<AccountContext> {
  const changed = applyFact(context, fact);
  const debt = debtOf(changed.debt ?? context.debt, changed.available ?? context.available, fact.at);
  return { ...changed, debt, updatedAt: fact.at };
}
