/**
 * The statechart of a task: fact -> next state and effects. decide.ts decides which facts come about; a fact that does not fit
 * the state is a bug. The states are the contract's statuses, and NEW before the task is opened.
 */
import { assertEvent, assign, emit, enqueueActions, type SnapshotFrom, setup } from "xstate";
import { type Effect, tellAccount, tellBatch } from "../effect.ts";
import type { HoneypotOutcome } from "../market/honeypot.ts";
import { identityOf } from "../market/identity.ts";
import { split } from "../market/pricing.ts";
import type { CommandOf } from "../protocols.ts";
import { changesOf } from "../statechart.ts";
import { taskId } from "../vocabulary.ts";
import * as changes from "./changes.ts";
import type { Excused, PlacedBid, TaskFact, TaskFactType } from "./events.ts";
import { countsInScore, isPenalised } from "./fault.ts";
import { ASK_MS, askable, NEW, type TaskContext } from "./state.ts";

type Of<T extends TaskFactType> = Extract<TaskFact, { type: T }>;

/** The tags of a task's state: whether it takes bids, is awarded to somebody, has ended. */
export type TaskTag = "open" | "awarded" | "ended";

function must<T>(value: T | null, what: string): T {
  if (value === null) throw new Error(`a task without its ${what} cannot come to this point`);
  return value;
}

const tellRequester = ({ requester }: TaskContext, command: CommandOf<"account">): Effect =>
  tellAccount(must(requester, "requester"), command);

const tellWorker = ({ award }: TaskContext, command: CommandOf<"account">): Effect =>
  tellAccount(must(award, "award").worker, command);

/** Asks the workers with posted prices, from index `from` up to and without `until`, for a bid. */
function offering(context: TaskContext, from: number, until: number): readonly Effect[] {
  const { taskType, budget, minSkill } = must(context.order, "order");
  return askable(context)
    .slice(from, until)
    .map(({ worker, bid }) =>
      tellAccount(worker, { type: "offer", task: taskId(context.id), bid, taskType, budget, minSkill, marks: context.marks }),
    );
}

/** Tells bidders at posted prices that they need not reserve a slot for these bids any more. */
function freeing(bids: readonly PlacedBid[], task: string): readonly Effect[] {
  return bids
    .filter(({ standing }) => standing === true)
    .map(({ id, worker }) => tellAccount(worker, { type: "freed", task: taskId(task), bid: id }));
}

/** How a honeypot was done, and when its worker's account is to count that; nothing of other tasks. */
function honeypotOutcome({ order }: TaskContext, { at }: TaskFact, passed: boolean): { readonly honeypot?: HoneypotOutcome } {
  return order?.known === undefined ? {} : { honeypot: { passed, due: at + (order.tellAfter ?? 0) } };
}

function settlement(fact: Of<"ResultAccepted">, context: TaskContext): Effect {
  const order = must(context.order, "order");
  const award = must(context.award, "award");
  const awardedAt = must(context.awardedAt, "award's time");
  return tellRequester(context, {
    type: "settle",
    task: taskId(context.id),
    taskType: order.taskType,
    budget: order.budget,
    ...split(order.budget, award.credits),
    worker: award.worker,
    workerIdentity: award.identity ?? award.worker,
    firstTry: fact.firstTry,
    durationMs: fact.at - awardedAt,
    allowedMs: order.maxSeconds * 1_000,
    ...(fact.echo === true ? { echo: true as const } : {}),
    ...honeypotOutcome(context, fact, fact.isKnown === true),
  });
}

/** Tells workers whose penalties are taken back; a honeypot was counted for each of them as well. */
function excuses({ id, order, requester, marks }: TaskContext, excused: readonly Excused[]): readonly Effect[] {
  const { taskType, known } = must(order, "order");
  const honeypot = known === undefined ? {} : ({ honeypot: true } as const);
  const requesterIdentity = identityOf(marks, must(requester, "requester"));
  return excused.map(({ worker, outcome, reason }) =>
    tellAccount(worker, { type: "excuse", task: taskId(id), taskType, outcome, reason, requesterIdentity, ...honeypot }),
  );
}

/** Whether an award was given back without counting as a failure. */
function costsNothing(fact: TaskFact): boolean {
  return fact.type === "AwardReturned" && !isPenalised(fact);
}

/** The status that a task ends in by each of the facts that end it. */
const ENDS = { Settled: "SETTLED", Expired: "EXPIRED", Cancelled: "CANCELLED" } as const;

const on = changesOf<TaskContext, TaskFact>();

