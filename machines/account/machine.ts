/**
 * The statechart of an account. Three regions in parallel: its conduct, its debt, and whether a call of its waiting batches is
 * set. Money and outcomes are accepted in every state, so that recovery always goes forward.
 */
import { and, assertEvent, assign, emit, enqueueActions, not, type SnapshotFrom, setup, stateIn } from "xstate";
import { type Effect, tellAccount, tellBatch, tellTask } from "../effect.ts";
import { identityOf } from "../market/identity.ts";
import { suspensionAt } from "../market/rating.ts";
import { changesOf } from "../statechart.ts";
import { type AccountStatus, accountId, type Millis } from "../vocabulary.ts";
import * as changes from "./changes.ts";
import type { AccountFact, AccountFactType } from "./events.ts";
import { afterHoneypot } from "./honeypots.ts";
import { owingAfter } from "./owing.ts";
import { type AccountContext, NEW } from "./state.ts";
import { callDue, isCallChanged, nextCall, type Restriction } from "./turns.ts";

type Of<T extends AccountFactType> = Extract<AccountFact, { type: T }>;

/** The tags of an account's state. */
export type AccountTag = "registered" | "cooling" | "frozen" | "suspended";

/** When an account is suspended for its oldest debt (ms); null without debt. */
function dueOf({ debtSince }: Pick<AccountContext, "debtSince">): Millis | null {
  return debtSince === null ? null : suspensionAt(debtSince);
}

const changing = changesOf<AccountContext, AccountFact>();

/** Makes the action of facts of these types: it changes the context, what is owed with the balance, and records the time of the change. */
function on<T extends AccountFactType>(
  type: T | readonly T[],
  change: (context: AccountContext, fact: Of<T>) => Partial<AccountContext>,
) {
  return changing(type, (context, fact) => {
    const changed = change(context, fact);
    const { available = context.available } = changed;
    return { ...changed, ...owingAfter(context, available, fact), updatedAt: fact.at };
  });
}

