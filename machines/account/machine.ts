/** The statechart of an account: fact -> next state and effects. Frozen accounts still receive and settle. */
import { assign, type SnapshotFrom, setup } from "xstate";
import type { Effect } from "../effect.ts";
import type { Capability } from "../market/capability.ts";
import { identityOf } from "../market/identity.ts";
import { type CreditRecord, suspensionAt } from "../market/rating.ts";
import { judge } from "../market/reputation.ts";
import { EMPTY_RECORD, type Record } from "../market/skill.ts";
import { accountId, type Credits, credits, type Millis, NO_CREDITS } from "../vocabulary.ts";
import type { AccountFact } from "./facts.ts";
import { type Holds, withHold, withoutHold } from "./holds.ts";

/** So many counterparties are told apart; the highest rating asks for 20 (guide: Credit Rating System). */
export const COUNTERPARTIES_MAX = 100;

/** How often a recovery code may be tried (contract). */
export const RECOVERY_TRIES = 5;

/** What the ratings will be made from. Durations in ms. */
export interface Tally {
  readonly created: number;
  readonly paid: number;
  readonly earned: number;
  readonly failed: number;
  readonly timedOut: number;
  readonly firstTry: number;
  readonly durationMs: Millis;
  /** Of the tasks that an operator had posted with a known answer. */
  readonly honeypotsPassed: number;
  readonly honeypotsFailed: number;
}

/** What is owed is what `available` is below 0; this is since when (ms), and whether it was for too long. */
export interface Debt {
  readonly since: Millis;
  readonly suspended: boolean;
}

/** A code that was sent to the account's address. */
export interface Recovery {
  readonly codeHash: string;
  readonly until: Millis;
  readonly triesLeft: number;
}

export interface AccountContext {
  readonly id: string;
  readonly email: string;
  readonly source: string | null;
  readonly marks: readonly string[];
  readonly keyHash: string;
  /** The one code that is good now, or null. */
  readonly recovery: Recovery | null;
  readonly available: Credits;
  readonly held: Credits;
  readonly holds: Holds;
  readonly openTasks: number;
  readonly reputation: number;
  readonly failuresInRow: number;
  readonly cooldownUntil: Millis | null;
  /** null while nothing is owed. */
  readonly debt: Debt | null;
  readonly tally: Tally;
  /** Identities with which a task was settled, on either side. */
  readonly counterparties: readonly string[];
  /** Task type -> what this account did in it as a worker. */
  readonly records: { readonly [taskType: string]: Record };
  /** By task type. */
  readonly capabilities: { readonly [taskType: string]: Capability };
  /** Task -> the capability whose price won it, or has bid for it. */
  readonly slots: { readonly [task: string]: string };
  readonly createdAt: Millis;
  readonly updatedAt: Millis;
}

const NO_TALLY: Tally = {
  created: 0,
  paid: 0,
  earned: 0,
  failed: 0,
  timedOut: 0,
  firstTry: 0,
  durationMs: 0,
  honeypotsPassed: 0,
  honeypotsFailed: 0,
};

/** Before anything has happened; also what a snapshot lacks that was written before a field was there. */
export const NEW: Omit<AccountContext, "id"> = {
  email: "",
  source: null,
  marks: [],
  keyHash: "",
  recovery: null,
  available: NO_CREDITS,
  held: NO_CREDITS,
  holds: {},
  openTasks: 0,
  reputation: 0,
  failuresInRow: 0,
  cooldownUntil: null,
  debt: null,
  tally: NO_TALLY,
  counterparties: [],
  records: {},
  capabilities: {},
  slots: {},
  createdAt: 0,
  updatedAt: 0,
};

/** What an account's credit rating is made from. */
export function creditRecord({ tally, counterparties }: Pick<AccountContext, "tally" | "counterparties">): CreditRecord {
  const { earned, failed, timedOut, honeypotsPassed, honeypotsFailed } = tally;
  const honeypots = Math.max(0, honeypotsPassed - honeypotsFailed);
  return { settled: earned, failed, timedOut, counterparties: counterparties.length, honeypots };
}

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