const machineSetup = setup({
  types: {
    context: {} as TaskContext,
    events: {} as TaskFact,
    input: {} as { id: string },
    emitted: {} as Effect,
    tags: {} as TaskTag,
  },
  actions: {
    open: on("Opened", changes.afterOpening),
    beginRound: on(["RoutingStarted", "Reopened"], changes.afterRoundStart),
    useUpRetry: on("Reopened", changes.afterReopening),
    askOneMore: on("OfferDeclined", changes.afterDecline),
    dropBid: on("OfferDeclined", changes.afterDroppedBid),
    withdrawBid: on("BidWithdrawn", changes.afterBidWithdrawal),
    notePass: on("Passed", changes.afterPass),
    extendAward: on("AwardExtended", changes.afterExtension),
    placeBid: on("BidPlaced", changes.afterBid),
    noteExplanation: on("PoolExplained", changes.afterExplanation),
    enterPool: on("PoolEntered", changes.afterPoolEntry),
    award: on("Awarded", changes.afterAward),
    acceptResult: on("ResultAccepted", changes.afterAcceptance),
    rejectResult: on("ResultRejected", changes.afterRejection),
    noteKill: on("JudgingKilled", changes.afterKill),
    dropRetries: on("Withdrawn", changes.afterWithdrawal),
    endAward: on(["AwardFailed", "AwardTimedOut", "AwardReturned"], changes.afterFailure),
    settle: on("Settled", changes.afterSettling),
    end: on(["Expired", "Cancelled"], changes.afterEnd),
    rate: on("Rated", changes.afterRating),
    noteAttempt: on("WebhookAttempted", changes.afterAttempt),
    restartWebhook: on("WebhookRequested", changes.afterWebhookRequest),
    touch: assign(({ event }) => ({ updatedAt: event.at })),

    forget: emit((_, { timer }: { readonly timer: string }) => ({ type: "forget", name: timer })),
    forgetAllTimers: enqueueActions(({ enqueue }) => {
      for (const name of ["execution", "routing", "pool"]) enqueue.emit({ type: "forget", name });
    }),
    remindOfRound: emit(({ event }) => {
      assertEvent(event, ["RoutingStarted", "Reopened"]);
      return { type: "remind", name: "routing", at: event.until };
    }),
    /** A bid that could win at once, but its worker's account has not answered yet. */
    remindOfAward: emit(({ event }) => ({ type: "remind", name: "routing", at: event.at + ASK_MS })),
    /** Unless another bid waits for its award. */
    forgetAward: enqueueActions(({ context, enqueue }) => {
      if (context.bids.length === 0) enqueue.emit({ type: "forget", name: "routing" });
    }),
    remindOfPool: emit(({ event }) => {
      assertEvent(event, "PoolEntered");
      return { type: "remind", name: "pool", at: event.until };
    }),
    remindOfDeadline: emit(({ event }) => {
      assertEvent(event, ["Awarded", "AwardExtended"]);
      return { type: "remind", name: "execution", at: event.deadline };
    }),
    remindOfWebhook: enqueueActions(({ context, event, enqueue }) => {
      if (context.order?.callbackUrl != null) enqueue.emit({ type: "remind", name: "webhook", at: event.at });
    }),
    remindOfNextAttempt: emit(({ event }) => {
      assertEvent(event, "WebhookAttempted");
      if (event.next === null) return { type: "forget", name: "webhook" };
      return { type: "remind", name: "webhook", at: event.next };
    }),
    offerToFirst: enqueueActions(({ context, enqueue }) => {
      for (const effect of offering(context, 0, context.asked)) enqueue.emit(effect);
    }),
    offerToNext: enqueueActions(({ context, enqueue }) => {
      for (const effect of offering(context, context.asked, context.asked + 1)) enqueue.emit(effect);
    }),
    freeDropped: emit(({ context, event }) => {
      assertEvent(event, "StandingBidDropped");
      const { worker, bid } = event;
      return tellAccount(worker, { type: "freed", task: taskId(context.id), ...(bid === undefined ? {} : { bid }) });
    }),
    /** A bid that had its slot before it could win, and now cannot. */
    freeLeaving: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, ["BidWithdrawn", "BidPlaced"]);
      const bid = event.type === "BidPlaced" ? event.displaces : event.bid;
      const leaving = context.bids.filter(({ id }) => id === bid);
      for (const effect of freeing(leaving, context.id)) enqueue.emit(effect);
    }),
    freeLosers: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, "Awarded");
      const losers = event.candidates.filter(({ id }) => id !== event.bid.id);
      for (const effect of freeing(losers, context.id)) enqueue.emit(effect);
    }),
    freeBidders: enqueueActions(({ context, enqueue }) => {
      for (const effect of freeing(context.bids, context.id)) enqueue.emit(effect);
    }),
    /** An operator has ended it during its award: the worker needs no slot for it, by whatever bid. */
    freeWorker: enqueueActions(({ context, enqueue }) => {
      if (context.award !== null) enqueue.emit(tellWorker(context, { type: "freed", task: taskId(context.id) }));
    }),
    askToSettle: emit(({ context, event }) => {
      assertEvent(event, "ResultAccepted");
      return settlement(event, context);
    }),
    askToRelease: emit(({ context, event }) => {
      assertEvent(event, ["Expired", "Cancelled"]);
      const { budget } = must(context.order, "order");
      const awarded = countsInScore(context.failures, event) ? ({ awarded: true } as const) : {};
      return tellRequester(context, { type: "release", task: taskId(context.id), budget, ...awarded });
    }),
    excuse: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, ["Expired", "Cancelled"]);
      for (const effect of excuses(context, event.excused ?? [])) enqueue.emit(effect);
    }),
    tellFailure: emit(({ context, event }) => {
      assertEvent(event, ["AwardFailed", "AwardTimedOut", "AwardReturned"]);
      const { taskType } = must(context.order, "order");
      const { id: bid } = must(context.award, "award");
      const requester = must(context.requester, "requester");
      if (costsNothing(event)) return tellWorker(context, { type: "freed", task: taskId(context.id), bid });
      const outcome = event.type === "AwardTimedOut" ? "TIMED_OUT" : "FAILED_VALIDATION";
      const requesterIdentity = identityOf(context.marks, requester);
      const honeypot = honeypotOutcome(context, event, false);
      return tellWorker(context, { type: "fail", task: taskId(context.id), taskType, outcome, requesterIdentity, ...honeypot });
    }),
    tellRating: emit(({ context, event }) => {
      assertEvent(event, "Rated");
      const { taskType } = must(context.order, "order");
      return tellWorker(context, { type: "rated", task: taskId(context.id), taskType, stars: event.stars });
    }),
    /** Tells the task's batch that it has ended. */
    tellBatch: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, ["Settled", "Expired", "Cancelled"]);
      const { batch } = must(context.order, "order");
      if (batch === undefined) return;
      enqueue.emit(tellBatch(batch.id, { type: "itemEnded", item: batch.item, status: ENDS[event.type] }));
    }),
    remindOfResend: emit(({ event }) => ({ type: "remind", name: "webhook", at: event.at })),
  },
  guards: {
    isOfABid: ({ event }) => event.type === "OfferDeclined" && event.bid !== undefined,
  },
});

