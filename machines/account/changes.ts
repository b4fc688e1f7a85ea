/** What each fact changes in an account. The statechart says in which states a fact may come, and when debt begins and ends. */
import type { Capability } from "../market/capability.ts";
import { NO_TERMS, SETTLEMENTS_PER_IDENTITY, VOUCHERS_MAX } from "../market/credit-line.ts";
import { withoutFailedTask, withTask } from "../market/evidence.ts";
import { newMarks } from "../market/identity.ts";
import { pointsOf } from "../market/reputation.ts";
import { EMPTY_RECORD, type Record } from "../market/skill.ts";
import { credits, NO_CREDITS } from "../vocabulary.ts";
import { afterAward, type EndedAward, markFrozen, pardoned, withoutFailure } from "./conduct.ts";
import type { AccountFact, AccountFactType } from "./events.ts";
import { withReturn } from "./free-returns.ts";
import { withHold, withoutHold } from "./holds.ts";
import { withoutHoneypot, withUntold } from "./honeypots.ts";
import { type AccountContext, COUNTERPARTIES_MAX } from "./state.ts";
import { withOpened, withWaiting } from "./turns.ts";

/** How many tasks whose penalties were taken back are kept. */
const EXCUSED_MAX = 100;

/** How often a recovery code may be tried (contract). */
const RECOVERY_TRIES = 5;

function met(known: readonly string[], other: string): readonly string[] {
  return known.includes(other) || known.length >= COUNTERPARTIES_MAX ? known : [...known, other];
}

type Of<T extends AccountFactType> = Extract<AccountFact, { type: T }>;
type Change = Partial<AccountContext>;

function recordOf(context: AccountContext, taskType: string): Record {
  // Records from before ratings existed lack them.
  return { ...EMPTY_RECORD, ...context.records[taskType] };
}