/** What a fact makes of the numbers. Pure; the statechart says in which states it may come. */
export function applyFact(context: AccountContext, fact: AccountFact): Partial<AccountContext> {
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
      return { available: credits(context.available + fact.amount) };
    case "Repaid":
      return { available: credits(context.available + fact.amount) };
    case "Held":
      return {
        available: credits(context.available - fact.budget),
        held: credits(context.held + fact.budget),
        holds: withHold(context.holds, fact.task, fact.budget),
        openTasks: context.openTasks + 1,
        tally: { ...context.tally, created: context.tally.created + 1 },
      };
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
    case "CapabilityRegistered":
      return { capabilities: { ...context.capabilities, [fact.capability.taskType]: fact.capability } };
    case "AvailabilityChanged":
      return { capabilities: withCapability(context, fact.capability, { available: fact.available }) };
    case "OfferTaken":
      return { slots: { ...context.slots, [fact.task]: fact.capability } };
    case "OfferDeclined":
      return {};
    case "OfferFreed":
      return { slots: withoutSlot(context, fact.task) };
    case "Rated": {
      const { ratings, ratingSum, ...rest } = recordOf(context, fact.taskType);
      const record = { ...rest, ratings: ratings + 1, ratingSum: ratingSum + fact.stars };
      return { records: { ...context.records, [fact.taskType]: record } };
    }
    case "CooldownStarted":
      return { cooldownUntil: fact.until };
    case "CooldownEnded":
      return { cooldownUntil: null };
    case "Frozen":
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

function fold(context: AccountContext, fact: AccountFact): Partial<AccountContext> {
  const changed = applyFact(context, fact);
  const debt = debtOf(changed.debt ?? context.debt, changed.available ?? context.available, fact.at);
  return { ...changed, debt, updatedAt: fact.at };
}

/** The effects of one fact, given the contexts before and after it. */
export function effectsOf(fact: AccountFact, before: AccountContext, after: AccountContext): readonly Effect[] {
  return [...ownEffects(fact, after), ...debtEffects(before.debt, after.debt)];
}

/** The timer stands from the first day of a debt until it suspends, or the debt ends. */
function debtEffects(before: Debt | null, after: Debt | null): readonly Effect[] {
  if (after !== null && before === null) return [{ type: "remind", name: "debt", at: suspensionAt(after.since) }];
  const over = before !== null && !before.suspended && (after === null || after.suspended);
  return over ? [{ type: "forget", name: "debt" }] : [];
}

function ownEffects(fact: AccountFact, { id, marks }: AccountContext): readonly Effect[] {
  switch (fact.type) {
    case "Marked":
      return fact.kin.map((kin) => ({
        type: "tell",
        to: { kind: "account", id: kin },
        command: { type: "mark", marks, kin: [] },
      }));
    case "OfferTaken": {
      const { task, bid, price: credits, standing } = fact;
      const command = { type: "standingBid", bid, worker: id, credits, standing };
      return [{ type: "tell", to: { kind: "task", id: task }, command }];
    }
    case "OfferDeclined":
      return [{ type: "tell", to: { kind: "task", id: fact.task }, command: { type: "declined", worker: id } }];
    case "Settled": {
      const { task, taskType, worker, payout, fee, refund, firstTry, durationMs, allowedMs } = fact;
      const earn = {
        type: "earn",
        task,
        taskType,
        requester: id,
        requesterIdentity: identityOf(marks, accountId(id)),
        payout,
        firstTry,
        durationMs,
        allowedMs,
      };
      return [
        { type: "tell", to: { kind: "task", id: task }, command: { type: "settled", payout, fee, refund } as const },
        { type: "tell", to: { kind: "account", id: worker }, command: earn },
      ];
    }
    case "CooldownStarted":
      return [{ type: "remind", name: "cooldown", at: fact.until }];
    case "CooldownEnded":
      return [{ type: "forget", name: "cooldown" }];
    default:
      return [];
  }
}

const machineSetup = setup({
  types: { context: {} as AccountContext, events: {} as AccountFact, input: {} as { id: string } },
  actions: { apply: assign(({ context, event }) => fold(context, event)) },
});

const apply = { actions: ["apply"] } as const;
/** Money and outcomes arrive in every state, so that recovery always goes forward. */
const always = {
  Marked: apply,
  KeyRotated: apply,
  RecoveryRequested: apply,
  RecoveryFailed: apply,
  KeyRecovered: apply,
  ToppedUp: apply,
  Repaid: apply,
  Suspended: apply,
  Released: apply,
  Settled: apply,
  Earned: apply,
  Failed: apply,
  CapabilityRegistered: apply,
  AvailabilityChanged: apply,
  OfferTaken: apply,
  OfferDeclined: apply,
  OfferFreed: apply,
  Rated: apply,
} as const;

export const accountMachine = machineSetup.createMachine({
  id: "account",
  initial: "NEW",
  context: ({ input }) => ({ ...NEW, id: input.id }),
  states: {
    NEW: { on: { Registered: { target: "ACTIVE", ...apply } } },
    ACTIVE: {
      on: {
        ...always,
        Held: apply,
        CooldownStarted: { target: "COOLING", ...apply },
        Frozen: { target: "FROZEN", ...apply },
      },
    },
    COOLING: {
      on: {
        ...always,
        Held: apply,
        CooldownStarted: apply,
        CooldownEnded: { target: "ACTIVE", ...apply },
        Frozen: { target: "FROZEN", ...apply },
      },
    },
    FROZEN: { on: { ...always, CooldownStarted: apply, CooldownEnded: apply } },
  },
});

export type AccountSnapshot = SnapshotFrom<typeof accountMachine>;