export const taskMachine = machineSetup.createMachine({
  id: "task",
  initial: "NEW",
  context: ({ input }) => ({ ...NEW, id: input.id }),
  states: {
    NEW: { on: { Opened: { target: "CREATED", actions: ["open"] } } },
    CREATED: {
      on: {
        RoutingStarted: { target: "ROUTING" },
        Cancelled: { target: "CANCELLED" },
        Expired: { target: "EXPIRED" },
        StandingBidDropped: { actions: ["touch", "freeDropped"] },
      },
    },
    ROUTING: {
      tags: ["open"],
      entry: ["beginRound", "remindOfRound", "offerToFirst"],
      on: {
        OfferDeclined: [{ guard: "isOfABid", actions: ["dropBid"] }, { actions: ["offerToNext", "askOneMore"] }],
        BidPlaced: { actions: ["freeLeaving", "placeBid"] },
        BidWithdrawn: { actions: ["freeLeaving", "withdrawBid"] },
        Passed: { actions: ["notePass"] },
        Awarded: { target: "AWARDED" },
        PoolEntered: { target: "PENDING_POOL" },
        Cancelled: { target: "CANCELLED" },
        Expired: { target: "EXPIRED" },
        StandingBidDropped: { actions: ["touch", "freeDropped"] },
      },
    },
    PENDING_POOL: {
      tags: ["open"],
      entry: ["enterPool", { type: "forget", params: { timer: "routing" } }, "remindOfPool"],
      on: {
        OfferDeclined: { actions: ["dropBid", "forgetAward"] },
        PoolExplained: { actions: ["noteExplanation"] },
        BidPlaced: { actions: ["freeLeaving", "placeBid", "remindOfAward"] },
        BidWithdrawn: { actions: ["freeLeaving", "withdrawBid", "forgetAward"] },
        Passed: { actions: ["notePass"] },
        Awarded: { target: "AWARDED" },
        Cancelled: { target: "CANCELLED" },
        Expired: { target: "EXPIRED" },
        StandingBidDropped: { actions: ["touch", "freeDropped"] },
      },
    },
    AWARDED: {
      tags: ["awarded"],
      entry: [
        "award",
        { type: "forget", params: { timer: "routing" } },
        { type: "forget", params: { timer: "pool" } },
        "remindOfDeadline",
        "freeLosers",
      ],
      on: {
        ExecutionStarted: { target: "EXECUTING", actions: ["touch"] },
        ResultAccepted: { target: "COMPLETED" },
        Withdrawn: { actions: ["dropRetries"] },
        ResultRejected: { target: "REJECTED", actions: ["rejectResult"] },
        AwardTimedOut: { target: "TIMED_OUT" },
        AwardReturned: { target: "FAILED" },
        AwardExtended: { actions: ["extendAward", "remindOfDeadline"] },
        Expired: { target: "EXPIRED" },
        StandingBidDropped: { actions: ["touch", "freeDropped"] },
      },
    },
    EXECUTING: {
      tags: ["awarded"],
      on: {
        ResultAccepted: { target: "COMPLETED" },
        Withdrawn: { actions: ["dropRetries"] },
        ResultRejected: { target: "REJECTED", actions: ["rejectResult"] },
        AwardTimedOut: { target: "TIMED_OUT" },
        AwardReturned: { target: "FAILED" },
        AwardExtended: { actions: ["extendAward", "remindOfDeadline"] },
        JudgingKilled: { actions: ["noteKill"] },
        Expired: { target: "EXPIRED" },
        StandingBidDropped: { actions: ["touch", "freeDropped"] },
      },
    },
    REJECTED: {
      tags: ["awarded"],
      on: {
        ResultAccepted: { target: "COMPLETED" },
        Withdrawn: { actions: ["dropRetries"] },
        ResultRejected: { target: "REJECTED", actions: ["rejectResult"] },
        AwardFailed: { target: "FAILED" },
        AwardTimedOut: { target: "TIMED_OUT" },
        AwardExtended: { actions: ["extendAward", "remindOfDeadline"] },
        JudgingKilled: { actions: ["noteKill"] },
        Expired: { target: "EXPIRED" },
        StandingBidDropped: { actions: ["touch", "freeDropped"] },
      },
    },
    FAILED: {
      entry: [{ type: "forget", params: { timer: "execution" } }, "tellFailure", "endAward"],
      on: {
        Reopened: { target: "ROUTING", actions: ["useUpRetry"] },
        Expired: { target: "EXPIRED" },
        StandingBidDropped: { actions: ["touch", "freeDropped"] },
      },
    },
    TIMED_OUT: {
      entry: [{ type: "forget", params: { timer: "execution" } }, "tellFailure", "endAward"],
      on: {
        Reopened: { target: "ROUTING", actions: ["useUpRetry"] },
        Expired: { target: "EXPIRED" },
        StandingBidDropped: { actions: ["touch", "freeDropped"] },
      },
    },
    COMPLETED: {
      entry: [{ type: "forget", params: { timer: "execution" } }, "acceptResult", "askToSettle"],
      on: {
        Settled: { target: "SETTLED" },
        StandingBidDropped: { actions: ["touch", "freeDropped"] },
      },
    },
    SETTLED: {
      tags: ["ended"],
      entry: ["settle", "remindOfWebhook", "tellBatch"],
      on: {
        Rated: { actions: ["rate", "tellRating"] },
        WebhookAttempted: { actions: ["noteAttempt", "remindOfNextAttempt"] },
        WebhookRequested: { actions: ["restartWebhook", "remindOfResend"] },
        StandingBidDropped: { actions: ["touch", "freeDropped"] },
      },
    },
    EXPIRED: {
      tags: ["ended"],
      entry: ["end", "forgetAllTimers", "askToRelease", "freeBidders", "freeWorker", "excuse", "remindOfWebhook", "tellBatch"],
      on: {
        WebhookAttempted: { actions: ["noteAttempt", "remindOfNextAttempt"] },
        WebhookRequested: { actions: ["restartWebhook", "remindOfResend"] },
        StandingBidDropped: { actions: ["touch", "freeDropped"] },
      },
    },
    CANCELLED: {
      tags: ["ended"],
      entry: ["end", "forgetAllTimers", "askToRelease", "freeBidders", "excuse", "remindOfWebhook", "tellBatch"],
      on: {
        WebhookAttempted: { actions: ["noteAttempt", "remindOfNextAttempt"] },
        WebhookRequested: { actions: ["restartWebhook", "remindOfResend"] },
        StandingBidDropped: { actions: ["touch", "freeDropped"] },
      },
    },
  },
});

export type TaskSnapshot = SnapshotFrom<typeof taskMachine>;