const machineSetup = setup({
  types: {
    context: {} as AccountContext,
    events: {} as AccountFact,
    input: {} as { id: string },
    emitted: {} as Effect,
    tags: {} as AccountTag,
  },
  actions: {
    register: on("Registered", changes.afterRegistering),
    addMarks: on("Marked", changes.afterMarking),
    replaceKey: on(["KeyRotated", "KeyRecovered"], changes.afterNewKey),
    beginRecovery: on("RecoveryRequested", changes.afterRequestingRecovery),
    useUpTry: on("RecoveryFailed", changes.afterFailedRecovery),
    credit: on(["ToppedUp", "Repaid", "Adjusted"], changes.afterCredit),
    changePayment: on("PaymentChanged", changes.afterPayment),
    hold: on("Held", changes.afterHold),
    release: on("Released", changes.afterRelease),
    settle: on("Settled", changes.afterSettling),
    earn: on("Earned", changes.afterEarning),
    fail: on("Failed", changes.afterFailing),
    excuse: on("Excused", changes.afterExcusing),
    freeze: on("Frozen", changes.afterFreezing),
    unfreeze: on("Unfrozen", changes.afterUnfreezing),
    changeOAuth: on(["OAuthStarted", "OAuthUsed"], changes.afterOAuth),
    linkGitHub: on("GitHubLinked", changes.afterLinking),
    registerCapability: on("CapabilityRegistered", changes.afterCapability),
    changeAvailability: on("AvailabilityChanged", changes.afterAvailability),
    reserveSlot: on("OfferTaken", changes.afterTaking),
    freeSlot: on("OfferFreed", changes.afterFreeing),
    countReturn: on("ReturnGranted", changes.afterGranting),
    countHoneypot: on("HoneypotJudged", afterHoneypot),
    rate: on("Rated", changes.afterRating),
    startBatch: on("BatchStarted", changes.afterBatchStart),
    endBatch: on(["BatchEnded", "BatchCancelled"], changes.afterBatchEnd),
    leaveQueue: on("BatchLeftQueue", changes.afterLeavingQueue),
    queueBatch: on("BatchWaits", changes.afterQueueing),
    takeFromQueue: on("BatchesCalled", changes.afterCalling),
    coolDown: on("CooldownStarted", (_, { until }) => ({ cooldownUntil: until })),
    endCooldown: on("CooldownEnded", () => ({ cooldownUntil: null })),
    setDebtDue: assign(({ context }) => ({ debtDue: dueOf(context) })),
    unsetDebtDue: assign({ debtDue: null }),
    setCall: assign(({ context, event }) => ({ callAt: callDue(context, nextCall(context, event.at) ?? event.at) })),
    setCallNow: assign(({ context, event }) => ({ callAt: callDue(context, event.at) })),
    unsetCall: assign({ callAt: null }),
    touch: assign(({ event }) => ({ updatedAt: event.at })),

    forget: emit((_, { timer }: { readonly timer: string }) => ({ type: "forget", name: timer })),
    remindOfCooldown: emit(({ event }) => {
      assertEvent(event, "CooldownStarted");
      return { type: "remind", name: "cooldown", at: event.until };
    }),
    remindOfDebt: emit(({ context, event }) => ({ type: "remind", name: "debt", at: context.debtDue ?? event.at })),
    /** One is due later than it was done, so that its worker does not learn of it then. */
    remindOfHoneypots: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, ["Earned", "Failed", "Excused", "HoneypotJudged"]);
      const [first] = context.untold;
      const isChanged = event.type === "HoneypotJudged" || event.honeypot !== undefined;
      if (first !== undefined && isChanged) enqueue.emit({ type: "remind", name: "honeypots", at: first.due });
      else if (isChanged) enqueue.emit({ type: "forget", name: "honeypots" });
    }),
    remindOfCall: emit(({ context, event }) => ({ type: "remind", name: "turns", at: context.callAt ?? event.at })),
    tellKin: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, "Marked");
      const { marks, createdAt } = context;
      const mark = context.github?.mark;
      const claim = mark === undefined ? {} : { claim: { mark, by: accountId(context.id), createdAt } };
      for (const id of event.kin) enqueue.emit(tellAccount(id, { type: "mark", marks, kin: [], ...claim }));
    }),
    tellRefusal: emit(({ event }) => {
      assertEvent(event, "ItemHoldRefused");
      const { batch, item, code, detail } = event;
      return tellBatch(batch, { type: "itemRefused", item, code, detail });
    }),
    tellLeft: emit(({ event }) => {
      assertEvent(event, "BatchLeftQueue");
      return tellBatch(event.batch, { type: "queueLeft" });
    }),
    withdrawTasks: enqueueActions(({ event, enqueue }) => {
      assertEvent(event, "BatchCancelled");
      for (const task of event.tasks) enqueue.emit(tellTask(task, { type: "withdraw" }));
    }),
    tellWaiting: enqueueActions(({ event, enqueue }) => {
      assertEvent(event, "BatchWaits");
      const { batch, item, reason, until } = event;
      enqueue.emit(tellBatch(batch, { type: "itemPostponed", item, reason, until }));
    }),
    tellTurns: enqueueActions(({ event, enqueue }) => {
      assertEvent(event, "BatchesCalled");
      for (const { batch, count } of event.calls) {
        enqueue.emit(tellBatch(batch, { type: "turns", count }));
      }
    }),
    /** For a task of an older version; one that asked is told with the decision. */
    bid: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, "OfferTaken");
      const { task, bid, price: credits, standing, asked } = event;
      if (asked === true) return;
      enqueue.emit(tellTask(task, { type: "standingBid", bid, worker: accountId(context.id), credits, standing }));
    }),
    decline: emit(({ context, event }) => {
      assertEvent(event, "OfferDeclined");
      const { task, reason, bid } = event;
      const why = { ...(reason === undefined ? {} : { reason }), ...(bid === undefined ? {} : { bid }) };
      return tellTask(task, { type: "declined", worker: accountId(context.id), ...why });
    }),
    tellSettled: emit(({ event }) => {
      assertEvent(event, "Settled");
      const { task, payout, fee, refund } = event;
      return tellTask(task, { type: "settled", payout, fee, refund });
    }),
    payWorker: emit(({ context, event }) => {
      assertEvent(event, "Settled");
      const { task, taskType, worker, payout, vouched, firstTry, durationMs, allowedMs, echo, honeypot } = event;
      const requester = accountId(context.id);
      return tellAccount(worker, {
        type: "earn",
        task,
        taskType,
        requester,
        requesterIdentity: identityOf(context.marks, requester),
        payout,
        ...(vouched === undefined ? {} : { vouched }),
        firstTry,
        durationMs,
        allowedMs,
        ...(echo === true ? { echo } : {}),
        ...(honeypot === undefined ? {} : { honeypot }),
      });
    }),
  },
  guards: {
    coolsStill: ({ context }) => context.cooldownUntil !== null,
    owes: ({ context }) => context.available < 0,
    owesNothing: ({ context }) => context.available >= 0,
    isDebtDueOtherwise: ({ context }) => context.debtDue !== dueOf(context),
    isFrozen: stateIn({ registered: { conduct: "frozen" } }),
    isSuspended: stateIn({ registered: { debt: "suspended" } }),
    someWait: ({ context }) => context.waiting.length > 0,
    someCanOpen: ({ context, event }) => nextCall(context, event.at) !== null,
    isDueSooner: ({ context, event }) => isCallChanged(context, event.at, event.at),
    isDueOtherwise: ({ context, event }) => isCallChanged(context, nextCall(context, event.at) ?? event.at, event.at),
    /** A frozen account calls all waiting batches, so that they learn that it is frozen. */
    mustTellAll: and(["someWait", "isFrozen"]),
    canCall: and(["someWait", not("isFrozen"), not("isSuspended"), "someCanOpen"]),
    hasNobodyToCall: and([not("mustTellAll"), not("canCall")]),
    mustTellAllSooner: and(["isFrozen", "isDueSooner"]),
    canCallOtherwise: and([not("isFrozen"), "isDueOtherwise"]),
  },
});

