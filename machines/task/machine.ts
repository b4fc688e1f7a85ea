/**
 * The statechart of a task: fact -> next state and effects. Which facts come about is decide.ts' matter; a fact that
 * does not fit the state it meets is a bug, and evolve() says so.
 */
import { assign, type SnapshotFrom, setup } from "xstate";
import type { Effect } from "../effect.ts";
import type { Offer } from "../market/capability.ts";
import { split } from "../market/pricing.ts";
import { type AccountId, BOUNDS, type JsonValue, type Millis, type TerminalStatus } from "../vocabulary.ts";
import type { PlacedBid, TaskFact, TaskFactType, TaskSpec } from "./events.ts";

export interface Webhook {
  readonly attempts: number;
  readonly done: boolean;
  /** How often it was asked for again; not there in snapshots of before this was counted. */
  readonly resends?: number;
}

export interface Failure {
  readonly worker: AccountId;
  readonly code: "SCHEMA_MISMATCH" | "RULE_VIOLATION" | "TIMEOUT";
}

export interface TaskContext {
  readonly id: string;
  readonly requester: AccountId | null;
  readonly marks: readonly string[];
  readonly order: TaskSpec | null;
  /** Workers whose price stands, and how many of them that could take it were asked in this round. */
  readonly offers: readonly Offer[];
  readonly asked: number;
  readonly bids: readonly PlacedBid[];
  /** Whose awards ended without a result, and how; they get this task no more. */
  readonly failures: readonly Failure[];
  readonly award: PlacedBid | null;
  readonly awardedAt: Millis | null;
  readonly deadline: Millis | null;
  readonly submissions: number;
  readonly autoRetriesLeft: number;
  readonly errorCode: string | null;
  readonly result: JsonValue;
  readonly payout: number | null;
  readonly fee: number | null;
  /** 1..5, by the requester. */
  readonly rating: number | null;
  readonly expiresAt: Millis | null;
  readonly webhook: Webhook;
  readonly createdAt: Millis;
  readonly updatedAt: Millis;
}

type Of<T extends TaskFactType> = Extract<TaskFact, { type: T }>;

function must<T>(value: T | null, what: string): T {
  if (value === null) throw new Error(`a task without its ${what} cannot come to this point`);
  return value;
}

const tellRequester = (context: TaskContext, command: { readonly type: string; readonly [key: string]: unknown }): Effect => ({
  type: "tell",
  to: { kind: "account", id: must(context.requester, "requester") },
  command,
});

const tellWorker = (context: TaskContext, command: { readonly type: string; readonly [key: string]: unknown }): Effect => ({
  type: "tell",
  to: { kind: "account", id: must(context.award, "award").worker },
  command,
});

/** Those whose price stands and who have not failed this task, in the order in which they are asked. */
function askable({ offers, failures }: Pick<TaskContext, "offers" | "failures">): readonly Offer[] {
  return offers.filter(({ worker }) => !failures.some((failure) => failure.worker === worker));
}

/** Balanced takes the first price that stands, so it asks the best first, one by one; the others compare all of them. */
function askedAtFirst(context: Pick<TaskContext, "offers" | "failures" | "order">): number {
  const count = askable(context).length;
  return context.order?.quality === "balanced" ? Math.min(1, count) : count;
}

/** Asks those that were not asked before. */
function asking(from: number, after: TaskContext): readonly Effect[] {
  const { taskType, budget, minSkill } = must(after.order, "order");
  return askable(after)
    .slice(from, after.asked)
    .map(({ worker, bid }) => ({
      type: "tell",
      to: { kind: "account", id: worker },
      command: { type: "offer", task: after.id, bid, taskType, budget, minSkill, marks: after.marks },
    }));
}

/** Tells bidders at prices that stand that they need keep no place for this task. */
function freeing(bids: readonly PlacedBid[], task: string): readonly Effect[] {
  return bids
    .filter(({ standing }) => standing === true)
    .map(({ worker }) => ({ type: "tell", to: { kind: "account", id: worker }, command: { type: "freed", task } }));
}