function withoutSlot(context: AccountContext, task: string): Pick<AccountContext, "slots" | "reserved"> {
  const { [task]: _free, ...slots } = context.slots;
  const { [task]: _ended, ...reserved } = context.reserved;
  return { slots, reserved };
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

function afterAwardEnd(context: AccountContext, one: EndedAward): Change {
  const conduct = afterAward(context.conduct, context.reputation, one);
  const reputation = context.reputation + pointsOf(one.outcome);
  return { reputation, failuresInRow: conduct.now.row.length, conduct };
}

export function afterEarning(context: AccountContext, fact: Of<"Earned">): Change {
  const { task, requester, counterparty = requester, clears, at } = fact;
  const before = recordOf(context, fact.taskType);
  const firstTry = fact.firstTry ? 1 : 0;
  const timeShare = Math.min(1, fact.durationMs / fact.allowedMs);
  const { untold, tally } = withUntold(context, fact, { requester: counterparty, firstTry, timeShare });
  // Deliveries from before there were customers that clear only some clear all, and are not counted as such.
  const delivery = {
    task,
    by: clears === undefined ? null : counterparty,
    outcome: "DELIVERED",
    clears: clears ?? "ALL",
    at,
  } as const;
  return {
    untold,
    available: credits(context.available + fact.payout),
    ...afterAwardEnd(context, delivery),
    // The house is none.
    paidByOthers: context.paidByOthers + (clears === "NONE" || fact.honeypot !== undefined ? 0 : 1),
    counterparties: fact.honeypot === undefined ? met(context.counterparties, counterparty) : context.counterparties,
    vouched: vouchedBy(context.vouched, fact),
    tally: {
      ...tally,
      earned: tally.earned + 1,
      firstTry: tally.firstTry + firstTry,
      durationMs: tally.durationMs + fact.durationMs,
    },
    ...withoutSlot(context, fact.task),
    records: {
      ...context.records,
      [fact.taskType]: {
        ...before,
        finished: before.finished + 1,
        settled: before.settled + 1,
        firstTry: before.firstTry + firstTry,
        timeShare: before.timeShare + timeShare,
        latest: withTask(before.latest ?? "", fact.firstTry ? "first" : "settled", counterparty),
        ...(fact.echo === true ? { echoes: (before.echoes ?? 0) + 1 } : {}),
      },
    },
  };
}

/** Earnings from a verified identity count for the credit line, as often as the rules let one identity vouch. */
function vouchedBy(before: AccountContext["vouched"], fact: Of<"Earned">): AccountContext["vouched"] {
  const { vouched = NO_CREDITS, counterparty = fact.requester } = fact;
  const { total, by } = before;
  const settlements = Object.hasOwn(by, counterparty) ? (by[counterparty] ?? 0) : 0;
  const isFull = settlements === 0 && Object.keys(by).length >= VOUCHERS_MAX;
  if (vouched === NO_CREDITS || isFull || settlements >= SETTLEMENTS_PER_IDENTITY) return before;
  return { total: total + vouched, by: { ...by, [counterparty]: settlements + 1 } };
}

export function afterFailing(context: AccountContext, fact: Of<"Failed">): Change {
  const { task, outcome, counterparty: by = null, at } = fact;
  const { untold, tally } = withUntold(context, fact, null);
  const timedOut = outcome === "TIMED_OUT" ? 1 : 0;
  const before = recordOf(context, fact.taskType);
  return {
    ...afterAwardEnd(context, { task, by, outcome, clears: "NONE", at }),
    untold,
    ...withoutSlot(context, fact.task),
    tally: { ...tally, failed: tally.failed + 1 - timedOut, timedOut: tally.timedOut + timedOut },
    records: {
      ...context.records,
      [fact.taskType]: {
        ...before,
        finished: before.finished + 1,
        latest: withTask(before.latest ?? "", "failed", fact.counterparty),
      },
    },
  };
}

/** As if the award had not been: its points, and whatever else it counted in. */
export function afterExcusing(context: AccountContext, fact: Of<"Excused">): Change {
  const { task, taskType, outcome, honeypot, counterparty } = fact;
  const { tally, untold } = honeypot === true ? withoutHoneypot(context, task) : context;
  const timedOut = outcome === "TIMED_OUT" ? 1 : 0;
  const record = recordOf(context, taskType);
  const reputation = context.reputation - pointsOf(outcome);
  const conduct = withoutFailure(context.conduct, task, reputation);
  return {
    reputation,
    conduct,
    failuresInRow: conduct.now.row.length,
    excused: [...context.excused, task].slice(-EXCUSED_MAX),
    tally: {
      ...tally,
      failed: tally.failed - (1 - timedOut),
      timedOut: tally.timedOut - timedOut,
    },
    untold,
    records: {
      ...context.records,
      [taskType]: {
        ...record,
        finished: record.finished - 1,
        ...(record.latest === undefined ? {} : { latest: withoutFailedTask(record.latest, counterparty) }),
      },
    },
  };
}

export function afterFreezing({ conduct }: AccountContext, { reason }: Of<"Frozen">): Change {
  return { conduct: markFrozen(conduct, reason !== undefined) };
}

export function afterUnfreezing({ conduct }: AccountContext): Change {
  return { conduct: pardoned(conduct) };
}

/** Sets the amounts of a hold that ends; `back` is what returns to the requester, in NC. */
function withoutHeld(context: AccountContext, task: Of<"Released">["task"], budget: number, back: number): Change {
  const held = credits(context.held - budget);
  if (held < 0) throw new Error(`account ${context.id} would hold a negative amount`);
  return {
    available: credits(context.available + back),
    held,
    holds: withoutHold(context.holds, task),
    openTasks: context.openTasks - 1,
  };
}

export function afterPayment(context: AccountContext, fact: Of<"PaymentChanged">): Change {
  const { payment, after, change, amount, customer } = fact;
  return {
    available: credits(context.available + amount),
    payments: { ...context.payments, [payment]: { ...after, changes: change } },
    customer: customer ?? context.customer,
  };
}

export function afterRating(context: AccountContext, { taskType, stars }: Of<"Rated">): Change {
  const { ratings, ratingSum, ...rest } = recordOf(context, taskType);
  const record = { ...rest, ratings: ratings + 1, ratingSum: ratingSum + stars };
  return { records: { ...context.records, [taskType]: record } };
}

export function afterHold(context: AccountContext, { task, budget, perMinute = 0, terms = NO_TERMS, at }: Of<"Held">): Change {
  return {
    terms,
    available: credits(context.available - budget),
    held: credits(context.held + budget),
    holds: withHold(context.holds, task, budget),
    openTasks: context.openTasks + 1,
    tally: { ...context.tally, created: context.tally.created + 1 },
    ...(perMinute === 0 ? {} : { opened: withOpened(context.opened, perMinute, at) }),
  };
}

export function afterRegistering(_: AccountContext, { email, source, keyHash, grant, at }: Of<"Registered">): Change {
  return { email, source, keyHash, available: grant, createdAt: at };
}

export function afterMarking({ marks }: AccountContext, { marks: more, elsewhere }: Of<"Marked">): Change {
  return { marks: [...marks, ...more], ...(elsewhere === undefined ? {} : { vouchesElsewhere: elsewhere }) };
}

/** Its mark is known with it, so that whoever links the same GitHub account at the same time finds this account, or is found. */
export function afterLinking({ marks }: AccountContext, { github }: Of<"GitHubLinked">): Change {
  return { github, marks: [...marks, ...newMarks(marks, github.mark === undefined ? [] : [github.mark])] };
}

export function afterRequestingRecovery(_: AccountContext, { codeHash, until }: Of<"RecoveryRequested">): Change {
  return { recovery: { codeHash, until, triesLeft: RECOVERY_TRIES } };
}

export function afterFailedRecovery({ recovery }: AccountContext): Change {
  return { recovery: recovery === null ? null : { ...recovery, triesLeft: recovery.triesLeft - 1 } };
}

export function afterCredit({ available }: AccountContext, { amount }: Of<"ToppedUp" | "Repaid" | "Adjusted">): Change {
  return { available: credits(available + amount) };
}

export function afterRelease(context: AccountContext, { task, budget, awarded }: Of<"Released">): Change {
  return { ...withoutHeld(context, task, budget, budget), unfulfilled: context.unfulfilled + (awarded === true ? 1 : 0) };
}

export function afterSettling(context: AccountContext, fact: Of<"Settled">): Change {
  return {
    ...withoutHeld(context, fact.task, fact.payout + fact.fee + fact.refund, fact.refund),
    counterparties: met(context.counterparties, fact.counterparty ?? fact.worker),
    tally: { ...context.tally, paid: context.tally.paid + 1 },
  };
}

export function afterCapability({ capabilities }: AccountContext, { capability }: Of<"CapabilityRegistered">): Change {
  return { capabilities: { ...capabilities, [capability.taskType]: capability } };
}

export function afterAvailability(context: AccountContext, fact: Of<"AvailabilityChanged">): Change {
  return { capabilities: withCapability(context, fact.capability, { available: fact.available }) };
}

export function afterTaking({ slots, reserved }: AccountContext, fact: Of<"OfferTaken">): Change {
  const { task, bid, capability, pull, asked } = fact;
  const taken = { slots: { ...slots, [task]: capability } };
  if (asked !== true) return taken;
  return { ...taken, reserved: { ...reserved, [task]: pull === undefined ? { bid } : { bid, pull: pull.id } } };
}

export function afterFreeing(context: AccountContext, { task }: Of<"OfferFreed">): Change {
  return withoutSlot(context, task);
}

export function afterGranting(context: AccountContext, { task }: Of<"ReturnGranted">): Change {
  return { returned: context.returned + 1, returns: withReturn(context, task) };
}

export function afterBatchStart({ batches }: AccountContext, { batch }: Of<"BatchStarted">): Change {
  return { batches: [...batches, batch] };
}

export function afterLeavingQueue(
  { waiting }: AccountContext,
  fact: Of<"BatchEnded" | "BatchCancelled" | "BatchLeftQueue">,
): Change {
  return { waiting: waiting.filter(({ batch }) => batch !== fact.batch) };
}

export function afterBatchEnd(context: AccountContext, fact: Of<"BatchEnded" | "BatchCancelled">): Change {
  return { ...afterLeavingQueue(context, fact), batches: context.batches.filter((batch) => batch !== fact.batch) };
}

export function afterQueueing({ waiting }: AccountContext, fact: Of<"BatchWaits">): Change {
  const { batch, want, budget, perMinute, reason, terms = NO_TERMS } = fact;
  return { terms, waiting: withWaiting(waiting, { batch, want, budget, perMinute, reason }) };
}

/** The timer that led to this call has fired, so it is no longer set. */
export function afterCalling({ waiting }: AccountContext, { calls, terms = NO_TERMS, at }: Of<"BatchesCalled">): Change {
  const called = new Set(calls.map(({ batch }) => batch));
  return { terms, waiting: waiting.filter(({ batch }) => !called.has(batch)), calledAt: at, callAt: null };
}

export function afterNewKey(_: AccountContext, fact: Of<"KeyRotated" | "KeyRecovered">): Change {
  return fact.type === "KeyRecovered" ? { keyHash: fact.keyHash, recovery: null } : { keyHash: fact.keyHash };
}

export function afterOAuth(_: AccountContext, fact: Of<"OAuthStarted" | "OAuthUsed">): Change {
  return { oauth: fact.type === "OAuthUsed" ? null : { stateHash: fact.stateHash, until: fact.until } };
}