export const accountMachine = machineSetup.createMachine({
  id: "account",
  initial: "new",
  context: ({ input }) => ({ ...NEW, id: input.id }),
  states: {
    new: { on: { Registered: { target: "registered", actions: ["register"] } } },
    registered: {
      tags: ["registered"],
      type: "parallel",
      on: {
        Marked: { actions: ["addMarks", "tellKin"] },
        KeyRotated: { actions: ["replaceKey"] },
        KeyRecovered: { actions: ["replaceKey"] },
        RecoveryRequested: { actions: ["beginRecovery"] },
        RecoveryFailed: { actions: ["useUpTry"] },
        ToppedUp: { actions: ["credit"] },
        Repaid: { actions: ["credit"] },
        Adjusted: { actions: ["credit"] },
        PaymentChanged: { actions: ["changePayment"] },
        Released: { actions: ["release"] },
        Settled: { actions: ["settle", "tellSettled", "payWorker"] },
        Earned: { actions: ["earn", "remindOfHoneypots"] },
        Failed: { actions: ["fail", "remindOfHoneypots"] },
        Excused: { actions: ["excuse", "remindOfHoneypots"] },
        ReturnGranted: { actions: ["countReturn"] },
        HoneypotJudged: { actions: ["countHoneypot", "remindOfHoneypots"] },
        Rated: { actions: ["rate"] },
        OAuthStarted: { actions: ["changeOAuth"] },
        OAuthUsed: { actions: ["changeOAuth"] },
        GitHubLinked: { actions: ["linkGitHub"] },
        CapabilityRegistered: { actions: ["registerCapability"] },
        AvailabilityChanged: { actions: ["changeAvailability"] },
        OfferTaken: { actions: ["reserveSlot", "bid"] },
        OfferDeclined: { actions: ["touch", "decline"] },
        OfferFreed: { actions: ["freeSlot"] },
        ItemHoldRefused: { actions: ["touch", "tellRefusal"] },
        BatchEnded: { actions: ["endBatch"] },
        BatchLeftQueue: { actions: ["leaveQueue", "tellLeft"] },
        BatchCancelled: { actions: ["endBatch", "withdrawTasks"] },
        BatchWaits: { actions: ["queueBatch", "tellWaiting"] },
        BatchesCalled: { actions: ["takeFromQueue", "tellTurns"] },
      },
      states: {
        conduct: {
          initial: "active",
          states: {
            active: {
              on: {
                Held: { actions: ["hold"] },
                BatchStarted: { actions: ["startBatch"] },
                CooldownStarted: { target: "cooling", actions: ["coolDown", "remindOfCooldown"] },
                Frozen: { target: "frozen", actions: ["freeze"] },
              },
            },
            cooling: {
              tags: ["cooling"],
              on: {
                Held: { actions: ["hold"] },
                BatchStarted: { actions: ["startBatch"] },
                CooldownStarted: { actions: ["coolDown", "remindOfCooldown"] },
                CooldownEnded: { target: "active", actions: ["endCooldown", { type: "forget", params: { timer: "cooldown" } }] },
                Frozen: { target: "frozen", actions: ["freeze"] },
              },
            },
            frozen: {
              tags: ["frozen"],
              on: {
                CooldownStarted: { actions: ["coolDown", "remindOfCooldown"] },
                CooldownEnded: { actions: ["endCooldown", { type: "forget", params: { timer: "cooldown" } }] },
                Unfrozen: [
                  { guard: "coolsStill", target: "cooling", actions: ["unfreeze"] },
                  { target: "active", actions: ["unfreeze"] },
                ],
              },
            },
          },
        },
        debt: {
          initial: "ok",
          states: {
            ok: { always: { guard: "owes", target: "indebted", actions: ["setDebtDue", "remindOfDebt"] } },
            indebted: {
              always: [
                {
                  guard: "owesNothing",
                  target: "ok",
                  actions: ["unsetDebtDue", { type: "forget", params: { timer: "debt" } }],
                },
                { guard: "isDebtDueOtherwise", actions: ["setDebtDue", "remindOfDebt"] },
              ],
              on: {
                Suspended: {
                  target: "suspended",
                  actions: ["touch", "unsetDebtDue", { type: "forget", params: { timer: "debt" } }],
                },
              },
            },
            suspended: {
              tags: ["suspended"],
              always: { guard: "owesNothing", target: "ok" },
            },
          },
        },
        calls: {
          initial: "unset",
          states: {
            unset: {
              always: [
                { guard: "mustTellAll", target: "set", actions: ["setCallNow", "remindOfCall"] },
                { guard: "canCall", target: "set", actions: ["setCall", "remindOfCall"] },
              ],
            },
            set: {
              always: [
                {
                  guard: "hasNobodyToCall",
                  target: "unset",
                  actions: ["unsetCall", { type: "forget", params: { timer: "turns" } }],
                },
                { guard: "mustTellAllSooner", actions: ["setCallNow", "remindOfCall"] },
                { guard: "canCallOtherwise", actions: ["setCall", "remindOfCall"] },
              ],
            },
          },
        },
      },
    },
  },
});

export type AccountSnapshot = SnapshotFrom<typeof accountMachine>;

/** The account's status: of frozen, suspended and cooling, the first that applies. */
export function statusOf(state: AccountSnapshot): AccountStatus {
  if (!state.hasTag("registered") || state.hasTag("frozen")) return "FROZEN";
  if (state.hasTag("suspended")) return "SUSPENDED";
  return state.hasTag("cooling") ? "COOLING" : "ACTIVE";
}

/** What keeps an account from spending, whatever its balance. */
export function restrictionOf(state: AccountSnapshot): Restriction {
  if (state.hasTag("frozen")) return "frozen";
  return state.hasTag("suspended") ? "suspended" : null;
}