/** The effects of one fact, given the context that the fact has led to (`after`) and the one before it. */
export function effectsOf(fact: TaskFact, before: TaskContext, after: TaskContext): readonly Effect[] {
  switch (fact.type) {
    case "RoutingStarted":
    case "Reopened":
      return [{ type: "remind", name: "routing", at: fact.until }, ...asking(0, after)];
    case "OfferDeclined":
      return asking(before.asked, after);
    case "StandingBidDropped":
      return [{ type: "tell", to: { kind: "account", id: fact.worker }, command: { type: "freed", task: after.id } }];
    case "Rated": {
      const { taskType } = must(after.order, "order");
      return [tellWorker(after, { type: "rated", task: after.id, taskType, stars: fact.stars })];
    }
    case "PoolEntered":
      return [
        { type: "forget", name: "routing" },
        { type: "remind", name: "pool", at: fact.until },
      ];
    case "Awarded":
      return [
        { type: "forget", name: "routing" },
        { type: "forget", name: "pool" },
        { type: "remind", name: "execution", at: fact.deadline },
        ...freeing(
          fact.candidates.filter(({ id }) => id !== fact.bid.id),
          after.id,
        ),
      ];
    case "ResultAccepted":
      return [
        { type: "forget", name: "execution" },
        settlement(fact, before),
        ...(fact.isKnown === undefined ? [] : [tellWorker(before, { type: "honeypot", task: before.id, passed: fact.isKnown })]),
      ];
    case "AwardFailed":
    case "AwardTimedOut":
      return [
        { type: "forget", name: "execution" },
        tellWorker(before, {
          type: "fail",
          task: after.id,
          taskType: must(after.order, "order").taskType,
          outcome: fact.type === "AwardFailed" ? "FAILED_VALIDATION" : "TIMED_OUT",
          at: fact.at,
        }),
        ...(after.order?.known === undefined ? [] : [tellWorker(before, { type: "honeypot", task: after.id, passed: false })]),
      ];
    case "Expired":
    case "Cancelled":
      return [
        { type: "forget", name: "execution" },
        { type: "forget", name: "routing" },
        { type: "forget", name: "pool" },
        tellRequester(after, { type: "release", task: after.id, budget: must(after.order, "order").budget }),
        ...freeing(before.bids, after.id),
        ...ending(fact.type === "Expired" ? "EXPIRED" : "CANCELLED", fact.at, after),
      ];
    case "Settled":
      return ending("SETTLED", fact.at, after);
    case "WebhookRequested":
      return [{ type: "remind", name: "webhook", at: fact.at }];
    case "WebhookAttempted":
      return [fact.next === null ? { type: "forget", name: "webhook" } : { type: "remind", name: "webhook", at: fact.next }];
    default:
      return [];
  }
}

function settlement(fact: Of<"ResultAccepted">, before: TaskContext): Effect {
  const order = must(before.order, "order");
  const award = must(before.award, "award");
  const awardedAt = must(before.awardedAt, "award's time");
  return tellRequester(before, {
    type: "settle",
    task: before.id,
    taskType: order.taskType,
    budget: order.budget,
    ...split(order.budget, award.credits),
    worker: award.worker,
    workerIdentity: award.identity ?? award.worker,
    firstTry: fact.firstTry,
    durationMs: fact.at - awardedAt,
    allowedMs: order.maxSeconds * 1_000,
    at: fact.at,
  });
}

/** Whoever waits for the end is told: its webhook is due, and the batch that it is of goes on. */
function ending(status: TerminalStatus, at: Millis, { order }: TaskContext): readonly Effect[] {
  const webhook: readonly Effect[] = order?.callbackUrl == null ? [] : [{ type: "remind", name: "webhook", at }];
  if (order?.batch === undefined) return webhook;
  const { id, item } = order.batch;
  return [...webhook, { type: "tell", to: { kind: "batch", id }, command: { type: "itemEnded", item, status } }];
}

/** Before anything has happened; also what a snapshot lacks that was written before a field was there. */
export const NEW: Omit<TaskContext, "id"> = {
  requester: null,
  marks: [],
  order: null,
  offers: [],
  asked: 0,
  bids: [],
  failures: [],
  award: null,
  awardedAt: null,
  deadline: null,
  submissions: 0,
  autoRetriesLeft: 0,
  errorCode: null,
  result: null,
  payout: null,
  fee: null,
  rating: null,
  expiresAt: null,
  webhook: { attempts: 0, done: false },
  createdAt: 0,
  updatedAt: 0,
};

const NO_AWARD = { award: null, awardedAt: null, deadline: null, submissions: 0 } as const;

const machineSetup = setup({
  types: { context: {} as TaskContext, events: {} as TaskFact, input: {} as { id: string } },
  actions: {
    open: assign(({ event }) => {
      if (event.type !== "Opened") return {};
      const { requester, marks = [], order, offers = [], createdAt } = event;
      return { requester, marks, order, offers, autoRetriesLeft: order.autoRetry, createdAt };
    }),
    collect: assign(({ event }) => ("until" in event ? { expiresAt: event.until } : {})),
    ask: assign(({ context }) => ({ asked: askedAtFirst(context) })),
    askNext: assign(({ context }) => ({ asked: Math.min(context.asked + 1, askable(context).length) })),
    rate: assign(({ event }) => (event.type === "Rated" ? { rating: event.stars } : {})),
    placeBid: assign(({ context, event }) => (event.type === "BidPlaced" ? { bids: [...context.bids, event.bid] } : {})),
    award: assign(({ event }) =>
      event.type === "Awarded"
        ? {
            award: event.bid,
            awardedAt: event.at,
            deadline: event.deadline,
            expiresAt: event.deadline,
            submissions: 0,
            errorCode: null,
          }
        : {},
    ),
    accept: assign(({ context, event }) =>
      event.type === "ResultAccepted"
        ? { result: event.result, submissions: context.submissions + 1, errorCode: null, expiresAt: null }
        : {},
    ),
    reject: assign(({ context, event }) =>
      event.type === "ResultRejected" ? { submissions: context.submissions + 1, errorCode: event.code } : {},
    ),
    endAward: assign(({ context, event }) => {
      const code = event.type === "AwardFailed" ? event.code : "TIMEOUT";
      const worker = must(context.award, "award").worker;
      return { ...NO_AWARD, failures: [...context.failures, { worker, code }], errorCode: code };
    }),
    reopen: assign(({ context }) => ({ bids: [], autoRetriesLeft: context.autoRetriesLeft - 1 })),
    settle: assign(({ event }) => (event.type === "Settled" ? { payout: event.payout, fee: event.fee } : {})),
    end: assign({ expiresAt: null }),
    attempted: assign(({ context, event }) =>
      event.type === "WebhookAttempted"
        ? { webhook: { ...context.webhook, attempts: event.attempt, done: event.next === null } }
        : {},
    ),
    resend: assign(({ context }) => ({
      webhook: { attempts: 0, done: false, resends: (context.webhook.resends ?? 0) + 1 },
    })),
    touch: assign(({ event }) => ({ updatedAt: event.at })),
  },
});

const webhookFacts = {
  WebhookAttempted: { actions: ["attempted"] },
  WebhookRequested: { actions: ["resend"] },
} as const;
/** May come whenever a worker's answer took long. */
const lateFacts = { StandingBidDropped: { actions: ["touch"] } } as const;
/** An operator may end a task in any state in which its money is still held for nobody. */
const endedByHand = { Expired: { target: "EXPIRED", actions: ["end", "touch"] } } as const;
const submissionFacts = {
  ...endedByHand,
  ResultAccepted: { target: "COMPLETED", actions: ["accept", "touch"] },
  ResultRejected: { target: "REJECTED", actions: ["reject", "touch"] },
  AwardTimedOut: { target: "TIMED_OUT", actions: ["endAward", "touch"] },
} as const;
const failureFacts = {
  Reopened: { target: "ROUTING", actions: ["reopen", "collect", "ask", "touch"] },
  Expired: { target: "EXPIRED", actions: ["end", "touch"] },
} as const;

/** States are the contract's statuses, and NEW before the task is opened. */
export const taskMachine = machineSetup.createMachine({
  id: "task",
  initial: "NEW",
  context: ({ input }) => ({ ...NEW, id: input.id }),
  states: {
    NEW: { on: { Opened: { target: "CREATED", actions: ["open", "touch"] } } },
    CREATED: {
      on: {
        ...lateFacts,
        ...endedByHand,
        RoutingStarted: { target: "ROUTING", actions: ["collect", "ask", "touch"] },
        Cancelled: { target: "CANCELLED", actions: ["end", "touch"] },
      },
    },
    ROUTING: {
      on: {
        ...lateFacts,
        ...endedByHand,
        OfferDeclined: { actions: ["askNext"] },
        BidPlaced: { actions: ["placeBid", "touch"] },
        Awarded: { target: "AWARDED", actions: ["award", "touch"] },
        PoolEntered: { target: "PENDING_POOL", actions: ["collect", "touch"] },
        Cancelled: { target: "CANCELLED", actions: ["end", "touch"] },
      },
    },
    PENDING_POOL: {
      on: {
        ...lateFacts,
        BidPlaced: { actions: ["placeBid", "touch"] },
        Awarded: { target: "AWARDED", actions: ["award", "touch"] },
        Cancelled: { target: "CANCELLED", actions: ["end", "touch"] },
        Expired: { target: "EXPIRED", actions: ["end", "touch"] },
      },
    },
    AWARDED: { on: { ...lateFacts, ExecutionStarted: { target: "EXECUTING", actions: ["touch"] }, ...submissionFacts } },
    EXECUTING: { on: { ...lateFacts, ...submissionFacts } },
    REJECTED: { on: { ...lateFacts, ...submissionFacts, AwardFailed: { target: "FAILED", actions: ["endAward", "touch"] } } },
    FAILED: { on: { ...lateFacts, ...failureFacts } },
    TIMED_OUT: { on: { ...lateFacts, ...failureFacts } },
    COMPLETED: { on: { ...lateFacts, Settled: { target: "SETTLED", actions: ["settle", "end", "touch"] } } },
    SETTLED: { on: { ...lateFacts, ...webhookFacts, Rated: { actions: ["rate"] } } },
    EXPIRED: { on: { ...lateFacts, ...webhookFacts } },
    CANCELLED: { on: { ...lateFacts, ...webhookFacts } },
  },
});

export type TaskSnapshot = SnapshotFrom<typeof taskMachine>;

/** How many wrong submissions the award of this task still takes before it ends. */
export function retriesLeft(context: TaskContext): number {
  return Math.max(0, BOUNDS.submissionsPerAward - 1 - context.submissions);
}
